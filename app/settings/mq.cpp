// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = mq_settings;
constexpr row_maker<&settings::mq> in{"mq"};

constexpr std::array rows{
    in.row<&values::login_timeout>(
        "login_timeout",
        "A connection that has not tried to log in by then is closed.",
        on_reload(between(100 * ms, 3'600 * s))),
    in.row<&values::retry_interval>(
        "retry_interval",
        "A delivery without an acknowledgement is sent again after this.",
        on_reload(between(100 * ms, 86'400 * s))),
    in.row<&values::message_bytes_max>("message_bytes_max",
                                       "Largest message a client may send.",
                                       on_reload(size_between(kib, gib))),
    in.row<&values::ping_bytes_max>(
        "ping_bytes_max",
        "Largest body of a ping, which goes to people by alias.",
        on_reload(size_between(0, gib))),
    in.row<&values::window_max>(
        "window_max",
        "Deliveries a client may ask to have unacknowledged at once.",
        on_reload(between(1, 65'536))),
    in.row<&values::recipients_max>("recipients_max",
                                    "Recipients a post may name.",
                                    on_reload(between(1, 1'000'000))),
    in.row<&values::login_rate_per_address>(
        "login_rate_per_address",
        "Failed logins a minute from one address; 0 sets no bound.",
        on_reload(between(0, 1'000'000))),
};

} // namespace

section_table mq_section() {
  return {{"mq",
           "websocket.MQ's frames, on a port of their own or any other door."},
          rows};
}

} // namespace troupe::app::table
