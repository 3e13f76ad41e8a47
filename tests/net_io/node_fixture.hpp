// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "net/door.hpp"
#include "net/network.hpp"

#include <caf/actor_system.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::net::test {

/// No wait of a test is longer; reached only when it fails.
inline constexpr std::chrono::seconds patience{20};

/// True as soon as `condition` is, false after `patience`.
inline bool eventually(const std::function<bool()>& condition) {
  auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// Real loops, real sockets.
class node_fixture : public ::testing::Test {
protected:
  static constexpr std::size_t loop_count = 2;

  node_fixture() : config_(options()), system_(config_) {
    for (std::size_t i = 0; i < loop_count; ++i)
      loops_.push_back(&actors::runtime::scheduler::of(system_).at(i));
    network_ = std::make_unique<network>(loops_);
  }
  ~node_fixture() override { network_.reset(); }

  /// Listens on a free loopback port.
  ip_endpoint serve(door d) {
    listener_options options;
    options.endpoint.address = boost::asio::ip::address_v4::loopback();
    options.served = std::make_shared<const door>(std::move(d));
    auto local = network_->listen(std::move(options));
    EXPECT_TRUE(local);
    return *local;
  }

  [[nodiscard]] net_stats stats() const { return network_->stats(); }
  [[nodiscard]] bool all_closed() const {
    return eventually([&] { return stats().open == 0; });
  }
  [[nodiscard]] bool refused(refusal reason) const {
    return eventually([&] { return stats().refused_for(reason) > 0; });
  }

  static actors::runtime::runtime_options options() {
    actors::runtime::runtime_options o;
    o.loops = loop_count;
    o.on_error = [](std::string_view where, std::string_view what) {
      ADD_FAILURE() << where << ": " << what;
    };
    return o;
  }

  actors::runtime::runtime_config config_;
  caf::actor_system system_;
  std::vector<actors::runtime::loop*> loops_;
  std::unique_ptr<network> network_;
};

} // namespace troupe::net::test
