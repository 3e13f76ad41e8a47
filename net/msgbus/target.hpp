// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::msgbus {

/// Where the bus begins in the space of paths.
inline constexpr std::string_view path_prefix = "/msgbus/";

/// What a request's target asks for.
struct target {
  std::string channel; ///< the bytes as they came; "": the root
  // Parameters, decoded; the first of a name counts. Unset: not there.
  std::optional<std::string> type;
  std::optional<std::string> sender;
  std::optional<std::string> poll;
  std::optional<std::string> since;
  std::optional<std::string> format;
};

/// Of a target in origin form ("/msgbus/foo?type=*"); nothing if that is not
/// the bus. Never fails otherwise: every channel is one, and of a query what
/// makes no sense is passed over.
[[nodiscard]] std::optional<target> parse_target(std::string_view text);

/// %XX and '+' undone; a '%' without two digits stays as it is.
[[nodiscard]] std::string decode_parameter(std::string_view text);

} // namespace troupe::net::msgbus
