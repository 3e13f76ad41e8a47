// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/authenticator.hpp"
#include "core/authorizer.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"
#include "net/audit_pen.hpp"
#include "net/client_space.hpp"
#include "net/identity/live_rights.hpp"
#include "net/key_space.hpp"
#include "net/mqtt/farewell.hpp"
#include "net/mqtt/options.hpp"
#include "net/mqtt/trace.hpp"
#include "net/topic_space.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::net::mqtt {

/// What is known of a live session.
struct tenant_facts {
  std::string user; ///< "" for nobody
  std::string remote;
  std::string_view version;
  bool websocket = false;
  bool tls = false;
  core::timestamp since{};
};

/// A live session, as others of its node know it.
struct tenant {
  std::uint64_t number = 0; ///< of its connection
  tenant_facts facts{};
  /// Runs something on its loop, later; thread-safe.
  std::function<void(std::function<void()>)> post{};
  /// Ends it; called on its loop, does nothing if it is gone.
  std::function<void(farewell)> end{};
  /// Who it is; called on its loop. Nothing: it is gone.
  std::function<std::optional<core::principal>()> who{};
  /// What it says and hears is noted there from now on; called on its loop.
  std::function<void(std::shared_ptr<trace>)> watch{};
};

/// What the sessions of a node share. One a node, outlives the network.
/// Thread-safe.
class house {
public:
  /// All outlive it.
  struct parts {
    topic_space& topics;
    core::authenticator& logins;
    const core::authorizer& judge;
    identity::live_rights& live;
    const core::clock& clock;
    core::node_id self;
    /// A way back to the loop on which it is called.
    std::function<std::function<void(std::function<void()>)>()> this_loop;
    core::audit_sink* audit = nullptr; ///< null: there is none
    key_space* keys = nullptr;         ///< null: nothing is retained
    /// Null: sessions last as long as their connections, and one client id has
    /// one connection on each node.
    client_space* clients = nullptr;
    /// A line about what was refused, for who looks closely. Empty: nobody
    /// does. Any thread.
    std::function<void(const std::string&)> log{};
    /// Where clients may go that are sent away, if no setting says it.
    std::function<std::string()> elsewhere = {};
  };

  explicit house(mqtt_options options) : options_(std::move(options)) {}
  house(const house&) = delete;
  house& operator=(const house&) = delete;

  /// Before the first connection; without it everybody is told that nothing
  /// is served here.
  void open(const parts& with);
  [[nodiscard]] bool serving() const { return parts_ != nullptr; }
  /// REQUIRES: serving().
  [[nodiscard]] const parts& with() const { return *parts_; }
  [[nodiscard]] const audit_pen& audit() const { return audit_; }

  void set_draining(bool is) { draining_.store(is, std::memory_order_relaxed); }
  [[nodiscard]] bool draining() const {
    return draining_.load(std::memory_order_relaxed);
  }

  /// The node is one of its cluster no more: clients are told so.
  void set_moved() { moved_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool moved() const {
    return moved_.load(std::memory_order_relaxed);
  }
  /// "": it is not known.
  [[nodiscard]] std::string elsewhere() const;

  /// A session has this client id from here on; who had it before is told to
  /// go, later, on its own loop.
  void enter(const std::string& client_id, tenant who);
  void leave(const std::string& client_id, std::uint64_t number);

  /// Those behind a client id, in order, as long as `visit` wants more.
  void each(std::string_view after,
            const std::function<bool(const std::string&, const tenant_facts&)>&
                visit) const;
  /// Tells, on its loop, later, whose the session behind a client id is and
  /// the number of its connection; nothing if it goes meanwhile. False: there
  /// is none.
  using introduction =
      std::function<void(std::optional<core::principal>, std::uint64_t)>;
  bool introduce(const std::string& client_id, introduction told) const;
  /// Ends a session as an operator wishes. False: there is none.
  bool kick(const std::string& client_id);

  /// What a client says and is told, from the first look on, as long as
  /// somebody looks; the client may come later. too_many: as many clients are
  /// traced.
  struct trace_page : trace::page {
    bool connected = false; ///< at this node
  };
  core::result<trace_page> look(const std::string& client_id,
                                std::uint64_t after);
  /// Null: nobody looks.
  [[nodiscard]] std::shared_ptr<trace>
  trace_of(std::string_view client_id) const {
    return traces_.find(client_id, parts_->clock.now());
  }

  [[nodiscard]] const mqtt_options& options() const { return options_; }
  [[nodiscard]] mqtt_stats& stats() { return stats_; }
  [[nodiscard]] const mqtt_stats& stats() const { return stats_; }

private:
  const mqtt_options options_;
  mqtt_stats stats_;
  std::unique_ptr<const parts> parts_;
  audit_pen audit_;
  std::atomic<bool> draining_{false};
  std::atomic<bool> moved_{false};
  trace_book traces_;
  mutable std::mutex mutex_;
  std::map<std::string, tenant, std::less<>> tenants_; ///< guarded by mutex_
};

} // namespace troupe::net::mqtt
