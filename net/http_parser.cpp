// SPDX-License-Identifier: Apache-2.0
#include "net/http_parser.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
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

} // namespace

struct http_parser::implementation {
  http::request_parser<http::string_body> parser;
};

http_parser::http_parser(const http_limits& limits)
    : parser_(std::make_unique<implementation>()) {
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
  return state_ != state::failed;
}

bool http_parser::check_target(std::string_view target) {
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
