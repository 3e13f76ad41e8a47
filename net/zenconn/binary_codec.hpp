// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "net/zenconn/message.hpp"

#include <cstddef>
#include <string>

/// ZenConn's messages as packed Cap'n Proto (schema/zenconn.capnp), one a
/// WebSocket message. Pure; reads what strangers send.
namespace troupe::net::zenconn {

/// A request, or a stranger: not of this format, of another kind, with data
/// that is no JSON, or of more than `bytes_max` when unpacked.
[[nodiscard]] incoming decode_binary_request(core::bytes_view bytes,
                                             std::size_t bytes_max);
[[nodiscard]] std::string encode_binary(const answer& what);

/// The other side's part, for clients and tests.
[[nodiscard]] std::string encode_binary(const request& what);
/// malformed.
[[nodiscard]] core::result<answer> decode_binary_answer(core::bytes_view bytes,
                                                        std::size_t bytes_max);

} // namespace troupe::net::zenconn
