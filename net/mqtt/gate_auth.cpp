// SPDX-License-Identifier: Apache-2.0
// Logins by a method of several steps (MQTT 5, 4.12): with CONNECT, and once
// more while the client is connected. What is said in them is for whoever
// serves the method; here is whose turn it is.
#include "net/mqtt/gate.hpp"
#include "net/mqtt/gate_parts.hpp"

#include <algorithm>
#include <variant>

namespace troupe::net::mqtt {
namespace {

/// How DISCONNECT says why a client that is connected did not prove again who
/// it is.
reason_code again_reason(core::deny_reason why) {
  return why == core::deny_reason::busy ? reason_code::server_busy
                                        : reason_code::not_authorized;
}

} // namespace

void gate::begin_exchange(const connect& what) {
  exchange_ = std::make_unique<exchange>();
  exchange_->method = *what.authentication_method;
  exchange_->until = heard_ + options_.connect_time;
  exchange_->whose_turn = exchange::turn::node;
  heard_ = now_;
  // [MQTT-3.1.2-22] has no exception for a client that is not let in yet.
  silence_ = silence_of(what.keep_alive);
  world_.begin_proof(exchange_->method,
                     what.authentication_data.value_or(std::string_view{}));
}

bool gate::is_clients_turn() const {
  return exchange_ && exchange_->whose_turn == exchange::turn::client;
}

/// Before the CONNACK: AUTH, or a DISCONNECT of who has changed his mind.
void gate::proving(const any_packet& what) {
  heard_ = now_;
  if (const auto* said = std::get_if<auth>(&what))
    return on(*said);
  if (std::holds_alternative<disconnect>(what))
    return end("the client disconnected", false);
  protocol_error("[MQTT-3.1.2-30] a packet in the midst of a login");
}

void gate::on(const auth& what) {
  if (!exchange_)
    return protocol_error("[MQTT-4.12.0-7] an AUTH, but no method was agreed "
                          "on");
  if (what.authentication_method != exchange_->method)
    return protocol_error("[MQTT-4.12.0-5] an AUTH of another method");
  const auto said = what.authentication_data.value_or(std::string_view{});
  if (what.reason == reason_code::reauthenticate) {
    if (stage_ != stage::open ||
        exchange_->whose_turn != exchange::turn::nobody)
      return protocol_error("4.12.1: a login is under way");
    exchange_->until = now_ + options_.connect_time;
    exchange_->whose_turn = exchange::turn::node;
    return world_.begin_proof(exchange_->method, said);
  }
  if (!is_clients_turn())
    return protocol_error("4.12: an AUTH out of turn");
  exchange_->whose_turn = exchange::turn::node;
  world_.go_on_proof(said);
}

void gate::on_challenge(std::string_view said) {
  if (stage_ == stage::closed || !exchange_ ||
      exchange_->whose_turn != exchange::turn::node)
    return;
  exchange_->whose_turn = exchange::turn::client;
  say_auth(reason_code::continue_authentication, said);
}

void gate::say_auth(reason_code why, std::string_view said) {
  auth told;
  told.reason = why;
  told.authentication_method = exchange_->method;
  if (!said.empty())
    told.authentication_data = said;
  world_.send(any_packet{told});
}

/// How it has ended while the client was connected.
void gate::proven_again(const core::login_outcome& found) {
  if (!exchange_ || exchange_->whose_turn != exchange::turn::node)
    return;
  exchange_->whose_turn = exchange::turn::nobody;
  if (found.why != core::deny_reason::none) { // [MQTT-4.12.1-2]
    count(stats_.refused_login);
    const auto why = again_reason(found.why);
    return fail(why,
                found.last_words.empty() ? to_string(why) : found.last_words);
  }
  say_auth(reason_code::success, found.last_words);
}

std::optional<core::steady_time> gate::exchange_deadline() const {
  if (!is_clients_turn())
    return std::nullopt;
  if (stage_ == stage::login && silence_.count() > 0)
    return std::min(exchange_->until, heard_ + silence_);
  return exchange_->until;
}

} // namespace troupe::net::mqtt
