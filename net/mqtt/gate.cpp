// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/gate.hpp"

#include "net/mqtt/gate_parts.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace troupe::net::mqtt {
namespace {

/// What a client that keeps to MQTT does not do.
bool is_offence(reason_code why) {
  switch (why) {
  case reason_code::malformed_packet:
  case reason_code::protocol_error:
  case reason_code::topic_name_invalid:
  case reason_code::receive_maximum_exceeded:
  case reason_code::topic_alias_invalid:
  case reason_code::packet_too_large:
  case reason_code::retain_not_supported:
    return true;
  default:
    return false;
  }
}

} // namespace

/// Answers that one client waits for; then nothing is read from it.
constexpr std::size_t answers_max = 1024;

gate::gate(const mqtt_options& options, mqtt_stats& stats, gate_world& world,
           std::optional<denial_policy> denied)
    : options_(options), stats_(stats), world_(world),
      denied_(denied.value_or(options.denied)) {}

gate::~gate() = default;

void gate::on_open(core::steady_time now) { now_ = heard_ = now; }

void gate::on_packet(const any_packet& what, core::steady_time now) {
  now_ = now;
  if (stage_ == stage::closed)
    return;
  if (stage_ == stage::silent)
    return connecting(what);
  if (stage_ == stage::login && is_clients_turn())
    return proving(what);
  if (stage_ != stage::open) // whoever reads on though it is paused
    return protocol_error("a packet before the CONNACK");
  dispatch(what);
}

void gate::dispatch(const any_packet& what) {
  std::visit(
      [this](const auto& each) {
        using kind = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<kind, connect>)
          protocol_error("[MQTT-3.1.0-2] a second CONNECT");
        else if constexpr (std::is_same_v<kind, pingreq>)
          world_.send(any_packet{pingresp{}});
        else if constexpr (requires { this->on(each); })
          on(each);
        else // the decoder knows who sends what
          protocol_error("a packet of the other direction");
      },
      what);
}

void gate::on_violation(const violation& what, std::optional<version> spoken) {
  if (stage_ == stage::closed)
    return;
  if (stage_ == stage::silent && spoken)
    speaking_ = *spoken;
  // Who never got as far as a version gets no answer [MQTT-3.1.4-1].
  if (stage_ == stage::silent && !spoken &&
      what.reason != reason_code::unsupported_protocol_version) {
    count(stats_.refused_protocol);
    return end(to_string(what), false);
  }
  if (stage_ == stage::silent)
    count(stats_.refused_protocol);
  fail(what.reason, to_string(what));
}

void gate::on(const disconnect& what) {
  const auto expiry = what.session_expiry.value_or(seconds{0});
  if (!asked_to_last_ && expiry.count() > 0)
    return protocol_error("3.14.2.2.2: a session that was to end goes on");
  if (lasting_ && what.session_expiry)
    world_.keep(std::min(expiry, world_.available().session_expiry_max));
  // [MQTT-3.14.4-3]: the will goes with a normal end only.
  will_due_ = what.reason != reason_code::normal_disconnection;
  end("the client disconnected", false);
}

std::optional<std::string_view> gate::reason_text(std::string_view text) const {
  if (!client_problems_ || text.empty())
    return std::nullopt;
  return text;
}

void gate::fail(reason_code why, std::string_view text,
                std::string_view reference) {
  if (stage_ == stage::closed)
    return;
  if (stage_ != stage::open)
    return refuse(why, text);
  if (is_offence(why))
    count(stats_.ended_protocol);
  if (is_5()) {
    disconnect told;
    told.reason = why;
    told.reason_string = reason_text(text);
    if (!reference.empty())
      told.server_reference = reference;
    world_.send(any_packet{told});
  }
  end(text, false);
}

void gate::end(std::string_view why, bool at_once) {
  if (stage_ == stage::closed)
    return;
  const std::string text{why}; // may lie in what ends now
  on_closed();
  world_.close(text, at_once);
}

void gate::on_closed() {
  if (stage_ == stage::closed)
    return;
  const bool was_open = stage_ == stage::open;
  stage_ = stage::closed;
  arrival_.reset();
  exchange_.reset();
  if (!was_open)
    return;
  for (const auto& each : subscriptions_.all())
    world_.stop_listening(each.heard, {});
  for (const auto& [key, each] : shares_)
    world_.stop_listening(each.heard, each.share);
  uncount(stats_.subscriptions, subscriptions_.size() + shares_.size());
  uncount(stats_.sessions);
  subscriptions_ = {};
  shares_.clear();
  window_.reset();
  received_.clear();
  aliases_in_.reset();
  aliases_out_.reset();
  publish_will();
  lasting_.reset();
  world_.leave(!will_due_);
}

void gate::on_farewell(farewell why) {
  if (stage_ == stage::closed)
    return;
  switch (why) {
  case farewell::draining:
    return fail(reason_code::use_another_server, "the node drains",
                world_.elsewhere());
  case farewell::moved:
    return fail(reason_code::server_moved,
                "the node was removed from its cluster", world_.elsewhere());
  case farewell::shutting_down:
    return fail(reason_code::server_shutting_down, "the node shuts down");
  case farewell::taken_over:
    count(stats_.ended_taken_over);
    return fail(reason_code::session_taken_over,
                "the same client has connected again");
  case farewell::kicked:
    return fail(reason_code::administrative_action, "an operator ended it");
  case farewell::out_of_reach:
    return fail(reason_code::server_busy, "the session is out of reach");
  }
}

void gate::on_rights_changed() {
  if (stage_ != stage::open)
    return;
  if (const auto why = world_.standing();
      why != core::deny_reason::none &&
      (why != core::deny_reason::expired ||
       options_.expired == expiry_policy::close)) {
    count(stats_.ended_rights);
    return fail(reason_code::not_authorized, core::to_string(why));
  }
  if (world_.standing() != core::deny_reason::none)
    return; // expired, and stays
  std::vector<core::topic_filter> lost;
  for (const auto& each : subscriptions_.all())
    if (world_.check(core::right::subscribe, each.heard) !=
        core::deny_reason::none)
      lost.push_back(each.filter);
  std::vector<share_map::iterator> lost_shares;
  for (auto at = shares_.begin(); at != shares_.end(); ++at)
    if (world_.check(core::right::subscribe, at->second.heard) !=
        core::deny_reason::none)
      lost_shares.push_back(at);
  if (lost.empty() && lost_shares.empty())
    return;
  if (denied_ == denial_policy::close) {
    count(stats_.ended_rights);
    return fail(reason_code::not_authorized,
                "a subscription is not permitted any more");
  }
  std::vector<core::route_name> gone;
  for (const auto& filter : lost) {
    gone.push_back({subscriptions_.find(filter)->heard.text(), {}});
    stop_hearing(filter);
  }
  for (const auto at : lost_shares) {
    gone.push_back({at->second.heard.text(), at->second.share});
    stop_sharing(at);
  }
  unroute(std::move(gone));
}

void gate::on_tick(core::steady_time now) {
  now_ = now;
  if (stage_ == stage::open && paused())
    heard_ = now; // nobody listens, so silence says nothing
  const auto due = deadline();
  if (!due || *due > now)
    return;
  if (stage_ != stage::open) {
    count(stats_.refused_protocol);
    return end(stage_ == stage::silent ? "no CONNECT in time"
                                       : "no AUTH in time",
               true);
  }
  if (const auto end_of_it = exchange_deadline();
      end_of_it && *end_of_it <= now) {
    count(stats_.refused_login);
    return fail(reason_code::not_authorized, "no AUTH in time");
  }
  count(stats_.ended_keep_alive);
  fail(reason_code::keep_alive_timeout, "silent for too long");
}

std::optional<core::steady_time> gate::deadline() const {
  switch (stage_) {
  case stage::silent:
    return heard_ + options_.connect_time;
  case stage::open: {
    auto due = exchange_deadline();
    if (silence_.count() > 0)
      due = std::min(due.value_or(heard_ + silence_), heard_ + silence_);
    return due;
  }
  case stage::login:
    if (is_clients_turn())
      return exchange_deadline();
    break;
  case stage::session:
  case stage::closed:
    break;
  }
  return std::nullopt;
}

bool gate::paused() const {
  return (stage_ == stage::login && !is_clients_turn()) ||
         stage_ == stage::session || received_.waiting() >= answers_max ||
         (lasting_ &&
          lasting_->answers.size() + lasting_->releasing.size() >= answers_max);
}

} // namespace troupe::net::mqtt
