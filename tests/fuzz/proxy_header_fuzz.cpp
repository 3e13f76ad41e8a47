// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "net/proxy_header.hpp"

#include <cstdint>

using namespace troupe;
using namespace troupe::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const core::bytes_view in{reinterpret_cast<const std::byte*>(data), size};
  const auto read = parse_proxy_header(in);
  if (read.what == proxy_header::status::need_more)
    TROUPE_ASSERT(size < proxy_v2_bytes_max, "waits for ever");
  if (read.what != proxy_header::status::ready)
    return 0;
  TROUPE_ASSERT(read.bytes > 0 && read.bytes <= size, "bytes used");
  TROUPE_ASSERT(!to_string(read.source).empty() &&
                    !to_string(read.destination).empty(),
                "no text");
  const auto early = parse_proxy_header(in.first(read.bytes - 1));
  TROUPE_ASSERT(early.what == proxy_header::status::need_more, "too early");
  const auto again = parse_proxy_header(in.first(read.bytes));
  TROUPE_ASSERT(again.source == read.source && again.bytes == read.bytes,
                "bytes behind the header were looked at");
  return 0;
}
