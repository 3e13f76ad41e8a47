// SPDX-License-Identifier: Apache-2.0
#include "cluster/snapshot_wire.hpp"

#include "cluster/raft_wire.hpp"
#include "cluster/wire_bytes.hpp"
#include "core/crc32c.hpp"

#include <utility>

namespace troupe::cluster {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_bytes = 4;

core::error malformed() { return {core::errc::malformed, "snapshot frame"}; }

core::shared_bytes sealed(byte_writer& out) {
  out.put(core::crc32c(out.view()));
  return core::shared_bytes::copy_of(out.view());
}

byte_writer opened(std::size_t expected) {
  byte_writer out{expected + 1 + checksum_bytes};
  out.put(version);
  return out;
}

/// The frame without its checksum, behind the version.
core::result<byte_reader> checked(const core::shared_bytes& frame) {
  if (frame.size() < 1 + checksum_bytes)
    return malformed();
  const auto size = frame.size() - checksum_bytes;
  byte_reader tail{frame.view().subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(frame.view().subspan(0, size)))
    return core::error{core::errc::corrupt, "snapshot frame"};
  byte_reader in{frame.view().subspan(0, size)};
  const auto format = in.take<std::uint8_t>();
  if (format > version)
    return core::error{core::errc::newer_format, "snapshot frame"};
  if (format != version)
    return malformed();
  return in;
}

} // namespace

core::shared_bytes encode(const snapshot_offer& m) {
  const auto announcement = encode(message{m.announcement});
  auto out = opened(24 + announcement.size());
  out.put(m.transfer);
  out.put(m.bytes);
  out.put(m.checksum);
  out.put(announcement.view());
  return sealed(out);
}

core::shared_bytes encode(const snapshot_chunk& m) {
  auto out = opened(16 + m.bytes.size());
  out.put(m.transfer);
  out.put(m.offset);
  out.put(m.bytes.view());
  return sealed(out);
}

core::shared_bytes encode(const snapshot_progress& m) {
  auto out = opened(32);
  out.put(m.transfer);
  out.put(static_cast<std::uint8_t>(m.state));
  out.put(m.received);
  out.put(m.allowed);
  out.put(static_cast<std::uint8_t>(m.rewind));
  return sealed(out);
}

core::shared_bytes encode_not_member(core::log_index members) {
  auto out = opened(8);
  out.put(members.value());
  return sealed(out);
}

core::result<core::log_index>
decode_not_member(const core::shared_bytes& frame) {
  auto in = checked(frame);
  if (!in)
    return in.error();
  const core::log_index members{in->take<std::uint64_t>()};
  if (!in->done())
    return malformed();
  return members;
}

core::result<snapshot_offer>
decode_snapshot_offer(const core::shared_bytes& frame) {
  auto in = checked(frame);
  if (!in)
    return in.error();
  snapshot_offer m;
  m.transfer = in->take<std::uint64_t>();
  m.bytes = in->take<std::uint64_t>();
  m.checksum = in->take<std::uint32_t>();
  const auto rest = in->remaining();
  auto inner = decode_message(frame.slice(in->position(), rest));
  if (!in->ok() || !inner)
    return malformed();
  auto* announcement = std::get_if<install_snapshot>(&*inner);
  if (announcement == nullptr)
    return malformed();
  m.announcement = std::move(*announcement);
  return m;
}

core::result<snapshot_chunk>
decode_snapshot_chunk(const core::shared_bytes& frame) {
  auto in = checked(frame);
  if (!in)
    return in.error();
  snapshot_chunk m;
  m.transfer = in->take<std::uint64_t>();
  m.offset = in->take<std::uint64_t>();
  if (!in->ok() || in->remaining() > snapshot_chunk_bytes_max)
    return malformed();
  m.bytes = frame.slice(in->position(), in->remaining());
  return m;
}

core::result<snapshot_progress>
decode_snapshot_progress(const core::shared_bytes& frame) {
  auto in = checked(frame);
  if (!in)
    return in.error();
  snapshot_progress m;
  m.transfer = in->take<std::uint64_t>();
  const auto state = in->take<std::uint8_t>();
  m.received = in->take<std::uint64_t>();
  m.allowed = in->take<std::uint64_t>();
  const auto rewind = in->take<std::uint8_t>();
  if (!in->done() || state < 1 || state > 4 || rewind > 1)
    return malformed();
  m.state = static_cast<snapshot_state>(state);
  m.rewind = rewind == 1;
  return m;
}

} // namespace troupe::cluster
