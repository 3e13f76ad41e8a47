// SPDX-License-Identifier: Apache-2.0

// decode_frame() on any bytes and a limit: no more is used than is there, and
// what it says about a prefix agrees with what it says about the whole.
#include "core/assert.hpp"
#include "net/mq/frame_codec.hpp"

#include <cstdint>

using namespace troupe;
using namespace troupe::net::mq;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const std::size_t limit = std::size_t{1} << (data[0] % 32);
  core::bytes_view in{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  while (!in.empty()) {
    const auto next = decode_frame(in, limit);
    if (next.what == frame::status::need_more) {
      TROUPE_ASSERT(next.bytes == 0 || next.bytes > in.size(), "enough came");
      break;
    }
    TROUPE_ASSERT(next.bytes >= 2 && next.bytes <= in.size(), "bytes used");
    if (next.what == frame::status::message) {
      TROUPE_ASSERT(!next.payload.empty() && next.payload.size() <= limit,
                    "payload size");
      const auto early = decode_frame(in.first(next.bytes - 1), limit);
      TROUPE_ASSERT(early.what == frame::status::need_more, "too early");
      std::byte header[frame_header_bytes_max];
      TROUPE_ASSERT(write_frame_header(header, next.payload.size()) ==
                        frame_header_bytes(next.payload.size()),
                    "header size");
    } else if (next.what != frame::status::close) {
      break;
    }
    in = in.subspan(next.bytes);
  }
  return 0;
}
