// SPDX-License-Identifier: Apache-2.0
#include "core/directory_machine.hpp"
#include "core/node_registry.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace {

using namespace troupe;
using namespace core; // NOLINT: a test's own words are few
using test::memory_directory_store;

class NodeRegistry : public testing::Test {
protected:
  cluster_outcome run(cluster_command command) {
    return apply(store, command, from_millis(++time));
  }
  cluster_outcome admit(const std::string& name,
                        std::uint64_t incarnation = 1) {
    return run(
        admit_node{"token of " + name, name, name + ":1", incarnation, {}});
  }
  void found() { run(admit_node{"token of a", "a", "a:1", 1, node_id{1}}); }
  node_state state(std::uint32_t id) { return store.node(node_id{id})->state; }

  memory_directory_store store;
  std::int64_t time = 0;
};

TEST_F(NodeRegistry, TheFirstNodeIsAMemberAtOnce) {
  EXPECT_EQ(run(admit_node{"t", "a", "a:1", 1, node_id{1}}).node, node_id{1});
  EXPECT_EQ(state(1), node_state::member);
  EXPECT_EQ(store.cluster().last_node, node_id{1});
  EXPECT_EQ(run(admit_node{"u", "b", "b:1", 1, node_id{2}}).failure.code,
            errc::not_permitted);
}

TEST_F(NodeRegistry, NobodyComesBeforeTheFounder) {
  EXPECT_EQ(admit("b").failure.code, errc::not_permitted);
  found();
  EXPECT_EQ(admit("b").node, node_id{2});
}

TEST_F(NodeRegistry, OthersGetTheNextId) {
  found();
  EXPECT_EQ(admit("b").node, node_id{2});
  EXPECT_EQ(admit("c").node, node_id{3});
  EXPECT_EQ(state(3), node_state::joining);
}

TEST_F(NodeRegistry, WhoAsksTwiceIsAdmittedOnce) {
  found();
  const auto first = admit("b");
  const auto again = run(admit_node{"token of b", "b", "elsewhere:9", 2, {}});
  EXPECT_EQ(again.node, first.node);
  const auto record = *store.node(first.node);
  EXPECT_EQ(record.address, "elsewhere:9");
  EXPECT_EQ(record.incarnation, 2U);
  EXPECT_EQ(record.admitted, from_millis(time));
  // What was sent before and comes late must not undo it.
  EXPECT_EQ(admit("b", 1).failure.code, errc::not_permitted);
  EXPECT_EQ(store.node(first.node)->address, "elsewhere:9");
}

TEST_F(NodeRegistry, ARemovedNodeNeverComesBack) {
  found();
  const auto b = admit("b").node;
  EXPECT_EQ(run(set_node_state{b, node_state::removed}).failure.code, errc::ok);
  EXPECT_EQ(admit("b", 9).failure.code, errc::not_permitted);
  EXPECT_EQ(run(set_node_state{b, node_state::member}).failure.code,
            errc::not_permitted);
  EXPECT_EQ(run(set_node_address{b, "x:1", 9}).failure.code,
            errc::not_permitted);
  // Its name is free, its id is not.
  const auto heir = run(admit_node{"another token", "b", "b:1", 1, {}});
  EXPECT_EQ(heir.failure.code, errc::ok);
  EXPECT_EQ(heir.node, node_id{3});
}

TEST_F(NodeRegistry, NamesAreForOneNode) {
  found();
  EXPECT_EQ(run(admit_node{"x", "a", "x:1", 1, {}}).failure.code,
            errc::not_permitted);
}

TEST_F(NodeRegistry, TheLastMemberStays) {
  found();
  admit("b");
  EXPECT_EQ(run(set_node_state{node_id{1}, node_state::draining}).failure.code,
            errc::not_permitted);
  run(set_node_state{node_id{2}, node_state::member});
  EXPECT_EQ(run(set_node_state{node_id{1}, node_state::draining}).failure.code,
            errc::ok);
  EXPECT_EQ(run(set_node_state{node_id{2}, node_state::removed}).failure.code,
            errc::not_permitted);
  // Drained nodes may come back.
  EXPECT_EQ(run(set_node_state{node_id{1}, node_state::member}).failure.code,
            errc::ok);
}

TEST_F(NodeRegistry, PlacementsNameNodesThereAre) {
  found();
  const auto b = admit("b").node;
  const auto place = [&](std::vector<node_id> replicas) {
    return run(set_placement{{{group_id{1}, {node_id{1}}},
                              {group_id{2}, std::move(replicas)}}})
        .failure.code;
  };
  EXPECT_EQ(place({}), errc::invalid_config);
  EXPECT_EQ(place({b, b}), errc::invalid_config);
  EXPECT_EQ(place({node_id{9}}), errc::not_found);
  EXPECT_FALSE(store.placement(group_id{1})) << "all or nothing";
  EXPECT_EQ(place({b, node_id{1}}), errc::ok);
  EXPECT_EQ(*store.placement(group_id{2}), (std::vector{b, node_id{1}}));
  run(set_node_state{b, node_state::removed});
  EXPECT_EQ(place({b}), errc::not_permitted);
}

TEST_F(NodeRegistry, ANodeTakesTheSeatsOfAnother) {
  found();
  const auto a = node_id{1};
  const auto b = admit("b").node;
  const auto c = admit("c").node;
  const auto d = admit("d").node;
  for (const auto node : {b, c, d})
    run(set_node_state{node, node_state::member});
  run(set_placement{{{group_id{0}, {a, b, c, d}},
                     {group_id{1}, {a, b, c}},
                     {group_id{2}, {b, d}},
                     {group_id{3}, {a, c}}}});
  const auto done = run(replace_node{b, d});
  EXPECT_EQ(done.failure.code, errc::ok);
  EXPECT_EQ(done.node, d);
  EXPECT_EQ(*store.placement(group_id{0}), (std::vector{a, b, c, d}));
  EXPECT_EQ(*store.placement(group_id{1}), (std::vector{a, d, c}));
  EXPECT_EQ(*store.placement(group_id{2}), std::vector{d}) << "it had it";
  EXPECT_EQ(*store.placement(group_id{3}), (std::vector{a, c}));
  EXPECT_EQ(state(b.value()), node_state::draining);
  EXPECT_EQ(run(replace_node{b, d}).failure.code, errc::ok) << "asked again";
}

TEST_F(NodeRegistry, WhoCanNotReplaceWhom) {
  found();
  const auto a = node_id{1};
  const auto b = admit("b").node;
  const auto refused = [&](node_id old, node_id fresh) {
    return run(replace_node{old, fresh}).failure;
  };
  EXPECT_EQ(refused(a, a).code, errc::not_permitted);
  EXPECT_EQ(refused(a, node_id{9}).detail, "node 9 is not known");
  EXPECT_EQ(refused(node_id{8}, a).detail, "node 8 is not known");
  EXPECT_NE(refused(a, b).detail.find("still joining"), std::string::npos);
  EXPECT_EQ(state(1), node_state::member);
  run(set_node_state{b, node_state::member});
  run(set_node_state{b, node_state::draining});
  EXPECT_EQ(refused(a, b).code, errc::not_permitted);
  run(set_node_state{b, node_state::removed});
  EXPECT_EQ(refused(b, a).code, errc::not_permitted);
  EXPECT_EQ(refused(a, b).code, errc::not_permitted);
}

TEST_F(NodeRegistry, OnlyAMemberBecomesAbsentAndNotTheLast) {
  found();
  EXPECT_EQ(run(set_node_state{node_id{1}, node_state::absent}).failure.code,
            errc::not_permitted);
  const auto b = admit("b").node;
  EXPECT_EQ(run(set_node_state{b, node_state::absent}).failure.code,
            errc::not_permitted)
      << "it has not got the directory";
  run(set_node_state{b, node_state::member});
  EXPECT_EQ(run(set_node_state{b, node_state::absent}).failure.code, errc::ok);
  EXPECT_EQ(run(set_node_state{node_id{1}, node_state::draining}).failure.code,
            errc::not_permitted)
      << "the last member";
  EXPECT_EQ(run(set_node_state{b, node_state::member}).failure.code, errc::ok);
}

TEST_F(NodeRegistry, TheFeatureLevelNeverFalls) {
  run(set_feature_level{3});
  run(set_feature_level{2});
  EXPECT_EQ(store.cluster().feature_level, 3U);
}

TEST_F(NodeRegistry, WhatIsNoNameOrAddressIsRefused) {
  for (const auto& bad :
       {admit_node{"", "n", "a:1", 1, {}}, admit_node{"t", "", "a:1", 1, {}},
        admit_node{"t", "n", "", 1, {}}, admit_node{"t", "n", "a b", 1, {}},
        admit_node{std::string(65, 't'), "n", "a:1", 1, {}},
        admit_node{"t", "n", std::string(301, 'a'), 1, {}}})
    EXPECT_EQ(run(bad).failure.code, errc::name_invalid);
}

TEST_F(NodeRegistry, TheDirectoryAppliesItOnceAKey) {
  directory_machine machine{store};
  const logged_directory_command command{
      {7, 1},
      from_millis(5),
      change_cluster{admit_node{"t", "a", "a:1", 1, node_id{1}}}};
  EXPECT_EQ(machine.apply(log_index{1}, command).node, node_id{1});
  EXPECT_EQ(machine.apply(log_index{2}, command).failure.code, errc::duplicate);
}

/// No id twice, no way back from removal, always a member: whatever comes.
TEST_F(NodeRegistry, HoldsItsRulesInAnyHistory) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random{seed};
    store = {};
    std::map<node_id, std::string> token_of;
    std::set<node_id> removed;
    found();
    token_of[node_id{1}] = "token of a";
    for (int i = 0; i < 200; ++i) {
      const auto name = std::string(1, static_cast<char>('a' + random() % 12));
      const node_id some{static_cast<std::uint32_t>(1 + random() % 15)};
      switch (random() % 4) {
      case 0:
        if (const auto done = admit(name, random() % 5);
            done.failure.code == errc::ok) {
          const auto [at, fresh] =
              token_of.emplace(done.node, "token of " + name);
          ASSERT_EQ(at->second, "token of " + name) << "an id for two nodes";
        }
        break;
      case 1:
        run(set_node_address{some, name + ":2", random() % 5});
        break;
      default:
        run(set_node_state{some, static_cast<node_state>(1 + random() % 4)});
      }
      bool member = false;
      store.each_node([&](node_id id, const node_record& record) {
        member = member || record.state == node_state::member;
        if (removed.contains(id)) {
          EXPECT_EQ(record.state, node_state::removed);
        }
        if (record.state == node_state::removed)
          removed.insert(id);
        EXPECT_LE(id, store.cluster().last_node);
        return true;
      });
      ASSERT_TRUE(member) << "seed " << seed;
    }
  }
}

} // namespace
