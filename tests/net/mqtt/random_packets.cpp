// SPDX-License-Identifier: Apache-2.0
#include "tests/net/mqtt/random_packets.hpp"

#include <array>
#include <utility>

namespace troupe::net::mqtt::test {

std::string_view random_packets::text(std::uint32_t most) {
  constexpr std::array<std::string_view, 8> pieces{
      "a",   "Z", "/", " ", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
      "\x01"};
  auto& made = strings_.emplace_back();
  for (auto left = below(most); left > 0; --left)
    made += pieces[below(pieces.size())];
  return made;
}

std::string_view random_packets::bytes() {
  auto& made = strings_.emplace_back();
  for (auto left = below(20); left > 0; --left)
    made += static_cast<char>(below(256));
  return made;
}

std::string_view random_packets::topic() {
  auto& made = strings_.emplace_back("t");
  made += text();
  return made;
}

core::shared_bytes random_packets::payload() {
  // Around the lengths at which a remaining length grows by a byte.
  constexpr std::array<std::uint32_t, 5> sizes{0, 20, 130, 3000, 17000};
  auto& made = strings_.emplace_back(below(1 + sizes[below(5)]), 'x');
  return core::shared_bytes::copy_of(made);
}

reason_code random_packets::reason(packet_type type, sender from) {
  for (;;)
    if (const reason_code code{static_cast<std::uint8_t>(below(256))};
        may_carry(type, code, from))
      return code;
}

void random_packets::fill(user_properties& to) {
  for (auto left = below(4); left > 0; --left) {
    const auto name = text();
    to.emplace_back(name, text());
  }
}

void random_packets::fill(message_properties& to) {
  set(to.payload_is_text);
  set(to.expiry);
  set(to.content_type);
  set(to.response_topic);
  set(to.correlation_data,
      [&] { return core::shared_bytes::copy_of(bytes()); });
  fill(to.user);
}

void random_packets::fill(connect& to, version by) {
  to.protocol = by;
  to.clean_start = maybe();
  to.keep_alive = seconds{below(65536)};
  to.client_id = topic();
  if (maybe()) {
    to.will = will_message{};
    to.will->topic = topic();
    to.will->payload = core::shared_bytes::copy_of(bytes());
    to.will->level = level();
    to.will->retain = maybe();
    if (by == version::v5) {
      set(to.will->delay);
      fill(to.will->properties);
    }
  }
  set(to.user_name);
  if (to.user_name || by == version::v5)
    set(to.password, [&] { return bytes(); });
  if (by != version::v5)
    return;
  set(to.session_expiry);
  set(to.receive_maximum, [&] { return 1 + below(65535); });
  set(to.maximum_packet_size, [&] { return 1 + below(1U << 31U); });
  set(to.topic_alias_maximum, [&] { return below(65536); });
  set(to.request_response_information);
  set(to.request_problem_information);
  set(to.authentication_method);
  if (to.authentication_method)
    set(to.authentication_data, [&] { return bytes(); });
  fill(to.user);
}

void random_packets::fill(connack& to, version by) {
  if (by != version::v5) {
    to.reason = reason_of(static_cast<connect_return>(below(6)));
    to.session_present =
        by == version::v3_1_1 && to.reason == reason_code::success && maybe();
    return;
  }
  to.reason = reason(packet_type::connack, sender::server);
  to.session_present = to.reason == reason_code::success && maybe();
  set(to.session_expiry);
  set(to.receive_maximum, [&] { return 1 + below(65535); });
  set(to.maximum_qos, [&] { return below(2); });
  set(to.retain_available);
  set(to.maximum_packet_size, [&] { return 1 + below(1U << 31U); });
  set(to.assigned_client_id);
  set(to.topic_alias_maximum, [&] { return below(65536); });
  set(to.reason_string);
  set(to.wildcard_subscriptions_available);
  set(to.subscription_identifiers_available);
  set(to.shared_subscriptions_available);
  set(to.server_keep_alive, [&] { return seconds{below(65536)}; });
  set(to.response_information);
  set(to.server_reference);
  set(to.authentication_method);
  set(to.authentication_data, [&] { return bytes(); });
  fill(to.user);
}

void random_packets::fill(publish& to, version by, sender from) {
  to.level = level();
  to.retain = maybe();
  to.topic = topic();
  if (to.level != qos::at_most_once) {
    to.id = id();
    to.duplicate = maybe();
  }
  to.payload = payload();
  if (by != version::v5)
    return;
  set(to.topic_alias, [&] { return 1 + below(65535); });
  if (to.topic_alias && maybe())
    to.topic = {};
  if (from == sender::server)
    for (auto left = below(4); left > 0; --left)
      to.subscription_ids.push_back(1 + below(variable_integer_max));
  fill(to.properties);
}

void random_packets::fill(acknowledgement& to, packet_type type, version by,
                          sender from) {
  to.id = id();
  if (by != version::v5)
    return;
  to.reason = reason(type, from);
  set(to.reason_string);
  fill(to.user);
}

void random_packets::fill(subscribe& to, version by) {
  to.id = id();
  for (auto left = 1 + below(5); left > 0; --left) {
    subscription_request next;
    next.filter = topic();
    next.level = level();
    if (by == version::v5) {
      next.no_local = maybe();
      next.retain_as_published = maybe();
      next.retained = static_cast<retain_handling>(below(3));
    }
    to.filters.push_back(next);
  }
  if (by != version::v5)
    return;
  set(to.subscription_id, [&] { return 1 + below(variable_integer_max); });
  fill(to.user);
}

void random_packets::fill(suback& to, version by) {
  to.id = id();
  for (auto left = 1 + below(5); left > 0; --left) {
    const auto code = reason(packet_type::suback, sender::server);
    to.reasons.push_back(
        by == version::v5 ? code : reason_code{suback_return_of(code)});
  }
  if (by != version::v5)
    return;
  set(to.reason_string);
  fill(to.user);
}

void random_packets::fill(disconnect& to, sender from) {
  to.reason = reason(packet_type::disconnect, from);
  set(to.reason_string);
  if (from == sender::client)
    set(to.session_expiry);
  else
    set(to.server_reference);
  fill(to.user);
}

void random_packets::fill(auth& to, sender from) {
  to.reason = reason(packet_type::auth, from);
  if (to.reason == reason_code::success && maybe())
    return;
  to.authentication_method = text();
  set(to.authentication_data, [&] { return bytes(); });
  set(to.reason_string);
  fill(to.user);
}

any_packet random_packets::next(packet_type type, version by, sender from) {
  auto made = [&](auto packet, auto&&... how) -> any_packet {
    fill(packet, how...);
    return packet;
  };
  const bool is_5 = by == version::v5;
  switch (type) {
  case packet_type::connect:
    return made(connect{}, by);
  case packet_type::connack:
    return made(connack{}, by);
  case packet_type::publish:
    return made(publish{}, by, from);
  case packet_type::puback:
    return made(puback{}, type, by, from);
  case packet_type::pubrec:
    return made(pubrec{}, type, by, from);
  case packet_type::pubrel:
    return made(pubrel{}, type, by, from);
  case packet_type::pubcomp:
    return made(pubcomp{}, type, by, from);
  case packet_type::subscribe:
    return made(subscribe{}, by);
  case packet_type::suback:
    return made(suback{}, by);
  case packet_type::unsubscribe: {
    unsubscribe packet;
    packet.id = id();
    for (auto left = 1 + below(5); left > 0; --left)
      packet.filters.push_back(topic());
    if (is_5)
      fill(packet.user);
    return packet;
  }
  case packet_type::unsuback: {
    unsuback packet;
    packet.id = id();
    if (!is_5)
      return packet;
    for (auto left = 1 + below(5); left > 0; --left)
      packet.reasons.push_back(reason(type, sender::server));
    set(packet.reason_string);
    fill(packet.user);
    return packet;
  }
  case packet_type::pingreq:
    return pingreq{};
  case packet_type::pingresp:
    return pingresp{};
  case packet_type::disconnect:
    return is_5 ? made(disconnect{}, from) : any_packet{disconnect{}};
  case packet_type::auth:
    return made(auth{}, from);
  }
  return pingreq{};
}

any_packet random_packets::next(version by, sender from) {
  using enum packet_type;
  constexpr std::array of_client{connect, publish,    puback,    pubrec,
                                 pubrel,  pubcomp,    subscribe, unsubscribe,
                                 pingreq, disconnect, auth};
  constexpr std::array of_server{connack,  publish,    puback, pubrec,
                                 pubrel,   pubcomp,    suback, unsuback,
                                 pingresp, disconnect, auth};
  const auto place = below(of_client.size());
  const auto type =
      from == sender::client ? of_client[place] : of_server[place];
  if (by != version::v5 &&
      (type == auth || (type == disconnect && from == sender::server)))
    return next(by, from);
  return next(type, by, from);
}

} // namespace troupe::net::mqtt::test
