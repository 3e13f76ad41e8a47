// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

/// Little-endian integers to and from bytes, for the formats of this folder.
namespace troupe::cluster {

static_assert(std::endian::native == std::endian::little,
              "integers are copied as they are in memory");

/// Appends to a growing buffer.
class byte_writer {
public:
  explicit byte_writer(std::size_t expected) { bytes_.reserve(expected); }

  template <class Integer>
  void put(Integer value) {
    static_assert(std::is_unsigned_v<Integer>);
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    bytes_.append(raw, sizeof value);
  }
  void put(core::bytes_view bytes) { bytes_.append(core::as_text(bytes)); }
  [[nodiscard]] core::bytes_view view() const { return core::as_bytes(bytes_); }

private:
  std::string bytes_;
};

/// Reads from front to back. Reading too much yields zeros and clears ok().
class byte_reader {
public:
  explicit byte_reader(core::bytes_view bytes) : bytes_(bytes) {}

  template <class Integer>
  Integer take() {
    static_assert(std::is_unsigned_v<Integer>);
    Integer value{};
    if (const auto raw = take_bytes(sizeof value); !raw.empty())
      std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  core::bytes_view take_bytes(std::size_t count) {
    if (count > remaining()) {
      ok_ = false;
      position_ = bytes_.size();
      return {};
    }
    position_ += count;
    return bytes_.subspan(position_ - count, count);
  }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const {
    return bytes_.size() - position_;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && remaining() == 0; }

private:
  core::bytes_view bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

} // namespace troupe::cluster
