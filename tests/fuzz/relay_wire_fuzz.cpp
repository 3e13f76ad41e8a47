// SPDX-License-Identifier: Apache-2.0

// What nodes ask each other's admin interfaces, and the answers: the first byte
// chooses the reader. What is read and written again is the same.
#include "app/relay_wire.hpp"
#include "core/assert.hpp"

#include <cstdint>

using namespace troupe;
using namespace troupe::app;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data + 1),
                            size - 1};
  if (data[0] % 2 == 0) {
    if (const auto call = decode_relayed_request(in))
      TROUPE_ASSERT(encode(*call).text() == core::as_text(in),
                    "a request changed");
  } else {
    if (const auto answer = decode_relayed_response(in))
      TROUPE_ASSERT(encode(*answer).text() == core::as_text(in),
                    "an answer changed");
  }
  return 0;
}
