// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/workers/agent_seats.hpp"
#include "app/workers/line.hpp"
#include "app/workers/supervision.hpp"
#include "core/session_event.hpp"
#include "net/address_limits.hpp"
#include "net/net_stats.hpp"
#include "net/network.hpp"
#include "net/session_port.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::app::workers {

/// What a worker has counted, for any thread.
class worker_counts {
public:
  /// A new process begins at zero; what its predecessor has counted stays in
  /// the sum, but for what is open.
  void begin();
  void take(net::net_stats totals, std::size_t words_waiting);
  [[nodiscard]] net::net_stats sum() const;
  [[nodiscard]] std::size_t words_waiting() const;

private:
  mutable std::mutex mutex_;
  net::net_stats before_;
  net::net_stats now_;
  std::size_t words_waiting_ = 0;
};

/// The agent's end of the line to one process of a worker: its connections as
/// far as the agent knows them, their sessions, the beats. Lives on one loop,
/// which is the home of those sessions; ends with its line, and then every
/// session ends at once.
class agent_end final : public std::enable_shared_from_this<agent_end>,
                        private line_user {
public:
  struct parts {
    actors::runtime::loop* home = nullptr;
    net::session_gateway* sessions = nullptr;
    channel_desks channels{};
    std::shared_ptr<net::address_limits> addresses;
    std::shared_ptr<worker_counts> counts;
    words::configure first_word;
    std::function<void()> ready;
    /// One of these at the end, unless close() was called.
    std::function<void()> closed;
    std::function<void(std::string why)> lost;
  };

  static std::shared_ptr<agent_end> open(parts what, net::owned_fd socket);
  ~agent_end();

  void tell(word what) { line_->send_first(std::move(what)); }
  /// As loop_sockets do it.
  void send_away(std::chrono::milliseconds within);
  bool dismiss(net::connection_id which);
  void keep_clients() { sending_away_.reset(); }
  /// Ends all sessions and closes the line.
  void close();
  /// Connections, by the numbers of their sessions.
  [[nodiscard]] std::vector<net::connection_view> connections() const;

private:
  /// One connection of the worker.
  struct client final : core::session_link {
    client(agent_end& end, client_number id) : owner(end), number(id) {}
    void on_event(core::session_event event) override;

    agent_end& owner;
    client_number number;
    net::connection_info info;
    net::address_lease lease{};
    std::unique_ptr<net::session_port> session{};
    bool over = false; ///< refused, or its session has ended
  };

  explicit agent_end(parts what) : parts_(std::move(what)) {}

  void on_word(word what) override;
  void on_room() override {}
  void on_lost(loss why) override;

  void handle(const words::beat&) {}
  void handle(const words::ready& w);
  void handle(words::counts& w);
  void handle(const words::opened& w);
  void handle(const words::speaks& w);
  void handle(words::commands& w);
  void handle(const words::closed& w);
  void handle(words::bus_wish& w);
  void handle(words::knock& w);
  void handle(words::request& w);
  void handle(const words::seat_left& w);
  void handle(const auto&) { give_up("says what only an agent says"); }

  client* find(client_number number);
  void on_beat();
  void next_beat();
  void give_up(std::string why);
  void end();

  parts parts_;
  std::shared_ptr<line> line_;
  std::unordered_map<client_number, std::unique_ptr<client>> clients_;
  std::unique_ptr<agent_seats> seats_;
  std::shared_ptr<const void> sending_away_; // until keep_clients()
  unsigned missed_ = 0;
  bool ready_ = false;
  bool over_ = false;
};

} // namespace troupe::app::workers
