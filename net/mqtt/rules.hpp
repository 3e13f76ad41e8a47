// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/violation.hpp"

/// Every rule the decoder checks. docs/conformance/mqtt.md has them by number.
namespace troupe::net::mqtt::rules {

using enum reason_code;

// Fixed header.
inline constexpr rule reserved_type{malformed_packet, "2.2.1", "2.1.2",
                                    "reserved packet type"};
inline constexpr rule fixed_flags{malformed_packet, "MQTT-2.2.2-2",
                                  "MQTT-2.1.3-1",
                                  "wrong flags in the fixed header"};
inline constexpr rule publish_qos_3{malformed_packet, "MQTT-3.3.1-4",
                                    "MQTT-3.3.1-4", "QoS 3"};
inline constexpr rule duplicate_qos_0{malformed_packet, "MQTT-3.3.1-2",
                                      "MQTT-3.3.1-2", "DUP is set with QoS 0"};
inline constexpr rule long_length{
    malformed_packet, "2.2.3", "1.5.5",
    "a variable byte integer of more than four bytes"};
inline constexpr rule padded_length{
    malformed_packet, "2.2.3", "MQTT-1.5.5-1",
    "a variable byte integer that could be shorter"};
inline constexpr rule too_large{packet_too_large, "2.2.3", "MQTT-3.2.2-15",
                                "larger than the maximum packet size"};

// Every packet.
inline constexpr rule ends_early{malformed_packet, "2.2.3", "2.1.4",
                                 "the packet ends in the middle of a field"};
inline constexpr rule goes_on{malformed_packet, "2.2.3", "2.1.4",
                              "bytes behind the last field"};
inline constexpr rule ill_formed{malformed_packet, "MQTT-1.5.3-1",
                                 "MQTT-1.5.4-1", "ill-formed UTF-8"};
inline constexpr rule has_nul{malformed_packet, "MQTT-1.5.3-2", "MQTT-1.5.4-2",
                              "U+0000 in a string"};
inline constexpr rule id_zero{protocol_error, "MQTT-2.3.1-1", "MQTT-2.2.1-3",
                              "packet identifier 0"};
inline constexpr rule wrong_sender{protocol_error, "2.2.1", "2.1.2",
                                   "a packet of the other direction"};
inline constexpr rule reason_not_here{
    protocol_error, "", "2.4", "a reason code that this packet can't have"};
inline constexpr rule too_many{quota_exceeded, "", "4.13",
                               "more than the broker takes in one packet"};

// Properties.
inline constexpr rule unknown_property{malformed_packet, "", "2.2.2.2",
                                       "unknown property"};
inline constexpr rule property_not_here{
    malformed_packet, "", "2.2.2.2", "a property that this packet can't have"};
inline constexpr rule property_twice{protocol_error, "", "2.2.2.2",
                                     "duplicate property"};
inline constexpr rule property_length{malformed_packet, "", "2.2.2.1",
                                      "properties longer than their packet"};
inline constexpr rule property_past_end{malformed_packet, "", "2.2.2.1",
                                        "a property longer than its list"};
inline constexpr rule property_value{protocol_error, "", "2.2.2.2",
                                     "a value that the property can't have"};
inline constexpr rule alias_zero{topic_alias_invalid, "", "MQTT-3.3.2-8",
                                 "topic alias 0"};
inline constexpr rule data_without_method{
    protocol_error, "", "3.1.2.11.10", "authentication data without a method"};

// CONNECT, CONNACK.
inline constexpr rule protocol_name{unsupported_protocol_version,
                                    "MQTT-3.1.2-1", "MQTT-3.1.2-1",
                                    "unknown protocol name"};
inline constexpr rule protocol_level{unsupported_protocol_version,
                                     "MQTT-3.1.2-2", "MQTT-3.1.2-2",
                                     "unsupported protocol version"};
inline constexpr rule connect_flag{malformed_packet, "MQTT-3.1.2-3",
                                   "MQTT-3.1.2-3",
                                   "reserved connect flag is set"};
inline constexpr rule will_qos_3{malformed_packet, "MQTT-3.1.2-14",
                                 "MQTT-3.1.2-12", "will QoS 3"};
inline constexpr rule will_qos{malformed_packet, "MQTT-3.1.2-13",
                               "MQTT-3.1.2-11", "will QoS without a will"};
inline constexpr rule will_retain{malformed_packet, "MQTT-3.1.2-15",
                                  "MQTT-3.1.2-13",
                                  "will retain without a will"};
inline constexpr rule password_alone{malformed_packet, "MQTT-3.1.2-22", "",
                                     "password flag without user name flag"};
inline constexpr rule client_id_empty{
    client_identifier_not_valid, "MQTT-3.1.3-8", "",
    "an empty client identifier without clean session"};
inline constexpr rule client_id_empty_3_1{client_identifier_not_valid,
                                          "MQTT 3.1, 3.1", "",
                                          "an empty client identifier"};
inline constexpr rule connack_flags{malformed_packet, "3.2.2.1", "MQTT-3.2.2-1",
                                    "reserved bits of CONNACK are set"};
inline constexpr rule connack_code{protocol_error, "3.2.2.3", "MQTT-3.2.2-8",
                                   "reserved return code"};
inline constexpr rule session_of_refused{
    protocol_error, "MQTT-3.2.2-4", "MQTT-3.2.2-6",
    "session present in a CONNACK that refuses"};

// PUBLISH.
inline constexpr rule topic_wildcard{topic_name_invalid, "MQTT-3.3.2-2",
                                     "MQTT-3.3.2-2",
                                     "a wildcard in a topic name"};
inline constexpr rule will_wildcard{topic_name_invalid, "MQTT-4.7.1-1",
                                    "MQTT-4.7.0-1",
                                    "a wildcard in a will topic"};
inline constexpr rule response_wildcard{topic_name_invalid, "", "MQTT-3.3.2-14",
                                        "a wildcard in a response topic"};
inline constexpr rule topic_empty{topic_name_invalid, "MQTT-4.7.3-1",
                                  "MQTT-4.7.3-1", "an empty topic name"};
inline constexpr rule topic_missing{
    protocol_error, "", "3.3.2.1", "an empty topic name without a topic alias"};
inline constexpr rule subscription_id_from_client{
    protocol_error, "", "MQTT-3.3.4-6",
    "a subscription identifier from a client"};

// SUBSCRIBE, SUBACK and theirs.
inline constexpr rule subscribe_empty{protocol_error, "MQTT-3.8.3-3",
                                      "MQTT-3.8.3-2",
                                      "a SUBSCRIBE without a topic filter"};
inline constexpr rule unsubscribe_empty{protocol_error, "MQTT-3.10.3-2",
                                        "MQTT-3.10.3-2",
                                        "an UNSUBSCRIBE without a filter"};
inline constexpr rule filter_empty{protocol_error, "MQTT-4.7.3-1",
                                   "MQTT-4.7.3-1", "an empty topic filter"};
inline constexpr rule option_bits{malformed_packet, "MQTT-3-8.3-4",
                                  "MQTT-3.8.3-5",
                                  "reserved subscription options are set"};
inline constexpr rule option_qos_3{malformed_packet, "MQTT-3-8.3-4", "3.8.3.1",
                                   "a subscription with QoS 3"};
inline constexpr rule option_retain{protocol_error, "", "3.8.3.1",
                                    "retain handling 3"};
inline constexpr rule no_local_shared{protocol_error, "", "MQTT-3.8.3-4",
                                      "no local with a shared subscription"};
inline constexpr rule suback_code{protocol_error, "MQTT-3.9.3-2",
                                  "MQTT-3.9.3-2",
                                  "a reason code that SUBACK can't have"};
inline constexpr rule suback_empty{protocol_error, "MQTT-3.8.4-5",
                                   "MQTT-3.8.4-6",
                                   "an answer without a reason code"};

// DISCONNECT, AUTH.
inline constexpr rule expiry_from_server{protocol_error, "", "MQTT-3.14.2-2",
                                         "a session expiry from the server"};
inline constexpr rule reference_from_client{protocol_error, "", "3.14.2.2.5",
                                            "a server reference from a client"};
inline constexpr rule not_in_version{protocol_error, "2.2.1", "",
                                     "a packet that this version doesn't have"};
inline constexpr rule auth_without_method{
    protocol_error, "", "3.15.2.2.2",
    "an AUTH without an authentication method"};

} // namespace troupe::net::mqtt::rules
