// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/listener.hpp"
#include "net/loop_sockets.hpp"
#include "net/net_stats.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::net {

/// One open connection at one moment, for /sessions.
struct connection_view {
  connection_info info;
  std::size_t loop = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::size_t output_waiting = 0;
};

/// All sockets of the node: what each loop needs for its own, the listeners,
/// the sums. Owned by app/; made after the loops run and stopped before they
/// end. Thread-safe; nothing of it blocks but stop().
class network {
public:
  /// The loops are not owned. Ignores SIGPIPE for the process: a write to a
  /// socket whose peer is gone must be an error code in OpenSSL too.
  explicit network(const std::vector<actors::runtime::loop*>& loops);
  network(const network&) = delete;
  network& operator=(const network&) = delete;
  /// Calls stop().
  ~network();

  /// Begins to accept; answers where, with the real port. Fails with in_use
  /// or io_error.
  core::result<ip_endpoint> listen(listener_options options);
  /// Has every listener look for itself (listener::look).
  void look();
  /// No new connections; open ones go on.
  void close_listeners();
  /// Clients with a session are told to connect elsewhere, one after the other
  /// over the time given; listeners stay open.
  void send_away(std::chrono::milliseconds within);
  /// Takes that back for those that are still here.
  void keep_clients();
  /// Closes the listeners and has every protocol say goodbye (it gets
  /// session_ended{shutting_down}); connections end as they manage.
  void drain();
  /// Cuts what is left and waits until no socket is open. Not on a loop.
  void stop();

  [[nodiscard]] net_stats stats() const;
  /// Ends a connection as connection::dismiss() does; `done` is told on `home`
  /// whether there was one. Never called if the loops end first.
  void dismiss(connection_id which, actors::runtime::loop& home,
               std::function<void(bool)> done) const;
  /// Gives all open connections to `done` on `home`; each loop is asked.
  /// Never called if the loops end first.
  void list_connections(
      actors::runtime::loop& home,
      std::function<void(std::vector<connection_view>)> done) const;

private:
  listener::loops loops_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<listener>> listeners_; // guarded by mutex_
  std::size_t listeners_opened_ = 0;                 // guarded by mutex_
  bool stopped_ = false;                             // guarded by mutex_
};

} // namespace troupe::net
