// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = files_settings;
constexpr row_maker<&settings::files> in{"files"};

constexpr std::array rows{
    in.row<&values::root>(
        "root", "Folder whose files are given away over HTTP; off if empty."),
};

} // namespace

section_table files_section() {
  return {{"files", "Files given away over HTTP."}, rows};
}

} // namespace troupe::app::table
