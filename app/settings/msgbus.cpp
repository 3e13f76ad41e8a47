// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = msgbus_settings;
constexpr row_maker<&settings::msgbus> in{"msgbus"};

constexpr std::array rows{
    in.row<&values::public_port>(
        "public_port",
        "Whether /msgbus/ is served at listen.public and listen.tls, too."),
    in.row<&values::realm>("realm", "Realm whose topics the channels are."),
    in.row<&values::password>(
        "password",
        "Password that everybody must show by HTTP Basic, under any name; "
        "empty asks for none.",
        secret()),
    in.row<&values::password_file>(
        "password_file",
        "File that holds the password, instead of msgbus.password."),
    in.row<&values::message_bytes_max>("message_bytes_max",
                                       "Largest message at /msgbus/.",
                                       size_between(kib, 20 * mib)),
    in.row<&values::backlog_bytes_max>(
        "backlog_bytes_max",
        "Bytes that may wait for a subscriber; while there are as many, "
        "messages for it are dropped.",
        size_between(1, 16 * gib)),
    in.row<&values::write_stall>(
        "write_stall",
        "A subscriber that takes nothing of what waits for so long is cut "
        "off.",
        between(100 * ms, 3'600 * s)),
    in.row<&values::half_close>(
        "half_close",
        "How long a subscriber is served on that has ended its side; one "
        "that is gone looks the same.",
        between(0, 3'600 * s)),
    in.row<&values::heart_beat>(
        "heart_beat",
        "Time between comments in a quiet event stream; 0 sends none.",
        between(0, 3'600 * s)),
    in.row<&values::strict_senders>(
        "strict_senders",
        "Whether a filter of senders keeps out messages without a sender, "
        "which it lets pass otherwise."),
    in.row<&values::poll_time>("poll_time",
                               "How long a long poll waits for a message.",
                               between(100 * ms, 3'600 * s)),
    in.row<&values::history_messages>(
        "history_messages",
        "Messages of each channel that this node keeps in memory for "
        "since=; 0 keeps none. With it the node gets all publications of "
        "the cluster.",
        between(0, 1'000'000)),
    in.row<&values::history_bytes_max>(
        "history_bytes_max",
        "Bytes of all channels' messages kept; the oldest go first.",
        size_between(kib, 64 * gib)),
    in.row<&values::history_time>("history_time",
                                  "Older messages are kept no longer.",
                                  between(1 * s, 30 * day)),
};

} // namespace

section_table msgbus_section() {
  return {{"msgbus", "Channels over plain HTTP, at /msgbus/."}, rows};
}

} // namespace troupe::app::table
