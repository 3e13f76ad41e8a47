// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/node_links.hpp"
#include "actors/runtime/scheduler.hpp"
#include "app/inner_request.hpp"
#include "core/ids.hpp"
#include "net/http_message.hpp"
#include "net/responder.hpp"

#include <memory>

namespace troupe::app {

/// Shows other nodes of the cluster at the admin listener of this one: GET
/// requests go over the links and are answered there as if they had come to
/// that node's own listener. Nothing can be changed this way. Owned by
/// cluster_member; lives as long as the links.
class node_relay {
public:
  /// Registers for its kinds: before links.start(). Both outlive this.
  node_relay(actors::links::node_links& links,
             actors::runtime::scheduler& loops);
  ~node_relay();
  node_relay(const node_relay&) = delete;
  node_relay& operator=(const node_relay&) = delete;

  /// Who answers what other nodes ask; null: 503. Any thread.
  void serve(http_server with);
  /// Asks another node. On the loop of `answer`, which gets 503 if there is no
  /// link and 504 if nothing comes within a few seconds.
  void ask(core::node_id node, net::http_request request,
           net::responder answer);
  /// Before the links stop: nothing is asked, served or answered any more.
  void close();

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace troupe::app
