// SPDX-License-Identifier: Apache-2.0
#include "core/directory_machine.hpp"
#include "schema/stored_directory.hpp"
#include "tests/support/memory_directory_store.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/random_directory.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace troupe;

void put(std::ostream& out, const std::vector<std::string>& names) {
  for (const auto& name : names)
    out << ' ' << name;
}
void put(std::ostream& out, const std::vector<core::grant>& grants) {
  for (const auto& each : grants)
    out << ' ' << core::to_string(each);
}
void put(std::ostream& out, const std::optional<core::timestamp>& time) {
  out << ' ' << (time ? core::to_millis(*time) : -1);
}

/// All about credentials and rights; realms and names are those of
/// random_directory.
std::string dump_rights(const core::directory_store& store) {
  std::ostringstream out;
  const std::vector<std::string> uids{"ann", "bob", "Bob", "../x", "u,1"};
  for (const std::string realm : {"default", "other"}) {
    store.each_account(
        realm, {}, [&](std::string_view uid, const core::account_record& a) {
          out << "account " << uid << ' ' << a.password << a.scram << '@'
              << a.password_set.value();
          put(out, a.roles);
          put(out, a.grants);
          put(out, a.tokens);
          out << '\n';
          return true;
        });
    store.each_role(realm, {},
                    [&](std::string_view role, const core::role_record& r) {
                      out << "role " << role;
                      put(out, r.grants);
                      out << '\n';
                      return true;
                    });
    for (const auto& uid : uids)
      store.each_block(realm, uid, {}, [&](std::string_view blocked) {
        out << "block " << uid << ' ' << blocked << ' '
            << store.has_block(realm, uid, blocked) << '\n';
        return true;
      });
    for (const auto kind : {core::ban_kind::user, core::ban_kind::address})
      for (const std::string& where : {realm, std::string{}})
        store.each_ban(kind, where, {},
                       [&](std::string_view name, const core::ban_record& b) {
                         out << "ban " << name << ' '
                             << core::to_millis(b.since);
                         put(out, b.until);
                         out << '\n';
                         return true;
                       });
  }
  store.each_token({}, [&](std::string_view id, const core::token_record& t) {
    out << "token " << id << ' ' << t.realm << ' ' << t.uid << ' ' << t.hash;
    put(out, t.expires);
    put(out, t.roles);
    put(out, t.grants);
    out << '\n';
    return true;
  });
  const auto totals = store.totals_of_rights();
  out << "rights " << totals.blocks << ' ' << totals.bans << '\n';
  return out.str();
}

/// Everything a store tells, as text.
std::string dump(const core::directory_store& store) {
  std::ostringstream out;
  store.each_realm([&](std::string_view realm) {
    const auto totals = store.totals(realm);
    out << "realm " << realm << ' ' << totals.users << ' ' << totals.devices
        << ' ' << totals.aliases << ' ' << totals.lists << '\n';
    store.each_user(
        realm, {}, [&](std::string_view uid, const core::user_record& user) {
          out << "user " << uid << ' ' << core::to_millis(user.created);
          for (const auto& device : user.devices)
            out << ' ' << int{device.offset.value()} << '=' << device.name
                << '@' << core::to_millis(device.created) << '<'
                << (device.inherits ? int{device.inherits->value()} : -1);
          for (const auto& alias : user.aliases)
            out << " ~" << alias << '='
                << store.alias(realm, alias).value_or("?");
          store.each_membership(realm, uid, {}, [&](std::string_view list) {
            out << " in " << list;
            return true;
          });
          out << '\n';
          return true;
        });
    store.each_list(
        realm, {}, [&](std::string_view list, const core::list_record& record) {
          out << "list " << list << ' ' << core::to_millis(record.created)
              << ' ' << record.members;
          store.each_member(
              realm, list, {},
              [&](std::string_view uid, const core::list_member& member) {
                out << ' ' << uid << '/' << static_cast<int>(member.state)
                    << '/' << member.alias << '/'
                    << core::to_millis(member.since);
                return true;
              });
          out << '\n';
          return true;
        });
    return true;
  });
  for (const auto& [id, origin] : store.origins()) {
    out << "origin " << id << ' ' << origin.floor << ' '
        << core::to_millis(origin.used);
    for (const auto word : origin.bits)
      out << ' ' << word;
    out << '\n';
  }
  return out.str() + dump_rights(store);
}

TEST(StoredDirectory, BehavesAsTheStoreInMemory) {
  std::string seen;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    test::random_directory random{seed, true};
    test::memory_directory_store memory;
    test::memory_state_space space;
    schema::stored_directory stored{space};
    core::directory_machine expected{memory};
    core::directory_machine machine{stored};
    for (std::uint64_t i = 1; i <= 400; ++i) {
      const auto command = random.next();
      ASSERT_EQ(machine.apply(core::log_index{i}, command),
                expected.apply(core::log_index{i}, command));
      if (i % 20 == 0) {
        ASSERT_EQ(dump(stored), dump(memory));
      }
    }
    seen += dump(stored);
  }
  for (const char* what : {"user ", "account ", "role ", "block ", "ban "})
    EXPECT_NE(seen.find(what), std::string::npos) << what;
}

TEST(StoredDirectory, TheSameLogGivesTheSameBytes) {
  test::memory_state_space spaces[2];
  for (auto& space : spaces) {
    test::random_directory random{77, true};
    schema::stored_directory stored{space};
    core::directory_machine machine{stored};
    for (std::uint64_t i = 1; i <= 1000; ++i)
      machine.apply(core::log_index{i}, random.next());
  }
  EXPECT_EQ(spaces[0].all(), spaces[1].all());
}

TEST(StoredDirectory, LeavesNothingBehindWhenAllAreGone) {
  test::memory_state_space space;
  schema::stored_directory stored{space};
  core::directory_machine machine{stored};
  const auto apply = [&](core::directory_command command) {
    EXPECT_EQ(machine.apply({}, {{}, {}, std::move(command)}).failure.code,
              core::errc::ok);
  };
  apply(core::create_user{"default", "alice", "n0", {"a"}});
  apply(core::create_user{"default", "bob", "n0", {"b"}});
  apply(core::change_list{"default", "l", core::list_edit_kind::invite, "alice",
                          "b"});
  for (core::rights_command change :
       std::initializer_list<core::rights_command>{
           core::set_password{"alice", "hash", "scram"},
           core::add_token{"t", "alice", "hash", "", {}, {}, {}},
           core::change_account{"alice", {}, {"r"}, {}},
           core::change_blocks{"alice", {}, {"bob", "carl"}},
           core::change_role{"r", {}, {{core::right::publish, "a"}}},
           core::set_ban{core::ban_kind::address, "192.0.2.7", {}, ""},
           core::lift_ban{core::ban_kind::address, "192.0.2.7"},
           core::remove_role{"r"}})
    apply(core::change_rights{"default", change});
  apply(core::remove_user{"default", "alice"});
  apply(core::remove_user{"default", "bob"});
  EXPECT_TRUE(space.all().empty());
}

TEST(StoredDirectory, PagesContinueBehindAName) {
  test::memory_state_space space;
  schema::stored_directory stored{space};
  for (const char* uid : {"a", "aa", "b", "c"})
    stored.put_user("default", uid, {});
  stored.put_user("defaulu", "d", {});
  const auto from = [&](std::string_view after) {
    std::string seen;
    stored.each_user("default", after,
                     [&](std::string_view uid, const core::user_record&) {
                       seen += std::string{uid} + ' ';
                       return uid != "b";
                     });
    return seen;
  };
  EXPECT_EQ(from(""), "a aa b ");
  EXPECT_EQ(from("a"), "aa b ");
  EXPECT_EQ(from("a0"), "aa b ");
  EXPECT_EQ(from("b"), "c ");
  EXPECT_EQ(from(std::string(1000, 'a')), "b ");
  EXPECT_EQ(from("c"), "");
}

TEST(StoredDirectory, NamesThatAreTooLongAreNotFound) {
  test::memory_state_space space;
  schema::stored_directory stored{space};
  const std::string longer(1000, 'x');
  EXPECT_FALSE(stored.user(longer, longer));
  EXPECT_FALSE(stored.user("default", longer));
  EXPECT_FALSE(stored.alias("default", longer));
  EXPECT_FALSE(stored.member("default", longer, longer));
  EXPECT_EQ(stored.totals(longer), core::realm_totals{});
  stored.each_member(longer, longer, {},
                     [](std::string_view, const core::list_member&) {
                       ADD_FAILURE();
                       return true;
                     });
}

TEST(StoredDirectory, KeepsNodesAndPlacements) {
  test::memory_state_space space;
  schema::stored_directory stored{space};
  test::memory_directory_store plain;
  for (core::directory_store* store :
       {static_cast<core::directory_store*>(&stored),
        static_cast<core::directory_store*>(&plain)}) {
    EXPECT_EQ(store->cluster(), core::cluster_record{});
    EXPECT_FALSE(store->node(core::node_id{1}));
    for (const std::uint32_t id : {300U, 2U, 1U})
      store->put_node(core::node_id{id},
                      {"n" + std::to_string(id), "host:1", id,
                       core::node_state::member, "t", core::from_millis(9)});
    store->put_placement({core::group_id{16}, {core::node_id{2}}});
    store->put_placement(
        {core::group_id{0}, {core::node_id{1}, core::node_id{300}}});
    store->put_cluster({core::node_id{300}, 4});
  }
  std::vector<std::pair<core::node_id, core::node_record>> nodes[2];
  std::vector<core::group_placement> placed[2];
  int at = 0;
  for (const core::directory_store* store :
       {static_cast<const core::directory_store*>(&stored),
        static_cast<const core::directory_store*>(&plain)}) {
    store->each_node([&](core::node_id id, const core::node_record& record) {
      nodes[at].emplace_back(id, record);
      return true;
    });
    store->each_placement([&](const core::group_placement& placement) {
      placed[at].push_back(placement);
      return true;
    });
    ++at;
  }
  EXPECT_EQ(nodes[0].size(), 3U);
  EXPECT_EQ(nodes[0], nodes[1]);
  EXPECT_EQ(placed[0].size(), 2U);
  EXPECT_EQ(placed[0], placed[1]);
  EXPECT_EQ(stored.cluster(), plain.cluster());
  EXPECT_EQ(stored.node(core::node_id{300}), plain.node(core::node_id{300}));
  EXPECT_EQ(*stored.placement(core::group_id{0}),
            (std::vector{core::node_id{1}, core::node_id{300}}));
}

} // namespace
