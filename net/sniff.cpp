// SPDX-License-Identifier: Apache-2.0
#include "net/sniff.hpp"

#include "net/proxy_header.hpp"

#include <algorithm>

namespace troupe::net {

namespace {

enum class prefix_match : std::uint8_t { no, so_far, whole };

prefix_match match(std::string_view text, std::string_view signature) {
  const auto shared = std::min(text.size(), signature.size());
  if (text.substr(0, shared) != signature.substr(0, shared))
    return prefix_match::no;
  return shared == signature.size() ? prefix_match::whole
                                    : prefix_match::so_far;
}

bool is_letter(unsigned c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

} // namespace

sniffed sniff(core::bytes_view first_bytes) noexcept {
  if (first_bytes.empty())
    return sniffed::need_more;
  const auto text = core::as_text(first_bytes);
  if (const auto v1 = match(text, proxy_v1_signature); v1 != prefix_match::no)
    return v1 == prefix_match::whole ? sniffed::proxy_v1 : sniffed::need_more;
  if (const auto v2 = match(text, proxy_v2_signature); v2 != prefix_match::no)
    return v2 == prefix_match::whole ? sniffed::proxy_v2 : sniffed::need_more;
  const auto first = std::to_integer<unsigned>(first_bytes[0]);
  if (first == 0x16)
    return sniffed::tls;
  if (first >= 0x80 && first <= 0x8f)
    return sniffed::mq;
  if (first == 0x10)
    return sniffed::mqtt;
  if (first == 0x7f)
    return sniffed::wamp_rawsocket;
  return is_letter(first) ? sniffed::http : sniffed::unknown;
}

std::string_view to_string(sniffed what) noexcept {
  switch (what) {
  case sniffed::need_more:
    return "need more";
  case sniffed::tls:
    return "tls";
  case sniffed::http:
    return "http";
  case sniffed::mq:
    return "mq";
  case sniffed::mqtt:
    return "mqtt";
  case sniffed::wamp_rawsocket:
    return "wamp rawsocket";
  case sniffed::proxy_v1:
    return "proxy v1";
  case sniffed::proxy_v2:
    return "proxy v2";
  case sniffed::unknown:
    break;
  }
  return "unknown";
}

} // namespace troupe::net
