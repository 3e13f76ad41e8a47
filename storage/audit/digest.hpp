// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::storage::audit {

/// SHA-256 (FIPS 180-4).
using digest = std::array<std::byte, 32>;

/// Hashes one thing after the other with the same memory. For one thread.
class hasher {
public:
  hasher();
  ~hasher();
  hasher(hasher&&) noexcept;
  hasher& operator=(hasher&&) noexcept;

  [[nodiscard]] digest of(core::bytes_view bytes) { return of(bytes, {}); }
  /// Of both, one behind the other.
  [[nodiscard]] digest of(core::bytes_view first, core::bytes_view second);

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// HMAC-SHA-256 (RFC 2104). REQUIRES: the key is not empty.
[[nodiscard]] digest keyed_digest(std::string_view key, core::bytes_view bytes);

/// Takes as long whatever they are.
[[nodiscard]] bool same(const digest& a, const digest& b) noexcept;

/// 64 lower-case hexadecimal digits, and back.
[[nodiscard]] std::string to_hex(const digest& value);
[[nodiscard]] std::optional<digest> digest_of_hex(std::string_view text);

} // namespace troupe::storage::audit
