// SPDX-License-Identifier: Apache-2.0
#include "actors/membership_actor.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace troupe::actors {
namespace {

using core::errc;
using core::node_id;
using core::node_state;

core::result<void> admitted(const core::directory_store& store,
                            std::uint32_t node) {
  const core::directory directory{store};
  links::peer_identity peer;
  peer.node = node_id{node};
  return admit_peer(directory, peer);
}

TEST(AdmitPeer, GoesByTheTableOnceThereIsOne) {
  test::memory_directory_store store;
  EXPECT_TRUE(admitted(store, 7)) << "nothing is known yet";
  core::node_record record;
  for (const auto state :
       {node_state::joining, node_state::member, node_state::draining}) {
    record.state = state;
    store.put_node(node_id{1}, record);
    EXPECT_TRUE(admitted(store, 1));
    EXPECT_EQ(admitted(store, 7).error().code, errc::not_permitted);
  }
  record.state = node_state::removed;
  store.put_node(node_id{1}, record);
  const auto refused = admitted(store, 1);
  EXPECT_EQ(refused.error().code, errc::not_permitted);
  EXPECT_NE(refused.error().detail.find("node 1 was removed"),
            std::string::npos);
}

TEST(MembershipWord, IsTakenByItsKey) {
  const test_support::manual_clock clock;
  broker_options options;
  options.shards = 2;
  broker_context context{clock, options, 1};
  links::received message;
  message.from = node_id{3};
  message.kind = links::kind::membership;
  message.key = static_cast<std::uint64_t>(membership_word::leaders);
  message.body = leader_board::encode({{core::group_id{2}, core::term{1}}});
  take_membership_word(context, message);
  EXPECT_EQ(context.announced.leader_of(core::group_id{2}), node_id{3});

  EXPECT_FALSE(context.balances_leaders_now(clock.now()));
  message.key = static_cast<std::uint64_t>(membership_word::balance_leaders);
  take_membership_word(context, message);
  EXPECT_TRUE(context.balances_leaders_now(clock.now()));
  EXPECT_FALSE(
      context.balances_leaders_now(clock.now() + std::chrono::minutes{2}));

  message.key = static_cast<std::uint64_t>(membership_word::reach);
  message.body = reach_word{{node_id{1}}, true, 4}.encode();
  take_membership_word(context, message);
  EXPECT_EQ(context.reach.serves_most({node_id{3}}, {node_id{1}}, clock.now()),
            node_id{3});

  message.key = 99; // of a newer version
  take_membership_word(context, message);
}

} // namespace
} // namespace troupe::actors
