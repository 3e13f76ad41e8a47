// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/terminal.hpp"
#include "core/result.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// How the commands of `user` and `list` show what the admin interface
/// answers. Members that are missing read as empty: an older or newer node
/// must not break the command.
namespace troupe::app {

/// A text as it is, a number or a switch as JSON writes it, else "".
[[nodiscard]] std::string text_of(const boost::json::value& value);
[[nodiscard]] std::string text_at(const boost::json::value& value,
                                  std::string_view key);
[[nodiscard]] boost::json::array array_at(const boost::json::value& value,
                                          std::string_view key);
/// A whole number, or nothing.
[[nodiscard]] std::optional<std::int64_t>
number_at(const boost::json::value& value, std::string_view key);
/// A member in milliseconds since 1970 as a time, "never" for 0, "" if it is
/// missing.
[[nodiscard]] std::string time_at(const boost::json::value& value,
                                  std::string_view key);
/// Texts with blanks between, "-" for none.
[[nodiscard]] std::string joined(const boost::json::array& texts);

/// Columns as wide as their widest text; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows,
                 std::ostream& out);

/// "troupe <name>: why" on screen.err; returns exit_failed.
[[nodiscard]] int fail(std::string_view name, const core::error& why,
                       terminal& screen);

/// Shows an answer with `print`, or as it came with --json, or why there is
/// none; returns the exit code.
[[nodiscard]] int
report(std::string_view name, const core::result<boost::json::value>& answer,
       const admin_options& options, terminal& screen,
       const std::function<void(const boost::json::value&)>& print);

} // namespace troupe::app
