// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"
#include "net/mqtt/reason_code.hpp"
#include "net/mqtt/version.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// MQTT's control packets as plain values, one struct a type, for all versions
/// and both directions. What a version does not know has its default value
/// after decoding and is left out in encoding; members that are MQTT 5's alone
/// are below a line "MQTT 5".
///
/// Strings are borrowed: from the bytes that were decoded, or from whoever
/// fills in a packet to be encoded. What is kept for longer (payload,
/// correlation data) is shared_bytes. Strings are UTF-8 without U+0000
/// (is_text() in field_reader.hpp); password and authentication data are any
/// bytes. No string is longer than field_bytes_max.
namespace troupe::net::mqtt {

/// 0 is none.
using packet_id = core::strong_id<struct packet_id_tag, std::uint16_t>;

/// All intervals of MQTT; two bytes on the wire for keep alives.
using seconds = std::chrono::duration<std::uint32_t>;
/// As a session's expiry: never.
inline constexpr seconds never{0xFFFFFFFF};

/// In the order of the sender, with repetitions.
using user_properties =
    std::vector<std::pair<std::string_view, std::string_view>>;

/// MQTT 5: what a publication says about itself. Handed on unaltered, but for
/// `expiry`, from which the time of waiting is taken.
struct message_properties {
  std::optional<bool> payload_is_text{}; ///< payload format indicator
  std::optional<seconds> expiry{};
  std::optional<std::string_view> content_type{};
  std::optional<std::string_view> response_topic{};
  std::optional<core::shared_bytes> correlation_data{};
  user_properties user{};

  friend bool operator==(const message_properties&,
                         const message_properties&) = default;
};

struct will_message {
  std::string_view topic{};
  core::shared_bytes payload{};
  qos level = qos::at_most_once;
  bool retain = false;
  // MQTT 5
  std::optional<seconds> delay{};
  message_properties properties{};

  friend bool operator==(const will_message&, const will_message&) = default;
};

struct connect {
  version protocol = version::v5;
  bool clean_start = true; ///< "clean session" before MQTT 5
  seconds keep_alive{};    ///< 0: none; below 65,536
  std::string_view client_id{};
  std::optional<will_message> will{};
  std::optional<std::string_view> user_name{};
  std::optional<std::string_view> password{}; ///< bytes
  // MQTT 5
  std::optional<seconds> session_expiry{};
  std::optional<std::uint16_t> receive_maximum{};     ///< not 0
  std::optional<std::uint32_t> maximum_packet_size{}; ///< not 0
  std::optional<std::uint16_t> topic_alias_maximum{};
  std::optional<bool> request_response_information{};
  std::optional<bool> request_problem_information{};
  std::optional<std::string_view> authentication_method{};
  std::optional<std::string_view> authentication_data{}; ///< bytes
  user_properties user{};

  friend bool operator==(const connect&, const connect&) = default;
};

struct connack {
  bool session_present = false; ///< not in 3.1
  /// Becomes a return code before MQTT 5: see connect_return_of().
  reason_code reason = reason_code::success;
  // MQTT 5
  std::optional<seconds> session_expiry{};
  std::optional<std::uint16_t> receive_maximum{}; ///< not 0
  std::optional<qos> maximum_qos{};               ///< 0 or 1
  std::optional<bool> retain_available{};
  std::optional<std::uint32_t> maximum_packet_size{}; ///< not 0
  std::optional<std::string_view> assigned_client_id{};
  std::optional<std::uint16_t> topic_alias_maximum{};
  std::optional<std::string_view> reason_string{};
  std::optional<bool> wildcard_subscriptions_available{};
  std::optional<bool> subscription_identifiers_available{};
  std::optional<bool> shared_subscriptions_available{};
  std::optional<seconds> server_keep_alive{}; ///< below 65,536
  std::optional<std::string_view> response_information{};
  std::optional<std::string_view> server_reference{};
  std::optional<std::string_view> authentication_method{};
  std::optional<std::string_view> authentication_data{}; ///< bytes
  user_properties user{};

  friend bool operator==(const connack&, const connack&) = default;
};

struct publish {
  bool duplicate = false; ///< not with QoS 0
  qos level = qos::at_most_once;
  bool retain = false;
  std::string_view topic{}; ///< "" only with a topic alias
  packet_id id{};           ///< none with QoS 0
  core::shared_bytes payload{};
  // MQTT 5
  std::optional<std::uint16_t> topic_alias{}; ///< not 0
  /// Only from a server: of all subscriptions that match. None is 0.
  std::vector<std::uint32_t> subscription_ids{};
  message_properties properties{};

  friend bool operator==(const publish&, const publish&) = default;
};

/// What PUBACK, PUBREC, PUBREL and PUBCOMP have in common.
struct acknowledgement {
  packet_id id{};
  // MQTT 5
  reason_code reason = reason_code::success;
  std::optional<std::string_view> reason_string{};
  user_properties user{};

  friend bool operator==(const acknowledgement&,
                         const acknowledgement&) = default;
};
struct puback : acknowledgement {
  friend bool operator==(const puback&, const puback&) = default;
};
struct pubrec : acknowledgement {
  friend bool operator==(const pubrec&, const pubrec&) = default;
};
struct pubrel : acknowledgement {
  friend bool operator==(const pubrel&, const pubrel&) = default;
};
struct pubcomp : acknowledgement {
  friend bool operator==(const pubcomp&, const pubcomp&) = default;
};

/// When a new subscription gets retained messages. Numbers are the wire's.
enum class retain_handling : std::uint8_t {
  send = 0,
  send_if_new = 1, ///< not if it replaces one
  do_not_send = 2,
};

struct subscription_request {
  /// Not empty; whether it is a filter is for parse_filter() to say.
  std::string_view filter{};
  qos level = qos::at_most_once;
  // MQTT 5
  bool no_local = false; ///< not with a shared subscription
  bool retain_as_published = false;
  retain_handling retained = retain_handling::send;

  friend bool operator==(const subscription_request&,
                         const subscription_request&) = default;
};

struct subscribe {
  packet_id id{};
  std::vector<subscription_request> filters{}; ///< at least one
  // MQTT 5
  std::optional<std::uint32_t> subscription_id{}; ///< not 0
  user_properties user{};

  friend bool operator==(const subscribe&, const subscribe&) = default;
};

struct suback {
  packet_id id{};
  /// One a filter, in their order: a granted QoS or why not. Before MQTT 5 all
  /// failures are unspecified_error.
  std::vector<reason_code> reasons{};
  // MQTT 5
  std::optional<std::string_view> reason_string{};
  user_properties user{};

  friend bool operator==(const suback&, const suback&) = default;
};

struct unsubscribe {
  packet_id id{};
  std::vector<std::string_view> filters{}; ///< at least one, none empty
  // MQTT 5
  user_properties user{};

  friend bool operator==(const unsubscribe&, const unsubscribe&) = default;
};

struct unsuback {
  packet_id id{};
  // MQTT 5
  std::vector<reason_code> reasons{}; ///< one a filter, in their order
  std::optional<std::string_view> reason_string{};
  user_properties user{};

  friend bool operator==(const unsuback&, const unsuback&) = default;
};

struct pingreq {
  friend bool operator==(const pingreq&, const pingreq&) = default;
};
struct pingresp {
  friend bool operator==(const pingresp&, const pingresp&) = default;
};

/// Before MQTT 5 from a client only, and without anything in it.
struct disconnect {
  // MQTT 5
  reason_code reason = reason_code::normal_disconnection;
  std::optional<seconds> session_expiry{}; ///< only from a client
  std::optional<std::string_view> reason_string{};
  std::optional<std::string_view> server_reference{}; ///< only from a server
  user_properties user{};

  friend bool operator==(const disconnect&, const disconnect&) = default;
};

/// MQTT 5 only.
struct auth {
  reason_code reason = reason_code::success;
  std::optional<std::string_view> authentication_method{};
  std::optional<std::string_view> authentication_data{}; ///< bytes
  std::optional<std::string_view> reason_string{};
  user_properties user{};

  friend bool operator==(const auth&, const auth&) = default;
};

/// In the order of packet_type: see type_of().
using any_packet = std::variant<connect, connack, publish, puback, pubrec,
                                pubrel, pubcomp, subscribe, suback, unsubscribe,
                                unsuback, pingreq, pingresp, disconnect, auth>;

[[nodiscard]] inline packet_type type_of(const any_packet& which) noexcept {
  return static_cast<packet_type>(which.index() + 1);
}

namespace detail {
template <class Packet, class... All>
constexpr std::size_t place_in(const std::variant<All...>*) noexcept {
  std::size_t place = 0;
  (void)((++place, std::is_same_v<Packet, All>) || ...);
  return place;
}
} // namespace detail

/// The same of a struct.
template <class Packet>
inline constexpr packet_type packet_type_of = static_cast<packet_type>(
    detail::place_in<Packet>(static_cast<const any_packet*>(nullptr)));

} // namespace troupe::net::mqtt
