// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/logging.hpp"
#include "app/settings.hpp"
#include "app/workers/agent_end.hpp"
#include "app/workers/supervisor.hpp"
#include "net/owned_fd.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::app::workers {

/// A connection, of the node itself or of a worker.
struct worker_connection {
  std::optional<std::uint32_t> worker{};
  net::connection_view view;
};

/// One worker for people.
struct worker_view {
  process_view process;
  std::uint64_t connections = 0;
  std::uint64_t bytes_in = 0; ///< of all its processes
  std::uint64_t bytes_out = 0;
  std::uint64_t words_waiting = 0; ///< on the way to it
};

/// The workers of a node: processes that accept its clients and speak their
/// protocols, while the sessions stay in this one
/// (docs/decisions/0014-workers.md). Owned by the node; the loops outlive it.
/// Thread-safe but for start(), drain() and stop().
class pool {
public:
  struct parts {
    const settings& values;
    std::vector<actors::runtime::loop*> loops;
    net::session_gateway& sessions;
    channel_desks channels;
    std::shared_ptr<net::address_limits> addresses;
    logger& log;
  };

  explicit pool(parts what);
  /// Calls stop().
  ~pool();
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  /// A listening socket, open until drain().
  void add_door(door_kind kind, net::owned_fd socket);
  /// After the last add_door(). Returns when the first worker accepts clients,
  /// or after `patience`.
  void start(core::milliseconds patience);

  /// Workers read certificate and key again.
  void reload();
  /// As net::network does it with its own clients.
  void send_away(std::chrono::milliseconds within);
  void keep_clients();
  /// Workers accept no more and say goodbye; none is replaced any more.
  void drain(core::milliseconds patience);
  /// Cuts what is left and waits until no process is there.
  void stop();

  /// Why nobody serves clients just now; "" if somebody does.
  [[nodiscard]] std::string not_ready() const;
  /// The sum of what the workers have counted; half a second old.
  [[nodiscard]] net::net_stats stats() const;
  [[nodiscard]] std::vector<worker_view> views() const;
  /// As net::network does it with its own clients; those that have logged in
  /// or have a seat.
  void dismiss(net::connection_id which, actors::runtime::loop& home,
               std::function<void(bool)> done) const;
  /// Gives all connections to `done` on `home`. Never called if the loops end
  /// first.
  void list_connections(
      actors::runtime::loop& home,
      std::function<void(std::vector<worker_connection>)> done) const;

private:
  struct slot {
    actors::runtime::loop* home = nullptr;
    std::shared_ptr<worker_counts> counts = std::make_shared<worker_counts>();
    std::shared_ptr<agent_end> end{}; ///< on its loop only
    std::atomic<bool> closed{false};  ///< no new end any more
  };

  void attach(std::uint32_t worker, std::uint64_t life, net::owned_fd socket);
  void tell_all(word what) const;

  parts parts_;
  std::vector<door_kind> kinds_;
  std::vector<net::owned_fd> doors_;
  std::vector<std::shared_ptr<slot>> slots_;
  std::unique_ptr<supervisor> supervisor_;
  std::atomic<bool> draining_{false};
  bool stopped_ = false;
};

} // namespace troupe::app::workers
