// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = inbox_settings;
constexpr row_maker<&settings::inbox> in{"inbox"};

constexpr std::array rows{
    in.row<&values::messages_max>(
        "messages_max", "Messages an inbox holds before it overflows.",
        on_reload(between(1, 1'000'000'000))),
    in.row<&values::bytes_max>("bytes_max",
                               "Bytes an inbox holds before it overflows.",
                               on_reload(size_between(kib, 16 * tib))),
    in.row<&values::overflow>(
        "overflow",
        "What a full inbox does: refuse the post, or drop its oldest "
        "messages.",
        on_reload()),
    in.row<&values::ttl_default>(
        "ttl_default",
        "Time to live of messages that name none; 0 keeps them until "
        "acknowledged.",
        on_reload(between(0, years))),
    in.row<&values::device_inactive_after>(
        "device_inactive_after",
        "A device unseen for so long is inactive and its queue is given "
        "up; 0 never does.",
        on_reload(between(0, years))),
    in.row<&values::user_inactive_after>(
        "user_inactive_after",
        "A user unseen for so long is suspended and gets no more posts; 0 "
        "never does.",
        on_reload(between(0, years))),
    in.row<&values::passivate_after>(
        "passivate_after", "An inbox nobody uses leaves memory after this.",
        on_reload(between(10 * ms, day))),
};

} // namespace

section_table inbox_section() {
  return {{"inbox", "Bounds of every user's inbox, and what is cleaned up."},
          rows};
}

} // namespace troupe::app::table
