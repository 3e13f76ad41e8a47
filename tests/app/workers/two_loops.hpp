// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "net/owned_fd.hpp"

#include <caf/actor_system.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <sys/socket.h>
#include <thread>

namespace troupe::app::workers::test {

inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::yield();
  }
  return true;
}

/// Two running loops, and a pair of sockets between them: an agent's end of a
/// line and a worker's.
class two_loops : public testing::Test {
protected:
  two_loops() : config_(options()), system_(config_) {
    std::array<int, 2> ends{};
    EXPECT_EQ(
        ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    sockets_ = {net::owned_fd{ends[0]}, net::owned_fd{ends[1]}};
  }

  actors::runtime::loop& loop(std::size_t i) {
    return actors::runtime::scheduler::of(system_).at(i);
  }
  void on_loop(std::size_t i, const std::function<void()>& work) {
    std::promise<void> done;
    loop(i).post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

private:
  static actors::runtime::runtime_options options() {
    actors::runtime::runtime_options o;
    o.loops = 2;
    return o;
  }

  actors::runtime::runtime_config config_;
  caf::actor_system system_;

protected:
  std::array<net::owned_fd, 2> sockets_;
};

} // namespace troupe::app::workers::test
