// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::actors::runtime {
class loop;
} // namespace troupe::actors::runtime

namespace troupe::net {

class protocol;
class protocol_host;

/// Where the answers of one request go: the HTTP side of a connection, as far
/// as it still waits. Implemented by http_front.
class http_exchange {
public:
  virtual void answer(http_response response) = 0;
  virtual void answer_verbatim(std::string bytes, http_after after) = 0;
  virtual void hand_over(std::unique_ptr<protocol> successor,
                         std::string head) = 0;
  virtual protocol_host& host() = 0;
  virtual void begin_stream(http_response head) = 0;
  /// False if the client is gone or too slow; nothing may be sent any more.
  virtual bool stream(std::string_view bytes) = 0;
  virtual void end_stream() = 0;

protected:
  ~http_exchange() = default;
};

/// Shared by the responders of one request; `exchange` turns null when the
/// answer is given, timed out or the connection is gone.
struct http_ticket {
  http_exchange* exchange = nullptr;
  actors::runtime::loop* home = nullptr;
  std::string user{}; ///< for the access log
};

/// Writes an answer bit by bit (a live tail). Ends with end(), with the last
/// copy, or when the client goes. Used on the connection's loop.
class http_stream {
public:
  http_stream() = default;
  explicit http_stream(std::shared_ptr<http_ticket> ticket)
      : ticket_(std::move(ticket)) {}

  /// False if the client is gone or did not keep up; stop then.
  bool write(std::string_view bytes);
  /// One "data: …" event of text/event-stream; line breaks are kept.
  bool write_event(std::string_view data, std::string_view name = {});
  void end();
  [[nodiscard]] bool open() const noexcept {
    return ticket_ && ticket_->exchange != nullptr;
  }

private:
  std::shared_ptr<http_ticket> ticket_;
};

/// Answers one request, once. Copies stand for the same request; all may be
/// used and destroyed on the connection's loop only (home() to post to).
class responder {
public:
  explicit responder(std::shared_ptr<http_ticket> ticket)
      : ticket_(std::move(ticket)) {}

  /// The first call counts; nothing happens if the client is gone.
  void send(http_response response) const;
  /// The same with the bytes of a whole answer, from the status line on, for
  /// protocols that have their own way with them. They must fit `after` and
  /// the request (HEAD, its version).
  void send_verbatim(std::string bytes, http_after after) const;
  /// `successor` speaks on this connection from here on, behind `head`. Not
  /// called on, and destroyed, if the client is gone.
  void hand_over(std::unique_ptr<protocol> successor, std::string head) const;
  /// The connection. REQUIRES: open().
  [[nodiscard]] protocol_host& host() const {
    return ticket_->exchange->host();
  }
  /// Begins a streamed answer instead; its end closes the connection.
  [[nodiscard]] http_stream
  stream(std::string content_type = "text/event-stream") const;
  /// Who it is that asks, for the access log. Before the answer.
  void name_user(std::string user) const { ticket_->user = std::move(user); }
  /// Still waited for.
  [[nodiscard]] bool open() const noexcept {
    return ticket_->exchange != nullptr;
  }
  [[nodiscard]] actors::runtime::loop& home() const noexcept {
    return *ticket_->home;
  }

private:
  std::shared_ptr<http_ticket> ticket_;
};

} // namespace troupe::net
