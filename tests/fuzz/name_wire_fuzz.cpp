// SPDX-License-Identifier: Apache-2.0

// What a node may say about client ids to another one. The checksum is put
// right, so that it is no wall. What is read and written again is the same.
#include "actors/names/name_wire.hpp"
#include "core/assert.hpp"
#include "core/crc32c.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <variant>

using namespace troupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::string frame{reinterpret_cast<const char*>(data), size};
  if (size >= sizeof(std::uint32_t)) {
    const auto body = size - sizeof(std::uint32_t);
    const auto sum = core::crc32c(core::as_bytes(frame).first(body));
    std::memcpy(frame.data() + body, &sum, sizeof sum);
  }
  const auto bytes = core::shared_bytes::copy_of(frame);
  const auto words = actors::names::decode_names(bytes);
  if (words)
    TROUPE_ASSERT(
        std::visit([](const auto& m) { return actors::names::encode(m); },
                   *words) == bytes,
        "a frame changed");
  return 0;
}
