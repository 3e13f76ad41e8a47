// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/net_stats.hpp"
#include "net/poller.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace troupe::net {

class connection;

/// What the sockets of one loop share: readiness, the buffer they are read
/// into, counters, and the list that keeps connections alive. Created by the
/// network, one a loop; used on its loop unless said otherwise.
class loop_sockets : public std::enable_shared_from_this<loop_sockets> {
public:
  /// As large as one TLS record several times over; a frame that fits is
  /// parsed here and never allocated for.
  static constexpr std::size_t scratch_bytes = 64 * 1024;

  explicit loop_sockets(actors::runtime::loop& home);
  ~loop_sockets();

  [[nodiscard]] actors::runtime::loop& home() noexcept { return home_; }
  [[nodiscard]] poller& readiness() noexcept { return *poller_; }
  /// Valid until the handler that reads into it returns.
  [[nodiscard]] std::span<std::byte> scratch() noexcept { return *scratch_; }

  void add(std::shared_ptr<connection> fresh);
  void remove(connection& gone);
  [[nodiscard]] const std::vector<std::shared_ptr<connection>>&
  connections() const noexcept {
    return connections_;
  }

  /// Has every session that is open now end within the time given, each at a
  /// moment of its own, so that the clients do not arrive elsewhere all at
  /// once.
  void send_away(std::chrono::milliseconds within);
  /// Those that have not gone yet stay.
  void keep_clients();
  /// Asks every connection to say goodbye and close.
  void drain();
  /// Closes every connection at once and stops polling.
  void stop();
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }

  /// Connections here or on their way; what listeners balance by. Any thread.
  std::atomic<std::uint32_t> load{0};
  loop_stats stats;           // readable on any thread
  named_counters by_protocol; // readable on any thread

private:
  actors::runtime::loop& home_;
  std::shared_ptr<poller> poller_;
  std::unique_ptr<std::array<std::byte, scratch_bytes>> scratch_;
  std::vector<std::shared_ptr<connection>> connections_;
  bool stopped_ = false;
  std::shared_ptr<const void> sending_away_; // until keep_clients()
};

} // namespace troupe::net
