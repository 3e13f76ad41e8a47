// SPDX-License-Identifier: Apache-2.0
#include "core/directory.hpp"
#include "core/directory_machine.hpp"
#include "tests/support/memory_directory_store.hpp"
#include "tests/support/random_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace troupe::core;
using troupe::test::memory_directory_store;
using troupe::test::random_directory;

bool sound(const std::string& name) {
  return !name.empty() && name.find('\x01') == std::string::npos;
}

/// The rules again, with nothing but two maps that are searched from end to
/// end: no reverse look-ups and no counters which could disagree.
class naive_directory {
public:
  struct user {
    std::map<int, std::string> devices;
    std::vector<std::string> aliases;
  };
  using name = std::pair<std::string, std::string>;   ///< realm, name
  using members = std::map<std::string, std::string>; ///< uid, "" or alias

  errc apply(const logged_directory_command& command) {
    if (command.key.origin != 0 &&
        !applied_.insert({command.key.origin, command.key.sequence}).second)
      return errc::duplicate;
    return std::visit([&](const auto& c) { return run(c); }, command.command);
  }

  std::string holder(const std::string& realm, const std::string& alias) const {
    for (const auto& [key, record] : users)
      if (key.first == realm &&
          std::count(record.aliases.begin(), record.aliases.end(), alias) != 0)
        return key.second;
    return {};
  }

  std::map<name, user> users;
  std::map<name, members> lists;

private:
  std::vector<std::string> accepted(const std::string& realm,
                                    const std::string& uid,
                                    const std::vector<std::string>& wanted) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto taken_by = holder(realm, wanted[i]);
      if (!wanted[i].empty() && (taken_by.empty() || taken_by == uid) &&
          std::count(wanted.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                     wanted.end(), wanted[i]) == 0)
        result.push_back(wanted[i]);
    }
    return result;
  }
  static bool all_sound(const std::vector<std::string>& aliases) {
    return std::all_of(aliases.begin(), aliases.end(),
                       [](const auto& a) { return a.empty() || sound(a); });
  }

  /// In no realm: node_registry_test.cpp.
  static errc run(const change_cluster&) { return errc::ok; }
  /// Not among the commands: rights_registry_test.cpp.
  static errc run(const change_rights&) { return errc::ok; }
  /// Nor these: route_table_test.cpp.
  static errc run(const change_routes&) { return errc::ok; }
  errc run(const create_user& c) {
    if (!sound(c.uid))
      return errc::name_invalid;
    if (users.contains({c.realm, c.uid}))
      return errc::user_exists;
    if (c.device.empty())
      return errc::device_name_required;
    if (!all_sound(c.aliases))
      return errc::name_invalid;
    auto aliases = accepted(c.realm, c.uid, c.aliases);
    users[{c.realm, c.uid}] = {{{0, c.device}}, std::move(aliases)};
    return errc::ok;
  }
  errc run(const replace_aliases& c) {
    const auto found = users.find({c.realm, c.uid});
    if (found == users.end())
      return errc::user_unknown;
    if (!all_sound(c.aliases))
      return errc::name_invalid;
    if (std::any_of(c.aliases.begin(), c.aliases.end(), sound))
      found->second.aliases = accepted(c.realm, c.uid, c.aliases);
    return errc::ok;
  }
  errc run(const create_device& c) {
    if (c.device.empty())
      return errc::device_name_required;
    const auto found = users.find({c.realm, c.uid});
    if (found == users.end())
      return errc::user_unknown;
    if (c.previous_device.empty())
      return errc::previous_device_invalid;
    auto& devices = found->second.devices;
    const auto has = [&](const std::string& wanted) {
      return std::any_of(devices.begin(), devices.end(),
                         [&](const auto& d) { return d.second == wanted; });
    };
    if (!has(c.previous_device))
      return errc::device_unknown;
    if (has(c.device))
      return errc::device_exists;
    int offset = 0;
    while (devices.contains(offset))
      ++offset;
    devices[offset] = c.device;
    return errc::ok;
  }
  errc run(const remove_user& c) {
    if (users.erase({c.realm, c.uid}) == 0)
      return errc::user_unknown;
    for (auto i = lists.begin(); i != lists.end();) {
      if (i->first.first == c.realm)
        i->second.erase(c.uid);
      i = i->second.empty() ? lists.erase(i) : std::next(i);
    }
    return errc::ok;
  }
  errc run(const change_list& c) {
    const name key{c.realm, c.list};
    const auto found = lists.find(key);
    const bool exists = found != lists.end();
    if (c.kind == list_edit_kind::remove && !exists)
      return errc::list_unknown;
    if (!c.caller.empty() && !(exists ? found->second.contains(c.caller)
                                      : users.contains({c.realm, c.caller})))
      return errc::not_a_member;
    if (c.kind == list_edit_kind::remove) {
      if (found->second.erase(c.member) == 0)
        return errc::user_unknown;
      if (found->second.empty())
        lists.erase(found);
      return errc::ok;
    }
    const bool invite = c.kind == list_edit_kind::invite;
    const auto uid = invite ? holder(c.realm, c.member) : c.member;
    if (!users.contains({c.realm, uid}))
      return invite ? errc::alias_unknown : errc::user_unknown;
    auto& list = lists[key];
    if (!exists && !c.caller.empty())
      list[c.caller] = "";
    if (!invite)
      list[uid] = "";
    else if (!list.contains(uid) || !list[uid].empty())
      list[uid] = c.member;
    return errc::ok;
  }
  errc run(const import_directory& c) {
    for (const auto& u : c.users) {
      std::set<std::string> names;
      std::map<int, std::string> devices;
      bool good = sound(u.uid);
      for (const auto& [device, offset] : u.devices) {
        good = good && sound(device) && names.insert(device).second;
        devices[offset.value()] = device;
      }
      good = good && !devices.empty() && devices.size() == u.devices.size();
      if (!good || users.contains({c.realm, u.uid}))
        continue;
      auto aliases = u.aliases;
      std::erase_if(aliases, [](const auto& a) { return !sound(a); });
      users[{c.realm, u.uid}] = {std::move(devices),
                                 accepted(c.realm, u.uid, aliases)};
    }
    for (const auto& l : c.lists) {
      if (lists.contains({c.realm, l.name}))
        continue;
      members list;
      for (const auto& [uid, alias] : l.members)
        if (users.contains({c.realm, uid}) && (alias.empty() || sound(alias)))
          list.insert({uid, alias});
      if (!list.empty())
        lists[{c.realm, l.name}] = std::move(list);
    }
    return errc::ok;
  }

  std::set<std::pair<std::uint64_t, std::uint64_t>> applied_;
};

/// Everything the store holds must follow from the model, and the reverse.
void expect_same(const naive_directory& model,
                 const memory_directory_store& store) {
  const directory view{store};
  std::map<std::string, realm_totals> totals;
  for (const auto& [key, user] : model.users) {
    const auto& [realm, uid] = key;
    const auto record = view.find_user(realm, uid);
    ASSERT_TRUE(record) << uid;
    ASSERT_EQ(record->aliases, user.aliases) << uid;
    ASSERT_EQ(record->devices.size(), user.devices.size()) << uid;
    std::size_t i = 0;
    for (const auto& [offset, device] : user.devices) {
      ASSERT_EQ(record->devices[i].offset.value(), offset);
      ASSERT_EQ(record->devices[i++].name, device);
    }
    for (const auto& alias : user.aliases)
      ASSERT_EQ(view.uid_of_alias(realm, alias), uid);
    std::vector<std::string> in;
    view.each_membership(realm, uid, [&](std::string_view list) {
      in.emplace_back(list);
      return true;
    });
    std::vector<std::string> expected;
    for (const auto& [list, members] : model.lists)
      if (list.first == realm && members.contains(uid))
        expected.push_back(list.second);
    ASSERT_EQ(in, expected) << uid;
    totals[realm].users += 1;
    totals[realm].devices += user.devices.size();
    totals[realm].aliases += user.aliases.size();
  }
  for (const auto& [key, members] : model.lists) {
    const auto record = view.find_list(key.first, key.second);
    ASSERT_TRUE(record) << key.second;
    ASSERT_EQ(record->members, members.size());
    naive_directory::members stored;
    view.each_member(key.first, key.second,
                     [&](std::string_view uid, const list_member& member) {
                       stored.emplace(uid, member.alias);
                       EXPECT_EQ(member.state == membership::invited,
                                 !member.alias.empty());
                       return true;
                     });
    ASSERT_EQ(stored, members) << key.second;
    totals[key.first].lists += 1;
  }
  for (const char* realm : {"default", "other"})
    ASSERT_EQ(view.totals(realm), totals[realm]);
}

TEST(DirectoryModel, AgreesWithANaiveModelOverRandomCommands) {
  // 40 sequences of 250 commands: 10,000 in all.
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    random_directory random{seed};
    naive_directory model;
    memory_directory_store store;
    directory_machine machine{store};
    for (std::uint64_t i = 1; i <= 250; ++i) {
      const auto command = random.next();
      const auto before = store;
      const auto outcome = machine.apply(log_index{i}, command);
      ASSERT_EQ(outcome.failure.code, model.apply(command)) << i;
      const bool changed = !(store == before);
      ASSERT_FALSE(changed && outcome.failure.code == errc::duplicate);
      ASSERT_NO_FATAL_FAILURE(expect_same(model, store)) << i;
    }
  }
}

TEST(DirectoryModel, TheSameLogGivesTheSameAnswersAndContent) {
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    random_directory commands{seed};
    memory_directory_store one;
    memory_directory_store other;
    directory_machine first{one};
    directory_machine second{other};
    for (std::uint64_t i = 1; i <= 500; ++i) {
      const auto command = commands.next();
      ASSERT_EQ(first.apply(log_index{i}, command),
                second.apply(log_index{i}, command));
    }
    EXPECT_EQ(one, other);
  }
}

} // namespace
