// SPDX-License-Identifier: Apache-2.0

// What a node may ask and say about retained keys. The checksum is put right,
// so that it is no wall. What is read and written again is the same.
#include "actors/keys/key_read_wire.hpp"
#include "core/assert.hpp"
#include "core/crc32c.hpp"

#include <cstdint>
#include <cstring>
#include <string>

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
  if (const auto what = actors::keys::decode_question(bytes))
    TROUPE_ASSERT(actors::keys::encode(*what) == bytes, "a question changed");
  if (const auto what = actors::keys::decode_answer(bytes))
    TROUPE_ASSERT(actors::keys::encode(*what) == bytes, "an answer changed");
  return 0;
}
