// SPDX-License-Identifier: Apache-2.0
#include "app/settings_table.hpp"

#include <array>

namespace troupe::app {
namespace {

template <auto Section, auto Member>
field at(settings& target) {
  return &((target.*Section).*Member);
}

constexpr std::uint64_t us = 1;
constexpr std::uint64_t ms = 1'000 * us;
constexpr std::uint64_t s = 1'000 * ms;
constexpr std::uint64_t day = 86'400 * s;
constexpr std::uint64_t years = 36'500 * day;
constexpr std::uint64_t kib = 1ULL << 10;
constexpr std::uint64_t mib = 1ULL << 20;
constexpr std::uint64_t gib = 1ULL << 30;
constexpr std::uint64_t tib = 1ULL << 40;

constexpr setting_traits size_between(std::uint64_t min, std::uint64_t max) {
  return {.min = min, .max = max, .counts = quantity::bytes};
}
constexpr setting_traits between(std::uint64_t min, std::uint64_t max) {
  return {.min = min, .max = max};
}
constexpr setting_traits on_reload(setting_traits traits = {}) {
  traits.effect = takes_effect::at_reload;
  return traits;
}
constexpr setting_traits secret_on_reload{.effect = takes_effect::at_reload,
                                          .secret = true};

constexpr auto node = &settings::node;
constexpr auto listen = &settings::listen;
constexpr auto workers = &settings::workers;
constexpr auto tls = &settings::tls;
constexpr auto admin = &settings::admin;
constexpr auto mq = &settings::mq;
constexpr auto auth = &settings::auth;
constexpr auto ws = &settings::ws;
constexpr auto msgbus = &settings::msgbus;
constexpr auto zenconn = &settings::zenconn;
constexpr auto mqtt = &settings::mqtt;
constexpr auto files = &settings::files;
constexpr auto inbox = &settings::inbox;
constexpr auto keys = &settings::keys;
constexpr auto topics = &settings::topics;
constexpr auto storage = &settings::storage;
constexpr auto audit = &settings::audit;
constexpr auto cluster = &settings::cluster;
constexpr auto log = &settings::log;

using node_s = node_settings;
using listen_s = listen_settings;
using mq_s = mq_settings;
using auth_s = auth_settings;
using msgbus_s = msgbus_settings;
using zenconn_s = zenconn_settings;
using mqtt_s = mqtt_settings;
using inbox_s = inbox_settings;
using storage_s = storage_settings;
using audit_s = audit_settings;
using cluster_s = cluster_settings;

constexpr std::array sections{
    section{"node", "The process: where its data is and how it runs."},
    section{"listen", "The sockets, and what every connection is held to."},
    section{"workers", "Processes that keep the clients' connections."},
    section{"tls", "Certificates for the TLS listener."},
    section{"admin", "Who may use the admin listener."},
    section{"mq", "websocket.MQ's frames, on a port of their own or any other "
                  "door."},
    section{"auth", "Who may come, and what everybody may (docs/security.md)."},
    section{"ws", "WebSocket connections (RFC 6455)."},
    section{"msgbus", "Channels over plain HTTP, at /msgbus/."},
    section{"zenconn", "ZenConn's channels, by a WebSocket upgrade at /."},
    section{"mqtt", "MQTT 3.1, 3.1.1 and 5, on a port of its own or any other "
                    "door."},
    section{"files", "Files given away over HTTP."},
    section{"inbox", "Bounds of every user's inbox, and what is cleaned up."},
    section{"keys", "Bounds of what is retained: topics that have a value."},
    section{"topics", "What is published, and not kept."},
    section{"storage", "The log and the state on disk."},
    section{"audit", "What happened at this node's doors, written down."},
    section{"cluster", "How nodes form a cluster."},
    section{"log", "What the node writes about itself."},
};

const std::array rows{
    setting{"node",
            "data",
            at<node, &node_s::data>,
            {},
            "Folder that holds everything durable; made if it is not there."},
    setting{"node",
            "name",
            at<node, &node_s::name>,
            {},
            "Name of this node for people; empty takes the host's name."},
    setting{
        "node", "loops", at<node, &node_s::loops>, between(0, 256),
        "Threads that serve connections; 0 takes one for each core but one, "
        "which is left to the log and the tables."},
    setting{"node", "drain_timeout", at<node, &node_s::drain_timeout>,
            between(0, 3'600 * s),
            "How long a stopping node waits for work in progress."},
    setting{"node", "spin", at<node, &node_s::spin>, between(0, 10 * ms),
            "How long an idle loop polls before it sleeps: burns CPU time for "
            "shorter delays."},

    setting{"listen",
            "public",
            at<listen, &listen_s::public_address>,
            {},
            "Address for clients of every protocol; port 0 takes a free one."},
    setting{"listen",
            "mq",
            at<listen, &listen_s::mq>,
            {},
            "One more address for websocket.MQ clients, commonly port 8008; "
            "off if not wanted."},
    setting{"listen",
            "tls",
            at<listen, &listen_s::tls>,
            {},
            "One more address for every protocol inside TLS; needs "
            "tls.certificate and tls.key."},
    setting{"listen",
            "msgbus",
            at<listen, &listen_s::msgbus>,
            {},
            "One more address for channels at /msgbus/, commonly port 8888; "
            "off if not wanted."},
    setting{"listen",
            "mqtt",
            at<listen, &listen_s::mqtt>,
            {},
            "One more address for MQTT, commonly port 1883; off if not "
            "wanted."},
    setting{"listen",
            "mqtts",
            at<listen, &listen_s::mqtts>,
            {},
            "One more address for MQTT inside TLS, commonly port 8883; needs "
            "tls.certificate and tls.key."},
    setting{"listen",
            "admin",
            at<listen, &listen_s::admin>,
            {},
            "Address of the admin interface; other than loopback only with an "
            "admin token."},
    setting{"listen",
            "proxy_protocol",
            at<listen, &listen_s::proxy_protocol>,
            {},
            "Whether a proxy in front announces the client's address by the "
            "PROXY protocol."},
    setting{"listen",
            "trusted_proxies",
            at<listen, &listen_s::trusted_proxies>,
            {},
            "Addresses or networks whose PROXY headers are believed."},
    setting{"listen", "backlog", at<listen, &listen_s::backlog>,
            between(1, 65'535),
            "Connections the system may hold that are not accepted yet."},
    setting{"listen", "connections_max", at<listen, &listen_s::connections_max>,
            on_reload(between(1, 10'000'000)),
            "Connections at once; more are refused."},
    setting{"listen", "connections_per_address_max",
            at<listen, &listen_s::connections_per_address_max>,
            on_reload(between(0, 10'000'000)),
            "Connections at once from one address; 0 sets no bound."},
    setting{"listen", "accept_rate_per_address",
            at<listen, &listen_s::accept_rate_per_address>,
            on_reload(between(0, 1'000'000)),
            "New connections a second from one address; 0 sets no bound."},
    setting{"listen", "keepalive_idle", at<listen, &listen_s::keepalive_idle>,
            between(1 * s, 32'767 * s),
            "Silence after which TCP asks whether the peer is still there."},
    setting{"listen", "keepalive_interval",
            at<listen, &listen_s::keepalive_interval>,
            between(1 * s, 32'767 * s), "Time between such questions."},
    setting{"listen", "keepalive_probes",
            at<listen, &listen_s::keepalive_probes>, between(1, 127),
            "Questions without an answer after which a peer counts as gone."},
    setting{"listen", "output_bytes_max",
            at<listen, &listen_s::output_bytes_max>,
            on_reload(size_between(64 * kib, 16 * gib)),
            "Bytes that may wait for one slow client before it is cut off."},
    setting{"listen", "opening_timeout", at<listen, &listen_s::opening_timeout>,
            between(100 * ms, 3'600 * s),
            "Time for a connection to say what it speaks, TLS included."},

    setting{"workers", "count", at<workers, &workers_settings::count>,
            between(0, 64),
            "Processes that accept clients and speak their protocols, replaced "
            "when they die or hang; 0: the node does it itself."},

    setting{"tls", "certificate", at<tls, &tls_settings::certificate>,
            on_reload(), "PEM file with the certificate and its chain."},
    setting{"tls", "key", at<tls, &tls_settings::key>, on_reload(),
            "PEM file with the private key."},
    setting{"tls", "client_ca", at<tls, &tls_settings::client_ca>, on_reload(),
            "PEM file with authorities; clients then need a certificate of "
            "theirs."},
    setting{"tls", "min_version", at<tls, &tls_settings::min_version>,
            on_reload(), "Oldest TLS version that is accepted."},

    setting{"admin", "token", at<admin, &admin_settings::token>,
            secret_on_reload,
            "Bearer token that admin requests must show; empty asks for none."},
    setting{"admin", "token_file", at<admin, &admin_settings::token_file>,
            on_reload(), "File that holds the token, instead of admin.token."},

    setting{"mq", "login_timeout", at<mq, &mq_s::login_timeout>,
            on_reload(between(100 * ms, 3'600 * s)),
            "A connection that has not tried to log in by then is closed."},
    setting{"mq", "retry_interval", at<mq, &mq_s::retry_interval>,
            on_reload(between(100 * ms, 86'400 * s)),
            "A delivery without an acknowledgement is sent again after this."},
    setting{"mq", "message_bytes_max", at<mq, &mq_s::message_bytes_max>,
            on_reload(size_between(kib, gib)),
            "Largest message a client may send."},
    setting{"mq", "ping_bytes_max", at<mq, &mq_s::ping_bytes_max>,
            on_reload(size_between(0, gib)),
            "Largest body of a ping, which goes to people by alias."},
    setting{"mq", "window_max", at<mq, &mq_s::window_max>,
            on_reload(between(1, 65'536)),
            "Deliveries a client may ask to have unacknowledged at once."},
    setting{"mq", "recipients_max", at<mq, &mq_s::recipients_max>,
            on_reload(between(1, 1'000'000)), "Recipients a post may name."},
    setting{"mq", "login_rate_per_address",
            at<mq, &mq_s::login_rate_per_address>,
            on_reload(between(0, 1'000'000)),
            "Failed logins a minute from one address; 0 sets no bound."},

    setting{"auth",
            "anonymous",
            at<auth, &auth_s::anonymous>,
            {},
            "Clients that show no credentials: let in from this machine only, "
            "from anywhere, or never. websocket.MQ's clients show their "
            "device."},
    setting{"auth",
            "grants",
            at<auth, &auth_s::grants>,
            {},
            "What everybody may, RIGHT:FILTER each, but those whose token says "
            "what they may."},
    setting{"auth", "attempts_per_user", at<auth, &auth_s::attempts_per_user>,
            between(0, 1'000'000),
            "Wrong passwords for one user a minute; 0 sets no bound."},
    setting{"auth", "attempts_per_address",
            at<auth, &auth_s::attempts_per_address>, between(0, 1'000'000),
            "Wrong passwords and tokens from one address a minute; 0 sets no "
            "bound."},
    setting{"auth", "messages_per_user", at<auth, &auth_s::messages_per_user>,
            between(0, 10'000'000),
            "Messages one user may send a second, twice as many at once; 0 "
            "sets no bound."},
    setting{"auth", "messages_per_address",
            at<auth, &auth_s::messages_per_address>, between(0, 10'000'000),
            "Messages from one address a second, twice as many at once; 0 sets "
            "no bound."},
    setting{"auth", "hash_threads", at<auth, &auth_s::hash_threads>,
            between(1, 64), "Threads that check passwords."},
    setting{"auth", "hashes_waiting_max", at<auth, &auth_s::hashes_waiting_max>,
            between(1, 100'000),
            "Logins that may wait for one of them; more are refused as busy."},
    setting{"auth",
            "jwt_secret",
            at<auth, &auth_s::jwt_secret>,
            {.secret = true},
            "Secret of signed tokens (HS256, HS384, HS512); empty: none are "
            "taken."},
    setting{"auth",
            "jwt_secret_file",
            at<auth, &auth_s::jwt_secret_file>,
            {},
            "File that holds the secret, instead of auth.jwt_secret."},
    setting{"auth",
            "jwt_keys",
            at<auth, &auth_s::jwt_keys>,
            {},
            "File with the public keys of signed tokens, a JWKS document or "
            "PEM; read again at a reload."},
    setting{"auth",
            "jwt_issuer",
            at<auth, &auth_s::jwt_issuer>,
            {},
            "Who must have signed them (iss); empty: anybody with a key."},
    setting{"auth",
            "jwt_audience",
            at<auth, &auth_s::jwt_audience>,
            {},
            "For whom they must be (aud), one of these; empty: for anybody."},
    setting{"auth", "jwt_leeway", at<auth, &auth_s::jwt_leeway>,
            between(0, 3'600 * s),
            "How far the clock of their issuer may be wrong."},
    setting{"auth",
            "jwt_user_claim",
            at<auth, &auth_s::jwt_user_claim>,
            {},
            "Claim that names the user."},
    setting{"auth",
            "jwt_roles_claim",
            at<auth, &auth_s::jwt_roles_claim>,
            {},
            "Claim that names his roles."},
    setting{"auth",
            "jwt_grants_claim",
            at<auth, &auth_s::jwt_grants_claim>,
            {},
            "Claim that says what he may, RIGHT:FILTER each."},
    setting{"auth",
            "jwt_endless",
            at<auth, &auth_s::jwt_endless>,
            {},
            "Whether tokens without an end (exp) are taken."},
    setting{"auth",
            "jwt_scopes_of",
            at<auth, &auth_s::jwt_scopes_of>,
            {},
            "Whose scopes in the claim scope say what he may, spelled as for "
            "RabbitMQ: rabbitmq for rabbitmq.read:*/*/a.b.*; none if empty."},

    setting{"ws",
            "deflate",
            at<ws, &ws_settings::deflate>,
            {},
            "Whether compression (permessage-deflate) is offered."},
    setting{"ws", "ping_interval", at<ws, &ws_settings::ping_interval>,
            on_reload(between(0, 3'600 * s)),
            "Time between pings to a quiet client; 0 sends none."},
    setting{"ws", "idle_timeout", at<ws, &ws_settings::idle_timeout>,
            on_reload(between(0, 86'400 * s)),
            "Silence after which a client counts as gone; 0 waits for ever."},
    setting{"ws", "header_bytes_max", at<ws, &ws_settings::header_bytes_max>,
            on_reload(size_between(kib, mib)),
            "Largest header of an HTTP request."},
    setting{"ws", "header_timeout", at<ws, &ws_settings::header_timeout>,
            between(100 * ms, 3'600 * s),
            "Time for the header of an HTTP request, from its first byte; then "
            "it is answered 408."},
    setting{"ws", "body_timeout", at<ws, &ws_settings::body_timeout>,
            between(100 * ms, 3'600 * s),
            "Time for the body behind it, likewise."},
    setting{"ws", "origins", at<ws, &ws_settings::origins>, on_reload(),
            "Web origins whose pages may connect; empty allows all."},

    setting{"msgbus",
            "public_port",
            at<msgbus, &msgbus_s::public_port>,
            {},
            "Whether /msgbus/ is served at listen.public and listen.tls, too."},
    setting{"msgbus",
            "realm",
            at<msgbus, &msgbus_s::realm>,
            {},
            "Realm whose topics the channels are."},
    setting{"msgbus",
            "password",
            at<msgbus, &msgbus_s::password>,
            {.secret = true},
            "Password that everybody must show by HTTP Basic, under any name; "
            "empty asks for none."},
    setting{"msgbus",
            "password_file",
            at<msgbus, &msgbus_s::password_file>,
            {},
            "File that holds the password, instead of msgbus.password."},
    setting{"msgbus", "message_bytes_max",
            at<msgbus, &msgbus_s::message_bytes_max>,
            size_between(kib, 20 * mib), "Largest message at /msgbus/."},
    setting{"msgbus", "backlog_bytes_max",
            at<msgbus, &msgbus_s::backlog_bytes_max>, size_between(1, 16 * gib),
            "Bytes that may wait for a subscriber; while there are as many, "
            "messages for it are dropped."},
    setting{"msgbus", "write_stall", at<msgbus, &msgbus_s::write_stall>,
            between(100 * ms, 3'600 * s),
            "A subscriber that takes nothing of what waits for so long is cut "
            "off."},
    setting{"msgbus", "half_close", at<msgbus, &msgbus_s::half_close>,
            between(0, 3'600 * s),
            "How long a subscriber is served on that has ended its side; one "
            "that is gone looks the same."},
    setting{"msgbus", "heart_beat", at<msgbus, &msgbus_s::heart_beat>,
            between(0, 3'600 * s),
            "Time between comments in a quiet event stream; 0 sends none."},
    setting{"msgbus",
            "strict_senders",
            at<msgbus, &msgbus_s::strict_senders>,
            {},
            "Whether a filter of senders keeps out messages without a sender, "
            "which it lets pass otherwise."},

    setting{"msgbus", "poll_time", at<msgbus, &msgbus_s::poll_time>,
            between(100 * ms, 3'600 * s),
            "How long a long poll waits for a message."},
    setting{"msgbus", "history_messages",
            at<msgbus, &msgbus_s::history_messages>, between(0, 1'000'000),
            "Messages of each channel that this node keeps in memory for "
            "since=; 0 keeps none. With it the node gets all publications of "
            "the cluster."},
    setting{"msgbus", "history_bytes_max",
            at<msgbus, &msgbus_s::history_bytes_max>,
            size_between(kib, 64 * gib),
            "Bytes of all channels' messages kept; the oldest go first."},
    setting{"msgbus", "history_time", at<msgbus, &msgbus_s::history_time>,
            between(1 * s, 30 * day), "Older messages are kept no longer."},

    setting{"zenconn",
            "enabled",
            at<zenconn, &zenconn_s::enabled>,
            {},
            "Whether upgrades at / are served at listen.public and "
            "listen.tls."},
    setting{"zenconn",
            "realm",
            at<zenconn, &zenconn_s::realm>,
            {},
            "Realm of its users and channels."},
    setting{"zenconn",
            "secret",
            at<zenconn, &zenconn_s::secret>,
            {.secret = true},
            "Secret by which applications make tokens for private channels; "
            "empty: tokens open nothing."},
    setting{"zenconn",
            "secret_file",
            at<zenconn, &zenconn_s::secret_file>,
            {},
            "File that holds it, instead of zenconn.secret."},
    setting{"zenconn",
            "echo",
            at<zenconn, &zenconn_s::echo>,
            {},
            "Whether messages that ask for nothing are sent back, as clients "
            "of the first ZenConn expect; otherwise they are ignored."},
    setting{"zenconn", "message_bytes_max",
            at<zenconn, &zenconn_s::message_bytes_max>,
            size_between(kib, 16 * mib), "Largest message of a client."},
    setting{"zenconn", "backlog_bytes_max",
            at<zenconn, &zenconn_s::backlog_bytes_max>,
            size_between(kib, 16 * gib),
            "Bytes that may wait for a client; with more it is cut off."},
    setting{"zenconn", "channels_max", at<zenconn, &zenconn_s::channels_max>,
            between(1, 1'000'000), "Channels that one client may be in."},
    setting{"zenconn", "requests_max", at<zenconn, &zenconn_s::requests_max>,
            between(1, 65'536),
            "Answers that one client may wait for; with as many nothing more "
            "is read from it."},
    setting{"zenconn", "count_time", at<zenconn, &zenconn_s::count_time>,
            between(10 * ms, 60 * s),
            "How long other nodes may take to say whom a broadcast has "
            "reached."},
    setting{"zenconn",
            "records",
            at<zenconn, &zenconn_s::records>,
            {},
            "Whether each session is written down in the data folder before "
            "it is welcomed, and again when it ends."},
    setting{"zenconn", "records_bytes_max",
            at<zenconn, &zenconn_s::records_bytes_max>,
            size_between(mib, 1024 * gib),
            "Bytes of such records that are kept; the oldest go."},

    setting{"mqtt",
            "enabled",
            at<mqtt, &mqtt_s::enabled>,
            {},
            "Whether MQTT is served."},
    setting{"mqtt",
            "realm",
            at<mqtt, &mqtt_s::realm>,
            {},
            "Realm of its users and topics."},
    setting{"mqtt",
            "token_users",
            at<mqtt, &mqtt_s::token_users>,
            {},
            "User names which say that the password is a token, and the user "
            "whom that names. A password that looks like a JWT always is one."},
    setting{"mqtt",
            "certificate_users",
            at<mqtt, &mqtt_s::certificate_users>,
            {},
            "Whether the common name of a client certificate names the user "
            "of a client that shows neither user name nor password."},
    setting{"mqtt",
            "denied",
            at<mqtt, &mqtt_s::denied>,
            {},
            "What becomes of a client that publishes or subscribes where it "
            "may not: its connection ends, a reason code says so, or nothing "
            "does."},
    setting{"mqtt",
            "expired",
            at<mqtt, &mqtt_s::expired>,
            {},
            "What becomes of a session whose token has expired: it ends, or "
            "all that it asks for from then on is denied."},
    setting{"mqtt", "client_id_bytes_max",
            at<mqtt, &mqtt_s::client_id_bytes_max>, size_between(23, 65'535),
            "Longest client identifier."},
    setting{"mqtt", "connect_timeout", at<mqtt, &mqtt_s::connect_timeout>,
            between(100 * ms, 3'600 * s),
            "A connection whose CONNECT has not come by then is closed."},
    setting{"mqtt", "keep_alive_max", at<mqtt, &mqtt_s::keep_alive_max>,
            between(0, 65'535 * s),
            "Longest keep alive, told to clients of MQTT 5; 0: as they like."},
    setting{"mqtt", "packet_bytes_max", at<mqtt, &mqtt_s::packet_bytes_max>,
            size_between(kib, 16 * mib), "Largest packet of a client."},
    setting{"mqtt", "receive_maximum", at<mqtt, &mqtt_s::receive_maximum>,
            between(1, 65'535),
            "Publications of QoS 1 and 2 that a client of MQTT 5 may have "
            "under way."},
    setting{"mqtt", "topic_aliases_max", at<mqtt, &mqtt_s::topic_aliases_max>,
            between(0, 65'535), "Topic aliases on one connection, each way."},
    setting{"mqtt", "subscriptions_max", at<mqtt, &mqtt_s::subscriptions_max>,
            between(1, 1'000'000), "Subscriptions of one client."},
    setting{"mqtt",
            "sessions",
            at<mqtt, &mqtt_s::sessions>,
            {},
            "Whether sessions outlive their connections, if clients ask for "
            "it: their subscriptions stay, and messages of QoS 1 and 2 wait."},
    setting{"mqtt", "session_expiry_max", at<mqtt, &mqtt_s::session_expiry_max>,
            between(0, 86'400'000 * s),
            "For how long at most they do, also before MQTT 5; 0: no bound."},
    setting{"mqtt", "sessions_max", at<mqtt, &mqtt_s::sessions_max>,
            between(0, 1'000'000'000),
            "Such sessions in the cluster, about; 0: no bound."},
    setting{"mqtt", "session_messages_max",
            at<mqtt, &mqtt_s::session_messages_max>, between(0, 1'000'000'000),
            "Messages that may wait for one of them; 0: no bound."},
    setting{"mqtt", "session_bytes_max", at<mqtt, &mqtt_s::session_bytes_max>,
            size_between(0, tib), "Bytes of these; 0: no bound."},
    setting{"mqtt",
            "session_overflow",
            at<mqtt, &mqtt_s::session_overflow>,
            {},
            "What becomes of one more: drop_oldest makes room for it, refuse "
            "leaves it out. Publishers are not told."},
    setting{"mqtt", "inflight_max", at<mqtt, &mqtt_s::inflight_max>,
            between(1, 65'535),
            "Messages of QoS 1 and 2 under way to one client, if it allows for "
            "so many."},
    setting{"mqtt", "queue_messages_max", at<mqtt, &mqtt_s::queue_messages_max>,
            between(0, 100'000'000),
            "Messages of QoS 1 and 2 that may wait for one client."},
    setting{"mqtt", "queue_bytes_max", at<mqtt, &mqtt_s::queue_bytes_max>,
            size_between(kib, 16 * gib), "Bytes of these."},
    setting{"mqtt",
            "queue_full",
            at<mqtt, &mqtt_s::queue_full>,
            {},
            "What becomes of one more: it is dropped, or the session ends."},
    setting{"mqtt", "backlog_bytes_max", at<mqtt, &mqtt_s::backlog_bytes_max>,
            size_between(kib, 16 * gib),
            "Unsent bytes at which messages of QoS 0 for a client are dropped, "
            "and others wait."},
    setting{"mqtt",
            "retained",
            at<mqtt, &mqtt_s::retained>,
            {},
            "Whether messages are kept that ask for it; otherwise clients of "
            "MQTT 5 are told that nothing is."},
    setting{"mqtt",
            "response_prefix",
            at<mqtt, &mqtt_s::response_prefix>,
            {},
            "Response information for clients of MQTT 5 that ask for it; %c "
            "is the client identifier."},
    setting{"mqtt",
            "server_reference",
            at<mqtt, &mqtt_s::server_reference>,
            {},
            "Where clients of MQTT 5 may go when the node drains, as "
            "HOST:PORT with blanks between; if empty, what the other nodes "
            "advertise."},
    setting{"mqtt",
            "advertise",
            at<mqtt, &mqtt_s::advertise>,
            {},
            "Where clients of MQTT find this node, as HOST:PORT: a node that "
            "drains sends its clients to the others. Not told if empty."},
    setting{"mqtt", "sys_interval", at<mqtt, &mqtt_s::sys_interval>,
            between(0, 3'600 * s),
            "How often the node tells its counts under $SYS; 0: never."},

    setting{"files",
            "root",
            at<files, &files_settings::root>,
            {},
            "Folder whose files are given away over HTTP; off if empty."},

    setting{"inbox", "messages_max", at<inbox, &inbox_s::messages_max>,
            on_reload(between(1, 1'000'000'000)),
            "Messages an inbox holds before it overflows."},
    setting{"inbox", "bytes_max", at<inbox, &inbox_s::bytes_max>,
            on_reload(size_between(kib, 16 * tib)),
            "Bytes an inbox holds before it overflows."},
    setting{"inbox", "overflow", at<inbox, &inbox_s::overflow>, on_reload(),
            "What a full inbox does: refuse the post, or drop its oldest "
            "messages."},
    setting{"inbox", "ttl_default", at<inbox, &inbox_s::ttl_default>,
            on_reload(between(0, years)),
            "Time to live of messages that name none; 0 keeps them until "
            "acknowledged."},
    setting{"inbox", "device_inactive_after",
            at<inbox, &inbox_s::device_inactive_after>,
            on_reload(between(0, years)),
            "A device unseen for so long is inactive and its queue is given "
            "up; 0 never does."},
    setting{"inbox", "user_inactive_after",
            at<inbox, &inbox_s::user_inactive_after>,
            on_reload(between(0, years)),
            "A user unseen for so long is suspended and gets no more posts; 0 "
            "never does."},
    setting{"inbox", "passivate_after", at<inbox, &inbox_s::passivate_after>,
            on_reload(between(10 * ms, day)),
            "An inbox nobody uses leaves memory after this."},

    setting{"keys", "max", at<keys, &keys_settings::max>,
            between(0, 1'000'000'000),
            "Retained keys in each shard; one more is refused. 0: any number."},
    setting{"keys", "bytes_max", at<keys, &keys_settings::bytes_max>,
            size_between(0, 16 * tib),
            "Bytes of the retained keys in each shard; 0: any number."},

    setting{"topics", "filters_max", at<topics, &topics_settings::filters_max>,
            between(1, 100'000'000),
            "Different topic filters that the subscribers of this node may "
            "hold together."},
    setting{"topics",
            "shared",
            at<topics, &topics_settings::shared>,
            {},
            "Who of those that share a subscription gets a message: each in "
            "turn, each of this node in turn, the same one for all of a "
            "publisher, or for all of a topic."},
    setting{"topics", "channels_max",
            at<topics, &topics_settings::channels_max>, between(0, 10'000'000),
            "Channels that this node shows; those above that are served all "
            "the same."},
    setting{"topics", "passivate_after",
            at<topics, &topics_settings::passivate_after>,
            between(10 * ms, day),
            "A channel to which nobody listens leaves memory after this."},

    setting{"storage", "segment_bytes", at<storage, &storage_s::segment_bytes>,
            size_between(mib, 16 * gib),
            "Size of one file of the log; a message has to fit."},
    setting{"storage", "commit_interval",
            at<storage, &storage_s::commit_interval>, between(1 * ms, 10 * s),
            "Time between commits of the state, which the log can rebuild."},
    setting{"storage", "map_bytes", at<storage, &storage_s::map_bytes>,
            size_between(64 * mib, 64 * tib),
            "Address space for the state: a bound to its size, not a file."},
    setting{"storage", "mapped_bytes_max",
            at<storage, &storage_s::mapped_bytes_max>, size_between(0, tib),
            "Pages of the state kept mapped; more are left to the kernel's "
            "cache. 0 keeps all."},
    setting{"storage", "quota_bytes", at<storage, &storage_s::quota_bytes>,
            size_between(0, 1024 * tib),
            "Bytes the data folder may take; 0 allows the whole disk."},
    setting{"storage", "reserve_bytes", at<storage, &storage_s::reserve_bytes>,
            size_between(0, 16 * tib),
            "Free bytes on the disk below which no new work is accepted."},

    setting{"audit",
            "enabled",
            at<audit, &audit_s::enabled>,
            {},
            "Whether the node keeps an audit log, in the data folder."},
    setting{"audit",
            "answers",
            at<audit, &audit_s::answers>,
            {},
            "When an answer leaves: at_once; when its record is written, which "
            "a killed process does not lose; or when it is synced to the disk, "
            "which a power cut does not lose either."},
    setting{"audit",
            "overflow",
            at<audit, &audit_s::overflow>,
            {},
            "When too many records wait: drop and count them, or refuse new "
            "work as overloaded."},
    setting{"audit",
            "messages",
            at<audit, &audit_s::messages>,
            {},
            "Which messages are recorded, to inboxes and to channels: all, "
            "those that were refused, or none. All else always is."},
    setting{"audit",
            "payload",
            at<audit, &audit_s::payload>,
            {},
            "What is kept of a message's payload: nothing but its size, its "
            "SHA-256, or all of it."},
    setting{"audit", "payload_bytes_max",
            at<audit, &audit_s::payload_bytes_max>, size_between(0, 16 * mib),
            "Larger payloads are not kept, with audit.payload = \"full\"."},
    setting{"audit", "queue_bytes_max", at<audit, &audit_s::queue_bytes_max>,
            size_between(64 * kib, 16 * gib),
            "Bytes of records, and of payloads that are to be hashed or kept, "
            "that may wait to be written."},
    setting{"audit", "sync_interval", at<audit, &audit_s::sync_interval>,
            between(1 * ms, 60 * s),
            "What was written is on the disk at least so soon."},
    setting{"audit", "segment_bytes", at<audit, &audit_s::segment_bytes>,
            size_between(64 * kib, gib), "Size of one file of the log."},
    setting{"audit", "keep_bytes", at<audit, &audit_s::keep_bytes>,
            size_between(64 * kib, 1024 * tib),
            "When all files together have more, the oldest are removed."},
    setting{"audit", "keep_time", at<audit, &audit_s::keep_time>,
            between(0, years),
            "Files in which all is older are removed; 0 keeps them."},
    setting{"audit",
            "key_file",
            at<audit, &audit_s::key_file>,
            {},
            "File with a key, in its first line, by which the heads of the "
            "log's files are sealed; empty: they are not."},

    setting{"cluster",
            "shards",
            at<cluster, &cluster_settings::shards>,
            {.min = 1, .max = 4'096, .effect = takes_effect::once},
            "Shards the inboxes are spread over; a node that joins takes "
            "over the cluster's."},
    setting{"cluster",
            "listen",
            at<cluster, &cluster_s::listen>,
            {},
            "Address for the other nodes, commonly port 7001; off if the node "
            "stays alone."},
    setting{"cluster",
            "advertise",
            at<cluster, &cluster_s::advertise>,
            {},
            "HOST:PORT at which other nodes find this one; empty takes "
            "cluster.listen, or the host's name if that is every address."},
    setting{"cluster",
            "join",
            at<cluster, &cluster_s::join>,
            {},
            "HOST:PORT of nodes to join with an empty data folder; a name may "
            "stand for several. Without it a new node founds a cluster."},
    setting{"cluster",
            "secret",
            at<cluster, &cluster_s::secret>,
            {.secret = true},
            "What all nodes of the cluster know and nobody else, 16 characters "
            "or more."},
    setting{"cluster",
            "secret_file",
            at<cluster, &cluster_s::secret_file>,
            {},
            "File that holds the secret, instead of cluster.secret."},
    setting{"cluster", "replace_after", at<cluster, &cluster_s::replace_after>,
            between(0, 30 * 24 * 3'600 * s),
            "A node that was not heard of for so long loses its share to "
            "others, if there are enough for every group, and gets one again "
            "when it is back; the same on all nodes. 0 = never."},
    setting{"cluster", "drain_spread", at<cluster, &cluster_s::drain_spread>,
            between(0, 3'600 * s),
            "When this node is drained, its clients are sent to other nodes "
            "one by one over so long."},
    setting{"cluster",
            "tls_certificate",
            at<cluster, &cluster_s::tls_certificate>,
            {},
            "PEM file with this node's certificate: encrypts the links."},
    setting{"cluster",
            "tls_key",
            at<cluster, &cluster_s::tls_key>,
            {},
            "PEM file with the key of cluster.tls_certificate."},
    setting{"cluster",
            "tls_ca",
            at<cluster, &cluster_s::tls_ca>,
            {},
            "PEM file with the authority that all nodes' certificates are of; "
            "use one for the cluster only."},

    setting{"log", "level", at<log, &log_settings::level>, on_reload(),
            "Least important kind of line that is written."},
    setting{"log",
            "format",
            at<log, &log_settings::format>,
            {},
            "Lines for people, or one JSON object a line."},
    setting{"log",
            "file",
            at<log, &log_settings::file>,
            {},
            "File to append to, opened again at a reload; empty writes to "
            "standard error."},
    setting{"log",
            "access",
            at<log, &log_settings::access>,
            {},
            "File for a line about each HTTP request and each WebSocket of "
            "clients, in the combined format; opened again at SIGHUP and "
            "SIGUSR1. Empty: none."},
};

} // namespace

std::span<const setting> all_settings() { return rows; }

std::span<const section> all_sections() { return sections; }

} // namespace troupe::app
