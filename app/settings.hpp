// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/endpoint.hpp"
#include "core/authorizer.hpp"
#include "core/share_policy.hpp"
#include "net/mqtt/options.hpp"
#include "storage/audit/policies.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a node can be told: one struct a section of the configuration file.
/// The initialisers are the defaults; ranges, help and the names by which a
/// file, the environment and a flag set a member are in settings/, one file a
/// section, one row a member. Names of members are the names of keys.
namespace troupe::app {

using std::chrono::microseconds;
using std::chrono::milliseconds;

enum class proxy_protocol_mode : std::uint8_t { off, optional, required };
enum class tls_version : std::uint8_t { tls_1_2, tls_1_3 };
enum class overflow_policy : std::uint8_t { refuse, drop_oldest };
enum class log_level : std::uint8_t { trace, debug, info, warn, error, off };
enum class log_format : std::uint8_t { text, json };
/// What one listener of MQTT does with what is not permitted: the same as the
/// others, or something of its own.
enum class listener_denial : std::uint8_t { as_others, close, answer, silent };

/// The process.
struct node_settings {
  std::string data = "./data";
  std::string name;        ///< "" = the host's name
  std::uint64_t loops = 0; ///< I/O threads; 0 = one a core but one
  milliseconds drain_timeout{10'000};
  microseconds spin{0};
};

/// The sockets, and what every connection is held to.
struct listen_settings {
  endpoint public_address{"127.0.0.1", 8080}; ///< key "public"
  std::optional<endpoint> mq;
  std::optional<endpoint> tls;
  std::optional<endpoint> msgbus;
  std::optional<endpoint> mqtt;
  std::optional<endpoint> mqtts;
  endpoint admin{"127.0.0.1", 9090};
  proxy_protocol_mode proxy_protocol = proxy_protocol_mode::off;
  std::vector<std::string> trusted_proxies; ///< addresses or CIDR networks
  std::uint64_t backlog = 1024;
  std::uint64_t connections_max = 100'000;
  std::uint64_t connections_per_address_max = 0; ///< 0 = no bound
  std::uint64_t accept_rate_per_address = 0;     ///< a second; 0 = no bound
  milliseconds keepalive_idle{30'000};
  milliseconds keepalive_interval{10'000};
  std::uint64_t keepalive_probes = 3;
  std::uint64_t output_bytes_max = 128ULL << 20; ///< waiting for one socket
  milliseconds opening_timeout{10'000};          ///< until a protocol is chosen
};

/// Processes that keep the clients' connections; see decision 0014.
struct workers_settings {
  std::uint64_t count = 0; ///< 0 = the node serves clients itself
};

/// Certificates; read again at a reload.
struct tls_settings {
  std::string certificate; ///< PEM file, chain included
  std::string key;         ///< PEM file
  std::string client_ca;   ///< PEM file; asks clients for a certificate
  tls_version min_version = tls_version::tls_1_2;
};

/// The admin listener.
struct admin_settings {
  std::string token;
  std::string token_file;
};

/// websocket.MQ's own frames, on any door.
struct mq_settings {
  milliseconds login_timeout{6'000};
  milliseconds retry_interval{10'000};
  std::uint64_t message_bytes_max = 20ULL << 20;
  std::uint64_t ping_bytes_max = 4ULL << 10;
  std::uint64_t window_max = 1024;
  std::uint64_t recipients_max = 10'000;
  std::uint64_t login_rate_per_address = 0; ///< a minute; 0 = no bound
};

/// Who may come, and what everybody may.
struct auth_settings {
  core::anonymous_policy anonymous = core::anonymous_policy::loopback;
  std::vector<std::string> grants{"publish:#", "subscribe:#", "post:#",
                                  "call:#", "register:#"};
  std::uint64_t attempts_per_user = 10;    ///< failed, a minute; 0 = no bound
  std::uint64_t attempts_per_address = 60; ///< failed, a minute; 0 = no bound
  std::uint64_t messages_per_user = 0;     ///< a second; 0 = no bound
  std::uint64_t messages_per_address = 0;  ///< a second; 0 = no bound
  std::uint64_t hash_threads = 1;
  std::uint64_t hashes_waiting_max = 64;
  std::uint64_t scram_iterations = 0; ///< 0 = no SCRAM
  std::string jwt_secret;
  std::string jwt_secret_file;
  std::string jwt_keys; ///< JWKS or PEM file
  std::string jwt_issuer;
  std::vector<std::string> jwt_audience;
  milliseconds jwt_leeway{30'000};
  std::string jwt_user_claim = "sub";
  std::string jwt_roles_claim = "roles";
  std::string jwt_grants_claim = "grants";
  bool jwt_endless = false;
  std::string jwt_scopes_of; ///< "" = scopes say nothing
};

/// RFC 6455.
struct ws_settings {
  bool deflate = false;
  milliseconds ping_interval{30'000};
  milliseconds idle_timeout{60'000};
  std::uint64_t header_bytes_max = 16ULL << 10;
  milliseconds header_timeout{10'000};
  milliseconds body_timeout{30'000};
  std::vector<std::string> origins; ///< empty = any
};

/// Channels over plain HTTP, at /msgbus/.
struct msgbus_settings {
  bool public_port = true; ///< served at listen.public and listen.tls, too
  std::string realm = "default";
  std::string password; ///< "" = none is asked for
  std::string password_file;
  std::uint64_t message_bytes_max = 20ULL << 20;
  std::uint64_t backlog_bytes_max = 1'000'000;
  milliseconds write_stall{50'000};
  milliseconds half_close{800};
  milliseconds heart_beat{15'000}; ///< 0 = none
  bool strict_senders = false;
  milliseconds poll_time{30'000};
  std::uint64_t history_messages = 0; ///< a channel; 0 = none is kept
  std::uint64_t history_bytes_max = 64ULL << 20; ///< of all channels
  milliseconds history_time{600'000};
};

/// ZenConn's channels, by an upgrade at /.
struct zenconn_settings {
  bool enabled = true;
  std::string realm = "default";
  std::string secret; ///< "" = tokens open nothing
  std::string secret_file;
  bool echo = true;
  std::uint64_t message_bytes_max = 1ULL << 20;
  std::uint64_t backlog_bytes_max = 4ULL << 20;
  std::uint64_t channels_max = 1000; ///< of one session
  std::uint64_t requests_max = 256;
  milliseconds count_time{1'000};
  /// Whether sessions are written down, in the data folder.
  bool records = true;
  std::uint64_t records_bytes_max = 256ULL << 20;
};

/// MQTT, at listen.mqtt, listen.mqtts and any other door.
struct mqtt_settings {
  bool enabled = true;
  std::string realm = "default";
  std::vector<std::string> token_users{"JWT"};
  bool certificate_users = false;
  net::mqtt::denial_policy denied = net::mqtt::denial_policy::close;
  listener_denial denied_public = listener_denial::as_others;
  listener_denial denied_tls = listener_denial::as_others;
  listener_denial denied_mqtt = listener_denial::as_others;
  listener_denial denied_mqtts = listener_denial::as_others;
  net::mqtt::expiry_policy expired = net::mqtt::expiry_policy::close;
  std::uint64_t client_id_bytes_max = 1024;
  milliseconds connect_timeout{10'000};
  milliseconds keep_alive_max{0}; ///< 0 = as clients like
  std::uint64_t packet_bytes_max = 1ULL << 20;
  std::uint64_t receive_maximum = 1024;
  std::uint64_t topic_aliases_max = 64;
  std::uint64_t subscriptions_max = 10'000; ///< of one session
  bool sessions = true;                     ///< that outlive connections
  milliseconds session_expiry_max{0};       ///< 0 = no bound
  std::uint64_t sessions_max = 16'000'000;  ///< in the cluster; 0 = no bound
  std::uint64_t session_messages_max = 100'000; ///< that wait; 0 = no bound
  std::uint64_t session_bytes_max = 256ULL << 20;
  overflow_policy session_overflow = overflow_policy::drop_oldest;
  std::uint64_t inflight_max = 1024;
  std::uint64_t queue_messages_max = 10'000;
  std::uint64_t queue_bytes_max = 8ULL << 20;
  net::mqtt::overflow_policy queue_full = net::mqtt::overflow_policy::drop;
  std::uint64_t backlog_bytes_max = 1ULL << 20;
  bool retained = true; ///< messages are kept that ask for it
  std::string response_prefix;
  std::string server_reference;
  std::string advertise;             ///< HOST:PORT; "" = not told
  milliseconds sys_interval{10'000}; ///< of $SYS; 0 = never
};

/// Files that are given away over HTTP.
struct files_settings {
  std::string root; ///< folder; "" = none
};

/// Bounds of every user's inbox.
struct inbox_settings {
  std::uint64_t messages_max = 100'000;
  std::uint64_t bytes_max = 256ULL << 20;
  overflow_policy overflow = overflow_policy::refuse;
  milliseconds ttl_default{0};           ///< 0 = for ever
  milliseconds device_inactive_after{0}; ///< 0 = never
  milliseconds user_inactive_after{0};   ///< 0 = never
  milliseconds passivate_after{15'000};
};

/// Bounds of the retained keys of each shard; 0 = none.
struct keys_settings {
  std::uint64_t max = 1'000'000;
  std::uint64_t bytes_max = 1ULL << 30;
};

/// What is published and not kept.
struct topics_settings {
  std::uint64_t filters_max = 1'000'000;
  core::share_policy shared = core::share_policy::round_robin;
  std::uint64_t channels_max = 100'000; ///< actors
  milliseconds passivate_after{15'000}; ///< of a channel
};

/// The log and the state on disk.
struct storage_settings {
  std::uint64_t segment_bytes = 64ULL << 20;
  milliseconds commit_interval{50};
  std::uint64_t map_bytes = 1ULL << 40;
  std::uint64_t mapped_bytes_max = 256ULL << 20; ///< 0 = no bound
  std::uint64_t quota_bytes = 0;                 ///< 0 = the whole disk
  std::uint64_t reserve_bytes = 256ULL << 20;
};

/// What happens at this node's doors, written down (decision 0020).
struct audit_settings {
  bool enabled = false;
  storage::audit::answer_policy answers =
      storage::audit::answer_policy::written;
  storage::audit::overflow_policy overflow =
      storage::audit::overflow_policy::drop;
  storage::audit::message_policy messages = storage::audit::message_policy::all;
  storage::audit::payload_policy payload = storage::audit::payload_policy::hash;
  std::uint64_t payload_bytes_max = 64ULL << 10;
  std::uint64_t queue_bytes_max = 16ULL << 20;
  milliseconds sync_interval{200};
  std::uint64_t segment_bytes = 64ULL << 20;
  std::uint64_t keep_bytes = 4ULL << 30;
  milliseconds keep_time{0}; ///< 0 = as long as there is room
  std::string key_file;      ///< "" = heads are not sealed
};

/// Links to other nodes; without `listen` a node is a cluster of its own.
struct cluster_settings {
  std::uint64_t shards = 16;
  std::optional<endpoint> listen;
  std::string advertise;         ///< HOST:PORT; "" = what listen says
  std::vector<std::string> join; ///< HOST:PORT each
  std::string secret;
  std::string secret_file;
  milliseconds replace_after{0}; ///< 0 = never
  milliseconds drain_spread{10'000};
  std::string tls_certificate; ///< PEM file, chain included
  std::string tls_key;         ///< PEM file
  std::string tls_ca;          ///< PEM file: whose certificates nodes have
};

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::text;
  std::string file;   ///< "" = standard error
  std::string access; ///< "" = none
};

struct settings {
  node_settings node;
  listen_settings listen;
  workers_settings workers;
  tls_settings tls;
  admin_settings admin;
  mq_settings mq;
  auth_settings auth;
  ws_settings ws;
  msgbus_settings msgbus;
  zenconn_settings zenconn;
  mqtt_settings mqtt;
  files_settings files;
  inbox_settings inbox;
  keys_settings keys;
  topics_settings topics;
  storage_settings storage;
  audit_settings audit;
  cluster_settings cluster;
  log_settings log;
};

} // namespace troupe::app
