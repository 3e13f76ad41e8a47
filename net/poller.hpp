// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstdint>
#include <memory>
#include <sys/epoll.h>
#include <vector>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::net {

/// Readiness of many sockets of one loop: an epoll set of its own inside the
/// loop's Asio reactor. A socket is registered once, edge-triggered, for its
/// whole life: no system call and no allocation each time a connection begins
/// to wait, and nothing but a table entry in the kernel while it does
/// (docs/decisions/0005-readiness-transports.md).
///
/// Owned by a loop_sockets; used on its loop only.
class poller : public std::enable_shared_from_this<poller> {
public:
  /// Owns a registered socket. May be destroyed once removed, even while
  /// events are handed out.
  class watcher {
  public:
    /// EPOLL* bits that rose since the last call; 0 after again(). An edge is
    /// told once: the watcher remembers it until the socket says EAGAIN.
    virtual void on_ready(std::uint32_t events) = 0;

  protected:
    ~watcher() = default;
  };

  /// Throws std::system_error if the process is out of descriptors.
  explicit poller(actors::runtime::loop& home);
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;
  ~poller();

  /// Begins to wait; once, before the first add().
  void start() { wait(); }
  /// Ends the waiting: no watcher is called any more.
  void stop();

  /// False if the kernel is out of memory.
  [[nodiscard]] bool add(int fd, watcher& w);
  /// A listening socket that other processes accept from, too: where the
  /// kernel can, one of them is woken and not all.
  [[nodiscard]] bool add_shared(int fd, watcher& w);
  void remove(int fd, watcher& w);

  /// Calls on_ready(0) once in a later turn: for a watcher that has left
  /// bytes in its socket for the sake of the others.
  void again(watcher& w);

private:
  static constexpr int batch_max = 256;

  void wait();
  void dispatch();
  void run_again();

  actors::runtime::loop& home_;
  int epoll_;
  boost::asio::posix::stream_descriptor descriptor_; // of epoll_
  std::vector<epoll_event> batch_;
  int batch_size_ = 0;
  std::vector<watcher*> again_;
  std::vector<watcher*> running_again_;
  bool again_posted_ = false;
  bool stopped_ = false;
};

} // namespace troupe::net
