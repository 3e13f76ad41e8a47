// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "net/sniff.hpp"

#include <algorithm>
#include <cstdint>

using namespace troupe;
using namespace troupe::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data), size};
  const auto whole = sniff(in);
  TROUPE_ASSERT(whole != sniffed::need_more || size < sniff_bytes_max,
                "undecided for ever");
  // A decision on a prefix stands.
  for (std::size_t part = 0; part < std::min(size, sniff_bytes_max); ++part) {
    const auto early = sniff(in.first(part));
    TROUPE_ASSERT(early == sniffed::need_more || early == whole, "changed");
  }
  return 0;
}
