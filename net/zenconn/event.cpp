// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/event.hpp"

#include "core/json_text.hpp"
#include "net/ws/utf8.hpp"
#include "net/zenconn/binary_codec.hpp"
#include "net/zenconn/json_codec.hpp"
#include "net/zenconn/json_members.hpp"

#include <cstdint>

namespace troupe::net::zenconn {
namespace {

std::string to_base64(core::bytes_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8U | (i + k < bytes.size()
                                 ? std::to_integer<std::uint32_t>(bytes[i + k])
                                 : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      out.push_back(
          i + k <= bytes.size() ? digits[group >> (18U - 6U * k) & 63U] : '=');
  }
  return out;
}

bool is_json_type(std::string_view type) {
  return type.substr(0, type.find(';')) == "application/json";
}

std::string data_of(const core::publication& what) {
  const auto text = what.payload.text();
  if (is_json_type(what.content_type) && is_json(text))
    return std::string{text};
  std::string out;
  if (ws::is_utf8(what.payload.view())) {
    core::append_json_string(out, text);
    return out;
  }
  return "{\"base64\":\"" + to_base64(what.payload.view()) + "\"}";
}

} // namespace

answer event_of(const core::publication& what, std::string_view channel) {
  answer event;
  event.what = answer::kind::event;
  event.channel = channel;
  event.data = data_of(what);
  event.from = what.sender;
  for (const auto& [name, value] : what.headers)
    if (name == from_header)
      event.from = value;
  return event;
}

const core::shared_bytes& shared_event::as(spelling how) {
  auto& bytes = spelled_[static_cast<std::size_t>(how)];
  if (!bytes.empty())
    return bytes;
  if (!event_)
    event_ = event_of(*what_, channel_);
  bytes = core::shared_bytes::copy_of(spell(*event_, how));
  return bytes;
}

std::string spell(const answer& what, spelling how) {
  if (how == spelling::binary)
    return encode_binary(what);
  return encode(what, how == spelling::compact);
}

} // namespace troupe::net::zenconn
