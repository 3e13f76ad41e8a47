// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/authenticator.hpp"
#include "core/authorizer.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "net/client_space.hpp"
#include "net/http_router.hpp"
#include "net/identity/live_rights.hpp"
#include "net/key_space.hpp"
#include "net/mqtt/house.hpp"
#include "net/mqtt/options.hpp"
#include "net/protocol_host.hpp"
#include "net/topic_space.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::net {

/// Where MQTT's clients come in, over TCP and over WebSocket. One a node,
/// outlives the network. Without start() everybody is told that it is not
/// served here.
class mqtt_door {
public:
  explicit mqtt_door(mqtt::mqtt_options options) : house_(std::move(options)) {}

  /// All outlive the network.
  struct parts {
    topic_space& topics;
    core::authenticator& logins;
    const core::authorizer& judge;
    identity::live_rights& live;
    const core::clock& clock;
    core::node_id self;
    core::audit_sink* audit = nullptr; ///< null: there is none
    key_space* keys = nullptr;         ///< null: nothing is retained
    client_space* clients = nullptr;   ///< null: no session outlives anything
    /// See mqtt::house::parts.
    std::function<void(const std::string&)> log{};
    /// See mqtt::house::parts. Any thread.
    std::function<std::string()> elsewhere = {};
  };
  /// Before the first connection.
  void start(const parts& with);

  /// Whether who comes is sent elsewhere. Any thread.
  void set_draining(bool is) { house_.set_draining(is); }
  /// See mqtt::house::set_moved(). Any thread.
  void set_moved() { house_.set_moved(); }

  /// What a listener does with what is not permitted, if it does not do what
  /// others do.
  using own_denial = std::optional<mqtt::denial_policy>;

  /// A protocol_factory.
  std::unique_ptr<protocol> accept(protocol_host& host, own_denial denied = {});
  /// A websocket_factory.
  std::unique_ptr<protocol> upgrade(protocol_host& host,
                                    own_denial denied = {});

  /// The sessions of the node behind a client id, by id; false ends it. Any
  /// thread.
  using session_visitor =
      std::function<bool(const std::string&, const mqtt::tenant_facts&)>;
  void each_session(std::string_view after, const session_visitor& visit) {
    house_.each(after, visit);
  }
  /// See mqtt::house::introduce(). Any thread.
  bool introduce(const std::string& client_id,
                 mqtt::house::introduction told) const {
    return house_.introduce(client_id, std::move(told));
  }
  /// What clients publish into.
  [[nodiscard]] const mqtt::mqtt_options& options() const {
    return house_.options();
  }
  /// Ends a client's session, soon. False: it has none here. Any thread.
  bool kick(const std::string& client_id) { return house_.kick(client_id); }
  /// See mqtt::house::look(). unavailable: not started. Any thread.
  core::result<mqtt::house::trace_page> look(const std::string& client_id,
                                             std::uint64_t after) {
    if (!house_.serving())
      return core::errc::unavailable;
    return house_.look(client_id, after);
  }

  [[nodiscard]] const mqtt::mqtt_stats& stats() const { return house_.stats(); }

private:
  mqtt::house house_;
};

} // namespace troupe::net
