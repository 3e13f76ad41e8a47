// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

/// Certificates for the links between nodes, for people who have no authority:
/// texts in, texts out, no files. Keys are on the curve P-256.
namespace troupe::app {

/// Certificate and key, both PEM. The key is not encrypted.
struct key_pair {
  std::string certificate;
  std::string key;
};

using days = std::chrono::duration<int, std::ratio<86'400>>;

/// Clocks of nodes may differ by so much when a certificate begins.
inline constexpr std::chrono::hours certificate_head_start{1};

/// An authority that signs itself and may sign nodes, nothing below them.
/// Errors: io_error (no random numbers).
[[nodiscard]] core::result<key_pair> make_authority(std::string_view name,
                                                    days valid);

/// A certificate that serves and calls (links go both ways), made out to `name`
/// and `hosts`, which are names or IP addresses. Ends with the authority at the
/// latest. Errors: invalid_config (what was given as the authority is none, or
/// its key is another's, or it has expired).
[[nodiscard]] core::result<key_pair>
make_node_certificate(const key_pair& authority, const std::string& name,
                      const std::vector<std::string>& hosts, days valid);

/// When a certificate ends: "2028-11-21". Errors: invalid_config.
[[nodiscard]] core::result<std::string> end_of(const std::string& certificate);

} // namespace troupe::app
