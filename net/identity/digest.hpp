// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// SHA-256 and what is made of it, as bytes.
namespace troupe::net::identity {

inline constexpr std::size_t sha256_bytes = 32;

[[nodiscard]] std::string sha256(std::string_view text);
[[nodiscard]] std::string hmac_sha256(std::string_view key,
                                      std::string_view text);
/// PBKDF2 (RFC 8018) with HMAC-SHA-256: takes milliseconds, not on a loop.
[[nodiscard]] std::string pbkdf2_sha256(std::string_view password,
                                        std::string_view salt,
                                        std::uint32_t iterations);
/// Takes as long whatever differs, but for the sizes.
[[nodiscard]] bool same_digest(std::string_view a, std::string_view b) noexcept;

} // namespace troupe::net::identity
