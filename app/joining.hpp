// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/join_words.hpp"
#include "app/cluster_options.hpp"
#include "core/result.hpp"
#include "storage/cluster_id.hpp"

#include <string>
#include <vector>

/// What a node asks the cluster before it begins: to be let in, or whether it
/// still is who its data folder says. Blocking, for the main thread; no actor
/// system is needed.
namespace troupe::app {

struct admission {
  storage::cluster_id cluster;
  actors::join_answer answer; ///< admitted: id, shards, peers
};

/// Asks the nodes of `options.join` in turn, again and again, until one lets
/// `request` in; says why it waits in the log. `request.name` may be changed
/// if it is a default. Errors: not_permitted (the cluster said no, or the
/// secret is another), invalid_config, shutting_down (`pause` said so).
core::result<admission> join_cluster(const cluster_options& options,
                                     actors::join_request request,
                                     const log_line& log,
                                     const pause_function& pause);

/// Who a node is that was in a cluster before.
struct returning_node {
  storage::cluster_id cluster;
  actors::join_request request;
  /// Where its peers were when it saw them last.
  std::vector<std::string> addresses;
};

struct confirmation {
  bool given = false; ///< false: nobody could say
  std::vector<actors::known_peer> peers;
};

/// Asks once, within a few seconds. not_permitted: it is none of the cluster
/// any more, or one of `options.join` is of another cluster.
core::result<confirmation> ask_to_return(const cluster_options& options,
                                         const returning_node& node,
                                         const log_line& log);

} // namespace troupe::app
