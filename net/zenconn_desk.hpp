// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/authenticator.hpp"
#include "core/authorizer.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/topic_space.hpp"
#include "net/zenconn/desk.hpp"
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

/// Finds out who wants to come in at ZenConn's door, and puts those who may on
/// the floor of their loop. One a node, outlives the network. Without start()
/// nobody is served. Thread-safe.
class zenconn_desk final : public zenconn::desk {
public:
  /// `stats` outlives it.
  zenconn_desk(zenconn::zenconn_options options, std::string secret,
               zenconn::zenconn_stats& stats);
  ~zenconn_desk();
  zenconn_desk(const zenconn_desk&) = delete;
  zenconn_desk& operator=(const zenconn_desk&) = delete;

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

  void let_in(const connection_info& from, zenconn::knock who,
              std::function<bool()> waits,
              std::function<void(zenconn::welcome)> then) override;

  [[nodiscard]] zenconn::zenconn_stats& stats() const { return stats_; }

private:
  struct opened;
  struct arrival;
  class powers;
  class storey;

  void judge(const std::shared_ptr<arrival>& who, core::login_outcome found);
  void admit(const std::shared_ptr<arrival>& who, core::login_outcome found);
  void write_down(const std::shared_ptr<arrival>& who,
                  core::login_outcome found);
  void note_end(arrival& who, const std::string& uid, std::string_view why);
  void welcome(const std::shared_ptr<arrival>& who, core::login_outcome found);
  void refuse(const arrival& who, zenconn::welcome::kind what,
              core::deny_reason why = core::deny_reason::none);

  const zenconn::zenconn_options options_;
  const std::string secret_;
  zenconn::zenconn_stats& stats_;
  std::atomic<bool> draining_ = false;
  std::unique_ptr<opened> opened_; ///< between start() and stop()
};

} // namespace troupe::net
