// SPDX-License-Identifier: Apache-2.0
//
// Schedules that broke other implementations, or that random search finds
// rarely. Each is run twice: the algorithm survives it, and the mutant that
// lacks the rule concerned does not.
#include "cluster/raft.hpp"
#include "tests/cluster/directed_cluster.hpp"
#include "tests/cluster/lone_core.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;
using simulation::directed_cluster;
using simulation::packet;
using simulation::voters;
using outcome = std::optional<std::string>;
using scenario = outcome (*)(raft_mutation);

raft_options with(raft_mutation m) {
  raft_options o;
  o.mutation = m;
  return o;
}

void expect_needs(scenario run, raft_mutation mutant) {
  EXPECT_EQ(run(raft_mutation::none), std::nullopt);
  EXPECT_NE(run(mutant), std::nullopt) << "the mutant survives";
}

// A follower with a tail of its own hears the first heartbeat of a new leader.
// If it reports the tail as equal, the leader acknowledges what is on one disk
// only, and the next leader lacks it.
outcome unverified_tail_is_reported(raft_mutation m) {
  directed_cluster c{3, voters(3), with(m)};
  EXPECT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  EXPECT_TRUE(c.node(1).propose(110));
  EXPECT_TRUE(c.node(1).propose(111));
  c.crash(1);
  EXPECT_TRUE(c.elect(2, {2, 3}));
  c.start(1);
  EXPECT_TRUE(c.node(2).propose(222));
  c.node(2).complete_all_writes();
  c.drop_packets();
  c.tick(2, 600ms); // node 1 is silent, so this is an empty probe
  c.pump({1, 2}, [](const packet& p) {
    const auto* append = std::get_if<append_request>(&p.message);
    return append == nullptr || append->entries.empty();
  });
  c.crash(2);
  EXPECT_TRUE(c.elect(1, {1, 3}));
  c.settle(1, {1, 3});
  return c.all.judge.violated();
}

TEST(RaftCounterexample, AFollowerReportsNoTailItHasNotVerified) {
  expect_needs(unverified_tail_is_reported, raft_mutation::report_stored_index);
}

// Raft figure 8: an entry of an older term reaches a majority, and is then
// replaced by a leader that never saw it.
outcome figure_eight(raft_mutation m) {
  auto options = with(m);
  options.message_bytes_max = 1; // an entry a message
  directed_cluster c{3, voters(3), options};
  EXPECT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  EXPECT_TRUE(c.node(1).propose(111));
  const auto place = c.node(1).core().last();
  c.crash(1);
  EXPECT_TRUE(c.elect(3, {2, 3}));
  EXPECT_TRUE(c.node(3).propose(222));
  c.crash(3);
  c.drop_packets();
  c.start(1);
  EXPECT_TRUE(c.elect(1, {1, 2}));
  c.tick(1, 200ms);
  // Node 2 gets 111, but nothing of the new term.
  c.pump({1, 2}, [&](const packet& p) {
    const auto* append = std::get_if<append_request>(&p.message);
    return append == nullptr || append->previous < place ||
           c.node(2).core().last() < place;
  });
  c.crash(1);
  c.start(3);
  EXPECT_TRUE(c.elect(3, {2, 3}));
  c.settle(3, {2, 3});
  return c.all.judge.violated();
}

TEST(RaftCounterexample, AnOlderTermIsNotCommittedByCounting) {
  expect_needs(figure_eight, raft_mutation::old_term_commit);
}

TEST(RaftCounterexample, AnOlderTermIsNotCommittedWithoutNoOp) {
  expect_needs(figure_eight, raft_mutation::old_term_commit_without_no_op);
}

// A heartbeat carries a commit index above what it verifies.
outcome commit_over_unverified_tail(raft_mutation m) {
  lone_core c{3, voters(3), with(m)};
  c.step(1, append_of(2, 1, 1, {2, 2, 2}));
  c.flush();
  c.step(2, append_of(3, 1, 1, {}, 4));
  c.flush();
  if (c.core.commit() > core::log_index{1})
    return "committed what only an older leader sent";
  return std::nullopt;
}

TEST(RaftCounterexample, AFollowerCommitsNoTailItHasNotVerified) {
  expect_needs(commit_over_unverified_tail,
               raft_mutation::commit_beyond_verified);
}

// What the leader of one term has verified says nothing about the next.
outcome verified_index_of_an_older_leader(raft_mutation m) {
  lone_core c{3, voters(3), with(m)};
  c.step(1, append_of(2, 1, 1, {2, 2, 2}));
  c.flush();
  c.step(2, append_of(3, 1, 1, {}));
  c.flush();
  if (c.last_sent<append_answer>()->index > core::log_index{1})
    return "reported what only an older leader verified";
  return std::nullopt;
}

TEST(RaftCounterexample, ANewLeaderVerifiesAnew) {
  expect_needs(verified_index_of_an_older_leader,
               raft_mutation::verified_survives_term);
}

TEST(RaftCounterexample, CommitAdvancesWhileFollowersAreARoundTripBehind) {
  directed_cluster c{3, voters(3)};
  ASSERT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  const auto before = c.node(1).core().commit().value();
  std::deque<packet> under_way;
  for (std::uint32_t i = 0; i < 500; ++i) {
    ASSERT_TRUE(c.node(1).propose(1000 + i));
    c.node(1).complete_all_writes();
    auto arriving = std::exchange(under_way, std::exchange(c.all.network, {}));
    for (const auto& p : arriving) {
      c.node(p.to.value()).receive(p);
      c.node(p.to.value()).complete_all_writes();
    }
    for (auto& p : std::exchange(c.all.network, {}))
      under_way.push_back(std::move(p));
  }
  EXPECT_GE(c.node(1).core().commit().value(), before + 490);
  EXPECT_EQ(c.all.judge.violated(), std::nullopt);
}

// A single voter sends an entry to its learner, loses it in a crash, and puts
// another one of the same term in its place.
outcome lone_voter_restarts(raft_mutation m) {
  configuration members;
  members.voters = {core::node_id{1}};
  members.learners = {core::node_id{2}};
  directed_cluster c{2, members, with(m)};
  c.settle(1, {1, 2});
  EXPECT_TRUE(c.node(1).propose(100));
  c.settle(1, {1, 2});
  EXPECT_TRUE(c.node(1).propose(111));
  for (auto& p : std::exchange(c.all.network, {}))
    if (p.to == core::node_id{2})
      c.node(2).receive(p);
  c.node(2).complete_all_writes();
  c.drop_packets();
  c.node(1).crash(0);
  c.start(1);
  EXPECT_TRUE(c.node(1).propose(222));
  c.settle(1, {1, 2});
  c.settle(1, {1, 2});
  c.all.check_logs();
  return c.all.judge.violated();
}

TEST(RaftCounterexample, ALoneVoterNeverLeadsInAnOldTerm) {
  expect_needs(lone_voter_restarts, raft_mutation::lone_voter_keeps_term);
}

TEST(RaftCounterexample, AVoterThatBecomesLoneLeadsInANewTerm) {
  directed_cluster c{2, voters(2)};
  ASSERT_TRUE(c.elect(1, {1, 2}));
  c.settle(1, {1, 2});
  const auto term = c.node(1).core().current_term();
  ASSERT_TRUE(c.node(1).change(
      [](raft& core) { return core.remove(core::node_id{1}).has_value(); }));
  c.pump({1, 2});
  EXPECT_FALSE(c.node(1).leads());
  ASSERT_TRUE(c.elect(2, {2}));
  EXPECT_GT(c.node(2).core().current_term(), term);
  c.pump({2});
  EXPECT_TRUE(c.node(2).core().established());
}

// A write of entries that were since truncated completes: it proves nothing
// about those which took their places.
outcome stale_write_completes(raft_mutation m) {
  lone_core c{3, voters(3), with(m)};
  c.step(1, append_of(2, 1, 1, {2, 2}));
  c.step(2, vote_request{core::term{3}, core::log_index{9}, core::term{2},
                         false, true});
  const auto before_truncation = c.writes.size();
  c.step(2, append_of(3, 1, 1, {3, 3}));
  EXPECT_GT(c.writes.size(), before_truncation);
  c.flush(before_truncation);
  const auto answer = c.last_sent<append_answer>();
  if (answer && answer->term == core::term{3} &&
      answer->index > core::log_index{1})
    return "reported entries that are not on disk";
  c.flush();
  EXPECT_EQ(c.last_sent<append_answer>()->index, core::log_index{3});
  return std::nullopt;
}

TEST(RaftCounterexample, AWriteBeforeATruncationDoesNotCount) {
  expect_needs(stale_write_completes, raft_mutation::stale_completion_counts);
}

// The single-server bug of 2015: a new leader changes the members while an
// uncommitted change of its predecessor is about to win elsewhere.
outcome change_in_an_unproved_term(raft_mutation m) {
  directed_cluster c{5, voters(4), with(m)};
  EXPECT_TRUE(c.elect(1, {1, 2, 3, 4}));
  c.settle(1, {1, 2, 3, 4});
  EXPECT_TRUE(c.node(1).change([](raft& core) {
    return core.propose_configuration(voters(5)).has_value();
  }));
  c.pump({1, 5});
  c.tick(1, 100ms);
  c.pump({1, 5});
  EXPECT_TRUE(c.elect(2, {2, 3, 4}));
  c.node(2).change([](raft& core) {
    return core.propose_configuration(voters(3)).has_value();
  });
  c.node(2).propose(222);
  c.settle(2, {2, 3});
  c.crash(2);
  c.crash(3);
  c.crash(1); // it has stepped down by now; only its disk matters
  c.start(1);
  EXPECT_TRUE(c.elect(1, {1, 4, 5}));
  c.settle(1, {1, 4, 5});
  return c.all.judge.violated();
}

TEST(RaftCounterexample, AChangeOfMembersWaitsForTheOwnNoOp) {
  expect_needs(change_in_an_unproved_term, raft_mutation::change_before_no_op);
}

// A truncated configuration must be forgotten.
outcome configuration_is_truncated(raft_mutation m) {
  directed_cluster c{4, voters(3), with(m)};
  EXPECT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  EXPECT_TRUE(c.node(1).change([](raft& core) {
    return core.propose_configuration(voters(4)).has_value();
  }));
  c.node(1).complete_all_writes();
  c.drop_packets();
  EXPECT_TRUE(c.elect(2, {2, 3}));
  c.settle(2, {1, 2, 3});
  if (c.node(1).core().members() != voters(3))
    return "still counts with a configuration that was truncated";
  return c.all.judge.violated();
}

TEST(RaftCounterexample, ATruncatedConfigurationIsForgotten) {
  expect_needs(configuration_is_truncated,
               raft_mutation::no_configuration_rollback);
}

// A snapshot below entries that were acknowledged to the leader arrives late.
outcome late_snapshot(raft_mutation m) {
  lone_core c{3, voters(3), with(m)};
  c.step(1, append_of(2, 1, 1, {2, 2, 2, 2}));
  c.flush();
  EXPECT_EQ(c.last_sent<append_answer>()->index, core::log_index{5});
  c.step(1, install_snapshot{core::term{2},
                             {core::log_index{3}, core::term{2},
                              core::log_index{1}, voters(3)}});
  if (c.install)
    return "replaces entries that the leader counts on";
  EXPECT_EQ(c.core.commit(), core::log_index{3});
  EXPECT_EQ(c.core.last(), core::log_index{5});
  return std::nullopt;
}

TEST(RaftCounterexample, ALogThatHasTheSnapshotIsKept) {
  expect_needs(late_snapshot, raft_mutation::snapshot_wipes_tail);
}

outcome votes_across_a_restart(raft_mutation m) {
  directed_cluster c{3, voters(3), with(m)};
  const auto ask = [&](std::uint32_t candidate) {
    c.node(3).receive({core::node_id{candidate},
                       core::node_id{3},
                       vote_request{core::term{9}, core::log_index{9},
                                    core::term{8}, false, true},
                       {}});
    c.node(3).complete_all_writes();
    const auto answer =
        std::get<vote_answer>(c.all.network.back().message).granted;
    c.drop_packets();
    return answer;
  };
  EXPECT_TRUE(ask(1));
  c.crash(3);
  c.start(3);
  if (ask(2))
    return "votes twice in one term";
  EXPECT_TRUE(ask(1)) << "the same vote may be repeated";
  return std::nullopt;
}

TEST(RaftCounterexample, AVoteOutlivesARestart) {
  expect_needs(votes_across_a_restart, raft_mutation::vote_not_persisted);
}

// A leader that was replaced without noticing is asked to read.
outcome read_at_a_deposed_leader(raft_mutation m) {
  directed_cluster c{3, voters(3), with(m)};
  EXPECT_TRUE(c.elect(1, {1, 2, 3}));
  c.settle(1, {1, 2, 3});
  EXPECT_TRUE(c.elect(2, {2, 3}));
  EXPECT_TRUE(c.node(2).propose(222));
  c.settle(2, {2, 3});
  EXPECT_TRUE(c.node(1).leads());
  c.node(1).change([](raft& core) { return core.read_index(7).has_value(); });
  c.pump({1, 2, 3});
  for (const auto& r : c.node(1).reads)
    if (r.status == core::errc::ok)
      return "answers a read after it was deposed";
  EXPECT_EQ(c.node(1).reads.size(), 1U);
  return std::nullopt;
}

TEST(RaftCounterexample, ADeposedLeaderAnswersNoReads) {
  expect_needs(read_at_a_deposed_leader, raft_mutation::read_without_round);
}

// Found by the explorer (seed 5722 with snapshots, before it drew its weights
// anew): contents were installed before the term in which they came was on
// disk; after a crash the log seemed to be ahead of the term.
TEST(RaftCounterexample, SnapshotIsOnDiskBeforeItsTerm) {
  auto disk = bootstrap(voters(3));
  disk.snapshot = {core::log_index{7}, core::term{4}, core::log_index{1},
                   voters(3)};
  disk.applied = core::log_index{7};
  raft core{core::group_id{1}, core::node_id{1}, {}, [] { return 0U; }};
  core.start(disk, {});
  EXPECT_EQ(core.fatal(), std::nullopt);
  EXPECT_EQ(core.last(), core::log_index{7});
  EXPECT_EQ(core.current_term(), core::term{4});
  const auto out = core.take_output();
  ASSERT_TRUE(out.write.has_value());
  EXPECT_TRUE(out.write->replace_log);
  EXPECT_EQ(out.write->hard_state->term, core::term{4});
}

} // namespace
} // namespace troupe::cluster
