// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "net/http_message.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

/// An admin request that one node passes on to another, and its answer: the
/// bodies of the links' kinds `call` and `answer` (docs/formats/link.md).
namespace troupe::app {

/// Larger answers are refused where they are made.
inline constexpr std::size_t relayed_body_max = std::size_t{16} << 20;

/// Of the request only method (GET or DELETE), path and query.
struct relayed_request {
  std::uint64_t number = 0; ///< chosen by who asks, comes back in the answer
  std::uint64_t key = 0;    ///< under which the answer is to be sent
  net::http_request request;
};

/// Of the response status, content type and body.
struct relayed_response {
  std::uint64_t number = 0;
  net::http_response response;
};

[[nodiscard]] core::shared_bytes encode(const relayed_request& call);
[[nodiscard]] core::shared_bytes encode(const relayed_response& answer);
/// malformed, newer_format.
[[nodiscard]] core::result<relayed_request>
decode_relayed_request(core::bytes_view bytes);
[[nodiscard]] core::result<relayed_response>
decode_relayed_response(core::bytes_view bytes);

} // namespace troupe::app
