// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/terminal.hpp"

namespace troupe::app {

/// Each command but `serve` and `bench`: carries it out and returns the exit
/// code (cli.hpp). Results go to screen.out, what went wrong to screen.err.

[[nodiscard]] int run(const post_options& options, terminal& screen);
[[nodiscard]] int run(const ping_options& options, terminal& screen);
/// Ends after `count` messages, when the node says goodbye, or by a signal.
[[nodiscard]] int run(const inbox_tail_options& options, terminal& screen);

/// `sub` ends after `count` messages, when the stream ends, or by a signal.
[[nodiscard]] int run(const pub_options& options, terminal& screen);
[[nodiscard]] int run(const sub_options& options, terminal& screen);

[[nodiscard]] int run(const user_add_options& options, terminal& screen);
[[nodiscard]] int run(const user_show_options& options, terminal& screen);
[[nodiscard]] int run(const user_list_options& options, terminal& screen);
[[nodiscard]] int run(const user_remove_options& options, terminal& screen);
[[nodiscard]] int run(const user_import_options& options, terminal& screen);
[[nodiscard]] int run(const user_export_options& options, terminal& screen);
[[nodiscard]] int run(const user_devices_options& options, terminal& screen);
[[nodiscard]] int run(const user_inactive_options& options, terminal& screen);
[[nodiscard]] int run(const user_purge_options& options, terminal& screen);

[[nodiscard]] int run(const user_passwd_options& options, terminal& screen);
[[nodiscard]] int run(const token_add_options& options, terminal& screen);
[[nodiscard]] int run(const token_list_options& options, terminal& screen);
[[nodiscard]] int run(const token_revoke_options& options, terminal& screen);
[[nodiscard]] int run(const grant_change_options& options, terminal& screen);
[[nodiscard]] int run(const grant_list_options& options, terminal& screen);
[[nodiscard]] int run(const role_change_options& options, terminal& screen);
[[nodiscard]] int run(const role_list_options& options, terminal& screen);
[[nodiscard]] int run(const role_remove_options& options, terminal& screen);
[[nodiscard]] int run(const block_change_options& options, terminal& screen);
[[nodiscard]] int run(const block_list_options& options, terminal& screen);
[[nodiscard]] int run(const ban_add_options& options, terminal& screen);
[[nodiscard]] int run(const ban_lift_options& options, terminal& screen);
[[nodiscard]] int run(const ban_list_options& options, terminal& screen);
[[nodiscard]] int run(const list_show_options& options, terminal& screen);
[[nodiscard]] int run(const list_ls_options& options, terminal& screen);
[[nodiscard]] int run(const list_add_options& options, terminal& screen);
[[nodiscard]] int run(const list_remove_options& options, terminal& screen);

[[nodiscard]] int run(const key_list_options& options, terminal& screen);
[[nodiscard]] int run(const key_get_options& options, terminal& screen);
[[nodiscard]] int run(const key_set_options& options, terminal& screen);
[[nodiscard]] int run(const key_clear_options& options, terminal& screen);

/// Asks where the client is, if it is connected, or one node; that asks others.
[[nodiscard]] int run(const explain_options& options, terminal& screen);

/// Ask all nodes by way of one, but for the end of a session, which is for the
/// node that has it.
[[nodiscard]] int run(const session_list_options& options, terminal& screen);
[[nodiscard]] int run(const session_show_options& options, terminal& screen);
[[nodiscard]] int run(const session_kick_options& options, terminal& screen);
[[nodiscard]] int run(const records_options& options, terminal& screen);
/// Of all nodes.
[[nodiscard]] int run(const mqtt_sessions_options& options, terminal& screen);
[[nodiscard]] int run(const mqtt_kick_options& options, terminal& screen);
/// Ends after `count` lines, or by a signal.
[[nodiscard]] int run(const mqtt_trace_options& options, terminal& screen);
[[nodiscard]] int run(const channel_list_options& options, terminal& screen);
/// At this node, and where else somebody listens.
[[nodiscard]] int run(const channel_show_options& options, terminal& screen);

[[nodiscard]] int run(const node_list_options& options, terminal& screen);
/// With `wait` these ask again and again until it is done; a signal ends them.
[[nodiscard]] int run(const node_drain_options& options, terminal& screen);
[[nodiscard]] int run(const node_undrain_options& options, terminal& screen);
[[nodiscard]] int run(const node_replace_options& options, terminal& screen);
[[nodiscard]] int run(const node_remove_options& options, terminal& screen);
[[nodiscard]] int run(const rebalance_options& options, terminal& screen);

/// Needs no node: an authority, if there is none yet, and a certificate and key
/// for each node, as files.
[[nodiscard]] int run(const cluster_certs_options& options, terminal& screen);

/// Of a node, or of a folder that nobody has to serve.
[[nodiscard]] int run(const audit_query_options& options, terminal& screen);
[[nodiscard]] int run(const audit_state_options& options, terminal& screen);
/// Success if the chain is whole.
[[nodiscard]] int run(const audit_verify_options& options, terminal& screen);

/// On a stopped node's folder; without a confirmation it says what it would do.
[[nodiscard]] int run(const recover_options& options, terminal& screen);

[[nodiscard]] int run(const config_default_options& options, terminal& screen);
[[nodiscard]] int run(const config_check_options& options, terminal& screen);
[[nodiscard]] int run(const config_explain_options& options, terminal& screen);
[[nodiscard]] int run(const config_reference_options& options,
                      terminal& screen);

/// Success if the node serves, within the time to wait.
[[nodiscard]] int run(const ready_options& options, terminal& screen);
[[nodiscard]] int run(const version_options& options, terminal& screen);

} // namespace troupe::app
