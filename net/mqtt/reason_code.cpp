// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/reason_code.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace troupe::net::mqtt {
namespace {

using packet_set = std::uint32_t;

constexpr packet_set bit(packet_type type) {
  return packet_set{1} << static_cast<unsigned>(type);
}
constexpr packet_set set(std::initializer_list<packet_type> types) {
  packet_set all = 0;
  for (const auto type : types)
    all |= bit(type);
  return all;
}

struct entry {
  reason_code code;
  std::string_view text;
  packet_set client; ///< packets in which a client may say it
  packet_set server;
};

using enum packet_type;
using code = reason_code;

constexpr packet_set acks = set({puback, pubrec});
constexpr packet_set both_acks = set({puback, pubrec, pubrel, pubcomp});
constexpr packet_set subs = set({suback, unsuback});
constexpr packet_set refusals = set({connack, disconnect});

// Ascends by code.
constexpr std::array entries{
    entry{code::success, "success", both_acks | set({disconnect}),
          both_acks | subs | refusals | set({auth})},
    entry{code::granted_qos_1, "granted QoS 1", 0, set({suback})},
    entry{code::granted_qos_2, "granted QoS 2", 0, set({suback})},
    entry{code::disconnect_with_will, "disconnect with will message",
          set({disconnect}), 0},
    entry{code::no_matching_subscribers, "no matching subscribers", acks, acks},
    entry{code::no_subscription_existed, "no subscription existed", 0,
          set({unsuback})},
    entry{code::continue_authentication, "continue authentication", set({auth}),
          set({auth})},
    entry{code::reauthenticate, "re-authenticate", set({auth}), 0},
    entry{code::unspecified_error, "unspecified error",
          acks | set({disconnect}), acks | subs | refusals},
    entry{code::malformed_packet, "malformed packet", set({disconnect}),
          refusals},
    entry{code::protocol_error, "protocol error", set({disconnect}), refusals},
    entry{code::implementation_specific_error, "implementation specific error",
          acks | set({disconnect}), acks | subs | refusals},
    entry{code::unsupported_protocol_version, "unsupported protocol version", 0,
          set({connack})},
    entry{code::client_identifier_not_valid, "client identifier not valid", 0,
          set({connack})},
    entry{code::bad_user_name_or_password, "bad user name or password", 0,
          set({connack})},
    entry{code::not_authorized, "not authorized", acks, acks | subs | refusals},
    entry{code::server_unavailable, "server unavailable", 0, set({connack})},
    entry{code::server_busy, "server busy", 0, refusals},
    entry{code::banned, "banned", 0, set({connack})},
    entry{code::server_shutting_down, "server shutting down", 0,
          set({disconnect})},
    entry{code::bad_authentication_method, "bad authentication method", 0,
          refusals},
    entry{code::keep_alive_timeout, "keep alive timeout", 0, set({disconnect})},
    entry{code::session_taken_over, "session taken over", 0, set({disconnect})},
    entry{code::topic_filter_invalid, "topic filter invalid", 0,
          subs | set({disconnect})},
    entry{code::topic_name_invalid, "topic name invalid",
          acks | set({disconnect}), acks | refusals},
    entry{code::packet_identifier_in_use, "packet identifier in use", acks,
          acks | subs},
    entry{code::packet_identifier_not_found, "packet identifier not found",
          set({pubrel, pubcomp}), set({pubrel, pubcomp})},
    entry{code::receive_maximum_exceeded, "receive maximum exceeded",
          set({disconnect}), set({disconnect})},
    entry{code::topic_alias_invalid, "topic alias invalid", set({disconnect}),
          set({disconnect})},
    entry{code::packet_too_large, "packet too large", set({disconnect}),
          refusals},
    entry{code::message_rate_too_high, "message rate too high",
          set({disconnect}), set({disconnect})},
    entry{code::quota_exceeded, "quota exceeded", acks | set({disconnect}),
          acks | refusals | set({suback})},
    entry{code::administrative_action, "administrative action",
          set({disconnect}), set({disconnect})},
    entry{code::payload_format_invalid, "payload format invalid",
          acks | set({disconnect}), acks | refusals},
    entry{code::retain_not_supported, "retain not supported", 0, refusals},
    entry{code::qos_not_supported, "QoS not supported", 0, refusals},
    entry{code::use_another_server, "use another server", 0, refusals},
    entry{code::server_moved, "server moved", 0, refusals},
    entry{code::shared_subscriptions_not_supported,
          "shared subscriptions not supported", 0, set({suback, disconnect})},
    entry{code::connection_rate_exceeded, "connection rate exceeded", 0,
          refusals},
    entry{code::maximum_connect_time, "maximum connect time", 0,
          set({disconnect})},
    entry{code::subscription_identifiers_not_supported,
          "subscription identifiers not supported", 0,
          set({suback, disconnect})},
    entry{code::wildcard_subscriptions_not_supported,
          "wildcard subscriptions not supported", 0, set({suback, disconnect})},
};

const entry* find(reason_code which) noexcept {
  const auto* at = std::lower_bound(
      entries.begin(), entries.end(), which,
      [](const entry& e, reason_code c) { return e.code < c; });
  return at != entries.end() && at->code == which ? at : nullptr;
}

} // namespace

std::string_view to_string(packet_type type) noexcept {
  constexpr std::array<std::string_view, 16> names{
      "reserved",  "CONNECT",  "CONNACK",     "PUBLISH",
      "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
      "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
      "PINGREQ",   "PINGRESP", "DISCONNECT",  "AUTH"};
  return names[static_cast<std::size_t>(type) % names.size()];
}

std::string_view to_string(reason_code code) noexcept {
  const auto* found = find(code);
  return found == nullptr ? "unknown reason" : found->text;
}

bool may_carry(packet_type type, reason_code code, sender from) noexcept {
  const auto* found = find(code);
  if (found == nullptr)
    return false;
  const auto allowed = from == sender::client ? found->client : found->server;
  return (allowed & bit(type)) != 0;
}

std::optional<connect_return> connect_return_of(reason_code code) noexcept {
  using enum reason_code;
  switch (code) {
  case success:
    return connect_return::accepted;
  case unsupported_protocol_version:
    return connect_return::unacceptable_protocol_version;
  case client_identifier_not_valid:
    return connect_return::identifier_rejected;
  case bad_user_name_or_password:
    return connect_return::bad_user_name_or_password;
  case not_authorized:
  case banned:
  case bad_authentication_method:
    return connect_return::not_authorized;
  case server_unavailable:
  case server_busy:
  case use_another_server:
  case server_moved:
  case quota_exceeded:
  case connection_rate_exceeded:
    return connect_return::server_unavailable;
  default:
    return std::nullopt;
  }
}

reason_code reason_of(connect_return code) noexcept {
  switch (code) {
  case connect_return::accepted:
    return reason_code::success;
  case connect_return::unacceptable_protocol_version:
    return reason_code::unsupported_protocol_version;
  case connect_return::identifier_rejected:
    return reason_code::client_identifier_not_valid;
  case connect_return::server_unavailable:
    return reason_code::server_unavailable;
  case connect_return::bad_user_name_or_password:
    return reason_code::bad_user_name_or_password;
  case connect_return::not_authorized:
    return reason_code::not_authorized;
  }
  return reason_code::unspecified_error;
}

} // namespace troupe::net::mqtt
