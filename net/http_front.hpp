// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/access_log.hpp"
#include "net/http_parser.hpp"
#include "net/http_router.hpp"
#include "net/protocol.hpp"
#include "net/protocol_host.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace troupe::net {

struct http_options {
  http_limits limits;
  /// For the head of a request, from its first byte (or the accept).
  std::chrono::milliseconds head_time{10'000};
  /// For the body behind it.
  std::chrono::milliseconds body_time{30'000};
  /// A connection without a request is closed after.
  std::chrono::milliseconds idle_time{60'000};
  /// A handler answers within, else 503.
  std::chrono::milliseconds handler_time{15'000};
  /// Unsent bytes of a streamed answer at which the client is cut.
  std::size_t stream_bytes_max = 1 << 20;
  /// Who may not pass gets this answer; unset: everybody may.
  std::function<std::optional<http_response>(const http_request&,
                                             const connection_info&)>
      authorize;
  /// Has a line for each request; null: none. Not owned.
  access_log* access = nullptr;
};

/// HTTP/1.0 and 1.1 on one connection, as a protocol like any other: takes
/// one request at a time (pipelined ones wait), hands it to the route, writes
/// the answer, and gives the connection to another protocol on an upgrade.
class http_front final : public protocol, private http_exchange {
public:
  http_front(protocol_host& host, std::shared_ptr<const http_router> router,
             std::shared_ptr<const http_options> options);
  ~http_front() override;

  void on_open(core::steady_time now, effects& out) override;
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override;
  [[nodiscard]] std::size_t frame_bytes() const override { return 0; }
  [[nodiscard]] bool paused() const override {
    return doing_ == doing::handling;
  }
  void on_event(core::session_event event, core::steady_time now,
                effects& out) override;
  void on_flushed(core::steady_time, effects&) override {}
  void on_tick(core::steady_time now, effects& out) override;
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return deadline_;
  }
  void on_closed(effects& out) override;
  [[nodiscard]] std::string_view name() const override { return "http"; }

private:
  enum class doing : std::uint8_t {
    idle,      ///< no byte of a request yet
    reading,   ///< head or body
    handling,  ///< a handler owes the answer
    streaming, ///< an answer without an end yet; input is thrown away
    done,      ///< closing, or handed over
  };

  // http_exchange
  void answer(http_response response) override;
  void answer_verbatim(std::string bytes, http_after after) override;
  void hand_over(std::unique_ptr<protocol> successor,
                 std::string head) override;
  protocol_host& host() override { return host_; }
  void begin_stream(http_response head) override;
  bool stream(std::string_view bytes) override;
  void end_stream() override;

  std::size_t read(std::string_view bytes, core::steady_time now, effects& out);
  void dispatch(core::steady_time now, effects& out);
  void respond(const http_response& response, effects& out);
  void answered(bool close, effects& out);
  void refuse(unsigned status, std::string_view text, effects& out);
  void finish(std::string_view why, effects& out);
  [[nodiscard]] std::shared_ptr<http_ticket> make_ticket();
  void drop_ticket();
  [[nodiscard]] access_entry finished_entry(unsigned status);
  void log(unsigned status, std::uint64_t bytes);
  void log_at_end(unsigned status, effects& out);
  template <class Work>
  void with_effects(Work&& work);

  protocol_host& host_;
  std::shared_ptr<const http_router> router_;
  std::shared_ptr<const http_options> options_;
  std::unique_ptr<http_parser> parser_; // while reading
  std::shared_ptr<http_ticket> ticket_; // while handling or streaming
  std::unique_ptr<access_entry> entry_; // of a request without an answer
  effects* current_ = nullptr;          // inside of a call by the connection
  std::optional<core::steady_time> deadline_;
  doing doing_ = doing::idle;
  unsigned version_ = 11;  // of the request being answered
  bool head_only_ = false; // it is a HEAD
  bool keep_alive_ = true;
  bool continue_sent_ = false;
  bool draining_ = false;
};

/// Makes http_fronts for a door.
protocol_factory make_http(std::shared_ptr<const http_router> router,
                           http_options options = {});

} // namespace troupe::net
