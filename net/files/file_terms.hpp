// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

/// What a request for a file wants of it, decided without the file's bytes.
namespace troupe::net::files {

/// Bytes first, first + 1, … of a file.
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

enum class range_kind : std::uint8_t {
  whole,         ///< none, of another unit, of several ranges, or malformed
  part,          ///< one range, cut to the file
  unsatisfiable, ///< nothing of it is in the file: 416
};
struct range_found {
  range_kind kind = range_kind::whole;
  byte_range range{};
};

/// Of a Range field (RFC 9110 14.2) and a file of so many bytes.
[[nodiscard]] range_found parse_range(std::string_view field,
                                      std::uint64_t size);

/// What names one version of a file.
struct version {
  std::string tag; ///< with its quotes
  std::time_t modified = 0;
};

/// Whether the client has it already: If-None-Match, else If-Modified-Since.
[[nodiscard]] bool is_fresh(const http_request& request, const version& now);

/// Whether a Range counts for it: If-Range, if there is one, says the same
/// version.
[[nodiscard]] bool range_holds(const http_request& request, const version& now);

/// Whether gzip is among what the client takes (RFC 9110 12.5.3).
[[nodiscard]] bool accepts_gzip(const http_request& request);

/// IMF-fixdate.
[[nodiscard]] std::string date_text(std::time_t when);
[[nodiscard]] std::optional<std::time_t> parse_date(std::string_view text);

/// In gzip's format. REQUIRES: well below 4 GiB.
[[nodiscard]] std::string gzip(std::string_view bytes);

} // namespace troupe::net::files
