// SPDX-License-Identifier: Apache-2.0
#include "cluster/raft.hpp"
#include "tests/cluster/directed_cluster.hpp"
#include "tests/cluster/lone_core.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;
using simulation::directed_cluster;
using simulation::packet;
using simulation::voters;

TEST(Raft, VotesAreHeldBackUntilTheyAreOnDisk) {
  lone_core c{3, voters(3)};
  c.step(1, vote_request{core::term{5}, core::log_index{9}, core::term{4},
                         false, false});
  EXPECT_TRUE(c.sent.empty());
  c.flush();
  ASSERT_EQ(c.sent.size(), 1U);
  EXPECT_TRUE(c.last_sent<vote_answer>()->granted);
}

TEST(Raft, AsksForVotesInAdvanceBeforeItEntersANewTerm) {
  lone_core c{3, voters(3)};
  c.tick(1001ms);
  EXPECT_EQ(c.core.current_term(), core::term{1});
  ASSERT_TRUE(c.last_sent<vote_request>().has_value());
  EXPECT_TRUE(c.last_sent<vote_request>()->pre);
  c.step(1, vote_answer{core::term{2}, true, true});
  EXPECT_EQ(c.core.current_term(), core::term{2});
  c.step(1, vote_answer{core::term{2}, true, false});
  EXPECT_TRUE(c.core.leads());
}

TEST(Raft, ALateVoteInAdvanceIsNoVote) {
  lone_core c{3, voters(5)};
  c.tick(1001ms);
  c.step(1, vote_answer{core::term{2}, true, true});
  c.step(2, vote_answer{core::term{2}, true, true});
  EXPECT_EQ(c.core.current_term(), core::term{2});
  c.step(4, vote_answer{core::term{2}, true, true});
  c.step(5, vote_answer{core::term{2}, true, true});
  EXPECT_FALSE(c.core.leads());
}

TEST(Raft, AReplicaThatKnowsNothingOfItsGroupDoesNotVote) {
  const auto now = core::steady_time{} + 10s;
  raft lost{core::group_id{3}, core::node_id{3}, {}, [] { return 0ULL; }};
  lost.start({}, now);
  for (const bool pre : {true, false})
    lost.step(core::node_id{1},
              vote_request{core::term{5}, core::log_index{9}, core::term{4},
                           pre, false},
              now);
  lost.tick(now + 5s);
  const auto out = lost.take_output();
  EXPECT_FALSE(out.write.has_value());
  ASSERT_EQ(out.messages.size(), 2U);
  for (const auto& m : out.messages)
    EXPECT_FALSE(std::get<vote_answer>(m.message).granted);
}

TEST(Raft, ALearnerIsPromotedWhenItKnowsTheMembers) {
  directed_cluster c{2, voters(1)};
  c.settle(1, {1});
  auto& leader = c.node(1).core();
  ASSERT_TRUE(leader.add_learner(core::node_id{2}));
  c.settle(1, {1});
  EXPECT_EQ(leader.promote(core::node_id{2}).error().code,
            core::errc::unavailable);
  c.settle(1, {1, 2});
  EXPECT_TRUE(leader.promote(core::node_id{2}));
}

TEST(Raft, ALeaderThatIsHeardIsNotDeposed) {
  lone_core c{3, voters(3)};
  c.step(1, append_of(2, 1, 1, {}));
  c.flush();
  c.tick(400ms);
  c.step(2, vote_request{core::term{9}, core::log_index{9}, core::term{8},
                         false, false});
  EXPECT_EQ(c.core.current_term(), core::term{2});
  c.tick(200ms);
  c.step(2, vote_request{core::term{9}, core::log_index{9}, core::term{8},
                         false, false});
  EXPECT_EQ(c.core.current_term(), core::term{9});
}

TEST(Raft, ALateTickIsNoSilentLeader) {
  lone_core c{3, voters(3)};
  c.step(1, append_of(2, 1, 1, {}));
  c.now += 10s;
  c.step(1, append_of(2, 1, 1, {}));
  c.tick(0ms);
  EXPECT_EQ(c.core.leader(), core::node_id{1});
  EXPECT_GE(c.core.next_tick(), c.now + 500ms);
}

TEST(Raft, AFollowerNeedsNoTickBeforeItWouldCampaign) {
  lone_core c{3, voters(3)};
  c.step(1, append_of(2, 1, 1, {}));
  c.tick(c.core.next_tick() - c.now - 1ms);
  EXPECT_EQ(c.core.leader(), core::node_id{1});
  c.tick(1ms);
  EXPECT_EQ(c.core.leader(), core::node_id{});
}

TEST(Raft, ALeaderWithoutAMajorityStepsDown) {
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  for (int i = 0; i < 4; ++i)
    c.tick(1, 300ms);
  EXPECT_FALSE(c.node(1).leads());
}

TEST(Raft, ALongDivergentTailCostsOneRoundATerm) {
  lone_core c{3, voters(3)};
  append_request tail = append_of(2, 1, 1, {});
  for (int i = 0; i < 1500; ++i)
    tail.entries.push_back({core::term{2}, entry_kind::command, {}});
  c.step(1, tail);
  c.flush();
  c.step(2, append_of(4, 1000, 1, {}));
  c.flush();
  const auto answer = c.last_sent<append_answer>();
  EXPECT_FALSE(answer->accepted);
  EXPECT_EQ(answer->index, core::log_index{1});
  EXPECT_EQ(answer->hint_term, core::term{1});
}

TEST(Raft, TwoLeadersInOneTermAreFatal) {
  lone_core c{3, voters(3)};
  c.step(1, append_of(2, 1, 1, {}));
  c.step(2, append_of(2, 1, 1, {}));
  ASSERT_TRUE(c.core.fatal().has_value());
  EXPECT_TRUE(c.core.take_output().empty());
}

TEST(Raft, AContradictionOfTheCommittedIsFatal) {
  lone_core c{3, voters(3)};
  c.step(1, append_of(2, 1, 1, {2, 2}, 3));
  c.step(2, append_of(3, 1, 1, {3}));
  EXPECT_TRUE(c.core.fatal().has_value());
}

TEST(Raft, ImpossibleMessagesAreIgnored) {
  lone_core c{1, voters(1)};
  c.flush();
  const auto before = c.core.last();
  c.step(9, append_answer{
                c.core.current_term(), true, core::log_index{99}, {}, {}, 99});
  c.step(9, vote_answer{c.core.current_term(), true, false});
  c.step(9, append_of(1, 50, 9, {1, 9, 3}));
  c.step(9, timeout_now{c.core.current_term()});
  EXPECT_EQ(c.core.fatal(), std::nullopt);
  EXPECT_TRUE(c.core.leads());
  EXPECT_EQ(c.core.last(), before);
}

TEST(Raft, HandsOverToAFollowerThatHasEverything) {
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  ASSERT_TRUE(c.node(1).propose(5));
  ASSERT_TRUE(c.node(1).change(
      [](raft& core) { return core.transfer(core::node_id{2}).has_value(); }));
  EXPECT_FALSE(c.node(1).propose(6));
  c.pump({1, 2, 3});
  EXPECT_TRUE(c.node(2).leads());
  EXPECT_FALSE(c.node(1).leads());
  EXPECT_TRUE(c.all.judge.is_acknowledged(5));
}

TEST(Raft, AHandOverThatFailsIsGivenUp) {
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  ASSERT_TRUE(c.node(1).change(
      [](raft& core) { return core.transfer(core::node_id{2}).has_value(); }));
  c.drop_packets();
  for (int i = 0; i < 6; ++i) {
    c.tick(1, 100ms);
    c.pump({1, 3});
  }
  EXPECT_TRUE(c.node(1).propose(6));
}

TEST(Raft, ReadsAreConfirmedByAMajority) {
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  ASSERT_TRUE(c.node(1).change(
      [](raft& core) { return core.read_index(4).has_value(); }));
  EXPECT_TRUE(c.node(1).reads.empty());
  c.pump({1, 2});
  ASSERT_EQ(c.node(1).reads.size(), 1U);
  EXPECT_EQ(c.node(1).reads[0].status, core::errc::ok);
  EXPECT_EQ(c.node(1).reads[0].index, c.node(1).core().commit());
}

TEST(Raft, IsSureToLeadAsLongAsAMajorityHasFollowed) {
  using namespace std::chrono_literals;
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  EXPECT_EQ(c.node(1).core().lease_end(), core::steady_time{}) << "nobody yet";
  c.settle(1, {1, 2, 3});
  c.tick(1, 300ms);
  const auto asked = c.now();
  c.pump({1, 2});
  EXPECT_EQ(c.node(1).core().lease_end(), asked + 500ms);
  EXPECT_EQ(c.node(2).core().lease_end(), core::steady_time{}) << "follows";
  // Nobody answers any more.
  c.tick(1, 300ms);
  c.drop_packets();
  EXPECT_EQ(c.node(1).core().lease_end(), asked + 500ms);
}

TEST(Raft, ALateAnswerTellsOfTheTimeOfItsQuestion) {
  using namespace std::chrono_literals;
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  c.tick(1, 160ms);
  const auto asked = c.now();
  c.tick(1, 200ms); // the process stood still
  c.pump({1, 2, 3});
  EXPECT_EQ(c.node(1).core().lease_end(), asked + 500ms);
}

TEST(Raft, AQuestionThatWasLostIsAskedAgain) {
  using namespace std::chrono_literals;
  raft_options options;
  options.heartbeat = 50ms;
  directed_cluster c{3, voters(3), options};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  c.tick(1, 60ms);
  c.drop_packets();
  c.tick(1, 110ms);
  const auto asked = c.now();
  c.pump({1, 3});
  EXPECT_EQ(c.node(1).core().lease_end(), asked + 500ms);
}

TEST(Raft, ALoneVoterIsAlwaysSure) {
  directed_cluster c{1, voters(1)};
  c.pump({1});
  ASSERT_TRUE(c.node(1).leads());
  EXPECT_EQ(c.node(1).core().lease_end(), core::steady_time::max());
}

TEST(Raft, WhoHandsLeadershipOverIsNotSure) {
  using namespace std::chrono_literals;
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  EXPECT_GT(c.node(1).core().lease_end(), c.now());
  ASSERT_TRUE(c.node(1).change(
      [](raft& core) { return core.transfer(core::node_id{2}).has_value(); }));
  EXPECT_EQ(c.node(1).core().lease_end(), core::steady_time{});
}

TEST(Raft, GrowsFromOneVoterToThree) {
  directed_cluster c{3, voters(1)};
  c.pump({1});
  const auto change = [&](auto&& what) {
    const auto done =
        c.node(1).change([&](raft& core) { return what(core).has_value(); });
    c.settle(1, {1, 2, 3});
    return done;
  };
  ASSERT_TRUE(c.node(1).propose(1));
  for (const std::uint32_t id : {2U, 3U}) {
    EXPECT_TRUE(change(
        [&](raft& core) { return core.add_learner(core::node_id{id}); }));
    EXPECT_TRUE(
        change([&](raft& core) { return core.promote(core::node_id{id}); }));
  }
  EXPECT_EQ(c.node(3).core().members(), voters(3));
  EXPECT_EQ(c.node(3).state(), c.node(1).state());
  EXPECT_TRUE(change([](raft& core) { return core.remove(core::node_id{1}); }));
  EXPECT_FALSE(c.node(1).leads());
  EXPECT_TRUE(c.elect(2, {2, 3}));
}

TEST(Raft, OnlyOneChangeOfMembersAtATime) {
  directed_cluster c{3, voters(1)};
  c.pump({1});
  c.node(1).change([](raft& core) {
    EXPECT_TRUE(core.add_learner(core::node_id{2}));
    EXPECT_EQ(core.add_learner(core::node_id{3}).error().code,
              core::errc::unavailable);
    return true;
  });
}

TEST(Raft, ALaggingFollowerGetsASnapshot) {
  raft_options o;
  o.keep_entries = 0;
  directed_cluster c{3, voters(3), o};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  for (std::uint32_t i = 1; i <= 50; ++i)
    ASSERT_TRUE(c.node(1).propose(i));
  c.settle(1, {1, 2});
  c.node(1).checkpoint();
  EXPECT_GT(c.node(1).core().first(), core::log_index{50});
  for (int i = 0; i < 10 && !c.node(3).installing(); ++i) {
    c.tick(1, 100ms);
    c.pump({1, 2, 3});
  }
  ASSERT_TRUE(c.node(3).installing());
  c.node(3).finish_install(true);
  c.settle(1, {1, 2, 3});
  EXPECT_EQ(c.node(3).state(), c.node(1).state());
  EXPECT_EQ(c.node(1).core().progress_of(core::node_id{3})->state,
            progress::mode::replicate);
  EXPECT_EQ(c.all.judge.violated(), std::nullopt);
}

} // namespace
} // namespace troupe::cluster
