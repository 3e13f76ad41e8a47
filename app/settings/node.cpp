// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = node_settings;
constexpr row_maker<&settings::node> in{"node"};

constexpr std::array rows{
    in.row<&values::data>(
        "data",
        "Folder that holds everything durable; made if it is not there."),
    in.row<&values::name>(
        "name", "Name of this node for people; empty takes the host's name."),
    in.row<&values::loops>(
        "loops",
        "Threads that serve connections; 0 takes one for each core but "
        "one, which is left to the log and the tables.",
        between(0, 256)),
    in.row<&values::drain_timeout>(
        "drain_timeout", "How long a stopping node waits for work in progress.",
        between(0, 3'600 * s)),
    in.row<&values::spin>(
        "spin",
        "How long an idle loop polls before it sleeps: burns CPU time for "
        "shorter delays.",
        between(0, 10 * ms)),
};

} // namespace

section_table node_section() {
  return {{"node", "The process: where its data is and how it runs."}, rows};
}

} // namespace troupe::app::table
