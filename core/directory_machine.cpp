// SPDX-License-Identifier: Apache-2.0
#include "core/directory_machine.hpp"

#include "core/directory.hpp"
#include "core/name_rules.hpp"
#include "core/node_registry.hpp"
#include "core/origin_window.hpp"
#include "core/rights_registry.hpp"
#include "core/route_table.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

namespace troupe::core {
namespace {

directory_outcome refused(errc code, std::string_view detail) {
  directory_outcome outcome;
  outcome.failure = {code, std::string{detail}};
  return outcome;
}

/// Without empty names; of a repeated name the last place counts.
std::vector<std::string> distinct(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  std::set<std::string_view> seen;
  for (auto i = names.rbegin(); i != names.rend(); ++i)
    if (!i->empty() && seen.insert(*i).second)
      result.push_back(*i);
  std::reverse(result.begin(), result.end());
  return result;
}

/// code ok if all may be aliases of one user.
error check_aliases(const std::vector<std::string>& aliases) {
  if (aliases.size() > aliases_per_user_max)
    return {errc::too_many, "aliases"};
  for (const auto& alias : aliases)
    if (!is_name(alias))
      return {errc::name_invalid, alias};
  return {};
}

/// One command being applied: the store, what the command carries for all its
/// changes, and the changes one after the other. Every verb checks first and
/// writes only when nothing can fail any more.
class application {
public:
  application(directory_store& store, route_table* routes, timestamp time,
              log_index index)
      : store_(store), routes_(routes), time_(time), index_(index) {}

  directory_outcome operator()(const create_user& command);
  directory_outcome operator()(const replace_aliases& command);
  directory_outcome operator()(const create_device& command);
  directory_outcome operator()(const remove_user& command);
  directory_outcome operator()(const change_list& command);
  directory_outcome operator()(const import_directory& command);
  directory_outcome operator()(const change_cluster& command);
  directory_outcome operator()(const change_rights& command);
  directory_outcome operator()(const change_routes& command);

private:
  directory_outcome join(const change_list& command, const std::string& uid,
                         list_member wanted);
  directory_outcome leave(const change_list& command);
  void remove_member(std::string_view realm, std::string_view list,
                     std::string_view uid, list_record record);
  std::vector<std::string> free_of(std::string_view realm, std::string_view uid,
                                   std::vector<std::string> aliases) const;
  void import(std::string_view realm, const imported_user& user,
              import_counts& counts);
  void import(std::string_view realm, const imported_list& list,
              import_counts& counts);

  directory_store& store_;
  route_table* routes_;
  timestamp time_;
  log_index index_;
};

/// The names that nobody else has.
std::vector<std::string>
application::free_of(std::string_view realm, std::string_view uid,
                     std::vector<std::string> aliases) const {
  std::erase_if(aliases, [&](const std::string& alias) {
    const auto taken_by = store_.alias(realm, alias);
    return taken_by && *taken_by != uid;
  });
  return aliases;
}

// ------------------------------------------------------------------- users

directory_outcome application::operator()(const create_user& command) {
  if (!is_name(command.uid))
    return refused(errc::name_invalid, command.uid);
  if (auto existing = store_.user(command.realm, command.uid)) {
    auto outcome = refused(errc::user_exists, command.uid);
    outcome.aliases = std::move(existing->aliases);
    return outcome;
  }
  if (command.device.empty())
    return refused(errc::device_name_required, command.uid);
  if (!is_name(command.device))
    return refused(errc::name_invalid, command.device);
  auto aliases = distinct(command.aliases);
  if (auto failure = check_aliases(aliases); failure.code != errc::ok)
    return refused(failure.code, failure.detail);

  user_record user;
  user.created = time_;
  user.devices.push_back({device_offset{0}, command.device, time_, {}});
  user.aliases = free_of(command.realm, command.uid, std::move(aliases));
  for (const auto& alias : user.aliases)
    store_.put_alias(command.realm, alias, command.uid);
  store_.put_user(command.realm, command.uid, user);
  auto totals = store_.totals(command.realm);
  totals.users += 1;
  totals.devices += 1;
  totals.aliases += user.aliases.size();
  store_.put_totals(command.realm, totals);

  directory_outcome outcome;
  outcome.aliases = std::move(user.aliases);
  outcome.aliases_replaced = true;
  outcome.offset = device_offset{0};
  return outcome;
}

directory_outcome application::operator()(const replace_aliases& command) {
  auto user = store_.user(command.realm, command.uid);
  if (!user)
    return refused(errc::user_unknown, command.uid);
  auto wanted = distinct(command.aliases);
  if (auto failure = check_aliases(wanted); failure.code != errc::ok)
    return refused(failure.code, failure.detail);

  directory_outcome outcome;
  outcome.aliases_replaced = !wanted.empty();
  if (outcome.aliases_replaced) {
    auto accepted = free_of(command.realm, command.uid, std::move(wanted));
    for (const auto& alias : user->aliases)
      store_.erase_alias(command.realm, alias);
    for (const auto& alias : accepted)
      store_.put_alias(command.realm, alias, command.uid);
    auto totals = store_.totals(command.realm);
    totals.aliases += accepted.size();
    totals.aliases -= user->aliases.size();
    store_.put_totals(command.realm, totals);
    user->aliases = std::move(accepted);
    store_.put_user(command.realm, command.uid, *user);
  }
  outcome.aliases = std::move(user->aliases);
  return outcome;
}

directory_outcome application::operator()(const create_device& command) {
  if (command.device.empty())
    return refused(errc::device_name_required, command.uid);
  if (!is_name(command.device))
    return refused(errc::name_invalid, command.device);
  auto user = store_.user(command.realm, command.uid);
  if (!user)
    return refused(errc::user_unknown, command.uid);
  // The previous device's name is a credential: what it is wrong about is not
  // told before it is right.
  if (command.previous_device.empty())
    return refused(errc::previous_device_invalid, command.uid);
  const auto* ancestor = find_device(*user, command.previous_device);
  if (ancestor == nullptr)
    return refused(errc::device_unknown, command.uid);
  if (const auto* twin = find_device(*user, command.device)) {
    auto outcome = refused(errc::device_exists, command.device);
    outcome.offset = twin->offset;
    return outcome;
  }
  // Offsets ascend, so the first that is not at its place shows the gap.
  std::size_t place = 0;
  while (place < user->devices.size() &&
         user->devices[place].offset.value() == place)
    ++place;
  if (place >= devices_per_user_max)
    return refused(errc::no_device_offset, command.uid);

  directory_outcome outcome;
  outcome.offset = device_offset{static_cast<std::uint8_t>(place)};
  outcome.inherits = ancestor->offset;
  user->devices.insert(
      user->devices.begin() + static_cast<std::ptrdiff_t>(place),
      {*outcome.offset, command.device, time_, outcome.inherits});
  store_.put_user(command.realm, command.uid, *user);
  auto totals = store_.totals(command.realm);
  totals.devices += 1;
  store_.put_totals(command.realm, totals);
  return outcome;
}

directory_outcome application::operator()(const remove_user& command) {
  auto user = store_.user(command.realm, command.uid);
  if (!user)
    return refused(errc::user_unknown, command.uid);
  std::vector<std::string> lists;
  store_.each_membership(command.realm, command.uid, {},
                         [&](std::string_view list) {
                           lists.emplace_back(list);
                           return true;
                         });
  for (const auto& list : lists)
    if (const auto record = store_.list(command.realm, list))
      remove_member(command.realm, list, command.uid, *record);
  for (const auto& alias : user->aliases)
    store_.erase_alias(command.realm, alias);
  store_.erase_user(command.realm, command.uid);
  forget_rights(store_, command.realm, command.uid);
  auto totals = store_.totals(command.realm);
  totals.users -= 1;
  totals.devices -= user->devices.size();
  totals.aliases -= user->aliases.size();
  store_.put_totals(command.realm, totals);

  directory_outcome outcome;
  outcome.aliases = std::move(user->aliases);
  for (const auto& device : user->devices)
    outcome.devices.push_back(device.offset);
  return outcome;
}

// ------------------------------------------------------------------- lists

directory_outcome application::operator()(const change_list& command) {
  if (!is_name(command.list))
    return refused(errc::name_invalid, command.list);
  if (command.kind == list_edit_kind::remove)
    return leave(command);
  if (command.kind == list_edit_kind::add)
    return join(command, command.member, {membership::full, {}, time_});
  const auto uid = store_.alias(command.realm, command.member);
  // An unknown alias is only told to who may edit the list.
  return join(command, uid.value_or(std::string{}),
              {membership::invited, command.member, time_});
}

directory_outcome application::join(const change_list& command,
                                    const std::string& uid,
                                    list_member wanted) {
  const auto& [realm, list, kind, caller, member] = command;
  auto record = store_.list(realm, list);
  const bool fresh = !record;
  if (!caller.empty()) {
    const bool permitted = fresh
                               ? store_.user(realm, caller).has_value()
                               : store_.member(realm, list, caller).has_value();
    if (!permitted)
      return refused(errc::not_a_member, caller);
  }
  if (uid.empty() || !store_.user(realm, uid))
    return refused(kind == list_edit_kind::invite ? errc::alias_unknown
                                                  : errc::user_unknown,
                   member);
  const auto before = store_.member(realm, list, uid);
  if (!fresh && !before && record->members >= list_members_max)
    return refused(errc::too_many, list);

  directory_outcome outcome;
  auto& change = outcome.list;
  change.uid = uid;
  change.list_created = fresh;
  change.before = before ? before->state : membership::none;
  if (fresh) {
    record = list_record{time_, 0};
    auto totals = store_.totals(realm);
    totals.lists += 1;
    store_.put_totals(realm, totals);
    if (!caller.empty() && caller != uid) {
      store_.put_member(realm, list, caller, {membership::full, {}, time_});
      record->members += 1;
    }
    // Who makes a list is in it, even if what made it was an invitation of
    // his own.
    if (caller == uid)
      wanted = {membership::full, {}, time_};
  }
  if (kind == list_edit_kind::invite)
    change.alias = member;
  else if (change.before == membership::invited)
    change.alias = before->alias;
  // A full member stays one when somebody invites him again.
  if (change.before == membership::full)
    wanted = *before;
  change.after = wanted.state;
  if (!before)
    record->members += 1;
  if (!before || !(wanted == *before))
    store_.put_member(realm, list, uid, wanted);
  if (!before)
    store_.put_list(realm, list, *record);
  return outcome;
}

directory_outcome application::leave(const change_list& command) {
  const auto& [realm, list, kind, caller, member] = command;
  const auto record = store_.list(realm, list);
  if (!record)
    return refused(errc::list_unknown, list);
  if (!caller.empty() && !store_.member(realm, list, caller))
    return refused(errc::not_a_member, caller);
  const auto before = store_.member(realm, list, member);
  if (!before)
    return refused(errc::user_unknown, member);
  remove_member(realm, list, member, *record);

  directory_outcome outcome;
  outcome.list.uid = member;
  outcome.list.before = before->state;
  outcome.list.list_removed = record->members == 1;
  return outcome;
}

/// The last member takes the list with him.
void application::remove_member(std::string_view realm, std::string_view list,
                                std::string_view uid, list_record record) {
  store_.erase_member(realm, list, uid);
  record.members -= 1;
  if (record.members != 0) {
    store_.put_list(realm, list, record);
    return;
  }
  store_.erase_list(realm, list);
  auto totals = store_.totals(realm);
  totals.lists -= 1;
  store_.put_totals(realm, totals);
}

// ------------------------------------------------------------------ import

directory_outcome application::operator()(const import_directory& command) {
  std::size_t members = 0;
  for (const auto& list : command.lists)
    members += list.members.size();
  if (command.users.size() > import_users_max ||
      command.lists.size() > import_lists_max || members > import_members_max)
    return refused(errc::too_many, "import");

  directory_outcome outcome;
  for (const auto& user : command.users)
    import(command.realm, user, outcome.imported);
  for (const auto& list : command.lists)
    import(command.realm, list, outcome.imported);
  return outcome;
}

void application::import(std::string_view realm, const imported_user& user,
                         import_counts& counts) {
  if (is_name(user.uid) && store_.user(realm, user.uid)) {
    ++counts.users_kept;
    return;
  }
  user_record record;
  record.created = time_;
  std::set<std::string_view> names;
  std::set<device_offset> offsets;
  bool sound = is_name(user.uid) && !user.devices.empty();
  for (const auto& [name, offset] : user.devices) {
    sound = sound && is_name(name) && offset.value() < devices_per_user_max &&
            names.insert(name).second && offsets.insert(offset).second;
    record.devices.push_back({offset, name, time_, {}});
  }
  if (!sound) {
    ++counts.users_refused;
    return;
  }
  std::sort(record.devices.begin(), record.devices.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  auto aliases = distinct(user.aliases);
  std::erase_if(aliases, [](const auto& alias) { return !is_name(alias); });
  aliases = free_of(realm, user.uid, std::move(aliases));
  if (aliases.size() > aliases_per_user_max)
    aliases.resize(aliases_per_user_max);
  counts.aliases_dropped += user.aliases.size() - aliases.size();
  for (const auto& alias : aliases)
    store_.put_alias(realm, alias, user.uid);
  record.aliases = std::move(aliases);
  store_.put_user(realm, user.uid, record);
  auto totals = store_.totals(realm);
  totals.users += 1;
  totals.devices += record.devices.size();
  totals.aliases += record.aliases.size();
  store_.put_totals(realm, totals);
  ++counts.users_added;
}

void application::import(std::string_view realm, const imported_list& list,
                         import_counts& counts) {
  if (!is_name(list.name)) {
    ++counts.lists_refused;
    return;
  }
  if (store_.list(realm, list.name)) {
    ++counts.lists_kept;
    return;
  }
  list_record record{time_, 0};
  for (const auto& [uid, alias] : list.members) {
    const bool sound = (alias.empty() || is_name(alias)) &&
                       store_.user(realm, uid) &&
                       !store_.member(realm, list.name, uid);
    if (!sound) {
      ++counts.members_dropped;
      continue;
    }
    const auto state = alias.empty() ? membership::full : membership::invited;
    store_.put_member(realm, list.name, uid, {state, alias, time_});
    ++record.members;
  }
  if (record.members == 0) {
    ++counts.lists_refused;
    return;
  }
  store_.put_list(realm, list.name, record);
  auto totals = store_.totals(realm);
  totals.lists += 1;
  store_.put_totals(realm, totals);
  ++counts.lists_added;
}

directory_outcome application::operator()(const change_cluster& command) {
  auto done = core::apply(store_, command.change, time_);
  directory_outcome outcome;
  outcome.failure = std::move(done.failure);
  outcome.node = done.node;
  return outcome;
}

directory_outcome application::operator()(const change_rights& command) {
  directory_outcome outcome;
  outcome.failure =
      core::apply(store_, command.realm, command.change, time_, index_);
  return outcome;
}

directory_outcome application::operator()(const change_routes& command) {
  auto done = core::apply(store_, command, routes_);
  directory_outcome outcome;
  outcome.failure = std::move(done.failure);
  outcome.routes = std::move(done.results);
  if (routes_ != nullptr)
    routes_->set_as_of(index_);
  return outcome;
}

// ------------------------------------------------------------- idempotency

/// False if the command was applied before. Makes room when a new origin
/// shows up: only then, so that the common case reads one record.
bool claim(directory_store& store, const idempotency_key& key, timestamp time) {
  if (key.origin == 0)
    return true;
  auto record = store.origin(key.origin);
  if (record && is_applied(*record, key.sequence))
    return false;
  if (!record) {
    for (const auto id :
         silent_origins(store.origins(), time, origin_retention))
      store.erase_origin(id);
    record.emplace();
  }
  mark(*record, key.sequence);
  record->used = time;
  store.put_origin(key.origin, *record);
  return true;
}

/// Null for a command that is for no realm.
const std::string* realm_of(const directory_command& command) {
  return std::visit(
      [](const auto& c) -> const std::string* {
        if constexpr (requires { c.realm; })
          return &c.realm;
        else
          return nullptr;
      },
      command);
}

} // namespace

directory_machine::directory_machine(directory_store& store,
                                     route_table* routes)
    : store_(store), routes_(routes) {
  if (routes_ != nullptr)
    routes_->load(store_);
}

directory_outcome
directory_machine::apply(log_index index,
                         const logged_directory_command& command) {
  directory_outcome outcome;
  if (!claim(store_, command.key, command.time))
    outcome = refused(errc::duplicate, {});
  else if (const auto* realm = realm_of(command.command);
           realm != nullptr && !is_realm(*realm))
    outcome = refused(errc::name_invalid, *realm);
  else
    outcome = std::visit(application{store_, routes_, command.time, index},
                         command.command);
  outcome.index = index;
  return outcome;
}

} // namespace troupe::core
