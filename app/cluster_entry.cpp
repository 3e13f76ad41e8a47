// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_entry.hpp"

#include "app/endpoint.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace troupe::app {

namespace {

/// Where this node will be found, as far as is known before it listens: its
/// port may still be any. It says so again when it runs.
std::string first_address(const cluster_options& options) {
  if (!options.advertise.empty())
    return options.advertise;
  auto where = parse_endpoint(options.listen);
  char name[256] = {};
  if (where && is_wildcard(*where) && ::gethostname(name, sizeof name - 1) == 0)
    where->host = name;
  return where ? to_string(*where) : options.listen;
}

} // namespace

std::uint64_t cluster_entry::now() const {
  return static_cast<std::uint64_t>(core::to_millis(around_.clock.wall()));
}

core::result<void> cluster_entry::enter(storage::data_folder& folder,
                                        bool has_log, std::uint16_t shards) {
  has_log_ = has_log;
  if (around_.options) {
    auto token = folder.token();
    // A folder that knows its id and nothing else was emptied, or its first
    // start broke off. One that joined is asked about (confirm).
    const bool bare = folder.identity() && !has_log;
    if (token && bare &&
        (token->empty() || folder.identity()->node == core::node_id{1}))
      return core::error{core::errc::corrupt,
                         folder.path().string() +
                             ": its data is gone, only troupe.json is left; "
                             "start with an empty folder (and --join)"};
    // The token comes before the identity: who asks twice is admitted once.
    if (token && token->empty())
      token = folder.make_token();
    if (!token)
      return token.error();
    token_ = std::move(*token);
  }
  if (folder.identity())
    return {};
  storage::folder_identity fresh;
  fresh.cluster = storage::cluster_id::random();
  fresh.node = core::node_id{1};
  fresh.shards = shards;
  if (around_.options && !around_.options->join.empty()) {
    auto joined = join();
    if (!joined)
      return joined.error();
    fresh = *joined;
  } else if (around_.options) {
    role_ = cluster_role::founder;
  }
  fresh.created = around_.clock.wall();
  return folder.initialize(fresh);
}

core::result<storage::folder_identity> cluster_entry::join() {
  const auto& options = *around_.options;
  actors::join_request request;
  request.token = token_;
  request.name = options.name;
  request.address = first_address(options);
  request.incarnation = now();
  auto admitted =
      join_cluster(options, std::move(request), around_.log, around_.pause);
  if (!admitted)
    return admitted.error();
  introduced_ = std::move(admitted->answer.peers);
  role_ = cluster_role::joined;
  return storage::folder_identity{admitted->cluster, admitted->answer.node,
                                  admitted->answer.shards};
}

core::result<void> cluster_entry::confirm(const storage::data_folder& folder,
                                          const core::directory& directory) {
  const auto self = folder.identity()->node;
  returning_node node;
  bool others = self != core::node_id{1};
  directory.each_node([&](core::node_id id, const core::node_record& record) {
    if (id == self) {
      node.request.incarnation = record.incarnation;
    } else if (record.state != core::node_state::removed) {
      others = true;
      node.addresses.push_back(record.address);
    }
    return true;
  });
  if (!around_.options) {
    if (!others)
      return {};
    return core::error{core::errc::invalid_config,
                       folder.path().string() + " belongs to node " +
                           std::to_string(self.value()) +
                           " of a cluster: set cluster.listen "
                           "(--cluster-listen) and the cluster's secret"};
  }
  incarnation_ = std::max(now(), node.request.incarnation + 1);
  if (role_ != cluster_role::alone)
    return {}; // a new folder
  role_ = others ? cluster_role::returned : cluster_role::founder;
  if (!around_.options->join.empty())
    around_.log("info", "cluster",
                "the data folder has an identity already: cluster.join only "
                "says whom to ask");
  else if (!others)
    return {};
  node.cluster = folder.identity()->cluster;
  node.request.node = self;
  node.request.token = token_;
  node.request.name = around_.options->name;
  node.request.address = around_.options->listen;
  node.request.has_log = has_log_;
  return ask_until_confirmed(node);
}

/// Others may wait for this node to begin, so it does if nobody can be asked;
/// without its log it is of no use to them, and could break what it promised.
core::result<void>
cluster_entry::ask_until_confirmed(const returning_node& node) {
  for (;;) {
    auto heard = ask_to_return(*around_.options, node, around_.log);
    if (!heard)
      return heard.error();
    introduced_ = std::move(heard->peers);
    if (heard->given || has_log_)
      return {};
    around_.log("info", "cluster",
                "waiting for a node of the cluster that knows this one; its "
                "first start broke off");
    if (around_.pause(std::chrono::seconds{2}))
      return core::error{core::errc::shutting_down,
                         "told to stop before the cluster has confirmed it"};
  }
}

} // namespace troupe::app
