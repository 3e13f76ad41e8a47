// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/session_event.hpp"
#include "net/mq/delivery_window.hpp"
#include "net/mq/gate_options.hpp"
#include "net/mq/packet_sink.hpp"
#include "net/mq/packets.hpp"
#include "net/protocol.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::mq {

class message_decoder;

/// What websocket.MQ means: packets to commands, events to packets, and the
/// rules of the conversation (A.4–A.10 of the protocol page). A pure state
/// machine, the same for every framing. Owned by a protocol object, which is
/// also its sink and outlives it; options outlive both.
///
/// After a quit or a close nothing is sent, commanded or asked for any more.
/// A connection's last command is close_session, exactly once, unless the
/// session ended first.
class gate {
public:
  gate(const gate_options& options, packet_sink& sink)
      : options_(&options), sink_(&sink) {}

  void on_open(core::steady_time now);

  /// One whole message. REQUIRES: accepts().
  void on_message(message_decoder& decoder, core::bytes_view message,
                  const input& in, effects& out);
  /// The peer sent the framing's close.
  void on_peer_close(effects& out);
  /// The framing is violated: quit with this text.
  void fail(std::string_view text, effects& out) { quit(text, out); }

  void on_event(core::session_event event, effects& out);
  void on_flushed(core::steady_time now, effects& out);
  void on_tick(core::steady_time now, effects& out);
  [[nodiscard]] std::optional<core::steady_time> deadline() const;
  void on_closed(effects& out);

  /// Waits for an answer before it takes another message: always after
  /// register, addNode, login and listEdit, whose effects later requests may
  /// build upon; after post and ping only when too many are under way. Also
  /// while a peer that does not read leaves too much output behind.
  [[nodiscard]] bool paused() const;
  [[nodiscard]] bool closed() const { return phase_ == phase::closed; }
  [[nodiscard]] bool accepts() const { return !closed() && !paused(); }
  /// The largest message that may come now.
  [[nodiscard]] std::size_t message_bytes_max() const;

private:
  enum class phase : std::uint8_t { greeting, logging_in, active, closed };

  struct list_edit_context {
    core::list_edit_kind kind;
    std::string list;
    std::string member;
  };
  /// A request that has no answer yet.
  struct pending_request {
    std::string id; // of post, ping and listEdit
    std::size_t body_bytes = 0;
    bool on_session = false; // made after the login
    std::unique_ptr<list_edit_context> list_edit{};
  };
  using pending_map = std::map<core::request_number, pending_request>;

  void handle(const register_request& packet, const input& in, effects& out);
  void handle(const add_node_request& packet, const input& in, effects& out);
  void handle(const login_request& packet, const input& in, effects& out);
  void handle(post_request& packet, const input& in, effects& out);
  void handle(const ping_request& packet, const input& in, effects& out);
  void handle(const list_edit_request& packet, const input& in, effects& out);
  void handle(const ack_packet& packet, const input& in, effects& out);

  void answer(const core::user_registered& event, effects& out);
  void answer(const core::device_added& event, effects& out);
  void answer(const core::logged_in& event, effects& out);
  void answer(const core::posted& event, effects& out);
  void answer(const core::list_edited& event, effects& out);
  void answer(core::delivery& event, effects& out);
  void answer(const core::session_ended& event, effects& out);

  bool may_register(effects& out);
  core::request_number open_request(pending_request request);
  void wait_for(core::request_number request) { barrier_ = request; }
  std::optional<pending_request> close_request(core::request_number request);
  std::optional<std::string> deduplication_id(const deduplication& how,
                                              std::string_view id) const;

  void send_deliveries(effects& out);
  void send(const core::delivery& what, effects& out);
  template <class Packet>
  void send(const Packet& packet, effects& out);
  void send_ack(std::string_view id, std::string_view error, bool ok,
                effects& out);
  void quit(std::string_view text, effects& out);
  void end(goodbye why, std::string_view reason, effects& out);

  const gate_options* options_;
  packet_sink* sink_;
  std::string user_; // uid of the login, also while it is under way
  delivery_window window_;
  pending_map pending_;
  std::size_t pending_bytes_ = 0;
  core::request_number last_request_ = 0;
  core::request_number barrier_ = 0; // 0: none
  std::optional<core::steady_time> login_deadline_;
  std::uint32_t requests_before_login_ = 0;
  phase phase_ = phase::greeting;
  bool session_over_ = false; // the session ended, or was told to
  bool output_full_ = false;  // until the next on_flushed()
  // What the login asked for beyond the original protocol.
  bool extended_ = false;
  bool asked_resume_ = false;
  bool deduplicate_ = false;
};

} // namespace troupe::net::mq
