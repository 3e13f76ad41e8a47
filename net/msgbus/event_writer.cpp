// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/event_writer.hpp"

#include "net/ws/utf8.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace troupe::net::msgbus {
namespace {

std::string begin_event(const part& message, std::string_view kind) {
  std::string out;
  if (!message.id.empty())
    out.append("id: ").append(one_line(message.id)).append("\n");
  return out.append("event: ").append(kind).append("\n");
}

} // namespace

std::string base64(core::bytes_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8U |
              (k < left ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(k <= left ? digits[three >> (18U - 6U * k) & 63U] : '=');
  }
  return out;
}

std::string text_event(const part& message) {
  auto rest = core::as_text(message.body);
  const bool plain =
      rest.find('\r') == std::string_view::npos && ws::is_utf8(message.body);
  auto out = begin_event(message, plain ? "message" : "base64");
  if (!plain)
    return out.append("data: ").append(base64(message.body)).append("\n\n");
  for (;;) {
    const auto end = std::min(rest.find('\n'), rest.size());
    out.append("data: ").append(rest.substr(0, end)).append("\n");
    if (end == rest.size())
      break;
    rest.remove_prefix(end + 1);
  }
  return out.append("\n");
}

std::string json_event(const part& message) {
  boost::json::object body;
  const auto put = [&](std::string_view key, std::string_view value) {
    // What is no UTF-8 can't be said in JSON.
    if (ws::is_utf8(core::as_bytes(value)))
      body[boost::json::string_view{key.data(), key.size()}] =
          boost::json::string{value.data(), value.size()};
  };
  if (message.has_location)
    put("channel", message.location);
  if (!message.sender.empty())
    put("sender", message.sender);
  if (!message.type.empty())
    put("type", message.type);
  if (!message.id.empty())
    put("id", message.id);
  if (ws::is_utf8(message.body))
    put("data", core::as_text(message.body));
  else
    put("base64", base64(message.body));
  return begin_event(message, "message") +
         "data: " + boost::json::serialize(body) + "\n\n";
}

} // namespace troupe::net::msgbus
