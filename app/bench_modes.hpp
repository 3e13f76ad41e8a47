// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/bench_report.hpp"
#include "app/options.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

/// The kinds of load of `troupe bench`. Each mode blocks until it is through
/// and returns what it measured, or why it could not. Only nodes on this
/// machine are put under load.
namespace troupe::app {

/// Which node, and how the users that a run registers are called.
struct bench_target {
  endpoint server{"127.0.0.1", 8080};
  admin_options admin;
  std::string prefix;
};

/// Posts to users nobody is logged in for; from a post to its durable ack.
struct post_load {
  bench_target target;
  std::uint64_t connections = 1;
  std::uint64_t window = 1; ///< posts of a connection without an ack
  std::size_t body_bytes = 100;
  std::uint64_t seconds = 5;
  std::uint64_t users = 1000; ///< the recipients, in turns
  bool consume = false;       ///< log the recipients in
  std::uint64_t threads = 1;
};

/// Queued messages to devices that log in all at once.
struct deliver_load {
  bench_target target;
  std::uint64_t connections = 1000;
  std::uint64_t messages = 200; ///< for each of them
  std::uint32_t window = 1;
  std::size_t body_bytes = 100;
  std::uint64_t threads = 1;
};

/// Resident bytes of the node for each RFC 6455 connection at /mq.
struct idle_load {
  bench_target target;
  std::uint64_t connections = 10'000;
  std::uint64_t settle_seconds = 5;
};

/// Many users with one message each.
struct users_load {
  bench_target target;
  std::uint64_t count = 1'000'000;
  std::uint64_t recipients_per_post = 500;
  std::size_t body_bytes = 100;
  std::uint64_t check = 0; ///< users to log in afterwards, spread evenly
  bool fill = true;        ///< false: check only
};

/// The yardstick: one block, one fdatasync, in a loop.
struct sync_load {
  std::string data = ".";
  std::uint64_t seconds = 5;
};

using bench_load =
    std::variant<post_load, deliver_load, idle_load, users_load, sync_load>;

[[nodiscard]] core::result<bench_report> measure(const post_load& load);
[[nodiscard]] core::result<bench_report> measure(const deliver_load& load);
[[nodiscard]] core::result<bench_report> measure(const idle_load& load);
[[nodiscard]] core::result<bench_report> measure(const users_load& load);
[[nodiscard]] core::result<bench_report> measure(const sync_load& load);

} // namespace troupe::app
