// SPDX-License-Identifier: Apache-2.0
#include "core/directory.hpp"
#include "core/directory_machine.hpp"
#include "core/origin_window.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace troupe::core;
using names = std::vector<std::string>;

class DirectoryMachine : public testing::Test {
protected:
  template <class Command>
  directory_outcome apply(Command command, idempotency_key key = {}) {
    ++index_;
    return machine_.apply(index_, {key, now_, std::move(command)});
  }
  directory_outcome create(std::string uid, names aliases = {}) {
    return apply(
        create_user{"default", std::move(uid), "n0", std::move(aliases)});
  }
  directory_outcome edit(list_edit_kind kind, std::string caller,
                         std::string member, std::string list = "l") {
    return apply(change_list{"default", std::move(list), kind,
                             std::move(caller), std::move(member)});
  }
  directory_outcome add(std::string caller, std::string member) {
    return edit(list_edit_kind::add, std::move(caller), std::move(member));
  }
  directory_outcome invite(std::string caller, std::string alias) {
    return edit(list_edit_kind::invite, std::move(caller), std::move(alias));
  }
  directory_outcome remove(std::string caller, std::string member) {
    return edit(list_edit_kind::remove, std::move(caller), std::move(member));
  }
  names members() const {
    names result;
    directory_.each_member(
        "default", "l", [&](std::string_view uid, const list_member& m) {
          result.push_back(std::string{uid} +
                           (m.state == membership::invited ? "?" : ""));
          return true;
        });
    return result;
  }

  troupe::test::memory_directory_store store_;
  directory_machine machine_{store_};
  directory directory_{store_};
  log_index index_;
  timestamp now_ = from_millis(1000);
};

TEST_F(DirectoryMachine, CreatesAUserWithADeviceAndAliases) {
  const auto outcome = create("alice", {"al", "ice"});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_EQ(outcome.index, log_index{1});
  EXPECT_EQ(outcome.aliases, (names{"al", "ice"}));
  EXPECT_EQ(outcome.offset, device_offset{0});
  const auto user = directory_.find_user("default", "alice");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->created, now_);
  ASSERT_NE(find_device(*user, "n0"), nullptr);
  EXPECT_EQ(find_device(*user, "n0")->offset, device_offset{0});
  EXPECT_EQ(directory_.uid_of_alias("default", "ice"), "alice");
  EXPECT_EQ(directory_.totals(), (realm_totals{1, 1, 2, 0}));
}

TEST_F(DirectoryMachine, ReportsTheAliasesOfAnExistingUser) {
  create("alice", {"ice", "al"});
  const auto outcome = create("alice", {"zzz"});
  EXPECT_EQ(outcome.failure.code, errc::user_exists);
  EXPECT_EQ(outcome.aliases, (names{"ice", "al"}));
  EXPECT_FALSE(directory_.uid_of_alias("default", "zzz"));
}

TEST_F(DirectoryMachine, DropsTakenAndEmptyAliasesAndKeepsTheLastOfTwins) {
  create("alice", {"al"});
  const auto outcome = create("bob", {"b", "al", "", "c", "b"});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_EQ(outcome.aliases, (names{"c", "b"}));
  EXPECT_EQ(directory_.uid_of_alias("default", "al"), "alice");
}

TEST_F(DirectoryMachine, WantsADeviceName) {
  EXPECT_EQ(apply(create_user{"default", "bob", "", {}}).failure.code,
            errc::device_name_required);
  EXPECT_FALSE(directory_.has_user("default", "bob"));
}

TEST_F(DirectoryMachine, RefusesNamesThatAreNone) {
  EXPECT_EQ(create("").failure.code, errc::name_invalid);
  EXPECT_EQ(create("a\nb").failure.code, errc::name_invalid);
  EXPECT_EQ(create("bob", {"x\ty"}).failure.code, errc::name_invalid);
  EXPECT_EQ(apply(create_user{"", "bob", "n0", {}}).failure.code,
            errc::name_invalid);
  EXPECT_EQ(store_.totals("default"), realm_totals{});
}

TEST_F(DirectoryMachine, KeepsTwinsAndPathLikeNamesApart) {
  create("bob");
  create("Bob");
  create("../bob");
  create("bob,0");
  EXPECT_EQ(directory_.totals("default").users, 4U);
}

TEST_F(DirectoryMachine, KeepsRealmsApart) {
  create("bob", {"b"});
  EXPECT_EQ(apply(create_user{"other", "bob", "x", {"b"}}).aliases, names{"b"});
  EXPECT_EQ(directory_.totals("other").users, 1U);
  EXPECT_EQ(directory_.totals().users, 2U);
  EXPECT_FALSE(directory_.has_user("third", "bob"));
}

TEST_F(DirectoryMachine, ReplacesAliasesWithThoseThatAreFree) {
  create("alice", {"al", "ice"});
  create("bob", {"bobby"});
  const auto outcome =
      apply(replace_aliases{"default", "alice", {"newalias", "bobby", "al"}});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_TRUE(outcome.aliases_replaced);
  EXPECT_EQ(outcome.aliases, (names{"newalias", "al"}));
  EXPECT_FALSE(directory_.uid_of_alias("default", "ice"));
  EXPECT_EQ(directory_.uid_of_alias("default", "bobby"), "bob");
  EXPECT_EQ(directory_.totals().aliases, 3U);
}

TEST_F(DirectoryMachine, KeepsAliasesWhenNoneAreGiven) {
  create("alice", {"al"});
  const auto outcome = apply(replace_aliases{"default", "alice", {}});
  EXPECT_FALSE(outcome.aliases_replaced);
  EXPECT_EQ(outcome.aliases, names{"al"});
  EXPECT_EQ(apply(replace_aliases{"default", "ghost", {}}).failure.code,
            errc::user_unknown);
}

TEST_F(DirectoryMachine, BoundsTheAliasesOfAUser) {
  names many;
  for (std::size_t i = 0; i <= aliases_per_user_max; ++i)
    many.push_back("a" + std::to_string(i));
  EXPECT_EQ(create("alice", many).failure.code, errc::too_many);
  many.pop_back();
  EXPECT_EQ(create("alice", many).aliases.size(), aliases_per_user_max);
}

TEST_F(DirectoryMachine, GivesDevicesTheLowestFreeOffset) {
  create("bob");
  const auto outcome = apply(create_device{"default", "bob", "n1", "n0"});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_EQ(outcome.offset, device_offset{1});
  EXPECT_EQ(outcome.inherits, device_offset{0});
  apply(import_directory{
      "default",
      {{"eve", {{"a", device_offset{0}}, {"c", device_offset{2}}}, {}}},
      {}});
  const auto gap = apply(create_device{"default", "eve", "b", "c"});
  EXPECT_EQ(gap.offset, device_offset{1});
  EXPECT_EQ(gap.inherits, device_offset{2});
  EXPECT_EQ(apply(create_device{"default", "eve", "d", "b"}).offset,
            device_offset{3});
}

TEST_F(DirectoryMachine, SaysWhyThereIsNoNewDevice) {
  create("bob");
  const auto code = [&](const char* uid, const char* name, const char* from) {
    return apply(create_device{"default", uid, name, from}).failure.code;
  };
  EXPECT_EQ(code("bob", "", "n0"), errc::device_name_required);
  EXPECT_EQ(code("ghost", "n1", "n0"), errc::user_unknown);
  EXPECT_EQ(code("bob", "n1", "nope"), errc::device_unknown);
  EXPECT_EQ(code("bob", "n1", ""), errc::previous_device_invalid);
  // Whoever does not know a device learns nothing about the others.
  EXPECT_EQ(code("bob", "n0", "nope"), errc::device_unknown);
  const auto twin = apply(create_device{"default", "bob", "n0", "n0"});
  EXPECT_EQ(twin.failure.code, errc::device_exists);
  EXPECT_EQ(twin.offset, device_offset{0});
}

TEST_F(DirectoryMachine, GivesAUserAHundredDevices) {
  create("bob");
  for (std::size_t i = 1; i < devices_per_user_max; ++i)
    ASSERT_EQ(
        apply(create_device{"default", "bob", "n" + std::to_string(i), "n0"})
            .offset,
        device_offset{static_cast<std::uint8_t>(i)});
  const auto outcome = apply(create_device{"default", "bob", "more", "n0"});
  EXPECT_EQ(outcome.failure.code, errc::no_device_offset);
  EXPECT_FALSE(outcome.offset);
}

TEST_F(DirectoryMachine, MakesAListOfItsCallerAndItsFirstMember) {
  create("alice");
  create("carol");
  const auto outcome = add("alice", "carol");
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_TRUE(outcome.list.list_created);
  EXPECT_EQ(outcome.list.uid, "carol");
  EXPECT_EQ(outcome.list.before, membership::none);
  EXPECT_EQ(outcome.list.after, membership::full);
  EXPECT_EQ(members(), (names{"alice", "carol"}));
  EXPECT_EQ(directory_.find_list("default", "l")->members, 2U);
}

TEST_F(DirectoryMachine, AddingOneselfMakesAListOfOne) {
  create("alice");
  EXPECT_TRUE(add("alice", "alice").list.list_created);
  EXPECT_EQ(members(), names{"alice"});
}

TEST_F(DirectoryMachine, AcceptsAnInvitationByAddingOneself) {
  create("alice");
  create("bob", {"hijack"});
  const auto invited = invite("alice", "hijack");
  EXPECT_EQ(invited.list.uid, "bob");
  EXPECT_EQ(invited.list.alias, "hijack");
  EXPECT_EQ(invited.list.after, membership::invited);
  EXPECT_EQ(members(), (names{"alice", "bob?"}));
  EXPECT_EQ(directory_.membership_of("default", "l", "bob"),
            membership::invited);
  const auto accepted = add("bob", "bob");
  EXPECT_EQ(accepted.failure.code, errc::ok);
  EXPECT_EQ(accepted.list.alias, "hijack");
  EXPECT_EQ(accepted.list.before, membership::invited);
  EXPECT_EQ(accepted.list.after, membership::full);
  EXPECT_EQ(members(), (names{"alice", "bob"}));
  EXPECT_EQ(directory_.find_list("default", "l")->members, 2U);
}

TEST_F(DirectoryMachine, InvitedUsersMayEdit) {
  create("alice");
  create("bob", {"b"});
  create("carol");
  invite("alice", "b");
  EXPECT_EQ(add("bob", "carol").failure.code, errc::ok);
  EXPECT_EQ(members(), (names{"alice", "bob?", "carol"}));
}

TEST_F(DirectoryMachine, AnInvitationDoesNotDemoteAMember) {
  create("alice", {"al"});
  create("bob", {"b"});
  add("alice", "bob");
  const auto outcome = invite("alice", "b");
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_EQ(outcome.list.before, membership::full);
  EXPECT_EQ(outcome.list.after, membership::full);
  EXPECT_EQ(members(), (names{"alice", "bob"}));
}

TEST_F(DirectoryMachine, WhoMakesAListByInvitingHimselfIsInIt) {
  create("alice", {"al"});
  EXPECT_EQ(invite("alice", "al").list.after, membership::full);
  EXPECT_EQ(members(), names{"alice"});
}

TEST_F(DirectoryMachine, SaysWhyAListStaysAsItIs) {
  create("alice");
  create("bob");
  EXPECT_EQ(add("ghost", "alice").failure.code, errc::not_a_member);
  EXPECT_EQ(add("alice", "ghost").failure.code, errc::user_unknown);
  EXPECT_EQ(invite("alice", "ghost").failure.code, errc::alias_unknown);
  EXPECT_EQ(remove("alice", "alice").failure.code, errc::list_unknown);
  EXPECT_FALSE(directory_.find_list("default", "l"));
  add("alice", "alice");
  EXPECT_EQ(add("bob", "bob").failure, (error{errc::not_a_member, "bob"}));
  EXPECT_EQ(invite("bob", "ghost").failure.code, errc::not_a_member);
  EXPECT_EQ(remove("bob", "alice").failure.code, errc::not_a_member);
  EXPECT_EQ(remove("alice", "bob").failure.code, errc::user_unknown);
  EXPECT_EQ(members(), names{"alice"});
}

TEST_F(DirectoryMachine, AnyMemberRemovesAnybodyAndTheLastTheList) {
  create("alice");
  create("bob");
  add("alice", "bob");
  EXPECT_FALSE(remove("bob", "alice").list.list_removed);
  EXPECT_EQ(members(), names{"bob"});
  const auto last = remove("bob", "bob");
  EXPECT_EQ(last.failure.code, errc::ok);
  EXPECT_TRUE(last.list.list_removed);
  EXPECT_EQ(last.list.before, membership::full);
  EXPECT_EQ(last.list.after, membership::none);
  EXPECT_FALSE(directory_.find_list("default", "l"));
  EXPECT_EQ(directory_.totals().lists, 0U);
}

TEST_F(DirectoryMachine, AnOperatorNeedsNoMembership) {
  create("alice");
  create("bob");
  add("alice", "alice");
  EXPECT_EQ(add("", "bob").failure.code, errc::ok);
  EXPECT_EQ(remove("", "alice").failure.code, errc::ok);
  EXPECT_EQ(edit(list_edit_kind::add, "", "bob", "fresh").list.list_created,
            true);
  EXPECT_EQ(directory_.find_list("default", "fresh")->members, 1U);
}

TEST_F(DirectoryMachine, RemovesAUserFromAllThatNamesHim) {
  create("alice", {"al"});
  create("bob", {"b"});
  apply(create_device{"default", "bob", "n1", "n0"});
  add("alice", "bob");
  edit(list_edit_kind::add, "bob", "bob", "own");
  const auto outcome = apply(remove_user{"default", "bob"});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_EQ(outcome.aliases, names{"b"});
  EXPECT_EQ(outcome.devices, (std::vector{device_offset{0}, device_offset{1}}));
  EXPECT_FALSE(directory_.has_user("default", "bob"));
  EXPECT_FALSE(directory_.uid_of_alias("default", "b"));
  EXPECT_EQ(members(), names{"alice"});
  EXPECT_FALSE(directory_.find_list("default", "own"));
  EXPECT_EQ(directory_.totals(), (realm_totals{1, 1, 1, 1}));
  EXPECT_EQ(apply(remove_user{"default", "bob"}).failure.code,
            errc::user_unknown);
  apply(remove_user{"default", "alice"});
  EXPECT_EQ(store_, troupe::test::memory_directory_store{});
}

TEST_F(DirectoryMachine, ImportsUsersAndListsButKeepsWhatIsThere) {
  create("alice", {"al"});
  const auto outcome = apply(import_directory{
      "default",
      {{"alice", {{"x", device_offset{0}}}, {"other"}},
       {"bob",
        {{"n1", device_offset{1}}, {"n0", device_offset{0}}},
        {"al", "b"}},
       {"none", {}, {}},
       {"twins", {{"n", device_offset{0}}, {"n", device_offset{1}}}, {}},
       {"far", {{"n", device_offset{100}}}, {}}},
      {{"l", {{"alice", ""}, {"bob", "b"}, {"ghost", ""}}},
       {"empty", {{"ghost", ""}}},
       {"l", {{"alice", ""}}}}});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_EQ(outcome.imported, (import_counts{1, 1, 3, 1, 1, 1, 1, 2}));
  EXPECT_EQ(directory_.find_user("default", "alice")->aliases, names{"al"});
  const auto bob = directory_.find_user("default", "bob");
  ASSERT_TRUE(bob);
  EXPECT_EQ(bob->aliases, names{"b"});
  EXPECT_EQ(bob->devices[1].name, "n1");
  EXPECT_EQ(members(), (names{"alice", "bob?"}));
}

TEST_F(DirectoryMachine, RefusesAnImportAboveItsBounds) {
  import_directory command;
  command.users.resize(import_users_max + 1);
  EXPECT_EQ(apply(command).failure.code, errc::too_many);
}

TEST_F(DirectoryMachine, BoundsTheMembersOfAList) {
  for (const char* uid : {"alice", "bob"})
    create(uid);
  add("alice", "alice");
  auto record = *store_.list("default", "l");
  record.members = list_members_max;
  store_.put_list("default", "l", record);
  EXPECT_EQ(add("alice", "bob").failure.code, errc::too_many);
  EXPECT_EQ(add("alice", "alice").failure.code, errc::ok);
}

TEST_F(DirectoryMachine, AppliesACommandOncePerKey) {
  const create_user command{"default", "alice", "n0", {}};
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::ok);
  const auto before = store_;
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::duplicate);
  EXPECT_EQ(store_, before);
  EXPECT_EQ(apply(command, {7, 2}).failure.code, errc::user_exists);
  EXPECT_EQ(apply(command, {7, 2}).failure.code, errc::duplicate);
  EXPECT_EQ(apply(command, {8, 1}).failure.code, errc::user_exists);
  EXPECT_EQ(apply(command).failure.code, errc::user_exists);
}

TEST_F(DirectoryMachine, ForgetsOriginsThatFellSilent) {
  apply(remove_user{"default", "x"}, {1, 1});
  now_ += milliseconds{1};
  for (std::uint64_t origin = 1000; origin < 1000 + origins_kept; ++origin)
    apply(remove_user{"default", "x"}, {origin, 1});
  now_ -= milliseconds{1};
  now_ += origin_retention;
  apply(remove_user{"default", "x"}, {2, 1});
  EXPECT_TRUE(store_.origin(1));
  now_ += milliseconds{1};
  apply(remove_user{"default", "x"}, {3, 1});
  EXPECT_FALSE(store_.origin(1));
  EXPECT_TRUE(store_.origin(2));
}

TEST_F(DirectoryMachine, AppliesACommandOnceThoughTheClockJumps) {
  const create_user command{"default", "alice", "n0", {}};
  EXPECT_EQ(apply(command, {1, 1}).failure.code, errc::ok);
  now_ += 10 * origin_retention;
  apply(remove_user{"default", "alice"}, {2, 1}); // by a fresh origin
  EXPECT_EQ(apply(command, {1, 1}).failure.code, errc::duplicate);
}

TEST_F(DirectoryMachine, PagesThroughUsersListsAndMembers) {
  for (int i = 0; i < 25; ++i)
    create("u" + std::to_string(100 + i));
  names seen;
  std::string after;
  for (;;) {
    names page;
    directory_.each_user("default", after,
                         [&](std::string_view uid, const user_record&) {
                           page.emplace_back(uid);
                           return page.size() < 10;
                         });
    if (page.empty())
      break;
    seen.insert(seen.end(), page.begin(), page.end());
    after = page.back();
  }
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

} // namespace
