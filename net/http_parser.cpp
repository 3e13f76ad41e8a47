// SPDX-License-Identifier: Apache-2.0
#include "net/http_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <utility>

namespace troupe::net {

namespace http = boost::beast::http;
namespace urls = boost::urls;

namespace {

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

unsigned status_of(const boost::system::error_code& failed) {
  if (failed == http::error::header_limit ||
      failed == http::error::buffer_overflow)
    return 431;
  if (failed == http::error::body_limit)
    return 413;
  if (failed == http::error::bad_version)
    return 505;
  return 400;
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1); // '/'
    auto slash = std::min(path.find('/'), path.size());
    auto segment = path.substr(0, slash);
    if (segment == "." || segment == "..")
      return true;
    path.remove_prefix(slash);
  }
  return false;
}

/// A body that grows with what comes: a length alone, which anybody may
/// announce, reserves little.
struct growing_body {
  using value_type = std::string;
  static constexpr std::size_t first_bytes = 64 * 1024;

  class reader {
  public:
    template <bool IsRequest, class Fields>
    reader(http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>& length,
              boost::system::error_code& failed) {
      failed = {};
      if (length)
        body_.reserve(std::min<std::uint64_t>(*length, first_bytes));
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& failed) {
      failed = {};
      std::size_t total = 0;
      for (auto at = boost::asio::buffer_sequence_begin(buffers);
           at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer piece{*at};
        body_.append(static_cast<const char*>(piece.data()), piece.size());
        total += piece.size();
      }
      return total;
    }
    void finish(boost::system::error_code& failed) { failed = {}; }

  private:
    value_type& body_;
  };
};

} // namespace

struct http_parser::implementation {
  http::request_parser<growing_body> parser;
};

http_parser::http_parser(const http_limits& limits)
    : raw_prefix_(limits.raw_prefix), keep_line_(limits.keep_line),
      parser_(std::make_unique<implementation>()) {
  parser_->parser.header_limit(
      static_cast<std::uint32_t>(limits.head_bytes_max));
  parser_->parser.body_limit(limits.body_bytes_max);
}

http_parser::~http_parser() = default;

std::size_t http_parser::put(std::string_view bytes) {
  std::size_t total = 0;
  auto& parser = parser_->parser;
  while (state_ == state::head || state_ == state::body) {
    if (state_ == state::body && parser.is_done()) {
      request_.body = std::move(parser.get().body());
      state_ = state::complete;
      break;
    }
    if (total == bytes.size())
      break;
    boost::system::error_code failed;
    total += parser.put(
        boost::asio::const_buffer{bytes.data() + total, bytes.size() - total},
        failed);
    if (failed && failed != http::error::need_more) {
      fail(status_of(failed), failed.message());
      break;
    }
    if (state_ == state::head && parser.is_header_done()) {
      // RFC 9112 5.2: allowed to nobody any more, read differently by many.
      const auto head = bytes.substr(0, total);
      if (head.find("\n ") != head.npos || head.find("\n\t") != head.npos)
        fail(400, "a folded field");
      else
        check_head();
      parser.eager(true);
    } else if (failed) {
      break;
    }
  }
  return total;
}

void http_parser::fail(unsigned status, std::string text) {
  state_ = state::failed;
  error_ = status;
  text_ = std::move(text);
}

void http_parser::check_head() {
  auto& parser = parser_->parser;
  const auto& head = parser.get();
  request_.method = std::string{view(head.method_string())};
  request_.version = head.version();
  if (keep_line_)
    request_.line = request_.method + ' ' + std::string{view(head.target())} +
                    " HTTP/" + std::to_string(request_.version / 10) + '.' +
                    std::to_string(request_.version % 10);
  for (const auto& field : head)
    request_.headers.emplace_back(view(field.name_string()),
                                  view(field.value()));
  if (request_.version != 10 && request_.version != 11)
    return fail(505, "HTTP/1.0 and 1.1 only");
  if (!check_framing() || !check_target(view(head.target())))
    return;
  request_.keep_alive = parser.keep_alive();
  if (auto expect = request_.header("Expect"); !expect.empty()) {
    if (!equal_ignoring_case(expect, "100-continue"))
      return fail(417, "unknown expectation");
    continue_ = !parser.is_done();
  }
  state_ = state::body;
}

bool http_parser::check_framing() {
  auto count = [&](std::string_view name) {
    return std::count_if(
        request_.headers.begin(), request_.headers.end(),
        [&](const auto& f) { return equal_ignoring_case(f.first, name); });
  };
  auto lengths = count("Content-Length");
  auto codings = count("Transfer-Encoding");
  auto hosts = count("Host");
  auto length = request_.header("Content-Length");
  auto is_number = length.find_first_not_of("0123456789") == length.npos &&
                   (lengths == 0 || !length.empty());
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0) || !is_number)
    fail(400, "ambiguous message length");
  else if (codings > 0 && request_.version == 10)
    fail(400, "transfer coding in HTTP/1.0");
  else if (codings > 0 && !equal_ignoring_case(
                              request_.header("Transfer-Encoding"), "chunked"))
    fail(501, "transfer coding not supported");
  else if (hosts > 1 || (hosts == 0 && request_.version == 11))
    fail(400, "exactly one Host is needed");
  // Whoever stands in front may judge by the other one.
  else if (count("Content-Type") > 1 || count("Authorization") > 1)
    fail(400, "one of these header fields is there twice");
  return state_ != state::failed;
}

/// In absolute form, as proxies get it, the path is what counts.
bool http_parser::take_raw(std::string_view target) {
  if (raw_prefix_.empty())
    return false;
  if (!target.starts_with('/')) {
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos)
      return false;
    const auto path = target.find('/', scheme + 3);
    if (path == std::string_view::npos)
      return false;
    target.remove_prefix(path);
  }
  if (!target.starts_with(raw_prefix_))
    return false;
  request_.target = target;
  request_.path = target.substr(0, target.find('?'));
  return true;
}

bool http_parser::check_target(std::string_view target) {
  if (take_raw(target))
    return true;
  auto parsed = target.starts_with('/') ? urls::parse_origin_form(target)
                                        : urls::parse_uri(target);
  if (target == "*") {
    request_.path.assign(1, '*');
    return true;
  }
  if (!parsed) {
    fail(400, "malformed target");
    return false;
  }
  auto path = parsed->encoded_path();
  request_.path = path.decode();
  if (request_.path.empty())
    request_.path.assign(1, '/');
  if (request_.path.front() != '/' ||
      request_.path.find('\0') != std::string::npos ||
      has_dot_segment(request_.path)) {
    fail(400, "malformed path");
    return false;
  }
  urls::encoding_opts as_form;
  as_form.space_as_plus = true;
  for (auto item : parsed->params(as_form))
    request_.query.emplace_back(item.key, item.value);
  return true;
}

http_request http_parser::take() { return std::move(request_); }

} // namespace troupe::net
