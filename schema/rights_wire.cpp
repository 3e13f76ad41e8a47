// SPDX-License-Identifier: Apache-2.0
#include "schema/rights_wire.hpp"

#include "schema/data_wire.hpp"

#include <string_view>
#include <variant>

namespace troupe::schema {
namespace {

using core::errc;
using core::give_or_take;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

give_or_take how_of(bool take) {
  return take ? give_or_take::take : give_or_take::give;
}

struct rights_writer {
  wire::RightsCommand::Builder to;

  void operator()(const core::set_password& c) {
    if (c.scram.empty()) { // as older nodes know it
      auto slot = to.initSetPassword();
      slot.setUid(as_data(c.uid));
      slot.setHash(as_data(c.hash));
      return;
    }
    auto slot = to.initSetProvablePassword();
    slot.setUid(as_data(c.uid));
    slot.setHash(as_data(c.hash));
    slot.setScram(as_data(c.scram));
  }
  void operator()(const core::change_account& c) {
    auto slot = to.initChangeAccount();
    slot.setUid(as_data(c.uid));
    slot.setTake(c.how == give_or_take::take);
    write_names(c.roles, slot.initRoles(list_size(c.roles.size())));
    write_grants(c.grants, slot.initGrants(list_size(c.grants.size())));
  }
  void operator()(const core::change_role& c) {
    auto slot = to.initChangeRole();
    slot.setRole(as_data(c.role));
    slot.setTake(c.how == give_or_take::take);
    write_grants(c.grants, slot.initGrants(list_size(c.grants.size())));
  }
  void operator()(const core::remove_role& c) {
    to.setRemoveRole(as_data(c.role));
  }
  void operator()(const core::add_token& c) {
    auto slot = to.initAddToken();
    slot.setId(as_data(c.id));
    slot.setUid(as_data(c.uid));
    slot.setHash(as_data(c.hash));
    slot.setLabel(as_data(c.label));
    slot.setHasExpiry(c.expires.has_value());
    slot.setExpires(c.expires ? core::to_millis(*c.expires) : 0);
    write_names(c.roles, slot.initRoles(list_size(c.roles.size())));
    write_grants(c.grants, slot.initGrants(list_size(c.grants.size())));
  }
  void operator()(const core::revoke_token& c) {
    to.setRevokeToken(as_data(c.id));
  }
  void operator()(const core::change_blocks& c) {
    auto slot = to.initChangeBlocks();
    slot.setUid(as_data(c.uid));
    slot.setTake(c.how == give_or_take::take);
    write_names(c.blocked, slot.initBlocked(list_size(c.blocked.size())));
  }
  void operator()(const core::set_ban& c) {
    auto slot = to.initSetBan();
    slot.setKind(static_cast<std::uint8_t>(c.kind));
    slot.setName(as_data(c.name));
    slot.setHasEnd(c.until.has_value());
    slot.setUntil(c.until ? core::to_millis(*c.until) : 0);
    slot.setReason(as_data(c.reason));
  }
  void operator()(const core::lift_ban& c) {
    auto slot = to.initLiftBan();
    slot.setKind(static_cast<std::uint8_t>(c.kind));
    slot.setName(as_data(c.name));
  }
};

errc read(wire::ChangeAccount::Reader from, std::size_t words,
          core::change_account& to) {
  to.uid = to_string(from.getUid());
  to.how = how_of(from.getTake());
  if (const auto failure =
          read_names(from.getRoles(), words, errc::malformed, to.roles);
      failure != errc::ok)
    return failure;
  return read_grants(from.getGrants(), words, errc::malformed, to.grants);
}

errc read(wire::ChangeRole::Reader from, std::size_t words,
          core::change_role& to) {
  to.role = to_string(from.getRole());
  to.how = how_of(from.getTake());
  return read_grants(from.getGrants(), words, errc::malformed, to.grants);
}

errc read(wire::AddToken::Reader from, std::size_t words, core::add_token& to) {
  to.id = to_string(from.getId());
  to.uid = to_string(from.getUid());
  to.hash = to_string(from.getHash());
  to.label = to_string(from.getLabel());
  if (from.getHasExpiry())
    to.expires = core::from_millis(from.getExpires());
  if (const auto failure =
          read_names(from.getRoles(), words, errc::malformed, to.roles);
      failure != errc::ok)
    return failure;
  return read_grants(from.getGrants(), words, errc::malformed, to.grants);
}

errc read_kind(std::uint8_t from, core::ban_kind& to) {
  if (from != static_cast<std::uint8_t>(core::ban_kind::user) &&
      from != static_cast<std::uint8_t>(core::ban_kind::address))
    return errc::newer_format;
  to = static_cast<core::ban_kind>(from);
  return errc::ok;
}

errc read(wire::SetBan::Reader from, core::set_ban& to) {
  to.name = to_string(from.getName());
  if (from.getHasEnd())
    to.until = core::from_millis(from.getUntil());
  to.reason = to_string(from.getReason());
  return read_kind(from.getKind(), to.kind);
}

} // namespace

void write_names(const std::vector<std::string>& from, wire_names::Builder to) {
  unsigned i = 0;
  for (const auto& name : from)
    to.set(i++, as_data(name));
}

void write_grants(const std::vector<core::grant>& from,
                  wire_grants::Builder to) {
  unsigned i = 0;
  for (const auto& each : from) {
    auto slot = to[i++];
    slot.setWhat(static_cast<std::uint8_t>(each.what));
    slot.setFilter(as_data(each.filter));
  }
}

errc read_names(wire_names::Reader from, std::size_t words, errc broken,
                std::vector<std::string>& to) {
  if (from.size() > words)
    return broken;
  to.reserve(from.size());
  for (const auto name : from)
    to.push_back(to_string(name));
  return errc::ok;
}

errc read_grants(wire_grants::Reader from, std::size_t words, errc broken,
                 std::vector<core::grant>& to) {
  if (from.size() > words)
    return broken;
  to.reserve(from.size());
  for (const auto each : from) {
    if (!core::is_right(each.getWhat()))
      return errc::newer_format;
    to.push_back({static_cast<core::right>(each.getWhat()),
                  to_string(each.getFilter())});
  }
  return errc::ok;
}

void write_rights(const core::rights_command& from,
                  wire::RightsCommand::Builder to) {
  std::visit(rights_writer{to}, from);
}

errc read_rights(wire::RightsCommand::Reader from, std::size_t words,
                 core::rights_command& to) {
  switch (from.which()) {
  case wire::RightsCommand::SET_PASSWORD:
    to = core::set_password{to_string(from.getSetPassword().getUid()),
                            to_string(from.getSetPassword().getHash())};
    return errc::ok;
  case wire::RightsCommand::SET_PROVABLE_PASSWORD: {
    const auto slot = from.getSetProvablePassword();
    to = core::set_password{to_string(slot.getUid()), to_string(slot.getHash()),
                            to_string(slot.getScram())};
    return errc::ok;
  }
  case wire::RightsCommand::CHANGE_ACCOUNT:
    return read(from.getChangeAccount(), words,
                to.emplace<core::change_account>());
  case wire::RightsCommand::CHANGE_ROLE:
    return read(from.getChangeRole(), words, to.emplace<core::change_role>());
  case wire::RightsCommand::REMOVE_ROLE:
    to = core::remove_role{to_string(from.getRemoveRole())};
    return errc::ok;
  case wire::RightsCommand::ADD_TOKEN:
    return read(from.getAddToken(), words, to.emplace<core::add_token>());
  case wire::RightsCommand::REVOKE_TOKEN:
    to = core::revoke_token{to_string(from.getRevokeToken())};
    return errc::ok;
  case wire::RightsCommand::CHANGE_BLOCKS: {
    const auto slot = from.getChangeBlocks();
    auto& command = to.emplace<core::change_blocks>();
    command.uid = to_string(slot.getUid());
    command.how = how_of(slot.getTake());
    return read_names(slot.getBlocked(), words, errc::malformed,
                      command.blocked);
  }
  case wire::RightsCommand::SET_BAN:
    return read(from.getSetBan(), to.emplace<core::set_ban>());
  case wire::RightsCommand::LIFT_BAN: {
    auto& command = to.emplace<core::lift_ban>();
    command.name = to_string(from.getLiftBan().getName());
    return read_kind(from.getLiftBan().getKind(), command.kind);
  }
  }
  return errc::newer_format; // a place in the union that we do not know
}

} // namespace troupe::schema
