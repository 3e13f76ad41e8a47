// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = log_settings;
constexpr row_maker<&settings::log> in{"log"};

constexpr std::array rows{
    in.row<&values::level>(
        "level", "Least important kind of line that is written.", on_reload()),
    in.row<&values::format>("format",
                            "Lines for people, or one JSON object a line."),
    in.row<&values::file>(
        "file", "File to append to, opened again at a reload; empty writes to "
                "standard error."),
    in.row<&values::access>(
        "access",
        "File for a line about each HTTP request and each WebSocket of "
        "clients, in the combined format; opened again at SIGHUP and "
        "SIGUSR1. Empty: none."),
};

} // namespace

section_table log_section() {
  return {{"log", "What the node writes about itself."}, rows};
}

} // namespace troupe::app::table
