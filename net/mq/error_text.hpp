// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/session_command.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The one table from the broker's error codes to the texts that clients of
/// websocket.MQ know (A.6–A.10), and the few texts that depend on what was
/// asked.
namespace troupe::net::mq {

/// The text for a code on its own; never empty.
[[nodiscard]] std::string_view error_text(core::errc code) noexcept;

/// In the answer to register: "no such user" instead of "userId unknown".
[[nodiscard]] std::string_view register_error_text(core::errc code) noexcept;

/// In the ack of a post or ping by `sender`: all failures, joined by LF.
/// Duplicates are no failures.
[[nodiscard]] std::string
post_error_text(const std::vector<core::error>& failures,
                std::string_view sender);

/// In the ack of a listEdit by `caller`.
[[nodiscard]] std::string list_edit_error_text(core::errc code,
                                               core::list_edit_kind kind,
                                               std::string_view list,
                                               std::string_view member,
                                               std::string_view caller);

/// For a quit when the broker ends a session: the reason's own words if it
/// has some.
[[nodiscard]] std::string_view farewell_text(const core::error& reason);

} // namespace troupe::net::mq
