// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/broker.hpp"
#include "app/gateway.hpp"
#include "app/service.hpp"
#include "net/mq/gate_options.hpp"
#include "net/mq/mq_over_ws.hpp"
#include "net/network.hpp"
#include "net/tls_context.hpp"

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
  /// What can change: the certificate (read again).
  core::result<void> reload(const settings& fresh) override;
  void drain(std::function<void()> done) override;

private:
  core::result<void> load_certificate();
  [[nodiscard]] std::optional<cluster_options> cluster_part() const;
  [[nodiscard]] std::string node_name() const;
  [[nodiscard]] std::shared_ptr<net::door> base_door() const;
  core::result<std::shared_ptr<const net::door>> public_door();
  core::result<endpoint> listen(const endpoint& where,
                                std::shared_ptr<const net::door> door);
  void write_log(std::string_view level, std::string_view component,
                 std::string_view text);
  void on_draining(bool draining);
  /// All in order: no new work, goodbye to clients, everything durable.
  void stop();

  service_context context_;
  net::mq::gate_options gate_options_;
  net::mq::ws_options ws_options_;
  std::unique_ptr<broker> broker_;
  std::unique_ptr<actor_gateway> gateway_;
  std::shared_ptr<net::tls_context> certificate_;
  std::shared_ptr<net::address_limits> addresses_;
  std::unique_ptr<net::network> network_;
  std::atomic<bool> serving_ = false; ///< network_ is there
  std::unique_ptr<admin> admin_;
  std::thread drainer_;
  bool stopped_ = false;
};

} // namespace troupe::app
