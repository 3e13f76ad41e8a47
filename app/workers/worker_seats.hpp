// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "app/workers/words.hpp"
#include "core/clock.hpp"
#include "net/msgbus/desk.hpp"
#include "net/zenconn/desk.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::app::workers {

/// The desks of a worker: takes what its clients want of channels to the agent
/// and brings back what comes of it. What one publication is for many of them
/// comes once. Used on the worker's one loop; outlives its network.
class worker_seats final : public net::msgbus::desk, public net::zenconn::desk {
public:
  struct parts {
    actors::runtime::loop& home;
    std::function<void(word)> say;
    /// The line has no room for more.
    std::function<bool()> full;
    /// Requests that one guest may have under way.
    std::size_t requests_max = 256;
  };
  explicit worker_seats(parts what) : parts_(std::move(what)) {}
  worker_seats(const worker_seats&) = delete;
  worker_seats& operator=(const worker_seats&) = delete;

  // net::msgbus::desk, net::zenconn::desk
  void ask(const net::connection_info& from, net::msgbus::wish what,
           std::function<void(net::msgbus::ruling)> then) override;
  void later(std::function<void()> work) override;
  void let_in(const net::connection_info& from, net::zenconn::knock who,
              std::function<bool()> waits,
              std::function<void(net::zenconn::welcome)> then) override;

  // What the agent says.
  void take(words::bus_ruling& w);
  void take(words::welcome& w);
  void take(const words::answer& w);
  void take(const words::published& w);
  void take(const words::channel_event& w);
  void take(const words::seat_over& w);

  /// From time to time: questions that took too long are answered here.
  void look(core::steady_time now);
  /// The line has room again.
  void on_room();
  /// The agent is gone: nobody waits for it any more.
  void on_lost();

  /// What an agent may take for an answer.
  static constexpr core::milliseconds answer_time{15'000};
  /// Questions that wait for one, at most; more are refused as busy.
  static constexpr std::size_t questions_max = 65'536;

private:
  class chair;
  class visitor;
  struct question {
    core::steady_time until;
    std::function<void(net::msgbus::ruling)> ruled{}; ///< or
    std::function<void(net::zenconn::welcome)> welcomed{};
  };

  [[nodiscard]] bool refuses() const;
  seat_number put(question asked);
  [[nodiscard]] bool extract(seat_number seat, question& into);
  static void refuse(const question& asked);
  void left(seat_number seat, std::string_view why);

  const parts parts_;
  seat_number last_ = 0;
  std::map<seat_number, question> questions_; // the oldest first
  std::unordered_map<seat_number, chair*> chairs_;
  std::unordered_map<seat_number, visitor*> visitors_;
  std::vector<seat_number> waiting_; // for room in the line
  bool lost_ = false;
};

} // namespace troupe::app::workers
