// SPDX-License-Identifier: Apache-2.0
#include "schema/data_wire.hpp"
#include "schema/record_prefix.hpp"
#include "schema/record_wire.hpp"
#include "schema/session_wire.hpp"

#include <capnp/message.h>

#include <schema/record.capnp.h>
#include <string_view>

namespace troupe::schema {
namespace {

using core::errc;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

void write(const core::session_record& from, wire::Session::Builder to) {
  to.setUid(as_data(from.uid));
  to.setGeneration(from.generation);
  to.setEpoch(from.epoch);
  to.setCreated(core::to_millis(from.created));
  if (!from.protocol.empty())
    to.setProtocol(as_data(from.protocol));
  to.setHasExpiry(from.expiry.has_value());
  to.setExpiry(from.expiry ? from.expiry->count() : 0);
  to.setReceiveMax(from.receive_max);
  to.setIsClosed(from.closed.has_value());
  to.setClosed(from.closed ? core::to_millis(*from.closed) : 0);
  if (from.will)
    write_will(*from.will, to.initWill());
  to.setWillDue(from.will_due);
  to.setExpired(from.expired);
}

errc read(wire::Session::Reader from, std::size_t words,
          core::session_record& to) {
  to.uid = to_string(from.getUid());
  to.generation = from.getGeneration();
  to.epoch = from.getEpoch();
  to.created = core::from_millis(from.getCreated());
  to.protocol = to_string(from.getProtocol());
  if (from.getHasExpiry())
    to.expiry = core::milliseconds{from.getExpiry()};
  to.receive_max = from.getReceiveMax();
  if (from.getIsClosed())
    to.closed = core::from_millis(from.getClosed());
  to.will_due = from.getWillDue();
  to.expired = from.getExpired();
  if (!from.hasWill())
    return errc::ok;
  to.will = core::session_will{};
  return read_will(from.getWill(), words, errc::corrupt, *to.will);
}

errc read(wire::SessionPackets::Reader from, std::size_t words,
          core::session_packets& to) {
  const auto received = from.getReceived();
  if (received.size() > words)
    return errc::corrupt;
  to.received.reserve(received.size());
  for (const auto one : received)
    to.received.push_back({one.getPacket(), one.getNumber()});
  return read_packets(from.getAwaiting(), words, errc::corrupt, to.awaiting);
}

} // namespace

// -------------------------------------------------------------------- keys

core::shared_bytes encode_record(const retained_key_record& from) {
  return write_record(
      record_kind::retained_key, [&](capnp::MessageBuilder& message) {
        auto to = message.initRoot<wire::RetainedKey>();
        to.setSource(from.key.source.value());
        to.setChanged(core::to_millis(from.key.changed));
        to.setHasExpiry(from.key.expires.has_value());
        to.setExpires(from.key.expires ? core::to_millis(*from.key.expires)
                                       : 0);
        to.setWeight(from.key.weight);
        if (!from.topic.empty())
          to.setTopic(as_data(from.topic));
      });
}

errc decode_record(core::bytes_view bytes, retained_key_record& to) {
  return read_record(bytes, record_kind::retained_key,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::RetainedKey>();
                       to.key.source = core::log_index{from.getSource()};
                       to.key.changed = core::from_millis(from.getChanged());
                       if (from.getHasExpiry())
                         to.key.expires = core::from_millis(from.getExpires());
                       to.key.weight = from.getWeight();
                       to.topic = to_string(from.getTopic());
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const key_place_record& from) {
  return write_record(record_kind::key_place,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::KeyPlace>();
                        if (from.realm != default_realm)
                          to.setRealm(as_data(from.realm));
                        to.setTopic(as_data(from.topic));
                      });
}

errc decode_record(core::bytes_view bytes, key_place_record& to) {
  return read_record(bytes, record_kind::key_place,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::KeyPlace>();
                       to.realm = to_string(from.getRealm());
                       to.topic = to_string(from.getTopic());
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::key_policy& from) {
  return write_record(
      record_kind::key_policy, [&](capnp::MessageBuilder& message) {
        auto to = message.initRoot<wire::RetainedKeyPolicy>().initPolicy();
        to.setKeysMax(from.keys_max);
        to.setBytesMax(from.bytes_max);
      });
}

errc decode_record(core::bytes_view bytes, core::key_policy& to) {
  return read_record(
      bytes, record_kind::key_policy,
      [&](capnp::MessageReader& message, std::size_t) {
        const auto from =
            message.getRoot<wire::RetainedKeyPolicy>().getPolicy();
        to.keys_max = from.getKeysMax();
        to.bytes_max = from.getBytesMax();
        return errc::ok;
      });
}

// ---------------------------------------------------------------- sessions

core::shared_bytes encode_record(const core::session_record& from) {
  return write_record(record_kind::session,
                      [&](capnp::MessageBuilder& message) {
                        write(from, message.initRoot<wire::Session>());
                      });
}

errc decode_record(core::bytes_view bytes, core::session_record& to) {
  return read_record(bytes, record_kind::session,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::Session>(), words, to);
                     });
}

core::shared_bytes encode_record(const core::session_packets& from) {
  return write_record(
      record_kind::session_packets, [&](capnp::MessageBuilder& message) {
        auto to = message.initRoot<wire::SessionPackets>();
        auto received = to.initReceived(list_size(from.received.size()));
        unsigned i = 0;
        for (const auto& one : from.received) {
          auto slot = received[i++];
          slot.setPacket(one.packet);
          slot.setNumber(one.number);
        }
        write_packets(from.awaiting,
                      to.initAwaiting(list_size(from.awaiting.size())));
      });
}

errc decode_record(core::bytes_view bytes, core::session_packets& to) {
  return read_record(bytes, record_kind::session_packets,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::SessionPackets>(),
                                   words, to);
                     });
}

void write_policy(const core::session_policy& from,
                  wire::SessionPolicy::Builder to) {
  to.setSessionsMax(from.sessions_max);
  to.setMessagesMax(from.messages_max);
  to.setBytesMax(from.bytes_max);
  to.setDropOldest(from.drop_oldest);
}

void read_policy(wire::SessionPolicy::Reader from, core::session_policy& to) {
  to.sessions_max = from.getSessionsMax();
  to.messages_max = from.getMessagesMax();
  to.bytes_max = from.getBytesMax();
  to.drop_oldest = from.getDropOldest();
}

core::shared_bytes encode_record(const core::session_policy& from) {
  return write_record(
      record_kind::session_policy, [&](capnp::MessageBuilder& message) {
        write_policy(
            from, message.initRoot<wire::StoredSessionPolicy>().initPolicy());
      });
}

errc decode_record(core::bytes_view bytes, core::session_policy& to) {
  return read_record(
      bytes, record_kind::session_policy,
      [&](capnp::MessageReader& message, std::size_t) {
        read_policy(message.getRoot<wire::StoredSessionPolicy>().getPolicy(),
                    to);
        return errc::ok;
      });
}

// ------------------------------------------------------------------ routes

core::shared_bytes encode_record(const core::session_routes& from) {
  return write_record(record_kind::session_routes,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::SessionRoutes>();
                        to.setGeneration(from.generation);
                        to.setRoutes(from.routes);
                      });
}

errc decode_record(core::bytes_view bytes, core::session_routes& to) {
  return read_record(bytes, record_kind::session_routes,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::SessionRoutes>();
                       to.generation = from.getGeneration();
                       to.routes = from.getRoutes();
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::route& from) {
  return write_record(record_kind::route, [&](capnp::MessageBuilder& message) {
    write_route(from, message.initRoot<wire::RouteRecord>().initRoute());
  });
}

errc decode_record(core::bytes_view bytes, core::route& to) {
  return read_record(bytes, record_kind::route,
                     [&](capnp::MessageReader& message, std::size_t) {
                       read_route(
                           message.getRoot<wire::RouteRecord>().getRoute(), to);
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::route_totals& from) {
  return write_record(record_kind::route_totals,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::RouteTotals>();
                        to.setSessions(from.sessions);
                        to.setRoutes(from.routes);
                      });
}

errc decode_record(core::bytes_view bytes, core::route_totals& to) {
  return read_record(bytes, record_kind::route_totals,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::RouteTotals>();
                       to.sessions = from.getSessions();
                       to.routes = from.getRoutes();
                       return errc::ok;
                     });
}

} // namespace troupe::schema
