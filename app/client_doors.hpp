// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/access_file.hpp"
#include "app/door_kind.hpp"
#include "app/settings.hpp"
#include "core/result.hpp"
#include "net/door.hpp"
#include "net/http_front.hpp"
#include "net/identity/live_rights.hpp"
#include "net/mq/gate_options.hpp"
#include "net/mq/mq_over_ws.hpp"
#include "net/mqtt_door.hpp"
#include "net/msgbus/bus_options.hpp"
#include "net/msgbus/identity_gatekeeper.hpp"
#include "net/msgbus_desk.hpp"
#include "net/tls_context.hpp"
#include "net/topic_space.hpp"
#include "net/zenconn_desk.hpp"
#include "net/zenconn_door.hpp"

#include <memory>
#include <string>

namespace troupe::app {

/// Who is behind a door; what is not owned outlives the network.
struct door_keepers {
  net::session_gateway* sessions = nullptr;
  /// Who keeps the limits himself; null: somebody else does.
  std::shared_ptr<net::address_limits> addresses{};
  net::connection_observer* observer = nullptr;
};

/// Makes the doors for clients out of settings, the same in an agent and in
/// its workers. Owned by either; outlives the network, whose protocols look
/// into it.
class client_doors {
public:
  /// `values` outlives it.
  explicit client_doors(const settings& values);
  client_doors(const client_doors&) = delete;
  client_doors& operator=(const client_doors&) = delete;

  /// Serves channels, too. All outlive it. After load_secrets(), before
  /// make().
  /// `past` null: without a history.
  /// `audit` null: there is none.
  void serve_channels(net::topic_space& topics, net::msgbus::bus_log& log,
                      net::msgbus::history* past, core::audit_sink* audit);
  /// Asks the directory who may do what in channels; without it the server
  /// password alone counts. `live` and what is in `from` outlive it. After
  /// load_secrets(), before make().
  void judge_by(const net::msgbus::identity_gatekeeper::parts& from,
                net::identity::live_rights& live);
  /// Instead of these: channels are served by the desks of another process.
  /// After load(), before make().
  void serve_elsewhere(net::msgbus::desk& bus, net::zenconn::desk& zenconn,
                       net::msgbus::bus_log& log);
  /// Null: not here.
  [[nodiscard]] net::msgbus::desk* channel_desk() { return channels_->desk; }
  /// For metrics, which add what workers count.
  [[nodiscard]] net::msgbus::bus_stats& channel_stats() {
    return channels_->stats;
  }
  [[nodiscard]] const net::msgbus::bus_stats& channel_stats() const {
    return channels_->stats;
  }
  [[nodiscard]] net::zenconn::zenconn_stats& zenconn_stats() {
    return zenconn_stats_;
  }
  [[nodiscard]] const net::zenconn::zenconn_stats& zenconn_stats() const {
    return zenconn_stats_;
  }

  /// ZenConn's desk: whoever has topics starts it, and stops it. After
  /// load_secrets(); null: it is not wanted.
  [[nodiscard]] net::zenconn_desk* zenconn() { return zenconn_desk_.get(); }

  /// MQTT's door; the same goes for it.
  [[nodiscard]] net::mqtt_door* mqtt() const { return mqtt_.get(); }

  /// Reads certificate and key, if there are any. Once, before make().
  core::result<void> load();
  /// Reads what those need who judge: not in a worker. After load().
  core::result<void> load_secrets();
  /// Reads them again; an error leaves everything as it was. Opens the access
  /// log again, too.
  core::result<void> reload();
  core::result<void> reopen_access_log();

  /// invalid_config if it needs a certificate and there is none.
  [[nodiscard]] core::result<std::shared_ptr<const net::door>>
  make(door_kind kind, const door_keepers& keepers) const;

private:
  [[nodiscard]] std::shared_ptr<net::door>
  base_door(const door_keepers& keepers) const;
  void add_all(net::door& door, listener_denial denied) const;
  void add_mq(net::door& door) const;
  void add_mqtt(net::door& door, listener_denial denied) const;
  void add_mqtt(net::http_router& router, listener_denial denied) const;
  [[nodiscard]] net::http_options http_options() const;
  void add_zenconn(net::http_router& router) const;
  void add_channels(net::http_router& router, net::http_options& http) const;
  void add_channels_only(net::door& door) const;
  void open_zenconn(net::zenconn::desk& at);

  const settings& values_;
  net::mq::gate_options gate_options_;
  net::mq::ws_options ws_options_;
  std::shared_ptr<net::tls_context> certificate_;
  std::string channel_password_;
  std::unique_ptr<net::msgbus::gatekeeper> keeper_;
  std::shared_ptr<net::msgbus::bus_context> channels_;
  std::unique_ptr<net::msgbus_desk> desk_;   ///< where there are topics
  std::unique_ptr<access_file> access_;      ///< null: none
  std::shared_ptr<net::http_handler> files_; ///< null: none
  net::zenconn::zenconn_stats zenconn_stats_;
  std::unique_ptr<net::zenconn_desk> zenconn_desk_; ///< null: not wanted
  std::unique_ptr<net::zenconn_door> zenconn_;      ///< null: not wanted
  std::unique_ptr<net::mqtt_door> mqtt_;            ///< null: not wanted
};

/// The limits of a node's addresses.
[[nodiscard]] std::shared_ptr<net::address_limits>
make_address_limits(const settings& values);

} // namespace troupe::app
