// SPDX-License-Identifier: Apache-2.0

// A WebSocket endpoint on any bytes, in both roles, with and without
// compression; and the two header parsers of permessage-deflate.
#include "core/assert.hpp"
#include "net/ws/deflate_offer.hpp"
#include "net/ws/endpoint.hpp"
#include "net/ws/utf8.hpp"

#include <cstdint>

using namespace troupe;
using namespace troupe::net;
using namespace troupe::net::ws;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  constexpr std::size_t message_bytes_max = 5000;
  const auto flags = data[0];
  core::bytes_view in{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  if ((flags & 4) != 0) {
    if (const auto agreed = accept_deflate_offer(core::as_text(in)))
      TROUPE_ASSERT(
          read_deflate_response(deflate_response(*agreed)).agreement == *agreed,
          "our own answer is refused");
    (void)read_deflate_response(core::as_text(in));
    return 0;
  }
  std::optional<deflate_agreement> deflate;
  if ((flags & 2) != 0)
    deflate.emplace();
  endpoint subject{(flags & 1) != 0 ? role::client : role::server, deflate};
  output_queue out;
  while (!in.empty()) {
    const auto next = subject.read(in, message_bytes_max, out);
    if (next.what == event::kind::need_more) {
      TROUPE_ASSERT(next.bytes == 0 || next.bytes > in.size(), "enough came");
      TROUPE_ASSERT(next.bytes <= message_bytes_max + frame_header_bytes_max,
                    "asks for more than the limit");
      break;
    }
    TROUPE_ASSERT(next.bytes > 0 && next.bytes <= in.size(), "bytes used");
    if (next.what == event::kind::message) {
      TROUPE_ASSERT(next.payload.size() <= message_bytes_max, "too large");
      TROUPE_ASSERT(!next.text || is_utf8(next.payload.view()), "not UTF-8");
    }
    if (next.what == event::kind::closed ||
        next.what == event::kind::violation) {
      subject.send_close(next.code, next.reason, out);
      TROUPE_ASSERT(subject.close_sent(), "no close frame");
      break;
    }
    in = in.subspan(next.bytes);
  }
  return 0;
}
