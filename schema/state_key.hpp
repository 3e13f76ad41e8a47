// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/state_space.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::schema {

/// What a key is about: its first byte. Numbers are stable (stored).
enum class key_kind : std::uint8_t {
  inbox_head = 0x10,
  inbox_entry = 0x11,
  body = 0x12,
  body_references = 0x13,
  expiry = 0x14,
  origin = 0x15,
  deduplicated = 0x16,
  deduplication_end = 0x17,
  number = 0x18,
  policy = 0x19,
  retained_key = 0x1A,
  key_expiry = 0x1B,
  key_policy = 0x1C,
  session = 0x1D,
  session_packets = 0x1E,
  session_due = 0x1F,
  session_pending = 0x20,
  session_policy = 0x21,
  user = 0x40,
  alias = 0x41,
  list = 0x42,
  member = 0x43,
  membership = 0x44,
  totals = 0x45,
  node = 0x46,
  placement = 0x47,
  cluster = 0x48,
  account = 0x49,
  role = 0x4A,
  token = 0x4B,
  block = 0x4C,
  ban = 0x4D,
  rights_totals = 0x4E,
  session_routes = 0x4F,
  route = 0x50,
  route_totals = 0x51,
};

/// A key of a state space under construction. Bytes of keys order as their
/// parts do: numbers are big-endian, every name but the last is escaped and
/// ended, so that no name is the beginning of another part.
class state_key {
public:
  explicit state_key(key_kind kind) { byte(static_cast<std::uint8_t>(kind)); }

  state_key& byte(std::uint8_t value);
  state_key& number(std::uint64_t value);
  /// Times before 1970 come before those after it.
  state_key& time(core::timestamp value);
  /// A name with more behind it: 0x00 becomes 0x00 0xFF, the end 0x00 0x00.
  state_key& name(std::string_view text);
  /// The last part, as it is.
  state_key& last(std::string_view text);

  /// False if the parts exceed core::state_key_bytes_max: nothing is kept
  /// under such a key.
  [[nodiscard]] bool fits() const noexcept { return fits_; }
  /// REQUIRES: fits().
  [[nodiscard]] std::string_view view() const;
  /// The first key behind this one.
  [[nodiscard]] std::string successor() const {
    return std::string{view()} + '\0';
  }

private:
  void append(std::string_view bytes);

  std::array<char, core::state_key_bytes_max> bytes_;
  std::size_t size_ = 0;
  bool fits_ = true;
};

/// Takes a key apart again; each function answers nothing if the key has no
/// such part at this place.
class state_key_parts {
public:
  /// Behind the kind. `key` must live longer.
  explicit state_key_parts(std::string_view key)
      : rest_(key.substr(key.empty() ? 0 : 1)) {}

  std::optional<std::uint8_t> byte();
  std::optional<std::uint64_t> number();
  std::optional<core::timestamp> time();
  std::optional<std::string> name();
  [[nodiscard]] std::string_view last() const noexcept { return rest_; }

private:
  std::string_view rest_;
};

} // namespace troupe::schema
