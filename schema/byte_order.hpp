// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers in a fixed byte order; compilers make one move (and swap) of each.
namespace troupe::schema {

template <class Number>
void put_little(std::byte* to, Number number) noexcept {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    to[i] = static_cast<std::byte>(number >> (8 * i) & 0xFF);
}
template <class Number>
[[nodiscard]] Number get_little(const std::byte* from) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    number |= static_cast<std::uint64_t>(from[i]) << (8 * i);
  return static_cast<Number>(number);
}

} // namespace troupe::schema
