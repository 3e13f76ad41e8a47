// SPDX-License-Identifier: Apache-2.0

// MQTT's decoder on any bytes; the first says the version and who sends. What
// is accepted is written again and must be read as the same packet.
#include "core/assert.hpp"
#include "net/mqtt/decoder.hpp"
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <cstdint>
#include <string>

using namespace troupe;
using namespace troupe::net::mqtt;

namespace {

constexpr std::size_t packet_bytes_max = std::size_t{1} << 20;

/// Of a prefix the header says nothing else than of the whole.
void check_prefix(core::bytes_view in, const frame& whole, version by) {
  const auto early =
      decode_frame(in.first(whole.bytes - 1), packet_bytes_max, by);
  TROUPE_ASSERT(early.what == frame::status::need_more, "too early");
  TROUPE_ASSERT(early.bytes == 0 || early.bytes == whole.bytes, "other size");
}

void check_topics(const any_packet& read) {
  if (const auto* packet = std::get_if<publish>(&read)) {
    const auto topic = parse_topic(packet->topic);
    TROUPE_ASSERT(!topic || name_of(*topic) == packet->topic, "other topic");
  }
  if (const auto* packet = std::get_if<subscribe>(&read))
    for (const auto& each : packet->filters)
      if (const auto filter = parse_filter(each.filter))
        TROUPE_ASSERT(core::topic_filter::parse(filter->filter.text()),
                      "no filter");
}

void check_stable(const any_packet& read, version by, sender from) {
  encoded_packet again;
  TROUPE_ASSERT(encode(again, read, by) == encode_status::whole,
                "can't be written");
  std::string bytes{core::as_text(again.head())};
  bytes += again.payload().text();
  const auto whole =
      decode_frame(core::as_bytes(bytes), packet_bytes_unbounded, by);
  TROUPE_ASSERT(whole.what == frame::status::packet &&
                    whole.bytes == bytes.size(),
                "our own packet is refused");
  decode_options how;
  how.speaking = by;
  how.from = from;
  const auto second = decode(whole, how);
  TROUPE_ASSERT(second, "our own packet is refused");
  TROUPE_ASSERT(second.value == read, "another packet");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const auto by = static_cast<version>(3 + data[0] % 4U % 3U);
  const auto from = (data[0] & 4U) != 0 ? sender::server : sender::client;
  // A block of its own, as a large frame of a connection has.
  const auto owner = core::shared_bytes::copy_of(
      core::bytes_view{reinterpret_cast<const std::byte*>(data + 1), size - 1});
  auto in = owner.view();
  while (!in.empty()) {
    const auto next = decode_frame(in, packet_bytes_max, by);
    if (next.what == frame::status::need_more) {
      TROUPE_ASSERT(next.bytes == 0 || next.bytes > in.size(), "enough came");
      break;
    }
    if (next.what == frame::status::violation)
      break;
    TROUPE_ASSERT(next.bytes >= 2 && next.bytes <= in.size(), "bytes used");
    check_prefix(in, next, by);
    decode_options how;
    how.speaking = by;
    how.from = from;
    how.owner = &owner;
    if (const auto read = decode(next, how)) {
      check_topics(read.value);
      check_stable(read.value, by, from);
    } else {
      TROUPE_ASSERT(!to_string(read.broken).empty(), "no reason");
    }
    in = in.subspan(next.bytes);
  }
  return 0;
}
