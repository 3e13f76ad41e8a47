// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/connect_decoder.hpp"

#include "net/mqtt/property_reader.hpp"
#include "net/mqtt/rules.hpp"

namespace troupe::net::mqtt {
namespace {

constexpr unsigned clean_bit = 0x02;
constexpr unsigned will_bit = 0x04;
constexpr unsigned will_qos_shift = 3;
constexpr unsigned will_retain_bit = 0x20;
constexpr unsigned password_bit = 0x40;
constexpr unsigned user_name_bit = 0x80;

void check_flags(field_reader& in, unsigned flags) {
  const auto will_qos = flags >> will_qos_shift & 3U;
  if ((flags & 1U) != 0)
    in.fail(rules::connect_flag);
  if ((flags & will_bit) == 0) {
    if (will_qos != 0)
      in.fail(rules::will_qos);
    if ((flags & will_retain_bit) != 0)
      in.fail(rules::will_retain);
  } else if (will_qos == 3) {
    in.fail(rules::will_qos_3);
  }
  // A password alone is MQTT 5's.
  if (in.by() != version::v5 && (flags & password_bit) != 0 &&
      (flags & user_name_bit) == 0)
    in.fail(rules::password_alone);
}

void check_client_id(field_reader& in, const connect& packet) {
  if (in.failed() || !packet.client_id.empty())
    return;
  if (in.by() == version::v3_1)
    in.fail(rules::client_id_empty_3_1);
  else if (in.by() == version::v3_1_1 && !packet.clean_start)
    in.fail(rules::client_id_empty);
}

will_message read_will(field_reader& in, unsigned flags,
                       const decode_limits& limits) {
  will_message will;
  will.level = static_cast<qos>(flags >> will_qos_shift & 3U);
  will.retain = (flags & will_retain_bit) != 0;
  if (in.by() == version::v5)
    read_properties(in, in_will, sender::client, limits.user_properties_max,
                    will);
  will.topic = in.text("will topic");
  if (!in.failed() && will.topic.empty())
    in.fail(rules::topic_empty, "will topic");
  if (will.topic.find_first_of("+#") != std::string_view::npos)
    in.fail(rules::will_wildcard);
  const auto payload = in.binary("will payload");
  if (!in.failed())
    will.payload = in.keep(core::as_bytes(payload));
  return will;
}

/// 3.1 lets a flag announce what is missing at the end: older clients did so.
bool is_there(const field_reader& in, unsigned flags, unsigned bit) {
  return (flags & bit) != 0 && !(in.by() == version::v3_1 && in.empty());
}

} // namespace

std::optional<version> read_version(field_reader& in) noexcept {
  const auto name = in.binary("protocol name");
  if (in.failed())
    return std::nullopt;
  if (name != "MQTT" && name != "MQIsdp") {
    in.fail(rules::protocol_name);
    return std::nullopt;
  }
  const auto level = in.byte("protocol version");
  if (in.failed())
    return std::nullopt;
  const bool is_3_1 = level == static_cast<std::uint8_t>(version::v3_1);
  if (level < static_cast<std::uint8_t>(version::v3_1) ||
      level > static_cast<std::uint8_t>(version::v5) ||
      is_3_1 != (name == "MQIsdp")) {
    in.fail(rules::protocol_level);
    return std::nullopt;
  }
  return static_cast<version>(level);
}

connect read_connect(field_reader& in, const decode_limits& limits) {
  connect packet;
  packet.protocol = in.by();
  (void)read_version(in);
  const unsigned flags = in.byte("connect flags");
  check_flags(in, flags);
  packet.clean_start = (flags & clean_bit) != 0;
  packet.keep_alive = seconds{in.two_bytes("keep alive")};
  if (in.by() == version::v5 && !in.failed())
    read_properties(in, inside(packet_type::connect), sender::client,
                    limits.user_properties_max, packet);
  packet.client_id = in.text("client identifier");
  check_client_id(in, packet);
  if ((flags & will_bit) != 0 && !in.failed())
    packet.will = read_will(in, flags, limits);
  if (is_there(in, flags, user_name_bit))
    packet.user_name = in.text("user name");
  if (is_there(in, flags, password_bit))
    packet.password = in.binary("password");
  if (packet.authentication_data && !packet.authentication_method)
    in.fail(rules::data_without_method);
  return packet;
}

connack read_connack(field_reader& in, const decode_limits& limits) {
  connack packet;
  const unsigned flags = in.byte("acknowledge flags");
  const auto code = in.byte("reason code");
  if (in.failed())
    return packet;
  if (in.by() == version::v5) {
    packet.reason = reason_code{code};
    if (!may_carry(packet_type::connack, packet.reason, sender::server))
      in.fail(rules::connack_code);
  } else {
    if (code > static_cast<std::uint8_t>(connect_return::not_authorized))
      in.fail(rules::connack_code);
    packet.reason = reason_of(connect_return{code});
  }
  // The byte means nothing in 3.1.
  if (in.by() != version::v3_1) {
    if (flags > 1)
      in.fail(rules::connack_flags);
    packet.session_present = (flags & 1U) != 0;
    if (packet.session_present && packet.reason != reason_code::success)
      in.fail(rules::session_of_refused);
  }
  if (in.by() == version::v5 && !in.failed())
    read_properties(in, inside(packet_type::connack), sender::server,
                    limits.user_properties_max, packet);
  return packet;
}

} // namespace troupe::net::mqtt
