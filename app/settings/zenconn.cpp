// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = zenconn_settings;
constexpr row_maker<&settings::zenconn> in{"zenconn"};

constexpr std::array rows{
    in.row<&values::enabled>(
        "enabled", "Whether upgrades at / are served at listen.public and "
                   "listen.tls."),
    in.row<&values::realm>("realm", "Realm of its users and channels."),
    in.row<&values::secret>(
        "secret",
        "Secret by which applications make tokens for private channels; "
        "empty: tokens open nothing.",
        secret()),
    in.row<&values::secret_file>(
        "secret_file", "File that holds it, instead of zenconn.secret."),
    in.row<&values::echo>(
        "echo",
        "Whether messages that ask for nothing are sent back, as clients "
        "of the first ZenConn expect; otherwise they are ignored."),
    in.row<&values::message_bytes_max>("message_bytes_max",
                                       "Largest message of a client.",
                                       size_between(kib, 16 * mib)),
    in.row<&values::backlog_bytes_max>(
        "backlog_bytes_max",
        "Bytes that may wait for a client; with more it is cut off.",
        size_between(kib, 16 * gib)),
    in.row<&values::channels_max>("channels_max",
                                  "Channels that one client may be in.",
                                  between(1, 1'000'000)),
    in.row<&values::requests_max>(
        "requests_max",
        "Answers that one client may wait for; with as many nothing more "
        "is read from it.",
        between(1, 65'536)),
    in.row<&values::count_time>(
        "count_time",
        "How long other nodes may take to say whom a broadcast has "
        "reached.",
        between(10 * ms, 60 * s)),
    in.row<&values::records>(
        "records",
        "Whether each session is written down in the data folder before "
        "it is welcomed, and again when it ends."),
    in.row<&values::records_bytes_max>(
        "records_bytes_max",
        "Bytes of such records that are kept; the oldest go.",
        size_between(mib, 1024 * gib)),
};

} // namespace

section_table zenconn_section() {
  return {{"zenconn", "ZenConn's channels, by a WebSocket upgrade at /."},
          rows};
}

} // namespace troupe::app::table
