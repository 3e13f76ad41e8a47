// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/keys/keys_actor.hpp"
#include "app/broker.hpp"
#include "app/sys_publisher.hpp"
#include "net/key_space.hpp"

#include <atomic>

namespace troupe::app {

/// The retained keys for protocols and for operators: asks the actor of keys
/// of the loop on which it is called. What is below $SYS is read as if it were
/// retained, from who tells it. Owned by the node, outlives the network.
/// Thread-safe.
class key_gateway final : public net::key_space {
public:
  /// `engine` outlives the network's connections.
  explicit key_gateway(broker& engine) : engine_(engine) {}

  void set(core::set_key what, set_function done) override;
  void clear(core::clear_key what, set_function done) override;
  void read(net::key_query what, page_function done) override;
  void settle(std::function<void(bool)> done) override;

  /// Null: nothing is told. Any thread; outlives the network's connections.
  void set_sys(sys_publisher* sys) {
    sys_.store(sys, std::memory_order_release);
  }

private:
  void change(actors::keys::key_operation::change what, set_function done);
  void order(std::function<void(actors::keys::keys_state&)> work);

  broker& engine_;
  std::atomic<sys_publisher*> sys_{nullptr};
};

} // namespace troupe::app
