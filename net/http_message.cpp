// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace troupe::net {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && blank(text.back()))
    text.remove_suffix(1);
  return text;
}

void append_field(std::string& out, std::string_view name,
                  std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

std::string status_line(unsigned status) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " ";
  out.append(http_reason(status)).append("\r\n");
  return out;
}

void append_common(std::string& out, const http_response& response) {
  append_field(out, "Date", http_date());
  if (!response.content_type.empty())
    append_field(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers)
    append_field(out, name, value);
}

} // namespace

// Formatted at most once a second a thread.
std::string_view http_date() {
  thread_local std::time_t formatted = 0;
  thread_local std::array<char, 40> text{};
  thread_local std::size_t length = 0;
  auto now = std::time(nullptr);
  if (now != formatted) {
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed",
                                           "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr",
                                             "May", "Jun", "Jul", "Aug",
                                             "Sep", "Oct", "Nov", "Dec"};
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    auto day = std::strftime(text.data(), text.size(), "---, %d --- %Y %T GMT",
                             &parts);
    std::copy_n(days[parts.tm_wday], 3, text.data());
    std::copy_n(months[parts.tm_mon], 3, text.data() + 8);
    length = day;
    formatted = now;
  }
  return {text.data(), length};
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view http_request::header(std::string_view name) const {
  for (const auto& [field, value] : headers)
    if (equal_ignoring_case(field, name))
      return value;
  return {};
}

std::vector<std::string_view>
http_request::header_list(std::string_view name) const {
  std::vector<std::string_view> tokens;
  for (const auto& [field, value] : headers) {
    if (!equal_ignoring_case(field, name))
      continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      auto comma = std::min(rest.find(','), rest.size());
      if (auto token = trimmed(rest.substr(0, comma)); !token.empty())
        tokens.push_back(token);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return tokens;
}

bool http_request::header_has(std::string_view name,
                              std::string_view token) const {
  auto tokens = header_list(name);
  return std::any_of(tokens.begin(), tokens.end(), [&](std::string_view t) {
    return equal_ignoring_case(t, token);
  });
}

std::optional<std::string_view>
http_request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name)
      return value;
  return std::nullopt;
}

http_response http_error(unsigned status, std::string_view text) {
  boost::json::value body{{"error", boost::json::string{text}}};
  return {status, "application/json", boost::json::serialize(body) + "\n", {}};
}

std::string serialize(const http_response& response, http_after after,
                      bool head_only, unsigned version) {
  auto out = status_line(response.status);
  append_common(out, response);
  // 1xx and 204 have neither a body nor a length (RFC 9110 8.6).
  auto bodiless =
      response.status < 200 || response.status == 204 || response.status == 304;
  if (!bodiless)
    append_field(out, "Content-Length", std::to_string(response.body.size()));
  if (after == http_after::close)
    append_field(out, "Connection", "close");
  else if (version == 10)
    append_field(out, "Connection", "keep-alive");
  out.append("\r\n");
  if (!head_only && !bodiless)
    out.append(response.body);
  return out;
}

std::string serialize_head(const http_response& response,
                           std::uint64_t length) {
  auto out = status_line(response.status);
  append_common(out, response);
  append_field(out, "Content-Length", std::to_string(length));
  append_field(out, "Connection", "close");
  return out.append("\r\n");
}

std::string serialize_stream_head(const http_response& response) {
  auto out = status_line(response.status);
  append_common(out, response);
  append_field(out, "Cache-Control", "no-store");
  append_field(out, "Connection", "close");
  out.append("\r\n");
  return out;
}

std::string_view http_reason(unsigned status) noexcept {
  auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(status));
  return {reason.data(), reason.size()};
}

} // namespace troupe::net
