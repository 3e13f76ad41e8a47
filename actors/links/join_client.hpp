// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/link_network.hpp"
#include "actors/links/link_options.hpp"
#include "core/result.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace troupe::actors::links {

/// How somebody who may not be a member yet asks the cluster.
struct join_options {
  /// Where to ask: the first that answers is asked.
  std::vector<std::string> addresses;
  std::string secret;
  /// All zero: not known yet.
  cluster_name cluster{};
  /// 0: has none yet.
  core::node_id self;
  std::string advertise;
  link_tls tls;
  std::chrono::milliseconds connect_timeout{2000};
  /// For all of it, after the connection stands.
  std::chrono::milliseconds timeout{15'000};
  std::size_t answer_bytes_max = std::size_t{1} << 20U;
};

struct join_reply {
  peer_identity from;     ///< who answered
  cluster_name cluster{}; ///< its cluster
  core::shared_bytes answer;
};

/// Proves to know the secret, sends `request`, waits for the answer. Blocks
/// its thread and needs no actor system: for the main thread of a node that
/// has not begun, and for the command line. unavailable: nobody there;
/// timed_out; not_permitted: wrong secret or cluster, or the one asked said
/// no, with its words; invalid_config.
core::result<join_reply> ask_to_join(const join_options& options,
                                     core::bytes_view request);

} // namespace troupe::actors::links
