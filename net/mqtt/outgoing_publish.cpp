// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/outgoing_publish.hpp"

#include "core/assert.hpp"
#include "net/mqtt/field_writer.hpp"

#include <cstring>

namespace troupe::net::mqtt {
namespace {

core::shared_bytes encoded(const message_properties& properties) {
  field_counter count;
  write_properties(count, properties);
  return core::shared_bytes::build(count.bytes(), [&](std::byte* to) {
    field_writer out{to};
    write_properties(out, properties);
  });
}

bool has_long_field(std::string_view topic,
                    const message_properties& properties) {
  field_counter count;
  count.field(topic);
  write_properties(count, properties);
  return count.too_long();
}

/// The properties that are a subscriber's own.
template <class Sink>
void write_own(Sink& to, const publish_terms& terms) {
  property_writer<Sink> out{to, omission::nothing};
  if (terms.topic_alias)
    out.put(property::topic_alias, *terms.topic_alias);
  for (const auto id : terms.subscription_ids)
    out.put(property::subscription_identifier, id);
}

} // namespace

outgoing_publish::outgoing_publish(std::string_view topic,
                                   const message_properties& properties,
                                   core::shared_bytes payload)
    : topic_(core::shared_bytes::copy_of(topic)), payload_(std::move(payload)),
      too_long_(has_long_field(topic, properties)) {
  if (!too_long_)
    properties_ = encoded(properties);
}

std::size_t outgoing_publish::own_bytes(const publish_terms& terms) const {
  field_counter count;
  write_own(count, terms);
  return count.bytes();
}

std::size_t outgoing_publish::remaining(version by,
                                        const publish_terms& terms) const {
  std::size_t bytes = 2 + payload_.size();
  if (terms.level != qos::at_most_once)
    bytes += 2;
  if (by != version::v5)
    return bytes + topic_.size();
  if (!terms.topic_known)
    bytes += topic_.size();
  const auto listed = own_bytes(terms) + properties_.size();
  return bytes + variable_bytes(listed) + listed;
}

std::size_t outgoing_publish::size(version by,
                                   const publish_terms& terms) const noexcept {
  const auto bytes = remaining(by, terms);
  return 1 + variable_bytes(bytes) + bytes;
}

bool outgoing_publish::fits(version by, const publish_terms& terms,
                            std::size_t packet_bytes_max) const {
  return !too_long_ && remaining(by, terms) <= variable_integer_max &&
         size(by, terms) <= packet_bytes_max;
}

std::size_t outgoing_publish::head_bytes(version by,
                                         const publish_terms& terms) const {
  return size(by, terms) - payload_.size();
}

void outgoing_publish::write_head(std::byte* to, version by,
                                  const publish_terms& terms) const {
  TROUPE_ASSERT((terms.level == qos::at_most_once) == (terms.id == packet_id{}),
                "a PUBLISH has a packet identifier exactly above QoS 0");
  TROUPE_ASSERT(!terms.topic_known || terms.topic_alias,
                "a topic is known by its alias only");
  field_writer out{to};
  out.byte(static_cast<unsigned>(packet_type::publish) << 4U |
           (terms.duplicate ? 8U : 0U) |
           static_cast<unsigned>(terms.level) << 1U | (terms.retain ? 1U : 0U));
  out.variable(remaining(by, terms));
  const bool is_5 = by == version::v5;
  out.field(is_5 && terms.topic_known ? std::string_view{} : topic_.text());
  if (terms.level != qos::at_most_once)
    out.two_bytes(terms.id.value());
  if (!is_5)
    return;
  out.variable(own_bytes(terms) + properties_.size());
  write_own(out, terms);
  out.raw(properties_.text());
}

const outgoing_publish::frame_pieces&
outgoing_publish::shared_frame(version by, const publish_terms& terms) {
  auto& made =
      shared_[(by == version::v5 ? 2U : 0U) + (terms.retain ? 1U : 0U)];
  if (!made) {
    const bool in_one = payload_.size() < output_queue::reference_bytes_min;
    const auto head = head_bytes(by, terms);
    made = frame_pieces{
        core::shared_bytes::build(head + (in_one ? payload_.size() : 0),
                                  [&](std::byte* to) {
                                    write_head(to, by, terms);
                                    if (in_one && !payload_.empty())
                                      std::memcpy(to + head, payload_.data(),
                                                  payload_.size());
                                  }),
        in_one ? core::shared_bytes{} : payload_};
  }
  return *made;
}

encode_status outgoing_publish::append_to(output_queue& out, version by,
                                          const publish_terms& terms,
                                          std::size_t packet_bytes_max) {
  if (!fits(by, terms, packet_bytes_max))
    return encode_status::too_large;
  if (terms.is_shared()) {
    for (const auto& piece : shared_frame(by, terms))
      out.append(piece);
    return encode_status::whole;
  }
  encoded_packet one;
  one.build(head_bytes(by, terms), payload_,
            [&](std::byte* to) { write_head(to, by, terms); });
  one.append_to(out);
  return encode_status::whole;
}

std::optional<std::array<core::shared_bytes, 2>>
outgoing_publish::pieces(version by, const publish_terms& terms,
                         std::size_t packet_bytes_max) {
  if (!fits(by, terms, packet_bytes_max))
    return std::nullopt;
  if (terms.is_shared())
    return shared_frame(by, terms);
  return frame_pieces{core::shared_bytes::build(
                          head_bytes(by, terms),
                          [&](std::byte* to) { write_head(to, by, terms); }),
                      payload_};
}

} // namespace troupe::net::mqtt
