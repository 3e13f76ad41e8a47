// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/endpoint.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/mq/message_decoder.hpp"
#include "net/mq/packets.hpp"
#include "net/owned_fd.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

class bench_loop;

/// What a connection of the load generator speaks.
enum class bench_framing : std::uint8_t {
  draft,    ///< websocket.MQ's own frames
  websocket ///< RFC 6455 at /mq, behind the opening handshake
};

/// One client connection of the load generator. Everything that has arrived
/// is answered in one piece: what on_packet() sends is written once it has
/// seen the last packet of a turn. Owned by whoever runs the loop, and ends
/// before the loop.
class bench_connection {
public:
  bench_connection() = default;
  virtual ~bench_connection() = default;
  bench_connection(const bench_connection&) = delete;
  bench_connection& operator=(const bench_connection&) = delete;

  /// Connects, blocking. `ordinal` spreads connections over addresses of the
  /// machine, as one address has ports for some 28,000.
  [[nodiscard]] core::result<void> open(bench_loop& loop, const endpoint& to,
                                        bench_framing framing,
                                        std::size_t ordinal);
  /// Puts a packet behind what waits. REQUIRES: its header fits.
  void send(const net::mq::client_packet& packet);
  /// Writes what waits, as far as the socket takes it.
  void flush();
  [[nodiscard]] bool is_open() const noexcept { return bool{fd_}; }

protected:
  virtual void on_packet(const net::mq::server_packet& packet,
                         core::steady_time now) = 0;
  /// The node closed, or sent what is no packet. Nothing comes any more.
  virtual void on_ended(std::string_view why) = 0;

private:
  friend class bench_loop;

  void on_ready(std::uint32_t events, core::steady_time now);
  std::size_t read_frames(std::string_view bytes, core::steady_time now);
  std::size_t read_draft(std::string_view bytes, core::steady_time now);
  std::size_t read_websocket(std::string_view bytes, core::steady_time now);
  void read_message(core::bytes_view message, core::steady_time now);
  void end(std::string_view why);
  void want_writable(bool wanted);

  bench_loop* loop_ = nullptr;
  net::owned_fd fd_;
  std::string out_;
  std::size_t written_ = 0;
  std::string rest_; // of a frame that is not complete
  bench_framing framing_ = bench_framing::draft;
  bool upgraded_ = false;
  bool waits_to_write_ = false;
};

/// Polls connections on the thread that calls it.
class bench_loop {
public:
  bench_loop();

  /// Waits at most so long, then serves every connection that is ready.
  void run_once(std::chrono::milliseconds timeout);

  /// Turns until `done` says so; false if `patience` passes without it.
  template <class Done>
  [[nodiscard]] bool run_until(Done done, std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end)
        return false;
      run_once(std::chrono::milliseconds{20});
    }
    return true;
  }

private:
  friend class bench_connection;

  net::owned_fd epoll_;
  std::vector<char> input_;
  net::mq::message_decoder decoder_;
  std::string scratch_;
};

/// Lets the process have this many descriptors, as far as it may.
[[nodiscard]] core::result<void> allow_descriptors(std::uint64_t count);

} // namespace troupe::app
