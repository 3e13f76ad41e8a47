// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = keys_settings;
constexpr row_maker<&settings::keys> in{"keys"};

constexpr std::array rows{
    in.row<&values::max>(
        "max",
        "Retained keys in each shard; one more is refused. 0: any number.",
        between(0, 1'000'000'000)),
    in.row<&values::bytes_max>(
        "bytes_max", "Bytes of the retained keys in each shard; 0: any number.",
        size_between(0, 16 * tib)),
};

} // namespace

section_table keys_section() {
  return {{"keys", "Bounds of what is retained: topics that have a value."},
          rows};
}

} // namespace troupe::app::table
