// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = workers_settings;
constexpr row_maker<&settings::workers> in{"workers"};

constexpr std::array rows{
    in.row<&values::count>(
        "count",
        "Processes that accept clients and speak their protocols, "
        "replaced when they die or hang; 0: the node does it itself.",
        between(0, 64)),
};

} // namespace

section_table workers_section() {
  return {{"workers", "Processes that keep the clients' connections."}, rows};
}

} // namespace troupe::app::table
