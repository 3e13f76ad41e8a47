// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC
/// 7677). Who has one can check guesses as fast as SHA-256 goes, and pretend to
/// be the server; not to be the user.
namespace troupe::net::identity {

inline constexpr std::uint32_t scram_iterations_min = 4'096; // RFC 7677 §4
inline constexpr std::uint32_t scram_iterations_max = 1'000'000;

struct scram_verifier {
  std::uint32_t iterations = 0;
  std::string salt;       ///< bytes, as the others
  std::string stored_key; ///< SHA-256 of the client's key
  std::string server_key;

  friend bool operator==(const scram_verifier&,
                         const scram_verifier&) = default;
};

/// Takes milliseconds: not on a loop. malformed: a password beyond printable
/// ASCII, of which clients differ in what they make (SASLprep); io_error: no
/// random numbers.
[[nodiscard]] core::result<scram_verifier>
make_scram_verifier(std::string_view password, std::uint32_t iterations);
/// With a salt of one's own.
[[nodiscard]] scram_verifier make_scram_verifier(std::string_view password,
                                                 std::string_view salt,
                                                 std::uint32_t iterations);

/// "SCRAM-SHA-256$4096:SALT$STORED:SERVER", as RFC 5803 has it.
[[nodiscard]] std::string to_text(const scram_verifier& from);
[[nodiscard]] std::optional<scram_verifier>
parse_scram_verifier(std::string_view text);

/// What stands in for the verifier of a user who has none, so that nobody
/// learns who has: the same for the same secret and name, and no password fits.
[[nodiscard]] scram_verifier decoy_verifier(std::string_view secret,
                                            std::string_view name,
                                            std::uint32_t iterations);

} // namespace troupe::net::identity
