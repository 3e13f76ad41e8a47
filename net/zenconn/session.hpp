// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/grant.hpp"
#include "core/principal.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic.hpp"
#include "net/protocol.hpp"
#include "net/protocol_host.hpp"
#include "net/ws/endpoint.hpp"
#include "net/zenconn/floor.hpp"
#include "net/zenconn/gate.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::zenconn {

/// What one session may do; asked on its loop only.
class session_powers {
public:
  virtual ~session_powers() = default;
  /// Whether it may be here at all.
  virtual core::deny_reason standing() = 0;
  virtual core::deny_reason check(core::right what, const core::topic& on) = 0;
  /// Whether it may send one more message; counts it.
  virtual core::deny_reason allow_message() = 0;
  /// Another number whenever something about rights has changed.
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;
  /// Whether a token was made for that channel and this session.
  [[nodiscard]] virtual bool token_fits(std::string_view session,
                                        std::string_view channel,
                                        std::string_view token) const = 0;
};

struct session_terms {
  std::string id;  ///< a UUID
  std::string uid; ///< "" for nobody
  spelling how = spelling::json;
  std::unique_ptr<session_powers> powers;
  /// Called once when it has ended, or never began; null: nobody asks.
  std::function<void(std::string_view why)> on_end{};
};

/// One client behind its upgrade: WebSocket messages to requests and answers
/// to messages. Owned by its connection.
class session final : public protocol, private member, private gate_world {
public:
  /// `at` is the floor of the connection's loop; both outlive it.
  session(floor& at, protocol_host& host, session_terms terms);
  ~session();

  void on_open(core::steady_time now, effects& out) override;
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override;
  [[nodiscard]] std::size_t frame_bytes() const override {
    return frame_bytes_;
  }
  [[nodiscard]] bool paused() const override {
    return open_ && (gate_.paused() || held_.size() >= options_.requests_max);
  }
  void on_event(core::session_event event, core::steady_time now,
                effects& out) override;
  void on_flushed(core::steady_time, effects&) override {}
  void on_tick(core::steady_time now, effects& out) override;
  [[nodiscard]] std::optional<core::steady_time> deadline() const override;
  void on_closed(effects& out) override;
  [[nodiscard]] bool can_move() const override { return true; }
  [[nodiscard]] std::string_view name() const override { return "zenconn"; }

private:
  class scope;

  // member
  void on_event(shared_event& what) override;
  void on_counted(std::uint64_t number, core::node_id node,
                  std::uint64_t members) override;
  void on_look() override;

  // gate_world
  void send(const answer& what) override;
  core::deny_reason check(core::right what, const core::topic& on) override;
  core::deny_reason allow_message() override;
  bool token_fits(std::string_view channel, std::string_view token) override;
  void refused(core::audit_kind what, std::string_view channel,
               std::string_view why, std::string_view data) override;
  core::result<void> join(const std::string& channel) override;
  void leave(const std::string& channel) override;
  void announce(const std::string& channel, bool came) override;
  core::result<spoken> speak(const std::string& channel, std::string data,
                             std::uint64_t number) override;

  void on_message(const ws::event& what, core::steady_time now, effects& out);
  [[nodiscard]] incoming decode(const ws::event& what) const;
  void write(const core::shared_bytes& message, effects& out);
  void close(ws::close_code code, std::string_view why, effects& out);
  void end(std::string_view why);
  void note(core::audit_kind what, std::string_view channel,
            std::string_view type, std::string_view why = {},
            core::shared_bytes payload = {});
  void wait_for_record();
  void send_what_is_kept();
  [[nodiscard]] std::optional<core::steady_time> silence_deadline() const;

  floor& floor_;
  protocol_host& host_;
  session_terms terms_;
  const zenconn_options& options_;
  zenconn_stats& stats_;
  ws::endpoint endpoint_;
  gate gate_;
  effects* out_ = nullptr; ///< of the call that is under way
  std::size_t frame_bytes_ = 0;
  std::uint64_t epoch_ = 0; ///< by which the channels were judged
  core::steady_time heard_{};
  bool pinged_ = false; ///< since heard_
  bool open_ = false;   ///< on the floor
  bool ended_ = false;

  /// An answer goes when the record of what it answers is kept.
  struct held_answer {
    core::audit_ticket ticket;
    core::shared_bytes message;
  };
  core::audit_ticket noted_ = 0; ///< the last record
  std::deque<held_answer> held_;
  /// For what comes back from the log: gone with this.
  std::shared_ptr<session*> self_ = std::make_shared<session*>(this);
};

} // namespace troupe::net::zenconn
