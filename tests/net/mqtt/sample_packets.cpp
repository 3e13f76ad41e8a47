// SPDX-License-Identifier: Apache-2.0
#include "tests/net/mqtt/sample_packets.hpp"

#include "net/mqtt/encoder.hpp"

#include <cstddef>
#include <utility>

namespace troupe::net::mqtt::test {
namespace {

using enum version;
using enum sender;
using code = reason_code;

core::shared_bytes shared(std::string_view text) {
  return core::shared_bytes::copy_of(text);
}

connect small_connect(version by) {
  connect packet;
  packet.protocol = by;
  packet.keep_alive = seconds{60};
  packet.client_id = "c1";
  return packet;
}

connect full_connect_3_1_1() {
  auto packet = small_connect(v3_1_1);
  packet.clean_start = false;
  packet.will = will_message{};
  packet.will->topic = "w/t";
  packet.will->payload = shared("bye");
  packet.will->level = qos::exactly_once;
  packet.will->retain = true;
  packet.user_name = "me";
  packet.password = std::string_view{"\x00\xff", 2};
  return packet;
}

connect full_connect_5() {
  auto packet = full_connect_3_1_1();
  packet.protocol = v5;
  packet.session_expiry = never;
  packet.receive_maximum = std::uint16_t{20};
  packet.maximum_packet_size = 65536U;
  packet.topic_alias_maximum = std::uint16_t{10};
  packet.request_response_information = true;
  packet.request_problem_information = false;
  packet.authentication_method = "SCRAM";
  packet.authentication_data = "n,,";
  packet.user = {{"a", "1"}, {"a", "2"}};
  packet.will->delay = seconds{5};
  packet.will->properties.payload_is_text = true;
  packet.will->properties.expiry = seconds{9};
  packet.will->properties.content_type = "t/p";
  packet.will->properties.response_topic = "r";
  packet.will->properties.correlation_data = shared("id");
  packet.will->properties.user = {{"k", "v"}};
  return packet;
}

connack full_connack() {
  connack packet;
  packet.session_present = true;
  packet.session_expiry = seconds{1};
  packet.receive_maximum = std::uint16_t{2};
  packet.maximum_qos = qos::at_least_once;
  packet.retain_available = true;
  packet.maximum_packet_size = 3U;
  packet.assigned_client_id = "id";
  packet.topic_alias_maximum = std::uint16_t{4};
  packet.reason_string = "ok";
  packet.wildcard_subscriptions_available = true;
  packet.subscription_identifiers_available = false;
  packet.shared_subscriptions_available = true;
  packet.server_keep_alive = seconds{5};
  packet.response_information = "ri";
  packet.server_reference = "sr";
  packet.authentication_method = "m";
  packet.authentication_data = "d";
  packet.user = {{"k", "v"}};
  return packet;
}

publish full_publish() {
  publish packet;
  packet.duplicate = true;
  packet.level = qos::exactly_once;
  packet.retain = true;
  packet.topic = "a/b";
  packet.id = packet_id{10};
  packet.payload = shared("hi");
  packet.topic_alias = std::uint16_t{3};
  packet.subscription_ids = {1, 200};
  packet.properties.payload_is_text = false;
  packet.properties.expiry = seconds{7};
  packet.properties.content_type = "c";
  packet.properties.response_topic = "r";
  packet.properties.correlation_data = shared("x");
  packet.properties.user = {{"k", "v"}, {"", ""}};
  return packet;
}

template <class Ack>
Ack ack(std::uint16_t id, reason_code reason = code::success,
        std::optional<std::string_view> text = {}) {
  Ack packet;
  packet.id = packet_id{id};
  packet.reason = reason;
  packet.reason_string = text;
  return packet;
}

publish small_publish() {
  publish packet;
  packet.topic = "t";
  packet.payload = shared("x");
  return packet;
}

subscribe small_subscribe() {
  subscribe packet;
  packet.id = packet_id{1};
  packet.filters = {{"a/#", qos::at_least_once}, {"+", qos::at_most_once}};
  return packet;
}

subscribe full_subscribe() {
  subscribe packet;
  packet.id = packet_id{1};
  packet.subscription_id = 268435455U;
  packet.user = {{"k", "v"}};
  packet.filters = {
      {"a", qos::exactly_once, true, true, retain_handling::do_not_send},
      {"$share/g/b", qos::at_most_once, false, false,
       retain_handling::send_if_new}};
  return packet;
}

std::vector<sample> make_samples() {
  std::vector<sample> all;
  auto add = [&](std::string_view name, version by, sender from,
                 std::string_view bytes, any_packet packet) {
    all.push_back({name, by, from, bytes_of(bytes), std::move(packet)});
  };
  add("connect_3_1", v3_1, client, "10 10 0006'MQIsdp' 03 02 003c 0002'c1'",
      small_connect(v3_1));
  add("connect_3_1_1", v3_1_1, client, "10 0e 0004'MQTT' 04 02 003c 0002'c1'",
      small_connect(v3_1_1));
  add("connect_5", v5, client, "10 0f 0004'MQTT' 05 02 003c 00 0002'c1'",
      small_connect(v5));
  add("connect_full_3_1_1", v3_1_1, client,
      "10 20 0004'MQTT' 04 f4 003c 0002'c1' 0003'w/t' 0003'bye' 0002'me'"
      "0002 00ff",
      full_connect_3_1_1());
  add("connect_full_5", v5, client,
      "10 74 0004'MQTT' 05 f4 003c"
      "30 11ffffffff 210014 2700010000 22000a 1901 1700 15 0005'SCRAM'"
      "16 0003'n,,' 26 0001'a' 0001'1' 26 0001'a' 0001'2'"
      "0002'c1'"
      "22 1800000005 0101 0200000009 03 0003't/p' 08 0001'r' 09 0002'id'"
      "26 0001'k' 0001'v'"
      "0003'w/t' 0003'bye' 0002'me' 0002 00ff",
      full_connect_5());
  connect password_alone = small_connect(v5);
  password_alone.password = "p";
  add("connect_password_alone", v5, client,
      "10 12 0004'MQTT' 05 42 003c 00 0002'c1' 0001'p'", password_alone);
  add("connack_3_1_1", v3_1_1, server, "20 02 01 00", connack{true});
  add("connack_refused_3_1_1", v3_1_1, server, "20 02 00 05",
      connack{false, code::not_authorized});
  add("connack_3_1", v3_1, server, "20 02 00 02",
      connack{false, code::client_identifier_not_valid});
  add("connack_5", v5, server, "20 03 00 00 00", connack{});
  add("connack_refused_5", v5, server, "20 03 00 9d 00",
      connack{false, code::server_moved});
  add("connack_full", v5, server,
      "20 43 01 00 40 1100000001 210002 2401 2501 2700000003 12 0002'id'"
      "220004 1f 0002'ok' 2801 2900 2a01 130005 1a 0002'ri' 1c 0002'sr'"
      "15 0001'm' 16 0001'd' 26 0001'k' 0001'v'",
      full_connack());
  add("publish_3_1_1", v3_1_1, client, "30 04 0001't' 'x'", small_publish());
  add("publish_5", v5, client, "30 05 0001't' 00 'x'", small_publish());
  publish one = small_publish();
  one.level = qos::at_least_once;
  one.id = packet_id{0x1234};
  one.payload = {};
  add("publish_qos_1", v3_1, client, "32 05 0001't' 1234", one);
  publish alias = small_publish();
  alias.topic = "";
  alias.topic_alias = std::uint16_t{1};
  add("publish_alias", v5, client, "30 07 0000 03 230001 'x'", alias);
  add("publish_full", v5, server,
      "3d 31 0003'a/b' 000a 27 230003 0b01 0bc801 0100 0200000007 03 0001'c'"
      "08 0001'r' 09 0001'x' 26 0001'k' 0001'v' 26 0000 0000 'hi'",
      full_publish());
  add("puback", v3_1_1, client, "40 02 0001", ack<puback>(1));
  add("puback_5", v5, server, "40 02 0001", ack<puback>(1));
  add("puback_reason", v5, server, "40 03 0001 10",
      ack<puback>(1, code::no_matching_subscribers));
  add("pubrec_full", v5, client, "50 08 0002 97 04 1f 0001'f'",
      ack<pubrec>(2, code::quota_exceeded, "f"));
  add("pubrel", v3_1_1, client, "62 02 ffff", ack<pubrel>(65535));
  add("pubrel_5", v5, server, "62 03 0003 92",
      ack<pubrel>(3, code::packet_identifier_not_found));
  add("pubcomp", v5, client, "70 07 0004 00 03 1f 0000",
      ack<pubcomp>(4, code::success, ""));
  add("subscribe_3_1_1", v3_1_1, client, "82 0c 0001 0003'a/#' 01 0001'+' 00",
      small_subscribe());
  add("subscribe_5", v5, client,
      "82 20 0001 0c 0bffffff7f 26 0001'k' 0001'v' 0001'a' 2e"
      "000a'$share/g/b' 10",
      full_subscribe());
  suback granted;
  granted.id = packet_id{1};
  granted.reasons = {code::granted_qos_0, code::granted_qos_2,
                     code::unspecified_error};
  add("suback_3_1_1", v3_1_1, server, "90 05 0001 00 02 80", granted);
  granted.reasons.push_back(code::wildcard_subscriptions_not_supported);
  add("suback_5", v5, server, "90 07 0001 00 00 02 80 a2", granted);
  unsubscribe leave;
  leave.id = packet_id{7};
  leave.filters = {"a", "b/#"};
  add("unsubscribe_3_1_1", v3_1_1, client, "a2 0a 0007 0001'a' 0003'b/#'",
      leave);
  leave.user = {{"k", "v"}};
  add("unsubscribe_5", v5, client,
      "a2 12 0007 07 26 0001'k' 0001'v' 0001'a' 0003'b/#'", leave);
  unsuback left;
  left.id = packet_id{7};
  add("unsuback_3_1_1", v3_1_1, server, "b0 02 0007", left);
  left.reasons = {code::success, code::no_subscription_existed};
  left.reason_string = "r";
  add("unsuback_5", v5, server, "b0 09 0007 04 1f 0001'r' 00 11", left);
  add("pingreq", v3_1_1, client, "c0 00", pingreq{});
  add("pingresp", v5, server, "d0 00", pingresp{});
  add("disconnect_3_1_1", v3_1_1, client, "e0 00", disconnect{});
  add("disconnect_5", v5, client, "e0 00", disconnect{});
  add("disconnect_reason", v5, client, "e0 01 04",
      disconnect{code::disconnect_with_will});
  disconnect gone;
  gone.reason = code::use_another_server;
  gone.reason_string = "x";
  gone.server_reference = "n2";
  add("disconnect_server", v5, server, "e0 0b 9c 09 1f 0001'x' 1c 0002'n2'",
      gone);
  disconnect later;
  later.session_expiry = seconds{1};
  add("disconnect_expiry", v5, client, "e0 07 00 05 1100000001", later);
  auth proof;
  proof.reason = code::continue_authentication;
  proof.authentication_method = "m";
  proof.authentication_data = "d";
  proof.reason_string = "r";
  proof.user = {{"k", "v"}};
  add("auth_full", v5, client,
      "f0 15 18 13 15 0001'm' 16 0001'd' 1f 0001'r' 26 0001'k' 0001'v'", proof);
  add("auth_empty", v5, server, "f0 00", auth{});
  return all;
}

} // namespace

const std::vector<sample>& samples() {
  static const auto all = make_samples();
  return all;
}

std::string bytes_of(std::string_view spelled) {
  auto digit = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  std::string bytes;
  for (std::size_t i = 0; i < spelled.size(); ++i) {
    if (spelled[i] == ' ')
      continue;
    if (spelled[i] == '\'') {
      const auto end = spelled.find('\'', i + 1);
      bytes += spelled.substr(i + 1, end - i - 1);
      i = end;
      continue;
    }
    bytes += static_cast<char>(digit(spelled[i]) << 4U | digit(spelled[i + 1]));
    ++i;
  }
  return bytes;
}

std::string hex(core::bytes_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto each : bytes) {
    text += digits[std::to_integer<unsigned>(each) >> 4U];
    text += digits[std::to_integer<unsigned>(each) & 15U];
  }
  return text;
}

decoded decode_all(std::string_view bytes, version by, sender from,
                   const decode_limits& limits) {
  const auto whole =
      decode_frame(core::as_bytes(bytes), packet_bytes_unbounded, by);
  if (whole.what == frame::status::violation)
    return {{}, whole.broken};
  if (whole.what != frame::status::packet || whole.bytes != bytes.size())
    return {{}, {code::unspecified_error, "", "not one whole packet", ""}};
  return decode(whole, {by, from, nullptr, limits});
}

std::string encode_all(const any_packet& packet, version by) {
  encoded_packet to;
  if (encode(to, packet, by) != encode_status::whole)
    return {};
  std::string bytes{core::as_text(to.head())};
  bytes += to.payload().text();
  return bytes;
}

} // namespace troupe::net::mqtt::test
