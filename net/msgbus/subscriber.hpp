// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/msgbus/bus_options.hpp"
#include "net/msgbus/desk.hpp"
#include "net/msgbus/history.hpp"
#include "net/msgbus/part_writer.hpp"
#include "net/msgbus/pattern_list.hpp"
#include "net/protocol.hpp"
#include "net/protocol_host.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::msgbus {

/// What somebody subscribed to.
struct subscription_terms {
  std::string channel; ///< "": the root
  pattern_list types{};
  pattern_list senders{};
  framing how = framing::parts_chunked;
  std::string user{}; ///< as the gatekeeper calls him, for the log
  /// Wait for one message only.
  bool poll = false;

  /// What of it a desk is told.
  [[nodiscard]] msgbus::wish wish() const;

  /// Whether the filters let a message pass.
  [[nodiscard]] bool want(const core::publication& what,
                          bool strict_senders) const;
};

/// The rest of a connection behind the head of a stream: writes what is
/// published until one of both ends, or, of a poll, one message. What the
/// client sends is thrown away. Owned by the connection.
class subscriber final : public protocol, private seat_user {
public:
  subscriber(std::shared_ptr<bus_context> shared, protocol_host& host,
             subscription_terms terms);
  ~subscriber();
  subscriber(const subscriber&) = delete;
  subscriber& operator=(const subscriber&) = delete;

  /// Before it speaks; `past` comes first.
  void begin(std::unique_ptr<seat> at, std::vector<core::publication_ptr> past);

  [[nodiscard]] bool is_poll() const { return terms_.poll; }

  void on_open(core::steady_time now, effects& out) override;
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override;
  [[nodiscard]] std::size_t frame_bytes() const override { return 0; }
  void on_event(core::session_event event, core::steady_time now,
                effects& out) override;
  void on_flushed(core::steady_time, effects&) override {}
  void on_tick(core::steady_time now, effects& out) override;
  [[nodiscard]] std::optional<core::steady_time> deadline() const override;
  void on_closed(effects& out) override;
  bool on_half_closed(core::steady_time now, effects& out) override;
  [[nodiscard]] std::optional<core::milliseconds> write_stall() const override {
    return shared_->options.write_stall;
  }
  [[nodiscard]] std::string_view name() const override { return "msgbus"; }

private:
  void on_publication(const core::publication_ptr& what) override;
  void foretell(const core::publication_ptr& what,
                core::listener_fate& to) override;
  void on_seat_lost(std::string_view why) override;
  void write(const core::publication_ptr& what, effects& out);
  [[nodiscard]] bool is_slow(const effects& out) const;
  void answer_poll(const core::publication& what, effects& out);
  void replay(effects& out);
  [[nodiscard]] bool replayed_before(const core::publication& what) const;
  void drop(const core::publication& what);
  void finish(std::string_view why, effects& out);
  void end();
  [[nodiscard]] bool is_root() const { return terms_.channel.empty(); }

  const std::shared_ptr<bus_context> shared_;
  protocol_host& host_;
  const subscription_terms terms_;
  std::unique_ptr<seat> seat_;
  std::optional<core::steady_time> heart_beat_;
  std::optional<core::steady_time> leave_;   // the client has ended its side
  std::optional<core::steady_time> give_up_; // a poll
  bool written_ = false;                     // since the last heart-beat
  // Out of the history, not written yet; what of it may still come again, as
  // it was under way when this began to listen, in order.
  std::vector<core::publication_ptr> past_;
  std::vector<message_mark> replayed_;
  std::optional<core::steady_time> forget_; // replayed_
};

/// "127.0.0.1:4711 (alice)", as lines of the log have it; "?" for nobody.
[[nodiscard]] std::string client_text(const connection_info& info,
                                      std::string_view user);

} // namespace troupe::net::msgbus
