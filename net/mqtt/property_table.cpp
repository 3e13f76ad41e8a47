// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/property_table.hpp"

#include <array>

namespace troupe::net::mqtt {
namespace {

using enum packet_type;
using type = property_type;

constexpr packet_set message = inside(publish) | in_will;
constexpr packet_set connecting = inside(connect) | inside(connack);
constexpr packet_set proving = connecting | inside(auth);
constexpr packet_set answers =
    inside(connack) | inside(puback) | inside(pubrec) | inside(pubrel) |
    inside(pubcomp) | inside(suback) | inside(unsuback) | inside(disconnect) |
    inside(auth);
constexpr packet_set everywhere = answers | message | inside(connect) |
                                  inside(subscribe) | inside(unsubscribe);

constexpr std::array table{
    property_info{property::payload_format, "payload format indicator",
                  type::byte, message, 0, 0, 1},
    property_info{property::message_expiry, "message expiry interval",
                  type::four_bytes, message},
    property_info{property::content_type, "content type", type::text, message},
    property_info{property::response_topic, "response topic", type::text,
                  message},
    property_info{property::correlation_data, "correlation data", type::binary,
                  message},
    property_info{property::subscription_identifier, "subscription identifier",
                  type::variable, inside(publish) | inside(subscribe),
                  inside(publish), 1},
    property_info{property::session_expiry, "session expiry interval",
                  type::four_bytes, connecting | inside(disconnect)},
    property_info{property::assigned_client_id, "assigned client identifier",
                  type::text, inside(connack)},
    property_info{property::server_keep_alive, "server keep alive",
                  type::two_bytes, inside(connack)},
    property_info{property::authentication_method, "authentication method",
                  type::text, proving},
    property_info{property::authentication_data, "authentication data",
                  type::binary, proving},
    property_info{property::request_problem_information,
                  "request problem information", type::byte, inside(connect), 0,
                  0, 1},
    property_info{property::will_delay, "will delay interval", type::four_bytes,
                  in_will},
    property_info{property::request_response_information,
                  "request response information", type::byte, inside(connect),
                  0, 0, 1},
    property_info{property::response_information, "response information",
                  type::text, inside(connack)},
    property_info{property::server_reference, "server reference", type::text,
                  inside(connack) | inside(disconnect)},
    property_info{property::reason_string, "reason string", type::text,
                  answers},
    property_info{property::receive_maximum, "receive maximum", type::two_bytes,
                  connecting, 0, 1},
    property_info{property::topic_alias_maximum, "topic alias maximum",
                  type::two_bytes, connecting},
    property_info{property::topic_alias, "topic alias", type::two_bytes,
                  inside(publish), 0, 1},
    property_info{property::maximum_qos, "maximum QoS", type::byte,
                  inside(connack), 0, 0, 1},
    property_info{property::retain_available, "retain available", type::byte,
                  inside(connack), 0, 0, 1},
    property_info{property::user, "user property", type::text_pair, everywhere,
                  everywhere},
    property_info{property::maximum_packet_size, "maximum packet size",
                  type::four_bytes, connecting, 0, 1},
    property_info{property::wildcard_available,
                  "wildcard subscription available", type::byte,
                  inside(connack), 0, 0, 1},
    property_info{property::subscription_ids_available,
                  "subscription identifiers available", type::byte,
                  inside(connack), 0, 0, 1},
    property_info{property::shared_available, "shared subscription available",
                  type::byte, inside(connack), 0, 0, 1},
};

constexpr std::size_t numbers = 0x2B;

constexpr auto make_index() {
  std::array<std::uint8_t, numbers> index{};
  for (std::size_t i = 0; i < table.size(); ++i)
    index[static_cast<std::size_t>(table[i].id)] =
        static_cast<std::uint8_t>(i + 1);
  return index;
}
constexpr auto index_of = make_index(); // 0: none

} // namespace

const property_info* find_property(std::uint32_t id) noexcept {
  if (id >= numbers || index_of[id] == 0)
    return nullptr;
  return &table[index_of[id] - 1U];
}

std::span<const property_info> all_properties() noexcept { return table; }

} // namespace troupe::net::mqtt
