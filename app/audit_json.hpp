// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/http_message.hpp"
#include "storage/audit/reader.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

/// Audit records for people and other programs.
namespace troupe::app {

/// One record; a payload that was kept appears as text if it is UTF-8, else as
/// base64.
[[nodiscard]] boost::json::object view_of(const storage::audit::record& what,
                                          core::node_id node,
                                          const storage::audit::digest& chain);

/// How far a log goes: what an anchor is made of.
[[nodiscard]] boost::json::object view_of(const storage::audit::log_view& log);

/// Milliseconds since 1970 or RFC 3339, in UTC.
[[nodiscard]] core::result<core::timestamp> parse_time(std::string_view text);

/// Terms by their names, all texts as in a query: after, from, until, kind
/// (several by commas), accepted, user, target, session. invalid_config with a
/// detail for people.
[[nodiscard]] core::result<storage::audit::search_terms>
read_search(const net::http_request& request);

/// "SEQUENCE:HASH".
[[nodiscard]] core::result<storage::audit::anchor>
parse_anchor(std::string_view text);

} // namespace troupe::app
