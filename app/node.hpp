// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/audit_gateway.hpp"
#include "app/broker.hpp"
#include "app/channel_history.hpp"
#include "app/channel_log.hpp"
#include "app/client_doors.hpp"
#include "app/client_gateway.hpp"
#include "app/gateway.hpp"
#include "app/identity.hpp"
#include "app/key_gateway.hpp"
#include "app/service.hpp"
#include "app/session_records.hpp"
#include "app/sys_publisher.hpp"
#include "app/topic_gateway.hpp"
#include "app/workers/pool.hpp"
#include "net/network.hpp"
#include "storage/audit/recorder.hpp"

#include <atomic>
#include <memory>
#include <thread>

namespace troupe::app {

class admin;

/// A whole node: the broker and its doors. The only place that knows
/// everything; wires settings to parts and parts to each other.
class node final : public service {
public:
  explicit node(const service_context& context);
  ~node() override;

  core::result<bound_addresses> start() override;
  [[nodiscard]] node_facts facts() const override;
  /// What can change: the certificate (read again, by workers, too).
  core::result<void> reload(const settings& fresh) override;
  core::result<void> reopen_logs() override;
  void drain(std::function<void()> done) override;

private:
  [[nodiscard]] std::optional<cluster_options> cluster_part() const;
  [[nodiscard]] std::string node_name() const;
  [[nodiscard]] broker_settings engine_settings();
  core::result<bound_addresses> open_doors();
  core::result<endpoint> listen(const endpoint& where, door_kind kind);
  core::result<void> start_workers();
  void warn_if_open();
  core::result<void> start_audit();
  core::result<void> start_channels();
  core::result<void> start_records();
  core::result<void> start_zenconn();
  void start_mqtt();
  void start_sys();
  [[nodiscard]] sys_sample sample_for_sys() const;
  [[nodiscard]] workers::channel_desks channels();
  /// Where connections get their sessions.
  [[nodiscard]] net::session_gateway& sessions();
  void write_log(std::string_view level, std::string_view component,
                 std::string_view text);
  void on_draining(bool draining);
  /// All in order: no new work, goodbye to clients, everything durable.
  void stop();

  service_context context_;
  client_doors doors_;
  std::unique_ptr<session_records> records_; ///< null: no ZenConn here
  /// Null: none is kept. Loops of the broker write to it.
  std::unique_ptr<channel_history> history_;
  std::unique_ptr<broker> broker_;
  /// Null: none is kept. Its thread posts to the broker's loops.
  std::unique_ptr<storage::audit::recorder> audit_;
  std::unique_ptr<net::identity::node_authenticator> logins_;
  std::unique_ptr<net::identity::live_rights> live_rights_;
  std::unique_ptr<actor_gateway> gateway_;
  std::unique_ptr<audit_gateway> audited_; ///< before it, with an audit
  channel_log channel_log_;
  std::unique_ptr<client_gateway> clients_;
  std::unique_ptr<topic_gateway> topics_;
  std::unique_ptr<sys_publisher> sys_; ///< null: nothing is told
  std::unique_ptr<key_gateway> keys_;
  std::shared_ptr<net::address_limits> addresses_;
  std::unique_ptr<net::network> network_;
  std::unique_ptr<workers::pool> workers_; ///< none: the node serves itself
  std::atomic<bool> serving_ = false;      ///< network_, workers_ are there
  std::unique_ptr<admin> admin_;
  std::thread drainer_;
  bool stopped_ = false;
};

} // namespace troupe::app
