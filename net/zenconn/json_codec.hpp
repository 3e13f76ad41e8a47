// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/zenconn/message.hpp"

#include <string>
#include <string_view>

/// ZenConn's messages as JSON texts, one a message. Pure; `compact` is the
/// spelling with short keys, in which fields that are empty or 0 are left out.
namespace troupe::net::zenconn {

/// What a client has sent. A text that is no request is a stranger: no object,
/// another `type`, or no `channel`.
[[nodiscard]] incoming decode_request(std::string_view text, bool compact);
[[nodiscard]] std::string encode(const answer& what, bool compact);

/// The other side's part, for clients and tests.
[[nodiscard]] std::string encode(const request& what, bool compact);
/// malformed.
[[nodiscard]] core::result<answer> decode_answer(std::string_view text,
                                                 bool compact);

} // namespace troupe::net::zenconn
