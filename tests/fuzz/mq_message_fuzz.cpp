// SPDX-License-Identifier: Apache-2.0

// message_decoder on any bytes, as a server and as a client; what it accepts
// is written again and must be read as the same packet.
#include "core/assert.hpp"
#include "net/mq/client_codec.hpp"

#include <cstdint>
#include <string>

using namespace troupe;
using namespace troupe::net::mq;

namespace {

/// Reading what was written from a packet changes nothing any more.
template <class Packet, class Decode>
void check_stable(const Packet& packet, Decode&& decode) {
  std::string once;
  if (!append_message(once, packet))
    return; // many escapes: the header has become too long
  message_decoder decoder;
  const auto read = decode(decoder, once);
  TROUPE_ASSERT(read.has_value(), "our own message is refused");
  TROUPE_ASSERT(read->index() == packet.index(), "another packet");
  std::string twice;
  TROUPE_ASSERT(append_message(twice, *read), "does not fit any more");
  TROUPE_ASSERT(once == twice, "not stable");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data), size};
  message_decoder decoder;
  if (const auto request = decoder.decode_request(in))
    check_stable(*request, [](message_decoder& with, const std::string& bytes) {
      return with.decode_request(core::as_bytes(bytes));
    });
  if (const auto reply = decoder.decode_reply(in))
    check_stable(*reply, [](message_decoder& with, const std::string& bytes) {
      return with.decode_reply(core::as_bytes(bytes));
    });
  return 0;
}
