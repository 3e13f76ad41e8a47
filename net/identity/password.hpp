// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Passwords as argon2id hashes (RFC 9106). A hash takes tens of milliseconds
/// and its memory: never on a loop, see hash_workers.hpp.
namespace troupe::net::identity {

inline constexpr std::size_t password_bytes_max = 1024;

struct password_cost {
  std::uint32_t memory_kib = 19'456;
  std::uint32_t passes = 2;
};

/// A PHC string, "$argon2id$v=19$…". too_large, malformed (an empty password),
/// io_error (no memory, no random numbers).
core::result<std::string> hash_password(std::string_view password,
                                        const password_cost& cost = {});
/// Takes as long as making the hash did.
[[nodiscard]] bool verify_password(const std::string& hash,
                                   std::string_view password);

/// The same for the same secret and salt; who sees it, or something made of it,
/// pays for each guess at the secret as for one at a password. io_error.
core::result<std::string> stretch(std::string_view secret,
                                  std::string_view salt,
                                  const password_cost& cost = {});

/// Overwrites what was secret.
void wipe(std::string& secret) noexcept;

} // namespace troupe::net::identity
