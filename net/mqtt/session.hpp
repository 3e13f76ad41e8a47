// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/authorizer.hpp"
#include "core/shared_bytes.hpp"
#include "net/client_space.hpp"
#include "net/identity/live_rights.hpp"
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/gate.hpp"
#include "net/mqtt/house.hpp"
#include "net/mqtt/outgoing_publish.hpp"
#include "net/mqtt/publish_line.hpp"
#include "net/mqtt/retained_feed.hpp"
#include "net/mqtt/trace.hpp"
#include "net/protocol.hpp"
#include "net/protocol_host.hpp"
#include "net/topic_space.hpp"
#include "net/ws/endpoint.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::mqtt {

/// What carries MQTT's bytes.
enum class carrier : std::uint8_t { stream, websocket };

/// One client: bytes to packets and back, and what its gate wants done. Owned
/// by its connection.
class session final : public protocol,
                      private gate_world,
                      private retained_outlet,
                      private topic_listener,
                      private identity::live_rights::watcher {
public:
  /// The house outlives it. `denied`: of its listener, if that has its own.
  session(house& of, protocol_host& host, carrier by,
          std::optional<denial_policy> denied = std::nullopt);
  ~session() override;
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void on_open(core::steady_time now, effects& out) override;
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override;
  [[nodiscard]] std::size_t frame_bytes() const override {
    return frame_bytes_;
  }
  [[nodiscard]] bool paused() const override {
    return !gate_.closed() && (gate_.paused() || line_is_full());
  }
  void on_event(core::session_event event, core::steady_time now,
                effects& out) override;
  void on_flushed(core::steady_time now, effects& out) override;
  void on_tick(core::steady_time now, effects& out) override;
  [[nodiscard]] std::optional<core::steady_time> deadline() const override;
  void on_closed(effects& out) override;
  [[nodiscard]] bool can_move() const override { return gate_.open(); }
  [[nodiscard]] std::string_view name() const override {
    return endpoint_ ? "mqtt-ws" : "mqtt";
  }

private:
  /// Where the gate's effects go, for the length of a call.
  class scope {
  public:
    scope(session& of, effects& out) : of_(of) { of_.out_ = &out; }
    ~scope() {
      of_.send_commands();
      of_.out_ = nullptr;
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

  private:
    session& of_;
  };
  class share_ear;
  class client_ear;
  /// Something that is listened to, perhaps for several subscriptions.
  struct hearing {
    std::shared_ptr<topic_listener> ear; ///< of a share
    std::unique_ptr<topic_hold> hold;
    std::size_t subscriptions = 0;
    std::string shown; ///< the first one's filter, for the audit
  };

  // gate_world
  void send(const any_packet& what) override;
  delivered send(const delivery& what) override;
  [[nodiscard]] bool fits(const delivery& what) override;
  [[nodiscard]] std::size_t backlog() const override;
  void close(std::string_view why, bool at_once) override;
  void log_in(core::credentials shown) override;
  [[nodiscard]] bool serves(std::string_view method) const override;
  void begin_proof(std::string_view method, std::string_view said) override;
  void go_on_proof(std::string_view said) override;
  std::string make_client_id() override;
  void open_session(const session_request& what) override;
  [[nodiscard]] features available() const override;
  core::deny_reason standing() override;
  core::deny_reason check(core::right what, const core::topic& on) override;
  core::deny_reason check(core::right what,
                          const core::topic_filter& on) override;
  core::deny_reason allow_message() override;
  core::result<void> listen(const core::topic_filter& what,
                            std::string_view share,
                            std::string_view shown) override;
  void stop_listening(const core::topic_filter& what,
                      std::string_view share) override;
  publish_state publish(core::publication what, std::string_view shown,
                        std::uint64_t ticket) override;
  [[nodiscard]] bool is_own(const core::publication& what) const override;
  void send_retained(const core::topic_filter& what,
                     const core::topic_filter& of) override;
  void publish_once(core::publication what, std::string_view shown,
                    std::uint64_t ticket, packet_id id) override;
  void release(packet_id id) override;
  void settle(core::inbox_position up_to,
              std::vector<std::uint16_t> awaiting) override;
  void complete(packet_id id) override;
  void route(std::uint64_t ticket, std::vector<core::route_name> remove,
             std::vector<core::route> add) override;
  void keep(seconds expiry) override;
  void queue_own(const core::publication& what, qos level, bool retain,
                 std::vector<std::uint32_t> subscription_ids) override;
  void leave(bool drop_will) override;
  void refused(core::audit_kind what, std::string_view target,
               std::string_view why) override;
  [[nodiscard]] core::timestamp wall() const override;
  [[nodiscard]] std::string elsewhere() const override {
    return house_.elsewhere();
  }

  // retained_outlet
  void settle(std::uint64_t number) override;
  void read(key_query what, std::uint64_t number) override;
  [[nodiscard]] bool has_room() const override {
    return gate_.takes_retained();
  }
  bool give(const core::topic_filter& of,
            const core::publication_ptr& what) override {
    return gate_.on_retained(of, what);
  }

  // topic_listener; watcher
  void on_publication(const core::publication_ptr& what) override;
  void foretell(const core::publication_ptr& what,
                core::fate_list& to) override;
  void on_rights_changed() override;

  std::size_t read_packets(const input& in, core::steady_time now);
  std::size_t read_messages(const input& in, core::steady_time now,
                            effects& out);
  void read_message(const core::shared_bytes& payload, core::steady_time now);
  void read_rest(core::steady_time now);
  void run(const std::function<void()>& work);
  [[nodiscard]] std::optional<core::login_outcome>
  by_certificate(const core::credentials& shown) const;
  [[nodiscard]] bool lets_in();
  [[nodiscard]] core::credentials whereabouts() const;
  void judged(core::login_outcome found);
  void admit(const core::login_outcome& found);
  delivered send_publication(const delivery& what);
  delivered send(outgoing_publish& made, const delivery& what);
  void write(const encoded_packet& what);
  void write(std::span<const core::shared_bytes> pieces);
  void left();

  /// For who looks on; `spell` is called only if somebody does.
  template <class Spell>
  void tell_trace(trace_way way, const Spell& spell) {
    if (!trace_)
      return;
    if (trace_->over(house_.with().clock.now()))
      return trace_.reset();
    trace_->note(wall(), way, spell());
  }
  // session_retained.cpp
  /// Null: nothing is retained here.
  [[nodiscard]] key_space* keys() const;
  [[nodiscard]] bool line_is_full() const { return line_ && line_->is_full(); }
  [[nodiscard]] publish_state pass_on(core::publication what,
                                      std::string_view shown, queue_terms terms,
                                      std::uint64_t ticket);
  [[nodiscard]] publish_state line_up(core::publication what,
                                      std::string_view shown, queue_terms terms,
                                      std::uint64_t ticket);
  void go_on_with_retained();
  void note_value(const core::publication& what);
  // session_lasting.cpp
  void enter();
  void ask(core::client_command what);
  void send_commands();
  [[nodiscard]] queue_terms terms_for(const core::publication& what,
                                      std::uint64_t ticket);
  publish_state hand_over(core::publication what, std::string_view shown,
                          queue_terms terms, std::uint64_t ticket);
  void hear(core::client_event event);
  void on(core::client_opened& what);
  void on(core::client_delivery& what);
  void on(const core::client_released& what);
  void on(const core::client_received& what);
  void on(const core::client_completed& what);
  void on(const core::client_routed& what);
  void on(const core::client_ended& what);

  void note(core::audit_kind what, std::string_view target,
            std::string_view type, std::string_view why = {},
            core::shared_bytes payload = {});
  void hold_back(const any_packet& what);
  void wait_for_record();
  void send_what_is_kept();

  house& house_;
  protocol_host& host_;
  std::unique_ptr<ws::endpoint> endpoint_; ///< null: a stream
  gate gate_;
  effects* out_ = nullptr; ///< of the call that is under way
  std::size_t frame_bytes_ = 0;
  std::string rest_; ///< of messages, behind the last whole packet
  std::unique_ptr<core::login_dialogue> dialogue_; ///< null: none under way
  std::unique_ptr<core::session_rights> rights_;
  identity::live_rights::hold rights_hold_;
  std::optional<core::steady_time> expires_;
  std::map<std::string, hearing, std::less<>> heard_;
  bool entered_ = false;                ///< the house
  std::shared_ptr<trace> trace_;        ///< null: nobody looks
  std::shared_ptr<publish_line> line_;  ///< null before the first publication
  std::unique_ptr<retained_feed> feed_; ///< null before the first subscription
  std::shared_ptr<client_ear> ear_;     ///< outlives port_
  std::unique_ptr<client_port> port_;   ///< to its session; null: none
  std::vector<core::client_command> commands_; ///< of this call
  /// Messages of QoS 2 that wait for their numbers.
  struct numbered {
    core::publication what;
    std::string shown;
  };
  std::map<std::uint64_t, numbered> numbering_; ///< by ticket

  /// An answer goes when the record of what it answers is kept.
  struct held_answer {
    core::audit_ticket ticket;
    core::shared_bytes bytes;
  };
  core::audit_ticket noted_ = 0; ///< the last record
  std::vector<held_answer> held_;
  /// For what comes back from elsewhere: gone with this.
  std::shared_ptr<session*> self_ = std::make_shared<session*>(this);
};

} // namespace troupe::net::mqtt
