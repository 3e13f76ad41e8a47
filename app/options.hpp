// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/admin_options.hpp"
#include "app/audit_options.hpp"
#include "app/channel_options.hpp"
#include "app/config.hpp"
#include "app/endpoint.hpp"
#include "app/key_options.hpp"
#include "app/rights_options.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What a command line asks for: one struct a command, made by
/// parse_command_line() and carried out by run() in commands.hpp.
namespace troupe::app {

/// Where a node's configuration comes from; the environment is added when it
/// is loaded.
struct config_options {
  std::optional<std::string> file;
  std::vector<flag_value> flags;
};

/// troupe serve
struct serve_options {
  config_options config;
};

/// troupe worker: started by an agent; not in the help.
struct worker_options {
  std::uint32_t number = 0; ///< for lists of processes
};

/// Who a client command is, and to which node it talks.
struct client_options {
  endpoint server{"127.0.0.1", 8080};
  std::string uid;
  std::string device;
  /// Register the user with this device first, if there is no such user.
  bool create = false;
  milliseconds timeout{10'000};
};

/// troupe post
struct post_options {
  client_options client;
  std::vector<std::string> to;    ///< uids, all of their devices
  std::vector<std::string> one;   ///< uids, one of their devices
  std::vector<std::string> lists; ///< all members but the sender
  std::vector<std::string> lists_with_sender;
  std::optional<milliseconds> ttl;
  std::string meta; ///< JSON for the "etc" of the message, "" for none
  bool copy_to_own_devices = true;
  std::optional<std::string> text; ///< unset = standard input
};

/// troupe ping
struct ping_options {
  client_options client;
  std::string alias;
  std::string meta;
  std::optional<std::string> text; ///< unset = standard input
};

/// troupe inbox tail
struct inbox_tail_options {
  client_options client;
  std::uint32_t window = 1;
  bool acknowledge = true;
  bool json = false;
  std::uint64_t count = 0; ///< end after so many messages; 0 = go on
};

/// troupe user …
struct user_add_options {
  admin_options admin;
  std::string uid;
  std::string device;
  std::vector<std::string> aliases;
};
struct user_show_options {
  admin_options admin;
  std::string uid;
};
struct user_list_options {
  admin_options admin;
  std::string prefix;
  std::uint64_t limit = 1000; ///< in all; 0 = every user
};
struct user_remove_options {
  admin_options admin;
  std::string uid;
};
struct user_import_options {
  admin_options admin;
  std::string file; ///< websocket.MQ's mqreg; "-" = standard input
};
struct user_export_options {
  admin_options admin;
};
struct user_devices_options {
  admin_options admin;
  std::string uid;
};
struct user_inactive_options {
  admin_options admin;
  milliseconds unseen_for{};
};
struct user_purge_options {
  admin_options admin;
  milliseconds unseen_for{};
};

/// troupe list …
struct list_show_options {
  admin_options admin;
  std::string list;
};
struct list_ls_options {
  admin_options admin;
};
struct list_add_options {
  admin_options admin;
  std::string list;
  std::string uid;
};
struct list_remove_options {
  admin_options admin;
  std::string list;
  std::string uid;
};

/// troupe session …
struct session_list_options {
  admin_options admin;
  std::uint32_t node = 0; ///< 0: all nodes
  std::string uid;
  std::string protocol;
  std::uint64_t limit = 1000; ///< 0: all
};
struct session_show_options {
  admin_options admin;
  std::uint32_t node = 0; ///< 0: the one that is asked
  std::string id;         ///< a number, or ZenConn's UUID
};
struct session_kick_options {
  admin_options admin;
  std::vector<std::string> ids;
  std::string uid; ///< all of his instead
};
struct records_options {
  admin_options admin;
  std::uint32_t node = 0; ///< 0: the one that is asked
  std::string uid;
  std::string session;
  std::string event; ///< opened, closed, started, stopped or lost
  std::optional<core::timestamp> from;
  std::optional<core::timestamp> until;
  milliseconds since{0};     ///< instead of from; 0: not
  std::uint64_t limit = 100; ///< the newest of those; 0: all
  bool lines = false;        ///< one JSON object each
};

/// troupe explain
struct explain_options {
  admin_options admin;
  std::string topic;
  unsigned qos = 0;
  bool retain = false;
  std::uint64_t bytes = 0; ///< of the payload
  std::string type;
  std::vector<std::string> properties; ///< NAME=VALUE
  std::optional<std::string> user;
  std::string client;
  std::string address;
  std::uint32_t node = 0; ///< 0: the one that is asked
  std::uint64_t limit = 20;
};

/// troupe mqtt …
struct mqtt_sessions_options {
  admin_options admin;
  std::string user;
  std::uint64_t limit = 1000; ///< 0: all
  bool connected = false;     ///< only those that are
  bool kept = false;          ///< only those that stay
};
struct mqtt_kick_options {
  admin_options admin;
  std::string client;
};
struct mqtt_trace_options {
  admin_options admin;
  std::string client;
  std::uint64_t count = 0; ///< 0: for ever
};

/// troupe channel …
struct channel_list_options {
  admin_options admin;
  std::string sort = "listeners";
  std::string prefix; ///< of topics
  std::uint64_t limit = 100;
  bool cluster = false; ///< of all nodes together
};
struct channel_show_options {
  admin_options admin;
  std::string topic;
  std::string realm = "default";
};

/// troupe node …, troupe rebalance
struct node_list_options {
  admin_options admin;
};
struct node_drain_options {
  admin_options admin;
  std::uint32_t id = 0;
  bool wait = false; ///< until it keeps nothing any more
};
struct node_undrain_options {
  admin_options admin;
  std::uint32_t id = 0;
  bool wait = false; ///< until it votes wherever it shall
};
struct node_replace_options {
  admin_options admin;
  std::uint32_t old_id = 0;
  std::uint32_t new_id = 0;
  bool wait = true; ///< until the new one has all that the old one had
};
struct node_remove_options {
  admin_options admin;
  std::uint32_t id = 0;
  bool wait = false; ///< until it is drained
  bool force = false;
};
struct rebalance_options {
  admin_options admin;
};

/// troupe cluster certs
struct certificate_holder {
  std::string name;
  std::vector<std::string> hosts; ///< names or IP addresses
};
struct cluster_certs_options {
  std::string out;
  std::vector<certificate_holder> nodes;
  std::uint32_t days = 730;
  std::uint32_t ca_days = 3650;
  bool force = false; ///< certificates of nodes anew
};

/// troupe recover
struct recover_options {
  config_options config;
  std::string confirmed; ///< the cluster's id, by somebody who means it
};

/// troupe config …
struct config_default_options {};
struct config_check_options {
  std::string file;
};
struct config_explain_options {
  config_options config;
  std::optional<std::string> name;
};
/// Prints docs/configuration.md; not in the help.
struct config_reference_options {};

/// troupe bench: everything behind the word, for the load generator.
struct bench_options {
  std::vector<std::string> arguments;
};

/// troupe version
struct ready_options {
  admin_options admin;
  std::chrono::milliseconds wait{0}; ///< how long to ask again
};
struct version_options {};

using command = std::variant<
    serve_options, post_options, ping_options, inbox_tail_options,
    user_add_options, user_show_options, user_list_options, user_remove_options,
    user_import_options, user_export_options, user_devices_options,
    user_inactive_options, user_purge_options, user_passwd_options,
    token_add_options, token_list_options, token_revoke_options,
    grant_change_options, grant_list_options, role_change_options,
    role_list_options, role_remove_options, block_change_options,
    block_list_options, ban_add_options, ban_lift_options, ban_list_options,
    list_show_options, list_ls_options, list_add_options, list_remove_options,
    channel_list_options, channel_show_options, node_list_options,
    node_drain_options, node_undrain_options, node_replace_options,
    node_remove_options, rebalance_options, recover_options,
    cluster_certs_options, config_default_options, config_check_options,
    config_explain_options, config_reference_options, bench_options,
    ready_options, version_options, worker_options, pub_options, sub_options,
    audit_query_options, audit_state_options, audit_verify_options,
    session_list_options, session_show_options, session_kick_options,
    records_options, mqtt_sessions_options, mqtt_kick_options,
    mqtt_trace_options, explain_options, key_list_options, key_get_options,
    key_set_options, key_clear_options>;

} // namespace troupe::app
