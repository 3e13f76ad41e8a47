// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/authenticator.hpp"
#include "core/authorizer.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/http_router.hpp"
#include "net/topic_space.hpp"
#include "net/zenconn/house.hpp"
#include "net/zenconn/options.hpp"
#include "net/zenconn/session_book.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::net {

/// Where ZenConn's clients come in: finds out who asks for an upgrade, and
/// puts those who may come on the floor of their loop. One a node, outlives
/// the network. Without start() everybody is told 503.
class zenconn_door {
public:
  zenconn_door(zenconn::zenconn_options options, std::string secret);
  ~zenconn_door();
  zenconn_door(const zenconn_door&) = delete;
  zenconn_door& operator=(const zenconn_door&) = delete;

  /// All outlive stop().
  struct parts {
    topic_space& topics;
    core::authenticator& logins;
    const core::authorizer& judge;
    core::node_id self;
    std::vector<actors::runtime::loop*> loops;
    zenconn::session_book* book = nullptr; ///< null: none is kept
    core::audit_sink* audit = nullptr;     ///< null: there is none
  };
  /// Opens the floors; waits for that. Before the first connection, not on a
  /// loop. too_many: the node holds no more filters.
  core::result<void> start(parts with);
  /// The network has been stopped, the loops still run. Waits; not on one.
  void stop();

  /// Whether who comes is sent elsewhere. Any thread.
  void set_draining(bool is) { draining_.store(is, std::memory_order_relaxed); }

  /// A websocket_starter for the path "/".
  void upgrade(const websocket_terms& terms, std::string head,
               responder answer);

  [[nodiscard]] const zenconn::zenconn_stats& stats() const { return stats_; }

private:
  struct opened;
  struct arrival;
  class powers;
  class storey;

  void judge(const std::shared_ptr<arrival>& who, core::login_outcome found);
  void admit(const std::shared_ptr<arrival>& who, core::login_outcome found);
  void write_down(const std::shared_ptr<arrival>& who,
                  core::login_outcome found);
  void let_in(const std::shared_ptr<arrival>& who, core::login_outcome found);

  const zenconn::zenconn_options options_;
  const std::string secret_;
  zenconn::zenconn_stats stats_;
  std::atomic<bool> draining_ = false;
  std::unique_ptr<opened> opened_; ///< between start() and stop()
};

} // namespace troupe::net
