// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/workers/line.hpp"
#include "app/workers/shared_messages.hpp"
#include "app/workers/supervision.hpp"
#include "app/workers/worker_seats.hpp"
#include "net/connection.hpp"
#include "net/network.hpp"
#include "net/session_port.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::app::workers {

/// The worker's end of the line: reports connections, takes what their gates
/// hand to sessions to the agent and brings back the answers. Lives on the
/// worker's one loop; owned by the worker, outlives its network.
class worker_end final : public net::session_gateway,
                         public net::connection_observer,
                         private line_user {
public:
  struct parts {
    actors::runtime::loop& home;
    net::network& network;
    worker_seats& seats;
    /// What the writers of channels have counted.
    std::function<words::writer_counts()> counted;
    std::function<void()> reload;
    /// Every client has gone after a drain, or the agent wants the end.
    std::function<void()> finished;
    /// The agent is gone, or silent: say goodbye and end.
    std::function<void(std::string why)> orphaned;
  };

  explicit worker_end(parts what) : parts_(std::move(what)) {}
  ~worker_end();

  // On its loop.
  void open(net::owned_fd socket);
  /// Clients are accepted.
  void say_ready();
  /// Accepts no more, says goodbye; parts::finished follows.
  void drain();
  void close();
  /// For the seats.
  void say(word what);
  [[nodiscard]] bool full() { return !lost_ && line_->full(); }

  // net::session_gateway, net::connection_observer
  std::unique_ptr<net::session_port>
  open(actors::runtime::loop& home, core::session_link& link,
       const net::connection_info& info) override;
  void on_open(net::connection& fresh) override;
  void on_protocol(const net::connection& which) override;
  void on_end(const net::connection& gone) override;

private:
  class port;
  friend class port;

  void on_word(word what) override;
  void on_room() override;
  void on_lost(loss why) override;

  void handle(const words::beat&) {}
  void handle(words::event& w);
  void handle(const words::refused& w);
  void handle(const words::reload&) { parts_.reload(); }
  void handle(const words::drain&) { drain(); }
  void handle(const words::stop&) { parts_.finished(); }
  void handle(words::bus_ruling& w) { parts_.seats.take(w); }
  void handle(words::welcome& w) { parts_.seats.take(w); }
  void handle(const words::answer& w) { parts_.seats.take(w); }
  void handle(const words::published& w) { parts_.seats.take(w); }
  void handle(const words::channel_event& w) { parts_.seats.take(w); }
  void handle(const words::seat_over& w) { parts_.seats.take(w); }
  void handle(const auto&) { leave("the agent talks nonsense"); }

  void next_beat();
  void on_beat();
  void look_for_end();
  void leave(std::string why);

  parts parts_;
  std::shared_ptr<line> line_;
  std::unordered_map<client_number, net::connection*> connections_;
  std::unordered_map<client_number, port*> ports_;
  std::vector<client_number> waiting_; // for room in the line
  shared_messages messages_;
  /// Lets timers of the loop know that this is gone.
  std::shared_ptr<worker_end*> alive_ = std::make_shared<worker_end*>(this);
  unsigned missed_ = 0;
  bool draining_ = false;
  bool lost_ = false;
};

} // namespace troupe::app::workers
