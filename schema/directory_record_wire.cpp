// SPDX-License-Identifier: Apache-2.0
#include "schema/data_wire.hpp"
#include "schema/record_prefix.hpp"
#include "schema/record_wire.hpp"

#include <capnp/message.h>

#include <schema/record.capnp.h>
#include <string_view>

namespace troupe::schema {
namespace {

using core::errc;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

errc read(wire::Device::Reader from, core::user_device& to) {
  to.offset = core::device_offset{from.getOffset()};
  to.name = to_string(from.getName());
  to.created = core::from_millis(from.getCreated());
  return to_optional(from.getInherits(), to.inherits) ? errc::ok
                                                      : errc::corrupt;
}

errc read(wire::User::Reader from, std::size_t words, core::user_record& to) {
  to.created = core::from_millis(from.getCreated());
  const auto devices = from.getDevices();
  const auto aliases = from.getAliases();
  if (devices.size() > words || aliases.size() > words)
    return errc::corrupt;
  to.devices.reserve(devices.size());
  for (const auto device : devices)
    if (const auto failure = read(device, to.devices.emplace_back());
        failure != errc::ok)
      return failure;
  to.aliases.reserve(aliases.size());
  for (const auto alias : aliases)
    to.aliases.push_back(to_string(alias));
  return errc::ok;
}

errc read(wire::Member::Reader from, core::list_member& to) {
  const auto state = from.getState();
  if (state > static_cast<std::uint8_t>(core::membership::invited))
    return errc::newer_format;
  to.state = static_cast<core::membership>(state);
  to.alias = to_string(from.getAlias());
  to.since = core::from_millis(from.getSince());
  return errc::ok;
}

} // namespace

core::shared_bytes encode_record(const core::user_record& from) {
  return write_record(record_kind::user, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::User>();
    to.setCreated(core::to_millis(from.created));
    auto devices = to.initDevices(list_size(from.devices.size()));
    unsigned i = 0;
    for (const auto& device : from.devices) {
      auto slot = devices[i++];
      slot.setOffset(device.offset.value());
      slot.setName(as_data(device.name));
      slot.setCreated(core::to_millis(device.created));
      slot.setInherits(from_optional(device.inherits));
    }
    auto aliases = to.initAliases(list_size(from.aliases.size()));
    i = 0;
    for (const auto& alias : from.aliases)
      aliases.set(i++, as_data(alias));
  });
}

core::errc decode_record(core::bytes_view bytes, core::user_record& to) {
  return read_record(bytes, record_kind::user,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       return read(message.getRoot<wire::User>(), words, to);
                     });
}

core::shared_bytes encode_record(const alias_record& from) {
  return write_record(record_kind::alias, [&](capnp::MessageBuilder& message) {
    message.initRoot<wire::Alias>().setUid(as_data(from.uid));
  });
}

core::errc decode_record(core::bytes_view bytes, alias_record& to) {
  return read_record(bytes, record_kind::alias,
                     [&](capnp::MessageReader& message, std::size_t) {
                       to.uid =
                           to_string(message.getRoot<wire::Alias>().getUid());
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::list_record& from) {
  return write_record(record_kind::list, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::DistributionList>();
    to.setCreated(core::to_millis(from.created));
    to.setMembers(from.members);
  });
}

core::errc decode_record(core::bytes_view bytes, core::list_record& to) {
  return read_record(bytes, record_kind::list,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from =
                           message.getRoot<wire::DistributionList>();
                       to.created = core::from_millis(from.getCreated());
                       to.members = from.getMembers();
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::list_member& from) {
  return write_record(record_kind::member, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::Member>();
    to.setState(static_cast<std::uint8_t>(from.state));
    if (!from.alias.empty())
      to.setAlias(as_data(from.alias));
    to.setSince(core::to_millis(from.since));
  });
}

core::errc decode_record(core::bytes_view bytes, core::list_member& to) {
  return read_record(bytes, record_kind::member,
                     [&](capnp::MessageReader& message, std::size_t) {
                       return read(message.getRoot<wire::Member>(), to);
                     });
}

core::shared_bytes encode_record(const core::realm_totals& from) {
  return write_record(record_kind::totals, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::Totals>();
    to.setUsers(from.users);
    to.setDevices(from.devices);
    to.setAliases(from.aliases);
    to.setLists(from.lists);
  });
}

core::errc decode_record(core::bytes_view bytes, core::realm_totals& to) {
  return read_record(bytes, record_kind::totals,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::Totals>();
                       to = {from.getUsers(), from.getDevices(),
                             from.getAliases(), from.getLists()};
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::node_record& from) {
  return write_record(record_kind::node, [&](capnp::MessageBuilder& message) {
    auto to = message.initRoot<wire::Node>();
    to.setName(as_data(from.name));
    to.setAddress(as_data(from.address));
    to.setIncarnation(from.incarnation);
    to.setState(static_cast<std::uint8_t>(from.state));
    to.setToken(as_data(from.token));
    to.setAdmitted(core::to_millis(from.admitted));
  });
}

core::errc decode_record(core::bytes_view bytes, core::node_record& to) {
  return read_record(bytes, record_kind::node,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::Node>();
                       if (from.getState() >
                           static_cast<std::uint8_t>(core::node_state::absent))
                         return errc::newer_format;
                       if (from.getState() == 0)
                         return errc::corrupt;
                       to.name = to_string(from.getName());
                       to.address = to_string(from.getAddress());
                       to.incarnation = from.getIncarnation();
                       to.state =
                           static_cast<core::node_state>(from.getState());
                       to.token = to_string(from.getToken());
                       to.admitted = core::from_millis(from.getAdmitted());
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const replicas_record& from) {
  return write_record(
      record_kind::replicas, [&](capnp::MessageBuilder& message) {
        auto nodes = message.initRoot<wire::Replicas>().initNodes(
            list_size(from.nodes.size()));
        unsigned i = 0;
        for (const auto node : from.nodes)
          nodes.set(i++, node.value());
      });
}

core::errc decode_record(core::bytes_view bytes, replicas_record& to) {
  return read_record(bytes, record_kind::replicas,
                     [&](capnp::MessageReader& message, std::size_t words) {
                       const auto nodes =
                           message.getRoot<wire::Replicas>().getNodes();
                       // Two numbers to a word.
                       if (nodes.size() > 2 * words)
                         return errc::corrupt;
                       to.nodes.reserve(nodes.size());
                       for (const auto node : nodes)
                         to.nodes.emplace_back(node);
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const core::cluster_record& from) {
  return write_record(record_kind::cluster,
                      [&](capnp::MessageBuilder& message) {
                        auto to = message.initRoot<wire::Cluster>();
                        to.setLastNode(from.last_node.value());
                        to.setFeatureLevel(from.feature_level);
                      });
}

core::errc decode_record(core::bytes_view bytes, core::cluster_record& to) {
  return read_record(bytes, record_kind::cluster,
                     [&](capnp::MessageReader& message, std::size_t) {
                       const auto from = message.getRoot<wire::Cluster>();
                       to.last_node = core::node_id{from.getLastNode()};
                       to.feature_level = from.getFeatureLevel();
                       return errc::ok;
                     });
}

core::shared_bytes encode_record(const mark_record&) {
  return write_mark(record_kind::mark);
}

core::errc decode_record(core::bytes_view bytes, mark_record&) {
  return read_mark(bytes, record_kind::mark);
}

} // namespace troupe::schema
