// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/packets.hpp"
#include "net/mqtt/property_table.hpp"

#include <concepts>
#include <type_traits>

/// Which member of a packet holds which property: one list a packet, used by
/// the decoder and, in this order, by the encoder. `call(property, member&)`.
namespace troupe::net::mqtt {

template <class Actual, class Wanted>
concept is_packet = std::same_as<std::remove_const_t<Actual>, Wanted>;

template <class Call>
void each_property(is_packet<message_properties> auto& of, Call&& call) {
  call(property::payload_format, of.payload_is_text);
  call(property::message_expiry, of.expiry);
  call(property::content_type, of.content_type);
  call(property::response_topic, of.response_topic);
  call(property::correlation_data, of.correlation_data);
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<will_message> auto& of, Call&& call) {
  call(property::will_delay, of.delay);
  each_property(of.properties, call);
}

template <class Call>
void each_property(is_packet<connect> auto& of, Call&& call) {
  call(property::session_expiry, of.session_expiry);
  call(property::receive_maximum, of.receive_maximum);
  call(property::maximum_packet_size, of.maximum_packet_size);
  call(property::topic_alias_maximum, of.topic_alias_maximum);
  call(property::request_response_information, of.request_response_information);
  call(property::request_problem_information, of.request_problem_information);
  call(property::authentication_method, of.authentication_method);
  call(property::authentication_data, of.authentication_data);
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<connack> auto& of, Call&& call) {
  call(property::session_expiry, of.session_expiry);
  call(property::receive_maximum, of.receive_maximum);
  call(property::maximum_qos, of.maximum_qos);
  call(property::retain_available, of.retain_available);
  call(property::maximum_packet_size, of.maximum_packet_size);
  call(property::assigned_client_id, of.assigned_client_id);
  call(property::topic_alias_maximum, of.topic_alias_maximum);
  call(property::reason_string, of.reason_string);
  call(property::wildcard_available, of.wildcard_subscriptions_available);
  call(property::subscription_ids_available,
       of.subscription_identifiers_available);
  call(property::shared_available, of.shared_subscriptions_available);
  call(property::server_keep_alive, of.server_keep_alive);
  call(property::response_information, of.response_information);
  call(property::server_reference, of.server_reference);
  call(property::authentication_method, of.authentication_method);
  call(property::authentication_data, of.authentication_data);
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<publish> auto& of, Call&& call) {
  call(property::topic_alias, of.topic_alias);
  call(property::subscription_identifier, of.subscription_ids);
  each_property(of.properties, call);
}

template <class Packet, class Call>
requires std::derived_from<Packet, acknowledgement> ||
    is_packet<Packet, suback> || is_packet<Packet, unsuback>
void each_property(Packet& of, Call&& call) {
  call(property::reason_string, of.reason_string);
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<subscribe> auto& of, Call&& call) {
  call(property::subscription_identifier, of.subscription_id);
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<unsubscribe> auto& of, Call&& call) {
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<disconnect> auto& of, Call&& call) {
  call(property::session_expiry, of.session_expiry);
  call(property::reason_string, of.reason_string);
  call(property::server_reference, of.server_reference);
  call(property::user, of.user);
}

template <class Call>
void each_property(is_packet<auth> auto& of, Call&& call) {
  call(property::authentication_method, of.authentication_method);
  call(property::authentication_data, of.authentication_data);
  call(property::reason_string, of.reason_string);
  call(property::user, of.user);
}

} // namespace troupe::net::mqtt
