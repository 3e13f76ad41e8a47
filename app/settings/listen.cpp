// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = listen_settings;
constexpr row_maker<&settings::listen> in{"listen"};

constexpr std::array rows{
    in.row<&values::public_address>(
        "public",
        "Address for clients of every protocol; port 0 takes a free one."),
    in.row<&values::mq>(
        "mq", "One more address for websocket.MQ clients, commonly port 8008; "
              "off if not wanted."),
    in.row<&values::tls>(
        "tls", "One more address for every protocol inside TLS; needs "
               "tls.certificate and tls.key."),
    in.row<&values::msgbus>(
        "msgbus",
        "One more address for channels at /msgbus/, commonly port 8888; "
        "off if not wanted."),
    in.row<&values::mqtt>(
        "mqtt", "One more address for MQTT, commonly port 1883; off if not "
                "wanted."),
    in.row<&values::mqtts>(
        "mqtts",
        "One more address for MQTT inside TLS, commonly port 8883; needs "
        "tls.certificate and tls.key."),
    in.row<&values::admin>(
        "admin",
        "Address of the admin interface; other than loopback only with an "
        "admin token."),
    in.row<&values::proxy_protocol>(
        "proxy_protocol",
        "Whether a proxy in front announces the client's address by the "
        "PROXY protocol."),
    in.row<&values::trusted_proxies>(
        "trusted_proxies",
        "Addresses or networks whose PROXY headers are believed."),
    in.row<&values::backlog>(
        "backlog", "Connections the system may hold that are not accepted yet.",
        between(1, 65'535)),
    in.row<&values::connections_max>("connections_max",
                                     "Connections at once; more are refused.",
                                     on_reload(between(1, 10'000'000))),
    in.row<&values::connections_per_address_max>(
        "connections_per_address_max",
        "Connections at once from one address; 0 sets no bound.",
        on_reload(between(0, 10'000'000))),
    in.row<&values::accept_rate_per_address>(
        "accept_rate_per_address",
        "New connections a second from one address; 0 sets no bound.",
        on_reload(between(0, 1'000'000))),
    in.row<&values::keepalive_idle>(
        "keepalive_idle",
        "Silence after which TCP asks whether the peer is still there.",
        between(1 * s, 32'767 * s)),
    in.row<&values::keepalive_interval>("keepalive_interval",
                                        "Time between such questions.",
                                        between(1 * s, 32'767 * s)),
    in.row<&values::keepalive_probes>(
        "keepalive_probes",
        "Questions without an answer after which a peer counts as gone.",
        between(1, 127)),
    in.row<&values::output_bytes_max>(
        "output_bytes_max",
        "Bytes that may wait for one slow client before it is cut off.",
        on_reload(size_between(64 * kib, 16 * gib))),
    in.row<&values::opening_timeout>(
        "opening_timeout",
        "Time for a connection to say what it speaks, TLS included.",
        between(100 * ms, 3'600 * s)),
};

} // namespace

section_table listen_section() {
  return {{"listen", "The sockets, and what every connection is held to."},
          rows};
}

} // namespace troupe::app::table
