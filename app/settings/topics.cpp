// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = topics_settings;
constexpr row_maker<&settings::topics> in{"topics"};

constexpr std::array rows{
    in.row<&values::filters_max>(
        "filters_max",
        "Different topic filters that the subscribers of this node may "
        "hold together.",
        between(1, 100'000'000)),
    in.row<&values::shared>(
        "shared",
        "Who of those that share a subscription gets a message: each in "
        "turn, each of this node in turn, the same one for all of a "
        "publisher, or for all of a topic."),
    in.row<&values::channels_max>(
        "channels_max",
        "Channels that this node shows; those above that are served all "
        "the same.",
        between(0, 10'000'000)),
    in.row<&values::passivate_after>(
        "passivate_after",
        "A channel to which nobody listens leaves memory after this.",
        between(10 * ms, day)),
};

} // namespace

section_table topics_section() {
  return {{"topics", "What is published, and not kept."}, rows};
}

} // namespace troupe::app::table
