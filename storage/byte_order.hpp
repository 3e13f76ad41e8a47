// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

/// Numbers in files: little-endian in the log, big-endian in keys, where the
/// order of the bytes has to be the order of the numbers.
namespace troupe::storage {

template <std::unsigned_integral T>
[[nodiscard]] constexpr T byte_swapped(T value) {
  T swapped = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    swapped =
        static_cast<T>(swapped | static_cast<T>(((value >> (8 * i)) & 0xFF)
                                                << (8 * (sizeof(T) - 1 - i))));
  return swapped;
}

template <std::unsigned_integral T>
void store_little(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::big)
    value = byte_swapped(value);
  std::memcpy(to, &value, sizeof value);
}

template <std::unsigned_integral T>
[[nodiscard]] T load_little(const std::byte* from) {
  T value{};
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::big)
    value = byte_swapped(value);
  return value;
}

template <std::unsigned_integral T>
void store_big(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little)
    value = byte_swapped(value);
  std::memcpy(to, &value, sizeof value);
}

template <std::unsigned_integral T>
[[nodiscard]] T load_big(const std::byte* from) {
  T value{};
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little)
    value = byte_swapped(value);
  return value;
}

} // namespace troupe::storage
