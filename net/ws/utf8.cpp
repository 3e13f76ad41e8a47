// SPDX-License-Identifier: Apache-2.0
#include "net/ws/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace troupe::net::ws {

namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080U;

/// Size of the well-formed sequence at `at`, or 0.
std::size_t sequence_bytes(const std::uint8_t* at, std::size_t left) noexcept {
  auto follows = [&](std::size_t i) {
    return i < left && (at[i] & 0xc0) == 0x80;
  };
  const auto lead = at[0];
  if (lead < 0xc2 || lead > 0xf4 || !follows(1))
    return 0;
  if (lead < 0xe0)
    return 2;
  if (lead < 0xf0) {
    const bool overlong = lead == 0xe0 && at[1] < 0xa0;
    const bool surrogate = lead == 0xed && at[1] > 0x9f;
    return overlong || surrogate || !follows(2) ? 0 : 3;
  }
  const bool overlong = lead == 0xf0 && at[1] < 0x90;
  const bool too_high = lead == 0xf4 && at[1] > 0x8f;
  return overlong || too_high || !follows(2) || !follows(3) ? 0 : 4;
}

} // namespace

bool is_utf8(core::bytes_view bytes) noexcept {
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = bytes.size();
  while (left > 0) {
    std::uint64_t word = 0;
    if (left >= 8 && (std::memcpy(&word, at, 8), (word & high_bits) == 0)) {
      at += 8;
      left -= 8;
      continue;
    }
    const auto step = *at < 0x80 ? 1 : sequence_bytes(at, left);
    if (step == 0)
      return false;
    at += step;
    left -= step;
  }
  return true;
}

} // namespace troupe::net::ws
