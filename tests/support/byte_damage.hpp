// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

/// Ways to spoil bytes, for tests of decoders.
namespace troupe::test {

/// A copy with a few bytes or words changed, cut out or put in.
inline core::shared_bytes damaged(core::bytes_view bytes,
                                  std::mt19937_64& random) {
  std::string text{core::as_text(bytes)};
  for (auto changes = 1 + random() % 4; changes != 0 && !text.empty();
       --changes) {
    const auto at = random() % text.size();
    switch (random() % 5) {
    case 0:
      text[at] = static_cast<char>(random());
      break;
    case 1:
      text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
      break;
    case 2: // a pointer or a size with all bits or none
      for (auto i = at / 8 * 8; i < at / 8 * 8 + 8 && i < text.size(); ++i)
        text[i] = random() % 2 == 0 ? '\xFF' : '\0';
      break;
    case 3:
      text.erase(at, 1 + random() % 16);
      break;
    default:
      text.insert(at, 1 + random() % 16, static_cast<char>(random()));
    }
  }
  return core::shared_bytes::copy_of(text);
}

inline std::string to_hex(core::bytes_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (auto byte : bytes) {
    hex += digits[static_cast<std::size_t>(byte) >> 4];
    hex += digits[static_cast<std::size_t>(byte) & 15];
  }
  return hex;
}
inline std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(
        std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
  return bytes;
}

} // namespace troupe::test
