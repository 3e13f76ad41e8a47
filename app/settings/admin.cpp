// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = admin_settings;
constexpr row_maker<&settings::admin> in{"admin"};

constexpr std::array rows{
    in.row<&values::token>(
        "token",
        "Bearer token that admin requests must show; empty asks for none.",
        secret(on_reload())),
    in.row<&values::token_file>(
        "token_file", "File that holds the token, instead of admin.token.",
        on_reload()),
};

} // namespace

section_table admin_section() {
  return {{"admin", "Who may use the admin listener."}, rows};
}

} // namespace troupe::app::table
