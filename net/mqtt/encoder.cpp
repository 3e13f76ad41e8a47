// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/encoder.hpp"

#include "core/assert.hpp"
#include "net/mqtt/field_writer.hpp"

#include <concepts>

namespace troupe::net::mqtt {
namespace {

constexpr unsigned request_flags = 2;

/// Whose diagnostics may be left out: everybody's but those in which user
/// properties belong to somebody else, or are a request.
template <class Packet>
concept can_be_shortened = std::derived_from<Packet, acknowledgement> ||
    std::same_as<Packet, connack> || std::same_as<Packet, suback> ||
    std::same_as<Packet, unsuback> || std::same_as<Packet, disconnect> ||
    std::same_as<Packet, auth>;

struct manner {
  version by;
  omission omit;
  [[nodiscard]] bool is_5() const { return by == version::v5; }
};

unsigned connect_flags(const connect& packet) {
  unsigned flags = 0;
  if (packet.clean_start)
    flags |= 0x02U;
  if (packet.will) {
    flags |= 0x04U | static_cast<unsigned>(packet.will->level) << 3U;
    if (packet.will->retain)
      flags |= 0x20U;
  }
  if (packet.password)
    flags |= 0x40U;
  if (packet.user_name)
    flags |= 0x80U;
  return flags;
}

template <class Sink>
void write(Sink& to, const connect& packet, manner how) {
  to.field(packet.protocol == version::v3_1 ? "MQIsdp" : "MQTT");
  to.byte(static_cast<unsigned>(packet.protocol));
  to.byte(connect_flags(packet));
  to.two_bytes(packet.keep_alive.count());
  if (how.is_5())
    write_property_list(to, packet, omission::nothing);
  to.field(packet.client_id);
  if (packet.will) {
    if (how.is_5())
      write_property_list(to, *packet.will, omission::nothing);
    to.field(packet.will->topic);
    to.field(packet.will->payload.text());
  }
  if (packet.user_name)
    to.field(*packet.user_name);
  if (packet.password)
    to.field(*packet.password);
}

template <class Sink>
void write(Sink& to, const connack& packet, manner how) {
  to.byte(packet.session_present && how.by != version::v3_1 ? 1 : 0);
  if (how.is_5()) {
    to.byte(static_cast<unsigned>(packet.reason));
    write_property_list(to, packet, how.omit);
  } else {
    // encode() has seen that there is one.
    to.byte(static_cast<unsigned>(*connect_return_of(packet.reason)));
  }
}

/// Without the payload.
template <class Sink>
void write(Sink& to, const publish& packet, manner how) {
  to.field(packet.topic);
  if (packet.level != qos::at_most_once)
    to.two_bytes(packet.id.value());
  if (how.is_5())
    write_property_list(to, packet, omission::nothing);
}

template <class Sink, class Packet>
requires std::derived_from<Packet, acknowledgement>
void write(Sink& to, const Packet& packet, manner how) {
  to.two_bytes(packet.id.value());
  if (!how.is_5())
    return;
  const bool says_more = properties_bytes(packet, how.omit) != 0;
  if (says_more || packet.reason != reason_code::success)
    to.byte(static_cast<unsigned>(packet.reason));
  if (says_more)
    write_property_list(to, packet, how.omit);
}

template <class Sink>
void write(Sink& to, const subscribe& packet, manner how) {
  to.two_bytes(packet.id.value());
  if (how.is_5())
    write_property_list(to, packet, omission::nothing);
  for (const auto& each : packet.filters) {
    to.field(each.filter);
    auto options = static_cast<unsigned>(each.level);
    if (how.is_5())
      options |= (each.no_local ? 4U : 0U) |
                 (each.retain_as_published ? 8U : 0U) |
                 static_cast<unsigned>(each.retained) << 4U;
    to.byte(options);
  }
}

template <class Sink>
void write(Sink& to, const suback& packet, manner how) {
  to.two_bytes(packet.id.value());
  if (how.is_5())
    write_property_list(to, packet, how.omit);
  for (const auto reason : packet.reasons)
    to.byte(how.is_5() ? static_cast<unsigned>(reason)
                       : suback_return_of(reason));
}

template <class Sink>
void write(Sink& to, const unsubscribe& packet, manner how) {
  to.two_bytes(packet.id.value());
  if (how.is_5())
    write_property_list(to, packet, omission::nothing);
  for (const auto filter : packet.filters)
    to.field(filter);
}

template <class Sink>
void write(Sink& to, const unsuback& packet, manner how) {
  to.two_bytes(packet.id.value());
  if (!how.is_5())
    return;
  write_property_list(to, packet, how.omit);
  for (const auto reason : packet.reasons)
    to.byte(static_cast<unsigned>(reason));
}

template <class Sink, class Packet>
requires std::same_as<Packet, pingreq> || std::same_as<Packet, pingresp>
void write(Sink&, const Packet&, manner) {}

template <class Sink>
void write(Sink& to, const disconnect& packet, manner how) {
  if (!how.is_5())
    return;
  const bool says_more = properties_bytes(packet, how.omit) != 0;
  if (says_more || packet.reason != reason_code::normal_disconnection)
    to.byte(static_cast<unsigned>(packet.reason));
  if (says_more)
    write_property_list(to, packet, how.omit);
}

template <class Sink>
void write(Sink& to, const auth& packet, manner how) {
  const bool says_more = properties_bytes(packet, how.omit) != 0;
  if (!says_more && packet.reason == reason_code::success)
    return;
  to.byte(static_cast<unsigned>(packet.reason));
  write_property_list(to, packet, how.omit);
}

template <class Packet>
unsigned flags_of(const Packet& packet) {
  if constexpr (std::same_as<Packet, publish>)
    return (packet.duplicate ? 8U : 0U) |
           static_cast<unsigned>(packet.level) << 1U |
           (packet.retain ? 1U : 0U);
  else if constexpr (std::same_as<Packet, pubrel> ||
                     std::same_as<Packet, subscribe> ||
                     std::same_as<Packet, unsubscribe>)
    return request_flags;
  else
    return 0;
}

template <class Packet>
bool is_in(version by, const Packet& packet) {
  if (by == version::v5)
    return true;
  if constexpr (std::same_as<Packet, auth>)
    return false;
  else if constexpr (std::same_as<Packet, disconnect>)
    // Only a client's, which has no reason to give, exists there.
    return packet.reason == reason_code::normal_disconnection;
  else if constexpr (std::same_as<Packet, connack>)
    return connect_return_of(packet.reason).has_value();
  else
    return true;
}

template <class Packet>
void check(const Packet& packet) {
  if constexpr (std::same_as<Packet, publish>)
    TROUPE_ASSERT((packet.level == qos::at_most_once) ==
                      (packet.id == packet_id{}),
                  "a PUBLISH has a packet identifier exactly above QoS 0");
  else if constexpr (requires { packet.id; })
    TROUPE_ASSERT(packet.id != packet_id{}, "packet identifier 0");
}

/// False: larger than `bytes_max`.
template <class Packet>
bool try_encode(encoded_packet& to, const Packet& packet, manner how,
                std::size_t bytes_max) {
  core::shared_bytes payload;
  if constexpr (std::same_as<Packet, publish>)
    payload = packet.payload;
  field_counter count;
  write(count, packet, how);
  const auto remaining = count.bytes() + payload.size();
  if (count.too_long() || remaining > variable_integer_max)
    return false;
  const auto front = 1 + variable_bytes(remaining);
  if (front + remaining > bytes_max)
    return false;
  constexpr auto type = static_cast<unsigned>(packet_type_of<Packet>);
  to.build(front + count.bytes(), payload, [&](std::byte* at) {
    field_writer out{at};
    out.byte(type << 4U | flags_of(packet));
    out.variable(remaining);
    write(out, packet, how);
  });
  return true;
}

template <class Packet>
encode_status encode_one(encoded_packet& to, const Packet& packet, version by,
                         std::size_t bytes_max) {
  if constexpr (std::same_as<Packet, connect>)
    by = packet.protocol;
  check(packet);
  if (!is_in(by, packet))
    return encode_status::not_in_version;
  if (try_encode(to, packet, {by, omission::nothing}, bytes_max))
    return encode_status::whole;
  if constexpr (can_be_shortened<Packet>)
    for (const auto omit : {omission::users, omission::diagnostics})
      if (by == version::v5 && try_encode(to, packet, {by, omit}, bytes_max))
        return encode_status::shortened;
  return encode_status::too_large;
}

} // namespace

void encoded_packet::append_to(output_queue& out) const {
  if (large_.empty())
    out.append(head());
  else
    out.append(large_);
  out.append(payload_);
}

std::array<core::shared_bytes, 2> encoded_packet::pieces() const {
  return {large_.empty() ? core::shared_bytes::copy_of(head()) : large_,
          payload_};
}

encode_status encode(encoded_packet& to, const any_packet& what, version by,
                     std::size_t packet_bytes_max) {
  return std::visit(
      [&](const auto& each) {
        return encode_one(to, each, by, packet_bytes_max);
      },
      what);
}

encode_status encode(output_queue& to, const any_packet& what, version by,
                     std::size_t packet_bytes_max) {
  encoded_packet encoded;
  const auto status = encode(encoded, what, by, packet_bytes_max);
  if (status == encode_status::whole || status == encode_status::shortened)
    encoded.append_to(to);
  return status;
}

} // namespace troupe::net::mqtt
