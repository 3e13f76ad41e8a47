// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/hello_codec.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <caf/fwd.hpp>
#include <caf/openssl/session.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace troupe::actors::links {

/// How a conversation ends before its time.
using stream_error = refusal;

/// One frame as it came.
struct frame {
  frame_type type{};
  std::string payload;
};

/// Frames over a socket, plain or through a TLS session of CAF's OpenSSL
/// module. Reads never take a byte beyond the frame asked for: what follows
/// belongs to CAF. At most one read and one write at a time. No deadline of
/// its own: whoever waits closes it. A callback is never called from inside
/// of the call that takes it, nor after close(). On the socket's thread.
class frame_stream : public std::enable_shared_from_this<frame_stream> {
public:
  enum class side : std::uint8_t { dialer, acceptor };
  using on_frame = std::function<void(std::optional<frame>, stream_error)>;
  using on_written = std::function<void(bool, stream_error)>;

  /// `tls` null: plain; else a system for which links_encrypted().
  frame_stream(boost::asio::ip::tcp::socket socket, side who,
               caf::actor_system* tls);

  void read(std::size_t payload_max, on_frame done);
  void write(std::string bytes, on_written done);
  /// Hands bytes to the kernel as far as it takes them now, then closes: for
  /// a last word to somebody who may not listen.
  void write_and_close(const std::string& bytes);
  void close();

  /// For the next owner. Empty afterwards. REQUIRES: nothing pending.
  struct parts {
    int descriptor = -1;
    caf::openssl::session_ptr session;
  };
  parts release();

  /// "ADDRESS:PORT" of the other side.
  [[nodiscard]] const std::string& peer() const { return peer_; }
  [[nodiscard]] bool encrypted() const { return session_ != nullptr; }
  /// Null if it was released or closed.
  [[nodiscard]] bool open() const { return socket_.is_open(); }

private:
  enum class progress : std::uint8_t { some, wait, failed };
  progress receive(std::byte* out, std::size_t size, std::size_t& got);
  progress send(const char* bytes, std::size_t size, std::size_t& sent);
  progress begin_tls();
  progress begin_session();
  void continue_read();
  void continue_write();
  void on_readable();
  void on_writable();
  void finish_read(std::optional<frame> got);
  void finish_write(bool sent);
  void wait_to_read();
  void wait_to_write();

  boost::asio::ip::tcp::socket socket_;
  const side side_;
  caf::actor_system* const tls_;
  std::string peer_;
  caf::openssl::session_ptr session_;
  bool tls_established_ = false;
  stream_error error_;

  on_frame on_frame_;
  std::size_t payload_max_ = 0;
  std::string input_;
  std::size_t received_ = 0;
  frame_head head_;
  bool have_head_ = false;

  on_written on_written_;
  std::string output_;
  std::size_t sent_ = 0;
};

} // namespace troupe::actors::links
