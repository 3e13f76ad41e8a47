// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = ws_settings;
constexpr row_maker<&settings::ws> in{"ws"};

constexpr std::array rows{
    in.row<&values::deflate>(
        "deflate", "Whether compression (permessage-deflate) is offered."),
    in.row<&values::ping_interval>(
        "ping_interval", "Time between pings to a quiet client; 0 sends none.",
        on_reload(between(0, 3'600 * s))),
    in.row<&values::idle_timeout>(
        "idle_timeout",
        "Silence after which a client counts as gone; 0 waits for ever.",
        on_reload(between(0, 86'400 * s))),
    in.row<&values::header_bytes_max>("header_bytes_max",
                                      "Largest header of an HTTP request.",
                                      on_reload(size_between(kib, mib))),
    in.row<&values::header_timeout>(
        "header_timeout",
        "Time for the header of an HTTP request, from its first byte; "
        "then it is answered 408.",
        between(100 * ms, 3'600 * s)),
    in.row<&values::body_timeout>("body_timeout",
                                  "Time for the body behind it, likewise.",
                                  between(100 * ms, 3'600 * s)),
    in.row<&values::origins>(
        "origins", "Web origins whose pages may connect; empty allows all.",
        on_reload()),
};

} // namespace

section_table ws_section() {
  return {{"ws", "WebSocket connections (RFC 6455)."}, rows};
}

} // namespace troupe::app::table
