// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/decoder.hpp"

#include "net/mqtt/connect_decoder.hpp"
#include "net/mqtt/field_reader.hpp"
#include "net/mqtt/property_reader.hpp"
#include "net/mqtt/rules.hpp"

namespace troupe::net::mqtt {
namespace {

constexpr unsigned retain_bit = 1;
constexpr unsigned qos_shift = 1;
constexpr unsigned qos_mask = 3;
constexpr unsigned duplicate_bit = 8;
/// Of PUBREL, SUBSCRIBE and UNSUBSCRIBE.
constexpr unsigned request_flags = 2;

unsigned flags_of(packet_type type) noexcept {
  switch (type) {
  case packet_type::pubrel:
  case packet_type::subscribe:
  case packet_type::unsubscribe:
    return request_flags;
  default:
    return 0;
  }
}

/// nullptr: they are right.
const rule* check_flags(packet_type type, unsigned flags) noexcept {
  if (type != packet_type::publish)
    return flags == flags_of(type) ? nullptr : &rules::fixed_flags;
  const auto level = flags >> qos_shift & qos_mask;
  if (level == 3)
    return &rules::publish_qos_3;
  if (level == 0 && (flags & duplicate_bit) != 0)
    return &rules::duplicate_qos_0;
  return nullptr;
}

frame violating(const rule& which, version by, std::string_view about = {}) {
  frame result;
  result.what = frame::status::violation;
  result.broken = broken(which, by, about);
  return result;
}

bool is_from(packet_type type, sender from) noexcept {
  switch (type) {
  case packet_type::connect:
  case packet_type::subscribe:
  case packet_type::unsubscribe:
  case packet_type::pingreq:
    return from == sender::client;
  case packet_type::connack:
  case packet_type::suback:
  case packet_type::unsuback:
  case packet_type::pingresp:
    return from == sender::server;
  default:
    return true;
  }
}

/// One packet's way from a reader to a struct.
class body_reader {
public:
  body_reader(field_reader& in, const decode_options& how)
      : in_(in), how_(how), is_5_(in.by() == version::v5) {}

  void read(publish& to, unsigned flags);
  void read(acknowledgement& to, packet_type type);
  void read(subscribe& to);
  void read(suback& to);
  void read(unsubscribe& to);
  void read(unsuback& to);
  void read(disconnect& to);
  void read(auth& to);

private:
  template <class Packet>
  void properties(packet_type type, Packet& to) {
    if (!in_.failed())
      read_properties(in_, inside(type), how_.from,
                      how_.limits.user_properties_max, to);
  }
  reason_code reason(packet_type type) {
    const reason_code code{in_.byte("reason code")};
    if (!in_.failed() && !may_carry(type, code, how_.from))
      in_.fail(rules::reason_not_here, to_string(type));
    return code;
  }
  void reasons(packet_type type, std::vector<reason_code>& to);
  void read_options(subscription_request& to);

  field_reader& in_;
  const decode_options& how_;
  bool is_5_;
};

void body_reader::read(publish& to, unsigned flags) {
  to.duplicate = (flags & duplicate_bit) != 0;
  to.level = static_cast<qos>(flags >> qos_shift & qos_mask);
  to.retain = (flags & retain_bit) != 0;
  to.topic = in_.text("topic name");
  if (to.topic.find_first_of("+#") != std::string_view::npos)
    in_.fail(rules::topic_wildcard);
  if (to.topic.empty() && !is_5_)
    in_.fail(rules::topic_empty);
  if (to.level != qos::at_most_once)
    to.id = in_.id(packet_type::publish);
  if (is_5_) {
    properties(packet_type::publish, to);
    if (to.topic.empty() && !to.topic_alias)
      in_.fail(rules::topic_missing);
  }
  if (!in_.failed())
    to.payload = in_.keep(in_.rest());
}

void body_reader::read(acknowledgement& to, packet_type type) {
  to.id = in_.id(type);
  // Success without properties needs no reason code, and a reason code without
  // properties no length of them (MQTT 5, 3.4.2.1).
  if (is_5_ && !in_.empty())
    to.reason = reason(type);
}

void body_reader::read_options(subscription_request& to) {
  const unsigned options = in_.byte("subscription options");
  to.level = static_cast<qos>(options & qos_mask);
  if (!is_5_) {
    if (options > 3)
      in_.fail(rules::option_bits);
    else if (options == 3)
      in_.fail(rules::option_qos_3);
    return;
  }
  to.no_local = (options & 4U) != 0;
  to.retain_as_published = (options & 8U) != 0;
  to.retained = static_cast<retain_handling>(options >> 4U & 3U);
  if (options >> 6U != 0)
    in_.fail(rules::option_bits);
  else if ((options & qos_mask) == 3)
    in_.fail(rules::option_qos_3);
  else if ((options >> 4U & 3U) == 3)
    in_.fail(rules::option_retain);
  else if (to.no_local && to.filter.starts_with("$share/"))
    in_.fail(rules::no_local_shared);
}

void body_reader::read(subscribe& to) {
  to.id = in_.id(packet_type::subscribe);
  if (is_5_)
    properties(packet_type::subscribe, to);
  if (!in_.failed() && in_.empty())
    in_.fail(rules::subscribe_empty);
  while (!in_.empty()) {
    subscription_request next;
    next.filter = in_.text("topic filter");
    if (!in_.failed() && next.filter.empty())
      in_.fail(rules::filter_empty);
    read_options(next);
    if (!in_.failed() && to.filters.size() == how_.limits.filters_max)
      in_.fail(rules::too_many, "topic filters");
    to.filters.push_back(next);
  }
}

void body_reader::read(unsubscribe& to) {
  to.id = in_.id(packet_type::unsubscribe);
  if (is_5_)
    properties(packet_type::unsubscribe, to);
  if (!in_.failed() && in_.empty())
    in_.fail(rules::unsubscribe_empty);
  while (!in_.empty()) {
    const auto filter = in_.text("topic filter");
    if (!in_.failed() && filter.empty())
      in_.fail(rules::filter_empty);
    if (!in_.failed() && to.filters.size() == how_.limits.filters_max)
      in_.fail(rules::too_many, "topic filters");
    to.filters.push_back(filter);
  }
}

void body_reader::reasons(packet_type type, std::vector<reason_code>& to) {
  if (!in_.failed() && in_.empty())
    in_.fail(rules::suback_empty, to_string(type));
  to.reserve(in_.left());
  while (!in_.empty())
    to.push_back(reason(type));
}

void body_reader::read(suback& to) {
  to.id = in_.id(packet_type::suback);
  if (is_5_) {
    properties(packet_type::suback, to);
    return reasons(packet_type::suback, to.reasons);
  }
  if (!in_.failed() && in_.empty())
    in_.fail(rules::suback_empty, to_string(packet_type::suback));
  while (!in_.empty()) {
    const reason_code code{in_.byte("return code")};
    if (code > reason_code::granted_qos_2 &&
        code != reason_code::unspecified_error)
      in_.fail(rules::suback_code);
    to.reasons.push_back(code);
  }
}

void body_reader::read(unsuback& to) {
  to.id = in_.id(packet_type::unsuback);
  if (!is_5_)
    return;
  properties(packet_type::unsuback, to);
  reasons(packet_type::unsuback, to.reasons);
}

void body_reader::read(disconnect& to) {
  if (!is_5_) {
    if (how_.from == sender::server)
      in_.fail(rules::wrong_sender, to_string(packet_type::disconnect));
    return;
  }
  if (!in_.empty())
    to.reason = reason(packet_type::disconnect);
  if (!in_.empty())
    properties(packet_type::disconnect, to);
}

void body_reader::read(auth& to) {
  if (!is_5_)
    return in_.fail(rules::not_in_version, to_string(packet_type::auth));
  if (in_.empty())
    return; // success, and nothing to say (MQTT 5, 3.15.2.1)
  to.reason = reason(packet_type::auth);
  properties(packet_type::auth, to);
  if (!in_.failed() && !to.authentication_method)
    in_.fail(rules::auth_without_method);
}

template <class Ack>
any_packet read_ack(body_reader& body, field_reader& in,
                    const decode_options& how, packet_type type) {
  Ack to;
  body.read(to, type);
  if (in.by() == version::v5 && !in.empty())
    read_properties(in, inside(type), how.from, how.limits.user_properties_max,
                    to);
  return to;
}

template <class Packet>
any_packet read_as(body_reader& body) {
  Packet to;
  body.read(to);
  return to;
}

any_packet read_packet(const frame& whole, field_reader& in,
                       const decode_options& how) {
  body_reader body{in, how};
  switch (whole.type) {
  case packet_type::connect:
    return read_connect(in, how.limits);
  case packet_type::connack:
    return read_connack(in, how.limits);
  case packet_type::publish: {
    publish to;
    body.read(to, whole.flags);
    return to;
  }
  case packet_type::puback:
    return read_ack<puback>(body, in, how, whole.type);
  case packet_type::pubrec:
    return read_ack<pubrec>(body, in, how, whole.type);
  case packet_type::pubrel:
    return read_ack<pubrel>(body, in, how, whole.type);
  case packet_type::pubcomp:
    return read_ack<pubcomp>(body, in, how, whole.type);
  case packet_type::subscribe:
    return read_as<subscribe>(body);
  case packet_type::suback:
    return read_as<suback>(body);
  case packet_type::unsubscribe:
    return read_as<unsubscribe>(body);
  case packet_type::unsuback:
    return read_as<unsuback>(body);
  case packet_type::pingreq:
    return pingreq{};
  case packet_type::pingresp:
    return pingresp{};
  case packet_type::disconnect:
    return read_as<disconnect>(body);
  case packet_type::auth:
    return read_as<auth>(body);
  }
  return {};
}

} // namespace

frame decode_frame(core::bytes_view in, std::size_t packet_bytes_max,
                   version speaking) noexcept {
  frame result;
  if (in.empty())
    return result;
  const auto first = std::to_integer<unsigned>(in[0]);
  result.type = static_cast<packet_type>(first >> 4U);
  result.flags = static_cast<std::uint8_t>(first & 0xFU);
  if (first >> 4U == 0)
    return violating(rules::reserved_type, speaking);
  if (const auto* rule = check_flags(result.type, result.flags))
    return violating(*rule, speaking, to_string(result.type));
  const auto length = read_variable(in.subspan(1));
  if (length.what == variable_integer::status::need_more)
    return result;
  if (length.what == variable_integer::status::too_long)
    return violating(rules::long_length, speaking, "remaining length");
  result.padded_length = length.padded;
  const std::size_t header = 1 + length.bytes;
  result.bytes = header + length.value;
  if (result.bytes > packet_bytes_max)
    return violating(rules::too_large, speaking, to_string(result.type));
  if (in.size() < result.bytes)
    return result;
  result.what = frame::status::packet;
  result.body = in.subspan(header, length.value);
  return result;
}

decoded decode(const frame& whole, const decode_options& how) {
  decoded result;
  auto speaking = how.speaking;
  if (whole.type == packet_type::connect) {
    field_reader head{whole.body, how.speaking, nullptr};
    const auto found = read_version(head);
    if (!found) {
      result.broken = head.failure();
      return result;
    }
    speaking = *found;
  }
  field_reader in{whole.body, speaking, how.owner};
  if (!is_from(whole.type, how.from))
    in.fail(rules::wrong_sender, to_string(whole.type));
  else if (whole.padded_length && speaking == version::v5)
    in.fail(rules::padded_length, "remaining length");
  if (!in.failed())
    result.value = read_packet(whole, in, how);
  in.finish(whole.type);
  result.broken = in.failure();
  return result;
}

std::optional<version> version_of(const frame& connect_packet) noexcept {
  field_reader head{connect_packet.body, version::v5, nullptr};
  return read_version(head);
}

} // namespace troupe::net::mqtt
