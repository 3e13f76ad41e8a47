// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/simulation/broker_node.hpp"
#include "tests/simulation/linearizability.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::cluster::simulation {

/// What clients need of the world.
class client_surroundings {
public:
  virtual ~client_surroundings() = default;
  [[nodiscard]] virtual core::steady_time time() const = 0;
  virtual void later(std::chrono::microseconds d,
                     std::function<void()> what) = 0;
  /// May be lost, or arrive twice.
  virtual void ask(core::node_id node, const broker_request& request) = 0;
  [[nodiscard]] virtual std::uint64_t dice(std::uint64_t bound) = 0;
  [[nodiscard]] virtual std::uint32_t node_count() const = 0;
  virtual void failed(std::string what) = 0;
};

/// Clients that do one thing after the other, each: on keys, inboxes, users,
/// aliases and lists. What gets no answer is asked again elsewhere, under the
/// same idempotency key, until the client gives up and does not know. Several
/// clients share an origin, as the sessions of one loop do.
class broker_clients {
public:
  broker_clients(client_surroundings& around, broker_mutation mutation);

  /// Makes the inboxes, then lets the clients go.
  void start();
  [[nodiscard]] bool ready() const { return ready_; }
  void on_answer(const broker_answer& answer);
  /// No more new operations.
  void stop() { stopped_ = true; }
  /// Reads every object once more, however long it takes.
  void read_everything();
  [[nodiscard]] bool idle() const;

  /// Judges what was seen; tells the world of violations.
  void check();

  [[nodiscard]] std::size_t answered() const { return answered_; }
  [[nodiscard]] std::size_t unknown() const { return unknown_; }
  [[nodiscard]] std::size_t repeated() const { return repeated_; }
  [[nodiscard]] std::uint64_t checker_steps() const { return steps_; }

private:
  using any_input = std::variant<std::monostate, key_model::input,
                                 inbox_model::input, realm_model::input>;
  struct under_way {
    std::uint64_t number = 0;
    std::string object;
    any_input input;
    core::group_id group;
    core::shared_bytes command;
    std::function<observation(const broker_group&)> read;
    std::uint64_t called = 0;
    core::steady_time give_up{};
    std::uint64_t attempt = 0;
  };
  struct client {
    std::uint32_t number = 0;
    std::size_t door = 0;
    std::optional<under_way> now;
    std::array<core::node_id, broker_groups> leader;
    /// The last place seen in each inbox, by device.
    std::map<std::pair<std::string, std::uint8_t>, std::uint64_t> seen;
    std::vector<std::string> to_read; ///< at the end
  };
  /// Whose idempotency keys clients use.
  struct door {
    std::uint64_t origin = 0;
    std::array<std::uint64_t, broker_groups> next{1, 1};
  };
  struct accepted_post {
    std::uint64_t called = 0;
    std::uint64_t returned = 0;
    core::message_id id;
  };

  void set_up_next();
  void next(client& c);
  void next_soon(client& c);
  void begin(client& c, under_way op);
  void attempt(client& c);
  void finish(client& c, const broker_answer& answer);
  void give_up(client& c);
  void record(const under_way& op, std::optional<observation> output);
  std::optional<observation> translate(const under_way& op,
                                       const broker_answer& answer);
  void note_seen(client& c, const under_way& op, const observation& seen);

  under_way choose(client& c);
  under_way choose_key(client& c);
  under_way choose_inbox(client& c);
  under_way choose_realm(client& c);
  under_way post_passing(client& c);
  under_way read_of(const std::string& object);
  core::shared_bytes shard_command(client& c, core::shard_command command);
  core::shared_bytes directory_command(client& c,
                                       core::directory_command command);
  void check_order() const;

  client_surroundings& around_;
  const broker_mutation mutation_;
  std::vector<client> clients_;
  std::vector<door> doors_;
  std::vector<core::shard_command> set_up_;
  bool ready_ = false;
  bool stopped_ = false;
  bool reading_ = false;
  std::uint64_t last_operation_ = 0;
  std::uint64_t last_message_ = 0;
  std::uint64_t moment_ = 0;

  histories<key_model> keys_;
  histories<inbox_model> inboxes_;
  histories<realm_model> realms_;
  std::map<std::string, std::vector<accepted_post>> posts_;
  std::size_t answered_ = 0;
  std::size_t unknown_ = 0;
  std::size_t repeated_ = 0;
  std::uint64_t steps_ = 0;
};

} // namespace troupe::cluster::simulation
