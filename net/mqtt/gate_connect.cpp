// SPDX-License-Identifier: Apache-2.0
// How a client comes in: CONNECT, the login, CONNACK; and its will.
#include "net/mqtt/crossing.hpp"
#include "net/mqtt/gate.hpp"
#include "net/mqtt/gate_parts.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::net::mqtt {
namespace {

constexpr std::string_view static_token_prefix = "trp_";

/// Three parts, of which the first is a JSON object in base64url: '{"' is
/// "ey" there.
bool looks_like_jwt(std::string_view password) {
  return password.starts_with("ey") &&
         std::count(password.begin(), password.end(), '.') == 2;
}

/// How CONNACK says why a login did not work.
reason_code login_reason(core::deny_reason why) {
  switch (why) {
  case core::deny_reason::not_granted:
  case core::deny_reason::no_credentials:
    return reason_code::not_authorized;
  case core::deny_reason::user_banned:
  case core::deny_reason::address_banned:
    return reason_code::banned;
  case core::deny_reason::too_many_attempts:
  case core::deny_reason::too_many_messages:
    return reason_code::connection_rate_exceeded;
  case core::deny_reason::busy:
    return reason_code::server_busy;
  default:
    return reason_code::bad_user_name_or_password;
  }
}

} // namespace

reason_code reason_of(core::deny_reason why) noexcept {
  switch (why) {
  case core::deny_reason::too_many_messages:
  case core::deny_reason::busy:
    return reason_code::quota_exceeded;
  default:
    return reason_code::not_authorized;
  }
}

void gate::connecting(const any_packet& what) {
  if (const auto* asked = std::get_if<connect>(&what))
    return on(*asked);
  count(stats_.refused_protocol);
  end("[MQTT-3.1.0-1] the first packet is no CONNECT", false);
}

std::optional<std::pair<reason_code, std::string_view>>
gate::why_not(const connect& what) const {
  using enum reason_code;
  if (what.client_id.size() > options_.client_id_bytes_max)
    return std::pair{client_identifier_not_valid, "a long client identifier"};
  if (what.authentication_method && !world_.serves(*what.authentication_method))
    return std::pair{bad_authentication_method,
                     "no such authentication method is served"};
  if (what.will) {
    if (!parse_topic(what.will->topic))
      return std::pair{topic_name_invalid, "no topic for a will"};
    if (what.will->retain && is_5() && !world_.available().retained)
      return std::pair{retain_not_supported, "a will that is retained"};
  }
  return std::nullopt;
}

void gate::on(const connect& what) {
  speaking_ = what.protocol;
  client_problems_ = what.request_problem_information.value_or(true);
  packet_bytes_max_ = what.maximum_packet_size.value_or(0xFFFFFFFF);
  if (const auto wrong = why_not(what)) {
    count(stats_.refused_protocol);
    return refuse(wrong->first, wrong->second);
  }
  arrival_ = std::make_unique<arrival>();
  auto& kept = *arrival_;
  kept.clean_start = what.clean_start;
  kept.response_information = what.request_response_information.value_or(false);
  kept.keep_alive = kept.asked_keep_alive = what.keep_alive;
  kept.session_expiry = what.session_expiry;
  kept.receive_maximum = what.receive_maximum.value_or(65'535);
  kept.topic_alias_maximum = what.topic_alias_maximum.value_or(0);
  client_id_ = what.client_id;
  if (client_id_.empty()) {
    client_id_ = world_.make_client_id();
    kept.assigned_id = true;
  }
  if (client_id_.empty()) {
    count(stats_.refused_busy);
    return refuse(reason_code::server_unavailable, "no client identifier");
  }
  if (what.will)
    keep_will(*what.will);
  stage_ = stage::login;
  if (what.authentication_method)
    return begin_exchange(what);
  world_.log_in(credentials_of(what));
}

void gate::keep_will(const will_message& what) {
  will_ = std::make_unique<kept_will>();
  will_->shown = what.topic;
  will_->what = publication_of(*parse_topic(what.topic), what.level,
                               what.retain, what.properties, what.payload);
  will_->level = what.level;
  will_->retain = what.retain && world_.available().retained;
  will_->delay = what.delay.value_or(seconds{0});
  will_->expiry = what.properties.expiry;
}

core::credentials gate::credentials_of(const connect& what) const {
  core::credentials shown;
  shown.client = client_id_;
  const std::string user{what.user_name.value_or("")};
  if (!what.password) {
    // A name alone proves nothing, and has no password to be compared with.
    shown.uid = user;
    return shown;
  }
  const auto& users = options_.token_users;
  const bool is_token_user =
      std::find(users.begin(), users.end(), user) != users.end();
  if (is_token_user || looks_like_jwt(*what.password)) {
    shown.bearer = *what.password;
  } else if (what.password->starts_with(static_token_prefix)) {
    shown.uid = user;
    shown.bearer = *what.password;
  } else {
    shown.uid = user;
    shown.password = *what.password;
  }
  return shown;
}

void gate::on_login(const core::login_outcome& found) {
  if (stage_ == stage::open)
    return proven_again(found);
  if (stage_ != stage::login)
    return;
  if (found.why != core::deny_reason::none) {
    count(found.why == core::deny_reason::busy ? stats_.refused_busy
                                               : stats_.refused_login);
    auto why = login_reason(found.why);
    if (exchange_ && why == reason_code::bad_user_name_or_password)
      why = reason_code::not_authorized; // there was no password
    // Nobody is told whether a user exists.
    return refuse(why,
                  found.last_words.empty() ? to_string(why) : found.last_words);
  }
  arrival_->uid = found.who.uid;
  if (exchange_) {
    exchange_->whose_turn = exchange::turn::nobody;
    exchange_->last_words = found.last_words;
  }
  stage_ = stage::session;
  session_request wanted;
  wanted.client_id = client_id_;
  wanted.clean_start = arrival_->clean_start;
  // Before MQTT 5 a session that is not clean has no end.
  const auto asked = is_5() ? arrival_->session_expiry.value_or(seconds{0})
                            : (arrival_->clean_start ? seconds{0} : never);
  asked_to_last_ = asked.count() > 0;
  wanted.expiry = std::min(asked, world_.available().session_expiry_max);
  arrival_->expiry = wanted.expiry;
  wanted.receive_max =
      is_5() ? options_.receive_maximum : std::uint16_t{65'535};
  wanted.window = std::min(options_.inflight_max, arrival_->receive_maximum);
  if (wanted.expiry.count() > 0)
    wanted.will = will_for_record();
  world_.open_session(wanted);
}

/// What the session's record keeps of the will; what may not be published is
/// not kept.
std::optional<core::session_will> gate::will_for_record() {
  const auto will = std::exchange(will_, nullptr);
  if (!will)
    return std::nullopt;
  if (const auto why = world_.check(core::right::publish, will->what.topic);
      why != core::deny_reason::none) {
    count(stats_.refused_publish);
    world_.refused(core::audit_kind::publish, will->shown,
                   core::to_string(why));
    return std::nullopt;
  }
  core::session_will kept;
  kept.topic = will->what.topic.text();
  kept.content.content_type = std::move(will->what.content_type);
  kept.content.headers = std::move(will->what.headers);
  kept.content.qos = static_cast<std::uint8_t>(will->level);
  kept.content.payload = std::move(will->what.payload);
  kept.retain = will->retain;
  kept.delay = std::chrono::seconds{will->delay.count()};
  if (will->expiry)
    kept.time_to_live = std::chrono::seconds{will->expiry->count()};
  return kept;
}

void gate::on_refused(reason_code why, std::string_view text) {
  count(stats_.refused_busy);
  refuse(why, text);
}

void gate::refuse(reason_code why, std::string_view text) {
  if (stage_ == stage::closed)
    return;
  const auto before_5 = connect_return_of(why);
  if (is_5() || before_5) {
    connack told;
    told.reason = why;
    if (is_5())
      told.reason_string = reason_text(text);
    const auto elsewhere = why == reason_code::use_another_server ||
                                   why == reason_code::server_moved
                               ? world_.elsewhere()
                               : std::string{};
    if (!elsewhere.empty())
      told.server_reference = elsewhere;
    world_.send(any_packet{told});
  }
  end(text, false);
}

void gate::on_session(const session_found& found) {
  if (stage_ != stage::session)
    return;
  inflight_max_ = std::min(options_.inflight_max, arrival_->receive_maximum);
  const auto longest = seconds{options_.keep_alive_max};
  if (is_5() && longest.count() > 0 &&
      (arrival_->keep_alive.count() == 0 || arrival_->keep_alive > longest))
    arrival_->keep_alive = longest;
  silence_ = silence_of(arrival_->keep_alive);
  heard_ = now_;
  stage_ = stage::open;
  will_due_ = true;
  count(stats_.sessions);
  count(stats_.sessions_ever);
  const bool lasts = arrival_->expiry.count() > 0;
  if (lasts)
    begin_lasting(found);
  welcome(lasts && found.present);
  arrival_.reset();
  if (lasts)
    resume(found);
}

/// [MQTT-3.1.2-22]: one and a half times the keep alive.
core::milliseconds gate::silence_of(seconds keep_alive) {
  return core::milliseconds{std::int64_t{keep_alive.count()} * 1500};
}

void gate::welcome(bool session_present) {
  connack told;
  told.session_present = session_present;
  if (!is_5())
    return world_.send(any_packet{told});
  const auto can = world_.available();
  if (arrival_->session_expiry &&
      *arrival_->session_expiry > can.session_expiry_max)
    told.session_expiry = can.session_expiry_max;
  told.receive_maximum = options_.receive_maximum;
  if (!can.retained)
    told.retain_available = false;
  told.maximum_packet_size = static_cast<std::uint32_t>(
      std::min<std::size_t>(options_.packet_bytes_max, 0xFFFFFFFF));
  if (arrival_->assigned_id)
    told.assigned_client_id = client_id_;
  if (options_.topic_alias_max > 0)
    told.topic_alias_maximum = options_.topic_alias_max;
  if (!can.shared)
    told.shared_subscriptions_available = false;
  if (arrival_->keep_alive != arrival_->asked_keep_alive)
    told.server_keep_alive = arrival_->keep_alive;
  const auto information = response_information();
  if (!information.empty())
    told.response_information = information;
  if (arrival_->topic_alias_maximum > 0)
    aliases_out_ = std::make_unique<sent_aliases>(
        std::min(arrival_->topic_alias_maximum, options_.topic_alias_max));
  if (exchange_) { // [MQTT-4.12.0-5]
    told.authentication_method = exchange_->method;
    if (!exchange_->last_words.empty())
      told.authentication_data = exchange_->last_words;
  }
  world_.send(any_packet{told});
}

std::string gate::response_information() const {
  if (!arrival_->response_information)
    return {};
  std::string made = options_.response_prefix;
  if (const auto at = made.find("%c"); at != std::string::npos)
    made.replace(at, 2, client_id_);
  return made;
}

void gate::publish_will() {
  const auto will = std::exchange(will_, nullptr);
  if (!will || !will_due_)
    return;
  if (const auto why = world_.check(core::right::publish, will->what.topic);
      why != core::deny_reason::none) {
    count(stats_.refused_publish);
    return world_.refused(core::audit_kind::publish, will->shown,
                          core::to_string(why));
  }
  count(stats_.wills);
  world_.publish(std::move(will->what), will->shown, ++last_ticket_);
}

} // namespace troupe::net::mqtt
