// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Tokens that let one session into one private channel of ZenConn: whoever
/// holds the secret makes them.
namespace troupe::net::identity {

/// HMAC-SHA-256 over "<session>@<channel>", in lower-case hex.
[[nodiscard]] std::string make_channel_token(std::string_view secret,
                                             std::string_view session,
                                             std::string_view channel);

/// Whether `token` is that; in a time that does not tell how much of it is
/// right. Never with an empty secret.
[[nodiscard]] bool channel_token_fits(std::string_view secret,
                                      std::string_view session,
                                      std::string_view channel,
                                      std::string_view token);

/// A random one (RFC 9562, version 4); "" without random numbers.
[[nodiscard]] std::string make_uuid();

} // namespace troupe::net::identity
