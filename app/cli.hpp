// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"

#include <string>
#include <variant>
#include <vector>

namespace troupe::app {

/// Exit codes of every command.
inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1; ///< tried, and says why it did not work
inline constexpr int exit_usage = 2;  ///< not tried: the request is wrong

/// The command line asks for nothing but a text: help, the version, or what
/// is wrong with it.
struct cli_text {
  int exit_code = exit_ok;
  std::string text; ///< for standard output if exit_code is 0, else for error
};

/// Reads the arguments behind the program's name. What is not known is refused
/// with the nearest word that is.
[[nodiscard]] std::variant<command, cli_text>
parse_command_line(const std::vector<std::string>& arguments);

} // namespace troupe::app
