// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "app/workers/line.hpp"
#include "app/workers/words.hpp"
#include "net/msgbus/bus_stats.hpp"
#include "net/msgbus/desk.hpp"
#include "net/session_port.hpp"
#include "net/zenconn/desk.hpp"
#include "net/zenconn/options.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::app::workers {

/// Where an agent takes what its workers' clients want of channels. All
/// outlive the ends.
struct channel_desks {
  net::msgbus::desk* bus = nullptr;      ///< null: not served
  net::zenconn::desk* zenconn = nullptr; ///< null: not served
  net::msgbus::bus_stats* bus_stats = nullptr;
  net::zenconn::zenconn_stats* zenconn_stats = nullptr;
  /// Requests that a guest may have under way; a worker keeps to it.
  std::size_t requests_max = 256;
};

/// The channels' side of an agent's end of a line: the subscribers and guests
/// that one process of a worker has. Who they are and what they may is judged
/// here; what is published goes over the line once for all of them. Lives on
/// the end's loop, belongs to it.
class agent_seats final {
public:
  /// `to` outlives it until close().
  agent_seats(channel_desks desks, actors::runtime::loop& home,
              std::uint32_t worker, line& to);
  ~agent_seats();
  agent_seats(const agent_seats&) = delete;
  agent_seats& operator=(const agent_seats&) = delete;

  // What a worker says; false if no worker would say that. `from` is the
  // connection of the word's client.
  [[nodiscard]] bool take(words::bus_wish& w, const net::connection_info& from);
  [[nodiscard]] bool take(words::knock& w, const net::connection_info& from);
  [[nodiscard]] bool take(words::request& w);
  [[nodiscard]] bool take(const words::seat_left& w);
  /// Adds what was counted since the last time to the node's.
  void take(const words::writer_counts& now);

  /// All that this client has.
  void end_client(client_number client, std::string_view why);
  /// Whether it has a session that can move to another node.
  [[nodiscard]] bool has_guest(client_number client) const;
  /// Whether it listens to something, or is a guest.
  [[nodiscard]] bool has_seat(client_number client) const;
  /// All of them; the line is not used any more.
  void close(std::string_view why);

  /// Seats of a client, at most; HTTP asks one after the other.
  static constexpr std::size_t seats_of_client_max = 16;

private:
  class place;
  friend class place;

  place* open(client_number client, seat_number seat);
  place* find(seat_number seat);
  [[nodiscard]] bool
  has_any(client_number client,
          const std::function<bool(const place&)>& wanted) const;
  void erase(seat_number seat);
  void end(seat_number seat, std::string_view why);
  void rule(seat_number seat, net::msgbus::ruling found);
  void welcome(seat_number seat, net::zenconn::welcome found);
  void say(word what);
  void gather(seat_number seat, const core::publication_ptr& what,
              std::string_view channel, bool event);
  void send_gathered();

  const channel_desks desks_;
  actors::runtime::loop& home_;
  const std::uint32_t worker_;
  line* line_; ///< null: closed
  std::unordered_map<seat_number, std::unique_ptr<place>> places_;
  std::unordered_map<client_number, std::vector<seat_number>> of_client_;
  seat_number last_ = 0;
  words::writer_counts counted_;

  /// One publication for as many as get it in a row.
  struct gathered {
    core::publication_ptr what;
    std::string channel;
    bool event = false;
    std::vector<seat_number> seats;
  };
  gathered gathered_;
  bool due_ = false;
  /// For what comes back later: gone with this.
  std::shared_ptr<agent_seats*> self_ = std::make_shared<agent_seats*>(this);
};

} // namespace troupe::app::workers
