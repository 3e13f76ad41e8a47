// SPDX-License-Identifier: Apache-2.0
#include "tests/net/mqtt/sample_packets.hpp"

namespace troupe::net::mqtt::test {
namespace {

using enum version;
using enum sender;
using code = reason_code;

/// name, version, from, bytes, reason, text.
struct row {
  std::string_view name;
  version by;
  sender from;
  std::string_view bytes;
  reason_code reason;
  std::string_view text;
};

constexpr row fixed_headers[]{
    {"type_0", v5, client, "00 00", code::malformed_packet,
     "[2.1.2] reserved packet type"},
    {"connect_flags", v3_1_1, client, "11", code::malformed_packet,
     "[MQTT-2.2.2-2] wrong flags in the fixed header: CONNECT"},
    {"pubrel_flags", v5, client, "60", code::malformed_packet,
     "[MQTT-2.1.3-1] wrong flags in the fixed header: PUBREL"},
    {"subscribe_flags", v5, client, "80", code::malformed_packet,
     "[MQTT-2.1.3-1] wrong flags in the fixed header: SUBSCRIBE"},
    {"unsubscribe_flags", v5, client, "a3", code::malformed_packet,
     "[MQTT-2.1.3-1] wrong flags in the fixed header: UNSUBSCRIBE"},
    {"disconnect_flags", v5, client, "e1", code::malformed_packet,
     "[MQTT-2.1.3-1] wrong flags in the fixed header: DISCONNECT"},
    {"auth_flags", v5, client, "f2", code::malformed_packet,
     "[MQTT-2.1.3-1] wrong flags in the fixed header: AUTH"},
    {"qos_3", v5, client, "36", code::malformed_packet,
     "[MQTT-3.3.1-4] QoS 3: PUBLISH"},
    {"duplicate_qos_0", v5, client, "38", code::malformed_packet,
     "[MQTT-3.3.1-2] DUP is set with QoS 0: PUBLISH"},
    {"length_of_5_bytes", v5, client, "30 80808080 01", code::malformed_packet,
     "[1.5.5] a variable byte integer of more than four bytes: remaining "
     "length"},
    {"padded_length", v5, client, "30 85 00 0001't' 00 'x'",
     code::malformed_packet,
     "[MQTT-1.5.5-1] a variable byte integer that could be shorter: remaining "
     "length"},
    {"too_short", v3_1_1, client, "40 01 00", code::malformed_packet,
     "[2.2.3] the packet ends in the middle of a field: packet identifier"},
    {"goes_on", v3_1_1, client, "40 03 0001 00", code::malformed_packet,
     "[2.2.3] bytes behind the last field: PUBACK"},
    {"ping_with_body", v5, client, "c0 01 00", code::malformed_packet,
     "[2.1.4] bytes behind the last field: PINGREQ"},
    {"connack_from_client", v5, client, "20 03 00 00 00", code::protocol_error,
     "[2.1.2] a packet of the other direction: CONNACK"},
    {"suback_from_client", v3_1_1, client, "90 03 0001 00",
     code::protocol_error, "[2.2.1] a packet of the other direction: SUBACK"},
    {"pingreq_from_server", v5, server, "c0 00", code::protocol_error,
     "[2.1.2] a packet of the other direction: PINGREQ"},
};

constexpr row connects[]{
    {"wrong_name", v5, client, "10 0e 0004'MQTX' 04 02 003c 0002'c1'",
     code::unsupported_protocol_version,
     "[MQTT-3.1.2-1] unknown protocol name"},
    {"wrong_level", v5, client, "10 0e 0004'MQTT' 06 02 003c 0002'c1'",
     code::unsupported_protocol_version,
     "[MQTT-3.1.2-2] unsupported protocol version"},
    {"bridge_level", v5, client, "10 0e 0004'MQTT' 84 02 003c 0002'c1'",
     code::unsupported_protocol_version,
     "[MQTT-3.1.2-2] unsupported protocol version"},
    {"name_of_another_level", v5, client,
     "10 0e 0004'MQTT' 03 02 003c 0002'c1'", code::unsupported_protocol_version,
     "[MQTT-3.1.2-2] unsupported protocol version"},
    {"reserved_flag", v3_1_1, client, "10 0e 0004'MQTT' 04 03 003c 0002'c1'",
     code::malformed_packet, "[MQTT-3.1.2-3] reserved connect flag is set"},
    {"will_qos_without_will", v3_1_1, client,
     "10 0e 0004'MQTT' 04 0a 003c 0002'c1'", code::malformed_packet,
     "[MQTT-3.1.2-13] will QoS without a will"},
    {"will_qos_without_will_5", v5, client,
     "10 0f 0004'MQTT' 05 0a 003c 00 0002'c1'", code::malformed_packet,
     "[MQTT-3.1.2-11] will QoS without a will"},
    {"will_retain_without_will", v3_1_1, client,
     "10 0e 0004'MQTT' 04 22 003c 0002'c1'", code::malformed_packet,
     "[MQTT-3.1.2-15] will retain without a will"},
    {"will_qos_3", v3_1_1, client,
     "10 13 0004'MQTT' 04 1e 003c 0002'c1' 0001'w' 0000",
     code::malformed_packet, "[MQTT-3.1.2-14] will QoS 3"},
    {"will_qos_3_5", v5, client,
     "10 15 0004'MQTT' 05 1e 003c 00 0002'c1' 00 0001'w' 0000",
     code::malformed_packet, "[MQTT-3.1.2-12] will QoS 3"},
    {"will_missing", v3_1_1, client, "10 0e 0004'MQTT' 04 06 003c 0002'c1'",
     code::malformed_packet,
     "[2.2.3] the packet ends in the middle of a field: will topic"},
    {"will_wildcard", v3_1_1, client,
     "10 13 0004'MQTT' 04 06 003c 0002'c1' 0001'#' 0000",
     code::topic_name_invalid, "[MQTT-4.7.1-1] a wildcard in a will topic"},
    {"will_topic_empty", v3_1_1, client,
     "10 12 0004'MQTT' 04 06 003c 0002'c1' 0000 0000", code::topic_name_invalid,
     "[MQTT-4.7.3-1] an empty topic name: will topic"},
    {"password_without_user", v3_1_1, client,
     "10 11 0004'MQTT' 04 42 003c 0002'c1' 0001'p'", code::malformed_packet,
     "[MQTT-3.1.2-22] password flag without user name flag"},
    {"user_missing", v3_1_1, client, "10 0e 0004'MQTT' 04 82 003c 0002'c1'",
     code::malformed_packet,
     "[2.2.3] the packet ends in the middle of a field: user name"},
    {"password_without_flag", v3_1_1, client,
     "10 11 0004'MQTT' 04 02 003c 0002'c1' 0001'p'", code::malformed_packet,
     "[2.2.3] bytes behind the last field: CONNECT"},
    {"no_id_3_1", v3_1, client, "10 0e 0006'MQIsdp' 03 02 003c 0000",
     code::client_identifier_not_valid,
     "[MQTT 3.1, 3.1] an empty client identifier"},
    {"no_id_not_clean", v3_1_1, client, "10 0c 0004'MQTT' 04 00 003c 0000",
     code::client_identifier_not_valid,
     "[MQTT-3.1.3-8] an empty client identifier without clean session"},
    {"id_surrogate", v3_1_1, client, "10 0f 0004'MQTT' 04 02 003c 0003 eda080",
     code::malformed_packet,
     "[MQTT-1.5.3-1] ill-formed UTF-8: client identifier"},
    {"id_nul", v5, client, "10 0e 0004'MQTT' 05 02 003c 00 0001 00",
     code::malformed_packet,
     "[MQTT-1.5.4-2] U+0000 in a string: client identifier"},
    {"receive_maximum_0", v5, client,
     "10 12 0004'MQTT' 05 02 003c 03 210000 0002'c1'", code::protocol_error,
     "[2.2.2.2] a value that the property can't have: receive maximum"},
    {"packet_size_0", v5, client,
     "10 14 0004'MQTT' 05 02 003c 05 2700000000 0002'c1'", code::protocol_error,
     "[2.2.2.2] a value that the property can't have: maximum packet size"},
    {"problem_information_2", v5, client,
     "10 11 0004'MQTT' 05 02 003c 02 1702 0002'c1'", code::protocol_error,
     "[2.2.2.2] a value that the property can't have: request problem "
     "information"},
    {"data_without_method", v5, client,
     "10 13 0004'MQTT' 05 02 003c 04 16 0001'd' 0002'c1'", code::protocol_error,
     "[3.1.2.11.10] authentication data without a method"},
    {"will_delay_in_connect", v5, client,
     "10 14 0004'MQTT' 05 02 003c 05 1800000001 0002'c1'",
     code::malformed_packet,
     "[2.2.2.2] a property that this packet can't have: will delay interval"},
    {"connack_flags", v5, server, "20 03 02 00 00", code::malformed_packet,
     "[MQTT-3.2.2-1] reserved bits of CONNACK are set"},
    {"connack_code_3_1_1", v3_1_1, server, "20 02 00 06", code::protocol_error,
     "[3.2.2.3] reserved return code"},
    {"connack_code_5", v5, server, "20 03 00 8e 00", code::protocol_error,
     "[MQTT-3.2.2-8] reserved return code"},
    {"connack_session_refused", v5, server, "20 03 01 87 00",
     code::protocol_error,
     "[MQTT-3.2.2-6] session present in a CONNACK that refuses"},
};

constexpr row publishes[]{
    {"topic_wildcard", v3_1_1, client, "30 05 0003'a/+'",
     code::topic_name_invalid, "[MQTT-3.3.2-2] a wildcard in a topic name"},
    {"topic_empty", v3_1_1, client, "30 02 0000", code::topic_name_invalid,
     "[MQTT-4.7.3-1] an empty topic name"},
    {"topic_missing", v5, client, "30 03 0000 00", code::protocol_error,
     "[3.3.2.1] an empty topic name without a topic alias"},
    {"topic_ill_formed", v3_1_1, client, "30 04 0002 c0af",
     code::malformed_packet, "[MQTT-1.5.3-1] ill-formed UTF-8: topic name"},
    {"topic_nul", v3_1_1, client, "30 04 0002'a'00", code::malformed_packet,
     "[MQTT-1.5.3-2] U+0000 in a string: topic name"},
    {"publish_id_0", v3_1_1, client, "32 05 0001't' 0000", code::protocol_error,
     "[MQTT-2.3.1-1] packet identifier 0: PUBLISH"},
    {"publish_id_0_5", v5, client, "34 06 0001't' 0000 00",
     code::protocol_error, "[MQTT-2.2.1-3] packet identifier 0: PUBLISH"},
    {"alias_0", v5, client, "30 07 0001't' 03 230000",
     code::topic_alias_invalid, "[MQTT-3.3.2-8] topic alias 0: topic alias"},
    {"format_2", v5, client, "30 06 0001't' 02 0102", code::protocol_error,
     "[2.2.2.2] a value that the property can't have: payload format "
     "indicator"},
    {"format_twice", v5, client, "30 08 0001't' 04 0101 0101",
     code::protocol_error,
     "[2.2.2.2] duplicate property: payload format indicator"},
    {"unknown_property", v5, client, "30 06 0001't' 02 0401",
     code::malformed_packet, "[2.2.2.2] unknown property"},
    {"reason_in_publish", v5, client, "30 08 0001't' 04 1f 0001'r'",
     code::malformed_packet,
     "[2.2.2.2] a property that this packet can't have: reason string"},
    {"subscription_id_from_client", v5, client, "30 06 0001't' 02 0b01",
     code::protocol_error,
     "[MQTT-3.3.4-6] a subscription identifier from a client: subscription "
     "identifier"},
    {"subscription_id_0", v5, server, "30 06 0001't' 02 0b00",
     code::protocol_error,
     "[2.2.2.2] a value that the property can't have: subscription "
     "identifier"},
    {"response_wildcard", v5, client, "30 08 0001't' 04 08 0001'#'",
     code::topic_name_invalid,
     "[MQTT-3.3.2-14] a wildcard in a response topic: response topic"},
    {"properties_too_long", v5, client, "30 04 0001't' 05",
     code::malformed_packet, "[2.2.2.1] properties longer than their packet"},
    {"property_past_end", v5, client, "30 09 0001't' 02 0300 01'cc'",
     code::malformed_packet,
     "[2.1.4] the packet ends in the middle of a field: content type"},
    {"padded_property_length", v5, client, "30 05 0001't' 8000",
     code::malformed_packet,
     "[MQTT-1.5.5-1] a variable byte integer that could be shorter: property "
     "length"},
    {"user_property_ill_formed", v5, client, "30 0a 0001't' 06 26 0000 0001 ff",
     code::malformed_packet, "[MQTT-1.5.4-1] ill-formed UTF-8: user property"},
};

constexpr row others[]{
    {"puback_id_0", v3_1_1, client, "40 02 0000", code::protocol_error,
     "[MQTT-2.3.1-1] packet identifier 0: PUBACK"},
    {"puback_reason", v5, client, "40 03 0001 92", code::protocol_error,
     "[2.4] a reason code that this packet can't have: PUBACK"},
    {"pubcomp_reason", v5, client, "70 03 0001 7f", code::protocol_error,
     "[2.4] a reason code that this packet can't have: PUBCOMP"},
    {"subscribe_empty", v3_1_1, client, "82 02 0001", code::protocol_error,
     "[MQTT-3.8.3-3] a SUBSCRIBE without a topic filter"},
    {"subscribe_empty_5", v5, client, "82 03 0001 00", code::protocol_error,
     "[MQTT-3.8.3-2] a SUBSCRIBE without a topic filter"},
    {"subscribe_id_0", v3_1_1, client, "82 06 0000 0001'a' 00",
     code::protocol_error, "[MQTT-2.3.1-1] packet identifier 0: SUBSCRIBE"},
    {"filter_empty", v3_1_1, client, "82 05 0001 0000 00", code::protocol_error,
     "[MQTT-4.7.3-1] an empty topic filter"},
    {"filter_nul", v3_1_1, client, "82 06 0001 0001 00 00",
     code::malformed_packet, "[MQTT-1.5.3-2] U+0000 in a string: topic filter"},
    {"options_missing", v3_1_1, client, "82 05 0001 0001'a'",
     code::malformed_packet,
     "[2.2.3] the packet ends in the middle of a field: subscription options"},
    {"options_reserved", v3_1_1, client, "82 06 0001 0001'a' 04",
     code::malformed_packet,
     "[MQTT-3-8.3-4] reserved subscription options are set"},
    {"options_qos_3", v3_1_1, client, "82 06 0001 0001'a' 03",
     code::malformed_packet, "[MQTT-3-8.3-4] a subscription with QoS 3"},
    {"options_reserved_5", v5, client, "82 07 0001 00 0001'a' 40",
     code::malformed_packet,
     "[MQTT-3.8.3-5] reserved subscription options are set"},
    {"options_qos_3_5", v5, client, "82 07 0001 00 0001'a' 03",
     code::malformed_packet, "[3.8.3.1] a subscription with QoS 3"},
    {"options_retain_3", v5, client, "82 07 0001 00 0001'a' 30",
     code::protocol_error, "[3.8.3.1] retain handling 3"},
    {"no_local_shared", v5, client, "82 10 0001 00 000a'$share/g/b' 04",
     code::protocol_error,
     "[MQTT-3.8.3-4] no local with a shared subscription"},
    {"subscribe_id_twice", v5, client, "82 0b 0001 04 0b01 0b02 0001'a' 00",
     code::protocol_error,
     "[2.2.2.2] duplicate property: subscription identifier"},
    {"unsubscribe_empty", v3_1_1, client, "a2 02 0001", code::protocol_error,
     "[MQTT-3.10.3-2] an UNSUBSCRIBE without a filter"},
    {"unsubscribe_filter_empty", v5, client, "a2 05 0001 00 0000",
     code::protocol_error, "[MQTT-4.7.3-1] an empty topic filter"},
    {"suback_code", v3_1_1, server, "90 03 0001 03", code::protocol_error,
     "[MQTT-3.9.3-2] a reason code that SUBACK can't have"},
    {"suback_code_5", v5, server, "90 04 0001 00 11", code::protocol_error,
     "[2.4] a reason code that this packet can't have: SUBACK"},
    {"suback_empty", v5, server, "90 03 0001 00", code::protocol_error,
     "[MQTT-3.8.4-6] an answer without a reason code: SUBACK"},
    {"disconnect_from_server", v3_1_1, server, "e0 00", code::protocol_error,
     "[2.2.1] a packet of the other direction: DISCONNECT"},
    {"disconnect_body", v3_1_1, client, "e0 01 00", code::malformed_packet,
     "[2.2.3] bytes behind the last field: DISCONNECT"},
    {"disconnect_reason", v5, client, "e0 01 8e", code::protocol_error,
     "[2.4] a reason code that this packet can't have: DISCONNECT"},
    {"disconnect_will_from_server", v5, server, "e0 01 04",
     code::protocol_error,
     "[2.4] a reason code that this packet can't have: DISCONNECT"},
    {"expiry_from_server", v5, server, "e0 07 8b 05 1100000001",
     code::protocol_error,
     "[MQTT-3.14.2-2] a session expiry from the server: session expiry "
     "interval"},
    {"reference_from_client", v5, client, "e0 06 00 04 1c 0001'n'",
     code::protocol_error,
     "[3.14.2.2.5] a server reference from a client: server reference"},
    {"auth_3_1_1", v3_1_1, client, "f0 00", code::protocol_error,
     "[2.2.1] a packet that this version doesn't have: AUTH"},
    {"auth_without_method", v5, client, "f0 02 18 00", code::protocol_error,
     "[3.15.2.2.2] an AUTH without an authentication method"},
    {"auth_success_from_client", v5, client, "f0 06 00 04 15 0001'm'",
     code::protocol_error,
     "[2.4] a reason code that this packet can't have: AUTH"},
};

std::vector<bad_sample> make_samples() {
  std::vector<bad_sample> all;
  auto add = [&](const auto& rows) {
    for (const auto& each : rows)
      all.push_back({each.name, each.by, each.from, bytes_of(each.bytes),
                     each.reason, each.text});
  };
  add(fixed_headers);
  add(connects);
  add(publishes);
  add(others);
  return all;
}

} // namespace

const std::vector<bad_sample>& bad_samples() {
  static const auto all = make_samples();
  return all;
}

} // namespace troupe::net::mqtt::test
