// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = mqtt_settings;
constexpr row_maker<&settings::mqtt> in{"mqtt"};

constexpr std::array rows{
    in.row<&values::enabled>("enabled", "Whether MQTT is served."),
    in.row<&values::realm>("realm", "Realm of its users and topics."),
    in.row<&values::token_users>(
        "token_users",
        "User names which say that the password is a token, and the user "
        "whom that names. A password that looks like a JWT always is one."),
    in.row<&values::certificate_users>(
        "certificate_users",
        "Whether the common name of a client certificate names the user "
        "of a client that shows neither user name nor password."),
    in.row<&values::denied>(
        "denied",
        "What becomes of a client that publishes or subscribes where it "
        "may not: its connection ends, a reason code says so, or nothing "
        "does."),
    in.row<&values::denied_public>(
        "denied_public",
        "The same for who comes by listen.public; default: as mqtt.denied "
        "says."),
    in.row<&values::denied_tls>("denied_tls", "The same for listen.tls."),
    in.row<&values::denied_mqtt>("denied_mqtt", "The same for listen.mqtt."),
    in.row<&values::denied_mqtts>("denied_mqtts", "The same for listen.mqtts."),
    in.row<&values::expired>(
        "expired",
        "What becomes of a session whose token has expired: it ends, or "
        "all that it asks for from then on is denied."),
    in.row<&values::client_id_bytes_max>("client_id_bytes_max",
                                         "Longest client identifier.",
                                         size_between(23, 65'535)),
    in.row<&values::connect_timeout>(
        "connect_timeout",
        "A connection whose CONNECT has not come by then, or whose login by "
        "AUTH is not over, is closed.",
        between(100 * ms, 3'600 * s)),
    in.row<&values::keep_alive_max>(
        "keep_alive_max",
        "Longest keep alive, told to clients of MQTT 5; 0: as they like.",
        between(0, 65'535 * s)),
    in.row<&values::packet_bytes_max>("packet_bytes_max",
                                      "Largest packet of a client.",
                                      size_between(kib, 16 * mib)),
    in.row<&values::receive_maximum>(
        "receive_maximum",
        "Publications of QoS 1 and 2 that a client of MQTT 5 may have "
        "under way.",
        between(1, 65'535)),
    in.row<&values::topic_aliases_max>(
        "topic_aliases_max", "Topic aliases on one connection, each way.",
        between(0, 65'535)),
    in.row<&values::subscriptions_max>("subscriptions_max",
                                       "Subscriptions of one client.",
                                       between(1, 1'000'000)),
    in.row<&values::sessions>(
        "sessions",
        "Whether sessions outlive their connections, if clients ask for "
        "it: their subscriptions stay, and messages of QoS 1 and 2 wait."),
    in.row<&values::session_expiry_max>(
        "session_expiry_max",
        "For how long at most they do, also before MQTT 5; 0: no bound.",
        between(0, 86'400'000 * s)),
    in.row<&values::sessions_max>(
        "sessions_max", "Such sessions in the cluster, about; 0: no bound.",
        between(0, 1'000'000'000)),
    in.row<&values::session_messages_max>(
        "session_messages_max",
        "Messages that may wait for one of them; 0: no bound.",
        between(0, 1'000'000'000)),
    in.row<&values::session_bytes_max>("session_bytes_max",
                                       "Bytes of these; 0: no bound.",
                                       size_between(0, tib)),
    in.row<&values::session_overflow>(
        "session_overflow",
        "What becomes of one more: drop_oldest makes room for it, refuse "
        "leaves it out. Publishers are not told."),
    in.row<&values::inflight_max>(
        "inflight_max",
        "Messages of QoS 1 and 2 under way to one client, if it allows "
        "for so many.",
        between(1, 65'535)),
    in.row<&values::queue_messages_max>(
        "queue_messages_max",
        "Messages of QoS 1 and 2 that may wait for one client.",
        between(0, 100'000'000)),
    in.row<&values::queue_bytes_max>("queue_bytes_max", "Bytes of these.",
                                     size_between(kib, 16 * gib)),
    in.row<&values::queue_full>(
        "queue_full",
        "What becomes of one more: it is dropped, or the session ends."),
    in.row<&values::backlog_bytes_max>(
        "backlog_bytes_max",
        "Unsent bytes at which messages of QoS 0 for a client are "
        "dropped, and others wait.",
        size_between(kib, 16 * gib)),
    in.row<&values::retained>(
        "retained",
        "Whether messages are kept that ask for it; otherwise clients of "
        "MQTT 5 are told that nothing is."),
    in.row<&values::response_prefix>(
        "response_prefix",
        "Response information for clients of MQTT 5 that ask for it; %c "
        "is the client identifier."),
    in.row<&values::server_reference>(
        "server_reference",
        "Where clients of MQTT 5 may go when the node drains, as "
        "HOST:PORT with blanks between; if empty, what the other nodes "
        "advertise."),
    in.row<&values::advertise>(
        "advertise",
        "Where clients of MQTT find this node, as HOST:PORT: a node that "
        "drains sends its clients to the others. Not told if empty."),
    in.row<&values::sys_interval>(
        "sys_interval",
        "How often the node tells its counts under $SYS; 0: never.",
        between(0, 3'600 * s)),
};

} // namespace

section_table mqtt_section() {
  return {{"mqtt",
           "MQTT 3.1, 3.1.1 and 5, on a port of its own or any other door."},
          rows};
}

} // namespace troupe::app::table
