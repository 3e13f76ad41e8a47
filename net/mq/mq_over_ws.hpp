// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/gate.hpp"
#include "net/mq/gate_options.hpp"
#include "net/mq/packet_sink.hpp"
#include "net/protocol.hpp"
#include "net/ws/endpoint.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe::net::mq {

/// What the WebSocket below a gate does on its own.
struct ws_options {
  /// After this long without a byte from the peer a ping is sent …
  core::milliseconds ping_time{30'000};
  /// … and after this long the peer counts as gone. 0 in either: never.
  core::milliseconds silence_time{60'000};
};

/// websocket.MQ in WebSocket messages (RFC 6455), one packet a message: the
/// native protocol of browsers. Starts behind the upgrade; `deflate` is what
/// the handshake agreed on. Owned by a connection; the options outlive it.
class mq_over_ws final : public protocol, private packet_sink {
public:
  mq_over_ws(const gate_options& gate_settings, const ws_options& ws_settings,
             std::optional<ws::deflate_agreement> deflate = std::nullopt)
      : options_(&ws_settings), endpoint_(ws::role::server, deflate),
        gate_(gate_settings, *this) {}
  // The gate knows its sink by address.
  mq_over_ws(const mq_over_ws&) = delete;
  mq_over_ws& operator=(const mq_over_ws&) = delete;

  void on_open(core::steady_time now, effects& out) override;
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override;
  [[nodiscard]] std::size_t frame_bytes() const override {
    return frame_bytes_;
  }
  [[nodiscard]] bool paused() const override { return gate_.paused(); }
  void on_event(core::session_event event, core::steady_time now,
                effects& out) override;
  void on_flushed(core::steady_time now, effects& out) override;
  void on_tick(core::steady_time now, effects& out) override;
  [[nodiscard]] std::optional<core::steady_time> deadline() const override;
  void on_closed(effects& out) override;
  [[nodiscard]] std::string_view name() const override { return "mq-ws"; }

private:
  void send(packet_head& head, const core::shared_bytes& etc,
            const core::shared_bytes& data, output_queue& out) override;
  void send_close(goodbye why, std::string_view reason,
                  output_queue& out) override;

  void fail(ws::close_code code, std::string_view reason, effects& out);
  void keep_alive(core::steady_time now, effects& out);
  [[nodiscard]] std::optional<core::steady_time> silence_deadline() const;

  const ws_options* options_;
  ws::endpoint endpoint_;
  gate gate_;
  std::size_t frame_bytes_ = 0;
  core::steady_time heard_{}; // the last byte from the peer
  ws::close_code quit_code_ = ws::close_code::policy_violation;
  bool pinged_ = false; // since heard_
};

} // namespace troupe::net::mq
