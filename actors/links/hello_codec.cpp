// SPDX-License-Identifier: Apache-2.0
#include "actors/links/hello_codec.hpp"

#include "cluster/wire_bytes.hpp"

#include <algorithm>
#include <cstring>

namespace troupe::actors::links {

namespace {

using cluster::byte_reader;
using cluster::byte_writer;

constexpr std::string_view frame_magic = "TRL";

core::error malformed(std::string what) {
  return {core::errc::malformed, std::move(what)};
}

template <std::size_t Size>
void take_into(byte_reader& in, std::array<std::byte, Size>& out) {
  const auto raw = in.take_bytes(Size);
  if (!raw.empty())
    std::memcpy(out.data(), raw.data(), Size);
}

// What a peer says goes to logs and terminals.
std::string printable(std::string_view text) {
  std::string clean{text};
  for (auto& c : clean)
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F)
      c = '?';
  return clean;
}

} // namespace

core::result<frame_head> decode_frame_head(core::bytes_view bytes,
                                           std::size_t payload_max) {
  byte_reader in{bytes};
  if (core::as_text(in.take_bytes(frame_magic.size())) != frame_magic)
    return malformed("not the protocol of Troupe's links");
  frame_head head;
  const auto type = in.take<std::uint8_t>();
  head.length = in.take<std::uint32_t>();
  if (!in.ok() || type < static_cast<std::uint8_t>(frame_type::hello) ||
      type > static_cast<std::uint8_t>(frame_type::join_answer))
    return malformed("a frame of unknown type");
  head.type = frame_type{type};
  if (head.length > payload_max)
    return malformed("a frame of " + std::to_string(head.length) +
                     " bytes where at most " + std::to_string(payload_max) +
                     " are allowed");
  return head;
}

std::string encode_frame(frame_type type, std::string_view payload) {
  byte_writer out{frame_head_size + payload.size()};
  out.put(core::as_bytes(frame_magic));
  out.put(static_cast<std::uint8_t>(type));
  out.put(static_cast<std::uint32_t>(payload.size()));
  out.put(core::as_bytes(payload));
  return std::string{core::as_text(out.view())};
}

// ------------------------------------------------------------------- payloads

std::string encode(const hello& h) {
  byte_writer out{handshake_frame_max};
  out.put(h.version);
  out.put(h.version_min);
  out.put(h.features);
  out.put(static_cast<std::uint8_t>(h.purpose));
  out.put(core::bytes_view{h.cluster});
  out.put(h.node.value());
  out.put(h.expected.value());
  out.put(h.incarnation.value());
  out.put(core::bytes_view{h.nonce});
  for (const auto window : h.window)
    out.put(window);
  const auto address = std::string_view{h.address}.substr(0, address_size_max);
  out.put(static_cast<std::uint8_t>(address.size()));
  out.put(core::as_bytes(address));
  return std::string{core::as_text(out.view())};
}

core::result<hello> decode_hello(core::bytes_view bytes) {
  byte_reader in{bytes};
  hello h;
  h.version = in.take<std::uint16_t>();
  h.version_min = in.take<std::uint16_t>();
  h.features = in.take<std::uint32_t>();
  const auto purpose = in.take<std::uint8_t>();
  take_into(in, h.cluster);
  h.node = core::node_id{in.take<std::uint32_t>()};
  h.expected = core::node_id{in.take<std::uint32_t>()};
  h.incarnation = links::incarnation{in.take<std::uint64_t>()};
  take_into(in, h.nonce);
  for (auto& window : h.window)
    window = in.take<std::uint32_t>();
  const auto address = in.take_bytes(in.take<std::uint8_t>());
  // A newer peer may append fields; the proof covers them all the same.
  if (!in.ok() || (in.remaining() != 0 && h.version <= protocol_version))
    return malformed("a hello of wrong length");
  if (purpose < 1 || purpose > 2)
    return malformed("a hello of unknown purpose");
  h.purpose = links::purpose{purpose};
  h.address = printable(core::as_text(address));
  if (h.address.size() != address.size() || core::as_text(address) != h.address)
    return malformed("a hello whose address has control characters");
  return h;
}

std::string encode(const challenge& c) {
  byte_writer out{2 + nonce_size};
  out.put(c.version);
  out.put(core::bytes_view{c.nonce});
  return std::string{core::as_text(out.view())};
}

core::result<challenge> decode_challenge(core::bytes_view bytes) {
  byte_reader in{bytes};
  challenge c;
  c.version = in.take<std::uint16_t>();
  take_into(in, c.nonce);
  if (!in.done())
    return malformed("a challenge of wrong length");
  return c;
}

// -------------------------------------------------------------------- refusal

std::string encode(const refusal& r) {
  const auto text = std::string_view{r.text}.substr(0, refusal_text_max);
  byte_writer out{3 + text.size()};
  out.put(static_cast<std::uint16_t>(r.code));
  out.put(static_cast<std::uint8_t>(text.size()));
  out.put(core::as_bytes(text));
  return std::string{core::as_text(out.view())};
}

core::result<refusal> decode_refusal(core::bytes_view bytes) {
  byte_reader in{bytes};
  refusal r;
  const auto code = in.take<std::uint16_t>();
  const auto text = in.take_bytes(in.take<std::uint8_t>());
  if (!in.done() || code == 0 || code >= refusal_codes ||
      text.size() > refusal_text_max)
    return malformed("a refusal that can't be read");
  r.code = refusal_code{code};
  r.text = printable(core::as_text(text));
  return r;
}

std::string to_string(const refusal& r) {
  std::string text{to_string(r.code)};
  if (!r.text.empty())
    text += ": " + r.text;
  return text;
}

std::string_view to_string(refusal_code code) noexcept {
  switch (code) {
  case refusal_code::malformed:
    return "malformed";
  case refusal_code::version:
    return "no protocol version in common";
  case refusal_code::wrong_cluster:
    return "wrong cluster";
  case refusal_code::wrong_secret:
    return "wrong cluster secret";
  case refusal_code::wrong_node:
    return "another node than expected";
  case refusal_code::same_node:
    return "the same node id as here";
  case refusal_code::duplicate_node:
    return "the node id is in use by another process";
  case refusal_code::redundant:
    return "redundant connection";
  case refusal_code::not_admitted:
    return "not admitted";
  case refusal_code::busy:
    return "too many conversations";
  case refusal_code::timed_out:
    return "timed out";
  case refusal_code::stopping:
    return "stopping";
  case refusal_code::tls_required:
    return "TLS required";
  case refusal_code::tls_unexpected:
    return "TLS not spoken here";
  case refusal_code::tls_failed:
    return "TLS failed";
  case refusal_code::closed:
    return "closed by the peer";
  }
  return "unknown";
}

std::string_view to_string(drop_reason reason) noexcept {
  switch (reason) {
  case drop_reason::not_connected:
    return "not_connected";
  case drop_reason::overloaded:
    return "overloaded";
  case drop_reason::link_lost:
    return "link_lost";
  case drop_reason::old_link:
    return "old_link";
  case drop_reason::no_handler:
    return "no_handler";
  }
  return "unknown";
}

std::string_view to_string(peer_state state) noexcept {
  switch (state) {
  case peer_state::idle:
    return "idle";
  case peer_state::waiting:
    return "waiting";
  case peer_state::connecting:
    return "connecting";
  case peer_state::proving:
    return "proving";
  case peer_state::handshake:
    return "handshake";
  case peer_state::up:
    return "up";
  case peer_state::closing:
    return "closing";
  }
  return "unknown";
}

} // namespace troupe::actors::links
