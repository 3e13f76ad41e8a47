// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Tokens that the directory knows: "trp_<id>_<secret>". The id finds the
/// record; of the secret, 256 random bits, the record has the SHA-256.
namespace troupe::net::identity {

struct static_token {
  std::string id;
  std::string secret;

  [[nodiscard]] std::string text() const { return "trp_" + id + '_' + secret; }
};

/// io_error without random numbers.
core::result<static_token> make_static_token();
/// Whether a bearer means to be one.
[[nodiscard]] bool is_static_token(std::string_view bearer) noexcept;
[[nodiscard]] std::optional<static_token>
parse_static_token(std::string_view bearer);

[[nodiscard]] std::string hash_of_token(std::string_view secret);
/// Takes the same time wherever they differ.
[[nodiscard]] bool same_hash(std::string_view a, std::string_view b) noexcept;

} // namespace troupe::net::identity
