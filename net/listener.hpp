// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/door.hpp"
#include "net/loop_sockets.hpp"
#include "net/owned_fd.hpp"
#include "net/poller.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace troupe::net {

struct listener_options {
  ip_endpoint endpoint;
  std::shared_ptr<const door> served;
  int backlog = 4096;
  /// Of open_listening_socket(), taken over by listener::open(): nothing is
  /// bound then, and other processes may accept from it, too. -1: none.
  int socket = -1;
};

/// Binds and listens, non-blocking. Fails with in_use or io_error. `endpoint`
/// becomes where it listens, with the real port.
core::result<owned_fd> open_listening_socket(ip_endpoint& endpoint,
                                             int backlog);

/// Numbers ascend from 1 on. Any thread.
[[nodiscard]] connection_id next_connection_id();

/// One listening socket on one loop; hands each accepted connection to the
/// loop that has the fewest (why not SO_REUSEPORT:
/// docs/decisions/0005-readiness-transports.md). Refuses by address limits
/// before a connection costs anything. Out of descriptors it answers by
/// closing what it cannot serve, then rests: the backlog must not spin the
/// loop. Owned by the network.
class listener final : public std::enable_shared_from_this<listener>,
                       private poller::watcher {
public:
  using loops = std::vector<std::shared_ptr<loop_sockets>>;

  /// Binds and listens; io_error with the system's text if that fails. Any
  /// thread. Accepts nothing before start().
  static core::result<std::shared_ptr<listener>>
  open(listener_options options, std::shared_ptr<loop_sockets> home, loops all);
  ~listener();

  /// Where it listens, with the real port.
  [[nodiscard]] const ip_endpoint& local() const noexcept { return local_; }
  [[nodiscard]] loop_sockets& sockets() noexcept { return *home_; }

  /// On its loop, as close(): no more accepts, the port is free again.
  void start();
  void close();
  /// Accepts what waits, on its loop: for a socket whose edge another process
  /// may have been told and not lived to use.
  void look() { on_ready(0); }

private:
  listener(listener_options options, std::shared_ptr<loop_sockets> home,
           loops all, owned_fd socket);

  void on_ready(std::uint32_t events) override;
  bool accept_one();
  void out_of_descriptors();
  void hand_over(owned_fd accepted, const struct sockaddr_storage& peer);
  [[nodiscard]] loop_sockets& least_loaded();
  [[nodiscard]] bool address_comes_later(const ip_endpoint& peer) const;

  listener_options options_;
  std::shared_ptr<loop_sockets> home_;
  loops loops_;
  owned_fd socket_;
  owned_fd spare_; // given up for the moment when descriptors run out
  ip_endpoint local_;
  std::size_t next_loop_ = 0;
  bool resting_ = false;
  bool shared_ = false; // others accept from it, too
};

} // namespace troupe::net
