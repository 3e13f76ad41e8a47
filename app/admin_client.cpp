// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"

#include "app/admin_report.hpp"
#include "app/blocking_stream.hpp"
#include "app/version.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace troupe::app {
namespace {

namespace http = boost::beast::http;

/// An export of every user is the largest answer.
constexpr std::uint64_t answer_bytes_max = 4ULL << 30;

core::error refusal(unsigned status, const boost::json::value& body) {
  const auto code = status == 404   ? core::errc::not_found
                    : status == 401 ? core::errc::not_permitted
                    : status == 400 ? core::errc::malformed
                                    : core::errc::unavailable;
  auto detail = text_at(body, "error");
  for (const auto& reason : array_at(body, "reasons")) // of /readyz
    detail += (detail.empty() ? "" : "; ") + text_of(reason);
  if (detail.empty())
    detail = "status " + std::to_string(status);
  if (const auto more = text_at(body, "detail"); !more.empty())
    // The code is said anyway.
    detail = detail == core::to_string(code) ? more : detail + ": " + more;
  return {code, detail};
}

} // namespace

core::result<boost::json::value>
admin_client::post(const std::string& target,
                   const boost::json::value& body) const {
  return exchange("POST", target, boost::json::serialize(body));
}

core::result<boost::json::value>
admin_client::exchange(std::string_view method, const std::string& target,
                       const std::string& body) const {
  const auto text = exchange_text(method, target, body);
  if (!text)
    return text.error();
  if (text->empty())
    return boost::json::value{};
  boost::system::error_code no_json;
  auto value = boost::json::parse(*text, no_json);
  if (no_json)
    return core::error{core::errc::malformed, to_string(options_.address) +
                                                  " answers no JSON: is it "
                                                  "an admin listener?"};
  return value;
}

core::result<std::string>
admin_client::exchange_text(std::string_view method, const std::string& target,
                            const std::string& body) const {
  const auto& peer = options_.address;
  blocking_stream stream;
  if (auto connected = stream.connect(peer, options_.timeout); !connected)
    return connected.error();

  http::request<http::string_body> request{
      http::string_to_verb({method.data(), method.size()}), target, 11, body};
  request.set(http::field::host, to_string(peer));
  request.set(http::field::user_agent, "troupe/" + std::string{version()});
  request.set(http::field::accept, "application/json");
  request.set(http::field::connection, "close");
  if (!body.empty())
    request.set(http::field::content_type, "application/json");
  if (!options_.token.empty())
    request.set(http::field::authorization, "Bearer " + options_.token);
  request.prepare_payload();
  if (const auto failed =
          stream.run(options_.timeout, [&request](auto& to, auto done) {
            http::async_write(to, request, std::move(done));
          }))
    return network_error(peer, failed);

  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> answer;
  answer.body_limit(answer_bytes_max);
  if (const auto failed =
          stream.run(options_.timeout, [&](auto& from, auto done) {
            http::async_read(from, buffer, answer, std::move(done));
          }))
    return network_error(peer, failed);

  auto& text = answer.get().body();
  const auto status = answer.get().result_int();
  if (status >= 400) {
    boost::system::error_code no_json;
    const auto why = boost::json::parse(text, no_json);
    return refusal(status, why);
  }
  return std::move(text);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    const auto code = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      out += std::string{'%'} + hex[code >> 4] + hex[code & 15];
  }
  return out;
}

} // namespace troupe::app
