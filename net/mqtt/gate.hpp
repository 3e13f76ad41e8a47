// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/client_event.hpp"
#include "core/clock.hpp"
#include "core/listener_fate.hpp"
#include "core/publication.hpp"
#include "net/mqtt/farewell.hpp"
#include "net/mqtt/gate_world.hpp"
#include "net/mqtt/options.hpp"
#include "net/mqtt/packets.hpp"
#include "net/mqtt/receive_window.hpp"
#include "net/mqtt/send_window.hpp"
#include "net/mqtt/subscriptions.hpp"
#include "net/mqtt/topic_aliases.hpp"
#include "net/mqtt/topic_spelling.hpp"
#include "net/mqtt/violation.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::mqtt {

/// What becomes of a message for a client that is connected.
enum class lot : std::uint8_t {
  goes,
  waits,
  too_slow,   ///< dropped: too much is unsent
  queue_full, ///< dropped
  ends_it,    ///< it does not fit, and the session ends for it
};

/// The conversation with one client, of any version: who it is, what it may
/// have, what it is sent and in which order. Pure; owned by its session. All
/// that it holds is bounded by options.
///
/// Sources: gate.cpp (the way of a packet, time, the end), gate_connect.cpp,
/// gate_auth.cpp (logins in several steps), gate_publish.cpp (what the client
/// publishes), gate_subscribe.cpp, gate_deliver.cpp (what it is sent),
/// gate_foretell.cpp (what it would be sent), gate_lasting.cpp (what outlives
/// the connection).
class gate {
public:
  /// All outlive it. `denied`: of the client's listener, if it has its own.
  gate(const mqtt_options& options, mqtt_stats& stats, gate_world& world,
       std::optional<denial_policy> denied = std::nullopt);
  ~gate();
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  void on_open(core::steady_time now);
  void on_packet(const any_packet& what, core::steady_time now);
  /// What came is no packet; `spoken` is the version that a CONNECT asks for,
  /// if it can be told.
  void on_violation(const violation& what, std::optional<version> spoken);
  /// Any bytes have come.
  void on_heard(core::steady_time now) {
    if (stage_ == stage::open)
      heard_ = now;
  }

  // Answers of the world.

  /// The client can't come in, whoever it is; instead of on_login().
  void on_refused(reason_code why, std::string_view text);
  void on_login(const core::login_outcome& found);
  /// It is the client's turn again in a login of several steps.
  void on_challenge(std::string_view said);
  void on_session(const session_found& found);
  void on_published(std::uint64_t ticket, reason_code outcome);
  /// Something that was listened to; the same one several times in a row if
  /// several of what was listened to match.
  void on_publication(const core::publication_ptr& what);
  /// It is this client's turn in a share.
  void on_shared(const core::topic_filter& filter, std::string_view share,
                 const core::publication_ptr& what);
  /// What would become of one that is not made and was listened to by this
  /// filter, alone or in a share. False: nothing that is to be shown here.
  [[nodiscard]] bool foretell(const core::publication_ptr& what,
                              const core::topic_filter& filter,
                              std::string_view share,
                              core::listener_fate& to) const;
  /// A retained message for the subscription of this filter. False: there is
  /// none any more.
  bool on_retained(const core::topic_filter& of,
                   const core::publication_ptr& what);
  /// Whether a retained message would go now, and not wait or be dropped.
  [[nodiscard]] bool takes_retained() const;
  /// Less than before waits for the client.
  void on_room();

  // Of a session that outlives its connection; see client_event.hpp.

  /// A message from its inbox, which was queued at `queued`.
  void on_delivery(core::inbox_position position, outgoing what,
                   core::timestamp queued);
  void on_released(const std::vector<std::uint16_t>& packets);
  void on_completed(const std::vector<std::uint16_t>& packets);
  void on_routed(const core::client_routed& what);

  void on_tick(core::steady_time now);
  void on_rights_changed();
  void on_farewell(farewell why);
  /// The connection has ended, by whomever. The last call.
  void on_closed();

  [[nodiscard]] std::optional<core::steady_time> deadline() const;
  /// Nothing is read before an answer of the world has come.
  [[nodiscard]] bool paused() const;
  [[nodiscard]] bool closed() const { return stage_ == stage::closed; }
  /// A client is logged in.
  [[nodiscard]] bool open() const { return stage_ == stage::open; }

  [[nodiscard]] version speaking() const { return speaking_; }
  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  /// The client's maximum packet size.
  [[nodiscard]] std::uint32_t packet_bytes_max() const {
    return packet_bytes_max_;
  }

private:
  enum class stage : std::uint8_t {
    silent,  ///< no CONNECT yet
    login,   ///< who it is is being found out
    session, ///< the session is being opened
    open,
    closed,
  };
  /// What a CONNECT asks for and is kept.
  struct kept_will;
  struct arrival;
  /// A login in several steps: what was agreed on, and whose turn it is.
  struct exchange;
  /// What only a session has that outlives its connection.
  struct lasting;

  [[nodiscard]] bool is_5() const { return speaking_ == version::v5; }

  // gate.cpp
  void dispatch(const any_packet& what);
  void on(const disconnect& what);
  /// The client is told why, as far as its version can say it.
  void fail(reason_code why, std::string_view text,
            std::string_view reference = {});
  void protocol_error(std::string_view text) {
    fail(reason_code::protocol_error, text);
  }
  void end(std::string_view why, bool at_once);
  [[nodiscard]] std::optional<std::string_view>
  reason_text(std::string_view text) const;

  // gate_connect.cpp
  void connecting(const any_packet& what);
  void on(const connect& what);
  [[nodiscard]] std::optional<std::pair<reason_code, std::string_view>>
  why_not(const connect& what) const;
  void keep_will(const will_message& what);
  [[nodiscard]] core::credentials credentials_of(const connect& what) const;
  void refuse(reason_code why, std::string_view text);
  void welcome(bool session_present);
  [[nodiscard]] std::string response_information() const;
  void publish_will();
  [[nodiscard]] std::optional<core::session_will> will_for_record();
  [[nodiscard]] static core::milliseconds silence_of(seconds keep_alive);

  // gate_auth.cpp
  void begin_exchange(const connect& what);
  void proving(const any_packet& what);
  void on(const auth& what);
  void say_auth(reason_code why, std::string_view said);
  void proven_again(const core::login_outcome& found);
  [[nodiscard]] bool is_clients_turn() const;
  [[nodiscard]] std::optional<core::steady_time> exchange_deadline() const;

  // gate_publish.cpp
  void on(const publish& what);
  void on(const pubrel& what);
  [[nodiscard]] std::optional<std::string_view> name_of(const publish& what);
  void answer(packet_id id, qos level, reason_code outcome);
  void answer_ready();
  void deny(const publish& what, std::string_view name, core::deny_reason why);

  // gate_subscribe.cpp
  void on(const subscribe& what);
  void on(const unsubscribe& what);
  void tell(const suback& what);
  [[nodiscard]] reason_code grant(const subscription_request& what,
                                  std::uint32_t id);
  [[nodiscard]] reason_code grant(const subscription_request& what,
                                  std::uint32_t id,
                                  const core::topic_filter& filter);
  [[nodiscard]] std::optional<core::topic_filter>
  permitted(const core::topic_filter& filter, core::deny_reason& why);
  [[nodiscard]] reason_code deny(const subscription_request& what,
                                 core::deny_reason why);
  void stop_hearing(const core::topic_filter& filter);
  [[nodiscard]] reason_code grant_share(const subscription_request& what,
                                        std::uint32_t id,
                                        const core::topic_filter& filter,
                                        std::string_view share);
  [[nodiscard]] bool has_room_to_subscribe();
  [[nodiscard]] bool forget(const parsed_filter& which,
                            std::vector<core::route_name>& gone);
  using share_map = std::map<std::string, subscription, std::less<>>;
  [[nodiscard]] static std::string share_key(const core::topic_filter& filter,
                                             std::string_view share);
  void stop_sharing(share_map::iterator which);

  // gate_deliver.cpp
  void on(const puback& what);
  void on(const pubrec& what);
  void on(const pubcomp& what);
  void deliver(const core::publication_ptr& what, const wanted& by,
               qos published, bool retain);
  [[nodiscard]] static wanted wanted_by(const subscription& share);
  [[nodiscard]] lot lot_of(const core::publication& what, qos level) const;
  void queue(outgoing what);
  /// False: it did not go, and does not have to any more.
  bool send(delivery& one);
  void pump();
  void on_answered(send_window::outcome what);

  // gate_foretell.cpp
  void foretell_sending(const core::publication_ptr& what, const wanted& by,
                        core::listener_fate& to) const;

  // gate_lasting.cpp
  [[nodiscard]] static bool comes_by_inbox(const core::publication& what,
                                           const wanted& by);
  void begin_lasting(const session_found& found);
  void resume(const session_found& found);
  void restore(const core::route& one, std::vector<core::route_name>& lost);
  void answer_when_routed(suback told,
                          const std::vector<subscription_request>& asked);
  void answer_when_routed(unsuback told, std::vector<core::route_name> gone);
  void unroute(std::vector<core::route_name> gone);
  [[nodiscard]] core::route route_of(const subscription& what) const;
  [[nodiscard]] subscription* find_subscription(const parsed_filter& which);
  void deliver_lasting(const core::publication_ptr& what, const wanted& by,
                       qos published, bool retain);
  void pump_lasting();
  void on_lasting_answer(send_window::outcome what);
  void on_lasting_pubrec(const pubrec& what);

  const mqtt_options& options_;
  mqtt_stats& stats_;
  gate_world& world_;
  const denial_policy denied_;
  stage stage_ = stage::silent;
  version speaking_ = version::v5;
  bool client_problems_ = true; ///< may be told reason strings
  bool will_due_ = false;       ///< if it ends now
  bool asked_to_last_ = false;  ///< by CONNECT, beyond the connection
  core::steady_time now_{};     ///< of the last call that knows
  core::steady_time heard_{};
  std::uint32_t packet_bytes_max_ = 0xFFFFFFFF;
  core::milliseconds silence_{0}; ///< that ends it; 0: none does
  std::string client_id_;
  std::unique_ptr<arrival> arrival_;   ///< until it is open
  std::unique_ptr<exchange> exchange_; ///< null: no method was agreed on
  std::unique_ptr<kept_will> will_;
  // What comes.
  receive_window received_;
  std::unique_ptr<received_aliases> aliases_in_;
  std::uint64_t last_ticket_ = 0;
  // What goes.
  subscriptions subscriptions_;
  share_map shares_; ///< by share_key()
  std::unique_ptr<send_window> window_;
  std::unique_ptr<sent_aliases> aliases_out_;
  const core::publication* last_ = nullptr; ///< of on_publication(), not owned
  std::uint64_t last_number_ = 0;
  std::uint16_t inflight_max_ = 1;
  std::unique_ptr<lasting> lasting_; ///< null: it ends with the connection
};

} // namespace troupe::net::mqtt
