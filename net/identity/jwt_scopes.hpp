// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/grant.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Rights as RabbitMQ's scopes spell them:
///
///     SERVER.PERMISSION:VHOST/NAME[/KEY]     rabbitmq.read:*/*/a.b.*
///
/// A key is a topic with '.' between its levels; a '*' stands for any bytes,
/// also for several levels. Read is to subscribe, write to publish; who may
/// not configure may not subscribe.
namespace troupe::net::identity {

/// The grants of those scopes that are about `server` and `realm` (VHOST: '*',
/// the realm's name, or %2F for the realm "default") and topics (NAME: '*' or
/// amq.topic). A '*' in the midst of a key counts for one level, and only as
/// the whole of one: less than was meant, never more. Other scopes grant
/// nothing.
[[nodiscard]] std::vector<core::grant>
grants_of_scopes(std::span<const std::string> scopes, std::string_view server,
                 std::string_view realm);

/// Whether one of them is about that server at all.
[[nodiscard]] bool any_scope_of(std::span<const std::string> scopes,
                                std::string_view server);

} // namespace troupe::net::identity
