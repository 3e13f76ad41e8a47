// SPDX-License-Identifier: Apache-2.0
//
// One voter: the path that every command of a single node takes.
#include "cluster/raft.hpp"
#include "tests/cluster/lone_core.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

configuration only(std::uint32_t id) { return {{core::node_id{id}}, {}}; }

core::shared_bytes command(std::string_view text) {
  return core::shared_bytes::copy_of(text);
}

TEST(RaftSingle, LeadsAtOnceInANewTerm) {
  lone_core c{1, only(1)};
  EXPECT_TRUE(c.core.leads());
  EXPECT_EQ(c.core.leader(), core::node_id{1});
  EXPECT_EQ(c.core.current_term(), core::term{2});
  ASSERT_EQ(c.writes.size(), 1U);
  EXPECT_EQ(c.writes[0].hard_state,
            (hard_state{core::term{2}, core::node_id{1}}));
  ASSERT_EQ(c.writes[0].entries.size(), 1U);
  EXPECT_EQ(c.writes[0].entries[0].kind, entry_kind::no_op);
  EXPECT_EQ(c.writes[0].first, core::log_index{2});
}

TEST(RaftSingle, NothingIsCommittedBeforeItIsFlushed) {
  lone_core c{1, only(1)};
  c.flush();
  c.committed.clear();
  EXPECT_EQ(*c.core.propose(command("a")), core::log_index{3});
  EXPECT_EQ(*c.core.propose(command("b")), core::log_index{4});
  c.take();
  ASSERT_EQ(c.writes.size(), 2U) << "one write for both";
  EXPECT_EQ(c.writes[1].entries.size(), 2U);
  EXPECT_TRUE(c.committed.empty());
  c.flush();
  ASSERT_EQ(c.committed.size(), 2U);
  EXPECT_EQ(c.committed[0].index, core::log_index{3});
  EXPECT_EQ(c.committed[1].data.text(), "b");
  EXPECT_EQ(c.committed[1].term, core::term{2});
}

TEST(RaftSingle, OneCompletionMayStandForSeveralWrites) {
  lone_core c{1, only(1)};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(c.core.propose(command("x")));
    c.take();
  }
  c.flush();
  EXPECT_EQ(c.core.applied(), core::log_index{5});
}

TEST(RaftSingle, RestartAppliesWhatTheStateMachineLacks) {
  persisted_state disk = bootstrap(only(1));
  disk.hard_state = {core::term{2}, core::node_id{1}};
  for (const auto* text : {"a", "b", "c"})
    disk.entries.push_back({core::term{2}, entry_kind::command, command(text)});
  disk.applied = core::log_index{2};
  raft core{core::group_id{1}, core::node_id{1}, {}, [] { return 0U; }};
  core.start(disk, {});
  EXPECT_EQ(core.current_term(), core::term{3});
  auto out = core.take_output();
  EXPECT_TRUE(out.committed.empty()) << "not before the own no-op is flushed";
  core.persisted(out.write->sequence);
  out = core.take_output();
  ASSERT_EQ(out.committed.size(), 3U);
  EXPECT_EQ(out.committed[0].data.text(), "b");
  EXPECT_EQ(out.committed[2].kind, entry_kind::no_op);
}

TEST(RaftSingle, ReadsWaitForNobody) {
  lone_core c{1, only(1)};
  EXPECT_EQ(c.core.read_index(1).error().code, core::errc::unavailable);
  c.flush();
  ASSERT_TRUE(c.core.read_index(2));
  c.take();
  ASSERT_EQ(c.reads.size(), 1U);
  EXPECT_EQ(c.reads[0].token, 2U);
  EXPECT_EQ(c.reads[0].index, c.core.applied());
}

TEST(RaftSingle, RefusesProposalsAboveTheBoundUntilSomeAreCommitted) {
  raft_options o;
  o.uncommitted_bytes_max = 500;
  lone_core c{1, only(1), o};
  int accepted = 0;
  while (c.core.propose(command(std::string(50, 'x'))))
    ++accepted;
  EXPECT_GT(accepted, 2);
  EXPECT_LT(accepted, 10);
  EXPECT_EQ(c.core.propose(command("x")).error().code, core::errc::overloaded);
  c.take();
  c.flush();
  EXPECT_TRUE(c.core.propose(command("x")));
}

TEST(RaftSingle, CompactionKeepsATailAndWritesTheMark) {
  raft_options o;
  o.keep_entries = 2;
  auto members = only(1);
  members.learners = {core::node_id{2}};
  lone_core c{1, members, o};
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(c.core.propose(command("x")));
  c.take();
  c.flush();
  c.core.compact(core::log_index{9});
  c.take();
  EXPECT_EQ(c.core.first(), core::log_index{8});
  ASSERT_TRUE(c.writes.back().snapshot.has_value());
  EXPECT_EQ(c.writes.back().snapshot->index, core::log_index{9});
  EXPECT_EQ(c.writes.back().snapshot->configuration, members);
  EXPECT_EQ(c.writes.back().trim_to, core::log_index{7});
  EXPECT_FALSE(c.writes.back().replace_log);
  EXPECT_EQ(c.core.describe(core::log_index{10}).term, core::term{2});
}

TEST(RaftSingle, CompactionOfALoneMemberKeepsNothing) {
  lone_core c{1, only(1)};
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(c.core.propose(command("x")));
  c.take();
  c.flush();
  c.core.compact(core::log_index{9});
  c.take();
  EXPECT_EQ(c.core.first(), core::log_index{10});
}

TEST(RaftSingle, CompactionBeyondTheAppliedIsCutShort) {
  lone_core c{1, only(1)};
  c.flush();
  ASSERT_TRUE(c.core.propose(command("x")));
  c.core.compact(core::log_index{99});
  EXPECT_EQ(c.core.snapshot()->index, core::log_index{2});
}

TEST(RaftSingle, RestartsFromACompactedLog) {
  persisted_state disk;
  disk.hard_state = {core::term{4}, core::node_id{1}};
  disk.snapshot = {core::log_index{9}, core::term{4}, core::log_index{1},
                   only(1)};
  disk.first = core::log_index{8};
  for (int i = 0; i < 4; ++i)
    disk.entries.push_back({core::term{4}, entry_kind::command, command("x")});
  disk.applied = core::log_index{10};
  raft core{core::group_id{1}, core::node_id{1}, {}, [] { return 0U; }};
  core.start(disk, {});
  ASSERT_EQ(core.fatal(), std::nullopt);
  auto out = core.take_output();
  EXPECT_FALSE(out.write->replace_log);
  EXPECT_EQ(out.write->first, core::log_index{12});
  core.persisted(out.write->sequence);
  out = core.take_output();
  ASSERT_EQ(out.committed.size(), 2U);
  EXPECT_EQ(out.committed[0].index, core::log_index{11});
}

TEST(RaftSingle, RefusesAStateMachineAheadOfItsLog) {
  auto disk = bootstrap(only(1));
  disk.applied = core::log_index{5};
  raft core{core::group_id{1}, core::node_id{1}, {}, [] { return 0U; }};
  core.start(disk, {});
  ASSERT_TRUE(core.fatal().has_value());
  EXPECT_EQ(core.fatal()->code, core::errc::corrupt);
  EXPECT_TRUE(core.take_output().empty());
}

} // namespace
} // namespace troupe::cluster
