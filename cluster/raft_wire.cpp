// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft_wire.hpp"

#include "cluster/wire_bytes.hpp"
#include "core/crc32c.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace troupe::cluster {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t entry_header_bytes = 8 + 1 + 4;
// Terms grow by one an election; above this they are damage, and would leave
// no room to campaign.
constexpr std::uint64_t term_max = std::uint64_t{1} << 62;

void put(byte_writer& out, const vote_request& m) {
  out.put(m.term.value());
  out.put(m.last.value());
  out.put(m.last_term.value());
  out.put(static_cast<std::uint8_t>(m.pre));
  out.put(static_cast<std::uint8_t>(m.forced));
}

void put(byte_writer& out, const vote_answer& m) {
  out.put(m.term.value());
  out.put(static_cast<std::uint8_t>(m.granted));
  out.put(static_cast<std::uint8_t>(m.pre));
}

void put(byte_writer& out, const append_request& m) {
  out.put(m.term.value());
  out.put(m.previous.value());
  out.put(m.previous_term.value());
  out.put(m.commit.value());
  out.put(m.round);
  out.put(static_cast<std::uint32_t>(m.entries.size()));
  for (const auto& e : m.entries) {
    out.put(e.term.value());
    out.put(static_cast<std::uint8_t>(e.kind));
    out.put(static_cast<std::uint32_t>(e.data.size()));
    out.put(e.data.view());
  }
}

void put(byte_writer& out, const append_answer& m) {
  out.put(m.term.value());
  out.put(static_cast<std::uint8_t>(m.accepted));
  out.put(m.index.value());
  out.put(m.rejected.value());
  out.put(m.hint_term.value());
  out.put(m.round);
}

void put(byte_writer& out, const install_snapshot& m) {
  out.put(m.term.value());
  out.put(m.meta.index.value());
  out.put(m.meta.term.value());
  out.put(m.meta.configuration_index.value());
  out.put(encode(m.meta.configuration).view());
}

void put(byte_writer& out, const timeout_now& m) { out.put(m.term.value()); }

/// A byte_reader that knows the rules of these messages.
class message_reader {
public:
  message_reader(const core::shared_bytes& frame, std::size_t size)
      : frame_(frame), in_(frame.view().subspan(0, size)) {}

  core::result<message> read() {
    const auto format = in_.take<std::uint8_t>();
    if (format > version)
      return core::error{core::errc::newer_format, "message of a replica"};
    const auto kind = in_.take<std::uint8_t>();
    auto m = body(kind);
    if (format != version || !valid_ || !in_.done())
      return core::error{core::errc::malformed, "message of a replica"};
    return m;
  }

private:
  message body(std::uint8_t kind) {
    switch (kind) {
    case 1:
      return take_vote_request();
    case 2:
      return take_vote_answer();
    case 3:
      return take_append_request();
    case 4:
      return take_append_answer();
    case 5:
      return take_install_snapshot();
    case 6:
      return timeout_now{take_term()};
    default:
      valid_ = false;
      return timeout_now{};
    }
  }

  core::term take_term() {
    const auto value = in_.take<std::uint64_t>();
    valid_ = valid_ && value <= term_max;
    return core::term{value};
  }
  core::log_index take_index() {
    return core::log_index{in_.take<std::uint64_t>()};
  }
  bool take_flag() {
    const auto value = in_.take<std::uint8_t>();
    valid_ = valid_ && value <= 1;
    return value == 1;
  }

  // Braced lists are evaluated from left to right: the order of the wire.
  message take_vote_request() {
    return vote_request{take_term(), take_index(), take_term(), take_flag(),
                        take_flag()};
  }
  message take_vote_answer() {
    return vote_answer{take_term(), take_flag(), take_flag()};
  }
  message take_append_answer() {
    return append_answer{take_term(),  take_flag(), take_index(),
                         take_index(), take_term(), in_.take<std::uint64_t>()};
  }

  message take_append_request() {
    append_request m{take_term(),
                     take_index(),
                     take_term(),
                     take_index(),
                     in_.take<std::uint64_t>(),
                     {}};
    const auto count = in_.take<std::uint32_t>();
    // A count that the rest of the frame can't hold must not reserve memory.
    if (count > in_.remaining() / entry_header_bytes) {
      valid_ = false;
      return m;
    }
    m.entries.reserve(count);
    for (std::uint32_t i = 0; i < count && valid_ && in_.ok(); ++i)
      m.entries.push_back(take_entry());
    return m;
  }

  entry take_entry() {
    entry e;
    e.term = take_term();
    const auto kind = in_.take<std::uint8_t>();
    valid_ = valid_ && kind >= 1 && kind <= 3;
    e.kind = static_cast<entry_kind>(kind);
    const auto size = in_.take<std::uint32_t>();
    const auto offset = in_.position();
    if (!in_.take_bytes(size).empty())
      e.data = frame_.slice(offset, size);
    if (e.kind == entry_kind::configuration)
      valid_ = valid_ && decode_configuration(e.data.view()).has_value();
    return e;
  }

  message take_install_snapshot() {
    install_snapshot m{take_term(),
                       {take_index(), take_term(), take_index(), {}}};
    if (auto c = decode_configuration(in_.take_bytes(in_.remaining())))
      m.meta.configuration = std::move(c).value();
    else
      valid_ = false;
    return m;
  }

  const core::shared_bytes& frame_;
  byte_reader in_;
  bool valid_ = true;
};

std::size_t expected_bytes(const message& m) {
  std::size_t size = 128;
  if (const auto* append = std::get_if<append_request>(&m))
    for (const auto& e : append->entries)
      size += entry_header_bytes + e.data.size();
  return size;
}

} // namespace

core::shared_bytes encode(const message& m) {
  byte_writer out{expected_bytes(m)};
  out.put(version);
  out.put(static_cast<std::uint8_t>(m.index() + 1));
  std::visit([&](const auto& body) { put(out, body); }, m);
  out.put(core::crc32c(out.view()));
  return core::shared_bytes::copy_of(out.view());
}

core::result<message> decode_message(const core::shared_bytes& frame) {
  if (frame.size() < 2 + checksum_bytes)
    return core::error{core::errc::malformed, "message of a replica"};
  const auto size = frame.size() - checksum_bytes;
  byte_reader tail{frame.view().subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(frame.view().subspan(0, size)))
    return core::error{core::errc::corrupt, "message of a replica"};
  return message_reader{frame, size}.read();
}

} // namespace troupe::cluster
