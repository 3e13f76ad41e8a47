// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/gate.hpp"
#include "net/mq/gate_options.hpp"
#include "net/mq/packet_sink.hpp"
#include "net/protocol.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace troupe::net::mq {

/// websocket.MQ in its own frames on a bare TCP or TLS stream: what its first
/// clients speak. Owned by a connection; `options` outlives it.
class mq_over_draft final : public protocol, private packet_sink {
public:
  explicit mq_over_draft(const gate_options& options) : gate_(options, *this) {}
  // The gate knows its sink by address.
  mq_over_draft(const mq_over_draft&) = delete;
  mq_over_draft& operator=(const mq_over_draft&) = delete;

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
  [[nodiscard]] std::string_view name() const override { return "mq"; }

private:
  void send(packet_head& head, const core::shared_bytes& etc,
            const core::shared_bytes& data, output_queue& out) override;
  void send_close(goodbye why, std::string_view reason,
                  output_queue& out) override;

  gate gate_;
  std::size_t frame_bytes_ = 0;
};

} // namespace troupe::net::mq
