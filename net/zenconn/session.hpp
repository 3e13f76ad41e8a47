// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/protocol.hpp"
#include "net/protocol_host.hpp"
#include "net/ws/endpoint.hpp"
#include "net/zenconn/guest.hpp"
#include "net/zenconn/options.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace troupe::net::zenconn {

/// One client behind its upgrade: WebSocket messages to requests and answers
/// to messages. Owned by its connection.
class session final : public protocol, private guest_user {
public:
  /// `options`, `stats` and `host` outlive it.
  session(const zenconn_options& options, zenconn_stats& stats,
          protocol_host& host, spelling how, std::unique_ptr<guest> who);
  ~session();

  void on_open(core::steady_time now, effects& out) override;
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override;
  [[nodiscard]] std::size_t frame_bytes() const override {
    return frame_bytes_;
  }
  [[nodiscard]] bool paused() const override {
    return open_ && guest_->paused();
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

  // guest_user
  void together(const std::function<void()>& work) override;
  void tell(const answer& what) override;
  void dismiss(ws::close_code code, std::string_view why) override;
  void tell_event(shared_event& what) override;
  void on_room() override;

  void on_message(const ws::event& what, core::steady_time now, effects& out);
  [[nodiscard]] incoming decode(const ws::event& what) const;
  void write(const core::shared_bytes& message, effects& out);
  void close(ws::close_code code, std::string_view why, effects& out);
  void end(std::string_view why);
  [[nodiscard]] std::optional<core::steady_time> silence_deadline() const;

  const zenconn_options& options_;
  zenconn_stats& stats_;
  protocol_host& host_;
  const spelling how_;
  ws::endpoint endpoint_;
  const std::unique_ptr<guest> guest_;
  effects* out_ = nullptr; ///< of the call that is under way
  std::size_t frame_bytes_ = 0;
  core::steady_time heard_{};
  bool pinged_ = false; ///< since heard_
  bool open_ = false;   ///< the guest is here
};

} // namespace troupe::net::zenconn
