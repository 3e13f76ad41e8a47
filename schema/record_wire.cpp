// SPDX-License-Identifier: Apache-2.0
#include "schema/record_wire.hpp"

#include "schema/data_wire.hpp"
#include "schema/record_prefix.hpp"

#include <capnp/message.h>

#include <schema/record.capnp.h>
#include <string_view>

namespace troupe::schema {
namespace {

using core::errc;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

void write(const core::cursor& from, wire::Cursor::Builder to) {
  to.setDevice(from.device.value());
  to.setAcknowledged(from.acknowledged.value());
  to.setSeen(core::to_millis(from.seen));
  if (from.inheritance.empty())
    return;
  auto inheritance = to.initInheritance(list_size(from.inheritance.size()));
  unsigned i = 0;
  for (const auto& inherited : from.inheritance) {
    auto slot = inheritance[i++];
    slot.setAncestor(inherited.ancestor.value());
    slot.setUntil(inherited.until.value());
  }
}

errc read(wire::Cursor::Reader from, std::size_t words, core::cursor& to) {
  to.device = core::device_offset{from.getDevice()};
  to.acknowledged = core::inbox_position{from.getAcknowledged()};
  to.seen = core::from_millis(from.getSeen());
  const auto inheritance = from.getInheritance();
  if (inheritance.size() > words)
    return errc::corrupt;
  to.inheritance.reserve(inheritance.size());
  for (const auto inherited : inheritance)
    to.inheritance.push_back({core::device_offset{inherited.getAncestor()},
                              core::inbox_position{inherited.getUntil()}});
  return errc::ok;
}

errc read(wire::InboxHead::Reader from, std::size_t words,
          core::inbox_head& to) {
  to.number = from.getNumber();
  to.first = core::inbox_position{from.getFirst()};
  to.last = core::inbox_position{from.getLast()};
  to.count = from.getCount();
  to.bytes = from.getBytes();
  to.singles = from.getSingles();
  to.lost = core::inbox_position{from.getLost()};
  const auto cursors = from.getCursors();
  if (cursors.size() > words)
    return errc::corrupt;
  to.cursors.reserve(cursors.size());
  for (const auto cursor : cursors)
    if (const auto failure = read(cursor, words, to.cursors.emplace_back());
        failure != errc::ok)
      return failure;
  return errc::ok;
}

errc read(wire::InboxEntry::Reader from, core::inbox_entry& to) {
  to.source = core::log_index{from.getSource()};
  to.ordinal = from.getOrdinal();
  to.single = from.getSingle();
  if (from.getHasExpiry())
    to.expires = core::from_millis(from.getExpires());
  to.weight = from.getWeight();
  to.recipient = from.getRecipient();
  return to_optional(from.getExcept(), to.except) ? errc::ok : errc::corrupt;
}

errc read(wire::Origin::Reader from, std::size_t words,
          core::origin_record& to) {
  to.floor = from.getFloor();
  to.used = core::from_millis(from.getUsed());
  const auto bits = from.getBits();
  if (bits.size() > words)
    return errc::corrupt;
  to.bits.reserve(bits.size());
  for (const auto word : bits)
    to.bits.push_back(word);
  return errc::ok;
}

} // namespace

core::shared_bytes encode_record(const core::inbox_head& from) {
  return write_record(
      record_kind::inbox_head, [&](capnp::MessageBuilder& message) {
        auto to = message.initRoot<wire::InboxHead>();
        to.setNumber(from.number);
        to.setFirst(from.first.value());
        to.setLast(from.last.value());
        to.setCount(from.count);
        to.setBytes(from.bytes);
        to.setSingles(from.singles);
        to.setLost(from.lost.value());
        auto cursors = to.initCursors(list_size(from.cursors.size()));
        unsigned i = 0;
        for (const auto& cursor : from.cursors)
          write(cursor, cursors[i++]);
      });
}

core::errc decode_record(core::bytes_view bytes, core::inbox_head& to) {
  return read_record(bytes, record_kind::inbox_head,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::InboxHead>(), words,
                                   to);
                     });
}

core::shared_bytes encode_record(const core::inbox_entry& from) {
  return write_record(record_kind::inbox_entry,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::InboxEntry>();
                        to.setSource(from.source.value());
                        to.setOrdinal(from.ordinal);
                        to.setSingle(from.single);
                        to.setExcept(from_optional(from.except));
                        to.setWeight(from.weight);
                        to.setRecipient(from.recipient);
                        if (from.expires) {
                          to.setHasExpiry(true);
                          to.setExpires(core::to_millis(*from.expires));
                        }
                      });
}

core::errc decode_record(core::bytes_view bytes, core::inbox_entry& to) {
  return read_record(bytes, record_kind::inbox_entry,
                     [&](capnp::MessageReader& message, std::size_t) {
                       return read(message.getRoot<wire::InboxEntry>(), to);
                     });
}

core::shared_bytes encode_record(const core::owner& from) {
  return write_record(record_kind::expiry, [&](capnp::MessageBuilder& message) {
    write_owner(from, message.initRoot<wire::Expiry>().initOwner());
  });
}

core::errc decode_record(core::bytes_view bytes, core::owner& to) {
  return read_record(bytes, record_kind::expiry,
                     [&](capnp::MessageReader& message, std::size_t) {
                       return read_owner(
                           message.getRoot<wire::Expiry>().getOwner(), to);
                     });
}

core::shared_bytes encode_record(const core::origin_record& from) {
  return write_record(record_kind::origin, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::Origin>();
    to.setFloor(from.floor);
    to.setUsed(core::to_millis(from.used));
    if (from.bits.empty())
      return;
    auto bits = to.initBits(list_size(from.bits.size()));
    unsigned i = 0;
    for (const auto word : from.bits)
      bits.set(i++, word);
  });
}

core::errc decode_record(core::bytes_view bytes, core::origin_record& to) {
  return read_record(bytes, record_kind::origin,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::Origin>(), words, to);
                     });
}

core::shared_bytes encode_record(const deduplicated_record& from) {
  return write_record(record_kind::deduplicated,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::Deduplicated>();
                        to.setMillis(from.id.millis);
                        to.setNumber(from.id.number);
                        to.setUntil(core::to_millis(from.until));
                        if (!from.key.empty())
                          to.setKey(as_data(from.key));
                      });
}

core::errc decode_record(core::bytes_view bytes, deduplicated_record& to) {
  return read_record(bytes, record_kind::deduplicated,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::Deduplicated>();
                       to.id = {from.getMillis(), from.getNumber()};
                       to.until = core::from_millis(from.getUntil());
                       to.key = to_string(from.getKey());
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::inbox_policy& from) {
  return write_record(record_kind::policy, [&](capnp::MessageBuilder& message) {
    write_policy(from, message.initRoot<wire::Policy>().initPolicy());
  });
}

core::errc decode_record(core::bytes_view bytes, core::inbox_policy& to) {
  return read_record(bytes, record_kind::policy,
                     [&](capnp::MessageReader& message, std::size_t) {
                       return read_policy(
                           message.getRoot<wire::Policy>().getPolicy(), to);
                     });
}

core::shared_bytes encode_record(const number_record& from) {
  return write_record(record_kind::number, [&](capnp::MessageBuilder& message) {
    message.initRoot<wire::Number>().setValue(from.value);
  });
}

core::errc decode_record(core::bytes_view bytes, number_record& to) {
  return read_record(bytes, record_kind::number,
                     [&](capnp::MessageReader& message, std::size_t) {
                       to.value = message.getRoot<wire::Number>().getValue();
                       return errc::ok;
                     });
}

} // namespace troupe::schema
