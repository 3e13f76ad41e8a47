// SPDX-License-Identifier: Apache-2.0
#include "schema/command_prefix.hpp"
#include "schema/command_wire.hpp"
#include "schema/data_wire.hpp"
#include "schema/flat_wire.hpp"
#include "schema/rights_wire.hpp"
#include "schema/session_wire.hpp"

#include <capnp/message.h>

#include <schema/command.capnp.h>
#include <string_view>
#include <utility>
#include <variant>

namespace troupe::schema {
namespace {

using core::errc;
using names = capnp::List<capnp::Data>;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

// ------------------------------------------------------------------- write

void write(const std::vector<std::string>& from, names::Builder to) {
  unsigned i = 0;
  for (const auto& name : from)
    to.set(i++, as_data(name));
}

void write(const core::imported_user& from, wire::ImportedUser::Builder to) {
  to.setUid(as_data(from.uid));
  auto devices = to.initDevices(list_size(from.devices.size()));
  unsigned i = 0;
  for (const auto& [name, offset] : from.devices) {
    auto device = devices[i++];
    device.setName(as_data(name));
    device.setOffset(offset.value());
  }
  write(from.aliases, to.initAliases(list_size(from.aliases.size())));
}

void write(const core::imported_list& from, wire::ImportedList::Builder to) {
  to.setName(as_data(from.name));
  auto members = to.initMembers(list_size(from.members.size()));
  unsigned i = 0;
  for (const auto& [uid, alias] : from.members) {
    auto member = members[i++];
    member.setUid(as_data(uid));
    if (!alias.empty())
      member.setAlias(as_data(alias));
  }
}

void write(const core::group_placement& from, wire::Placement::Builder to) {
  to.setGroup(from.group.value());
  auto replicas = to.initReplicas(list_size(from.replicas.size()));
  unsigned i = 0;
  for (const auto node : from.replicas)
    replicas.set(i++, node.value());
}

struct cluster_writer {
  wire::ClusterCommand::Builder to;

  void operator()(const core::admit_node& c) {
    auto slot = to.initAdmitNode();
    slot.setToken(as_data(c.token));
    slot.setName(as_data(c.name));
    slot.setAddress(as_data(c.address));
    slot.setIncarnation(c.incarnation);
    slot.setAs(c.as ? c.as->value() : 0);
  }
  void operator()(const core::set_node_state& c) {
    auto slot = to.initSetNodeState();
    slot.setNode(c.node.value());
    slot.setState(static_cast<std::uint8_t>(c.state));
  }
  void operator()(const core::set_node_address& c) {
    auto slot = to.initSetNodeAddress();
    slot.setNode(c.node.value());
    slot.setAddress(as_data(c.address));
    slot.setIncarnation(c.incarnation);
  }
  void operator()(const core::set_placement& c) {
    auto groups = to.initSetPlacement(list_size(c.groups.size()));
    unsigned i = 0;
    for (const auto& placed : c.groups)
      write(placed, groups[i++]);
  }
  void operator()(const core::set_feature_level& c) {
    to.setSetFeatureLevel(c.level);
  }
  void operator()(const core::replace_node& c) {
    auto slot = to.initReplaceNode();
    slot.setOld(c.old.value());
    slot.setFresh(c.fresh.value());
  }
};

struct directory_writer {
  wire::DirectoryCommand::Builder to;

  void operator()(const core::change_cluster& c) {
    std::visit(cluster_writer{to.initChangeCluster()}, c.change);
  }
  void operator()(const core::change_rights& c) {
    write_rights(c.change, to.initChangeRights());
  }
  void operator()(const core::change_routes& c) {
    write_routes(c, to.initChangeRoutes());
  }

  void operator()(const core::create_user& c) {
    auto slot = to.initCreateUser();
    slot.setUid(as_data(c.uid));
    slot.setDevice(as_data(c.device));
    write(c.aliases, slot.initAliases(list_size(c.aliases.size())));
  }
  void operator()(const core::replace_aliases& c) {
    auto slot = to.initReplaceAliases();
    slot.setUid(as_data(c.uid));
    write(c.aliases, slot.initAliases(list_size(c.aliases.size())));
  }
  void operator()(const core::create_device& c) {
    auto slot = to.initCreateDevice();
    slot.setUid(as_data(c.uid));
    slot.setDevice(as_data(c.device));
    slot.setPreviousDevice(as_data(c.previous_device));
  }
  void operator()(const core::remove_user& c) {
    to.setRemoveUser(as_data(c.uid));
  }
  void operator()(const core::change_list& c) {
    auto slot = to.initChangeList();
    slot.setList(as_data(c.list));
    slot.setKind(static_cast<std::uint8_t>(c.kind));
    slot.setCaller(as_data(c.caller));
    slot.setMember(as_data(c.member));
  }
  void operator()(const core::import_directory& c) {
    auto slot = to.initImportDirectory();
    auto users = slot.initUsers(list_size(c.users.size()));
    unsigned i = 0;
    for (const auto& user : c.users)
      write(user, users[i++]);
    auto lists = slot.initLists(list_size(c.lists.size()));
    i = 0;
    for (const auto& list : c.lists)
      write(list, lists[i++]);
  }
};

// -------------------------------------------------------------------- read

errc read(names::Reader from, std::size_t words, std::vector<std::string>& to) {
  if (from.size() > words)
    return errc::malformed;
  to.reserve(from.size());
  for (const auto name : from)
    to.push_back(to_string(name));
  return errc::ok;
}

errc read(wire::ImportedUser::Reader from, std::size_t words,
          core::imported_user& to) {
  to.uid = to_string(from.getUid());
  const auto devices = from.getDevices();
  if (devices.size() > words)
    return errc::malformed;
  to.devices.reserve(devices.size());
  for (const auto device : devices)
    to.devices.emplace_back(to_string(device.getName()),
                            core::device_offset{device.getOffset()});
  return read(from.getAliases(), words, to.aliases);
}

errc read(wire::ImportedList::Reader from, std::size_t words,
          core::imported_list& to) {
  to.name = to_string(from.getName());
  const auto members = from.getMembers();
  if (members.size() > words)
    return errc::malformed;
  to.members.reserve(members.size());
  for (const auto member : members)
    to.members.emplace_back(to_string(member.getUid()),
                            to_string(member.getAlias()));
  return errc::ok;
}

errc read(wire::ImportDirectory::Reader from, std::size_t words,
          core::import_directory& to) {
  const auto users = from.getUsers();
  const auto lists = from.getLists();
  if (users.size() > words || lists.size() > words)
    return errc::malformed;
  to.users.reserve(users.size());
  for (const auto user : users)
    if (const auto failure = read(user, words, to.users.emplace_back());
        failure != errc::ok)
      return failure;
  to.lists.reserve(lists.size());
  for (const auto list : lists)
    if (const auto failure = read(list, words, to.lists.emplace_back());
        failure != errc::ok)
      return failure;
  return errc::ok;
}

errc read(wire::ChangeList::Reader from, core::change_list& to) {
  if (from.getKind() > static_cast<std::uint8_t>(core::list_edit_kind::remove))
    return errc::newer_format;
  to.list = to_string(from.getList());
  to.kind = static_cast<core::list_edit_kind>(from.getKind());
  to.caller = to_string(from.getCaller());
  to.member = to_string(from.getMember());
  return errc::ok;
}

bool is_state(std::uint8_t state) {
  return state >= static_cast<std::uint8_t>(core::node_state::joining) &&
         state <= static_cast<std::uint8_t>(core::node_state::absent);
}

errc read(wire::AdmitNode::Reader from, core::admit_node& to) {
  to.token = to_string(from.getToken());
  to.name = to_string(from.getName());
  to.address = to_string(from.getAddress());
  to.incarnation = from.getIncarnation();
  if (from.getAs() != 0)
    to.as = core::node_id{from.getAs()};
  return errc::ok;
}

errc read(capnp::List<wire::Placement>::Reader from, std::size_t words,
          core::set_placement& to) {
  if (from.size() > words)
    return errc::malformed;
  to.groups.reserve(from.size());
  for (const auto placed : from) {
    auto& group = to.groups.emplace_back();
    group.group = core::group_id{placed.getGroup()};
    const auto replicas = placed.getReplicas();
    // Two numbers to a word.
    if (replicas.size() > 2 * words)
      return errc::malformed;
    group.replicas.reserve(replicas.size());
    for (const auto node : replicas)
      group.replicas.emplace_back(node);
  }
  return errc::ok;
}

errc read(wire::ClusterCommand::Reader from, std::size_t words,
          core::cluster_command& to) {
  switch (from.which()) {
  case wire::ClusterCommand::ADMIT_NODE:
    return read(from.getAdmitNode(), to.emplace<core::admit_node>());
  case wire::ClusterCommand::SET_NODE_STATE: {
    const auto slot = from.getSetNodeState();
    if (!is_state(slot.getState()))
      return errc::newer_format;
    to = core::set_node_state{core::node_id{slot.getNode()},
                              static_cast<core::node_state>(slot.getState())};
    return errc::ok;
  }
  case wire::ClusterCommand::SET_NODE_ADDRESS: {
    const auto slot = from.getSetNodeAddress();
    to = core::set_node_address{core::node_id{slot.getNode()},
                                to_string(slot.getAddress()),
                                slot.getIncarnation()};
    return errc::ok;
  }
  case wire::ClusterCommand::SET_PLACEMENT:
    return read(from.getSetPlacement(), words,
                to.emplace<core::set_placement>());
  case wire::ClusterCommand::SET_FEATURE_LEVEL:
    to = core::set_feature_level{from.getSetFeatureLevel()};
    return errc::ok;
  case wire::ClusterCommand::REPLACE_NODE: {
    const auto slot = from.getReplaceNode();
    to = core::replace_node{core::node_id{slot.getOld()},
                            core::node_id{slot.getFresh()}};
    return errc::ok;
  }
  }
  return errc::newer_format; // a place in the union that we do not know
}

errc read(wire::DirectoryCommand::Reader from, std::size_t words,
          core::directory_command& to) {
  switch (from.which()) {
  case wire::DirectoryCommand::CREATE_USER: {
    auto& command = to.emplace<core::create_user>();
    command.uid = to_string(from.getCreateUser().getUid());
    command.device = to_string(from.getCreateUser().getDevice());
    return read(from.getCreateUser().getAliases(), words, command.aliases);
  }
  case wire::DirectoryCommand::REPLACE_ALIASES: {
    auto& command = to.emplace<core::replace_aliases>();
    command.uid = to_string(from.getReplaceAliases().getUid());
    return read(from.getReplaceAliases().getAliases(), words, command.aliases);
  }
  case wire::DirectoryCommand::CREATE_DEVICE: {
    auto& command = to.emplace<core::create_device>();
    const auto slot = from.getCreateDevice();
    command.uid = to_string(slot.getUid());
    command.device = to_string(slot.getDevice());
    command.previous_device = to_string(slot.getPreviousDevice());
    return errc::ok;
  }
  case wire::DirectoryCommand::REMOVE_USER:
    to.emplace<core::remove_user>().uid = to_string(from.getRemoveUser());
    return errc::ok;
  case wire::DirectoryCommand::CHANGE_LIST:
    return read(from.getChangeList(), to.emplace<core::change_list>());
  case wire::DirectoryCommand::IMPORT_DIRECTORY:
    return read(from.getImportDirectory(), words,
                to.emplace<core::import_directory>());
  case wire::DirectoryCommand::CHANGE_CLUSTER:
    return read(from.getChangeCluster(), words,
                to.emplace<core::change_cluster>().change);
  case wire::DirectoryCommand::CHANGE_RIGHTS:
    return read_rights(from.getChangeRights(), words,
                       to.emplace<core::change_rights>().change);
  case wire::DirectoryCommand::CHANGE_ROUTES:
    return read_routes(from.getChangeRoutes(), words,
                       to.emplace<core::change_routes>());
  }
  return errc::newer_format; // a place in the union that we do not know
}

} // namespace

core::shared_bytes encode(const core::logged_directory_command& command) {
  return write_flat(
      command_prefix_bytes, 0,
      [&](capnp::MessageBuilder& message) {
        auto root = message.initRoot<wire::DirectoryCommand>();
        std::visit(
            [&](const auto& c) {
              if constexpr (requires { c.realm; })
                if (c.realm != default_realm)
                  root.setRealm(as_data(c.realm));
            },
            command.command);
        std::visit(directory_writer{root}, command.command);
      },
      [&](std::byte* to, std::size_t flat_bytes) {
        write_prefix(to, {command_family::directory, command.key, command.time},
                     flat_bytes);
      });
}

core::result<core::logged_directory_command>
decode_directory_command(const core::shared_bytes& bytes) {
  const auto parts = split_command(bytes.view(), command_family::directory);
  if (!parts)
    return parts.error();
  core::logged_directory_command command;
  command.key = parts->prefix.key;
  command.time = parts->prefix.time;
  const auto failure =
      read_flat(parts->flat, errc::malformed,
                [&](capnp::MessageReader& message, std::size_t words) {
                  if (!parts->tail.empty())
                    return errc::malformed;
                  const auto root = message.getRoot<wire::DirectoryCommand>();
                  const auto code = read(root, words, command.command);
                  std::visit(
                      [&](auto& c) {
                        if constexpr (requires { c.realm; })
                          c.realm = to_string(root.getRealm());
                      },
                      command.command);
                  return code;
                });
  if (failure != errc::ok)
    return core::error{failure, "directory command"};
  return command;
}

} // namespace troupe::schema
