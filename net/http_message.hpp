// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::net {

using http_fields = std::vector<std::pair<std::string, std::string>>;

/// A whole HTTP/1.x request, checked and decoded.
struct http_request {
  std::string method; ///< upper case, "GET"
  std::string path;   ///< percent-decoded, begins with '/', no dot segments
  /// Path and query as they came, if http_limits::raw_prefix says so.
  std::string target{};
  /// "GET /a?b HTTP/1.1" as it came, if http_limits::keep_line says so.
  std::string line{};
  std::vector<std::pair<std::string, std::string>> query; ///< decoded
  unsigned version = 11;                                  ///< 10 or 11
  bool keep_alive = true;
  http_fields headers;
  std::string body;

  /// The first field of that name (any case), "" if there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  /// True if one of the comma-separated tokens of that field equals `token`
  /// (any case); several fields of one name count as one list (RFC 9110 5.3).
  [[nodiscard]] bool header_has(std::string_view name,
                                std::string_view token) const;
  /// All comma-separated tokens of that field, in order.
  [[nodiscard]] std::vector<std::string_view>
  header_list(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view>
  query_value(std::string_view name) const;
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  /// Besides Content-Type, Content-Length, Connection and Date.
  http_fields headers{};
};

/// {"error":"text"} with a status.
http_response http_error(unsigned status, std::string_view text);

/// What the connection does after a response.
enum class http_after : std::uint8_t { keep_alive, close };

/// The bytes of a response. `head_only` leaves the body out but not its
/// length (HEAD); `version` is the request's.
std::string serialize(const http_response& response, http_after after,
                      bool head_only, unsigned version = 11);

/// The head of a response with a body of `length` bytes that are sent by
/// somebody else, behind which the connection ends.
std::string serialize_head(const http_response& response, std::uint64_t length);

/// The head of a response whose end is the end of the connection.
std::string serialize_stream_head(const http_response& response);

/// This moment as RFC 9110 5.6.7 wants it (IMF-fixdate); valid until the next
/// call on this thread.
std::string_view http_date();

/// The standard phrase of a status code.
std::string_view http_reason(unsigned status) noexcept;

/// ASCII only, as HTTP wants.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

} // namespace troupe::net
