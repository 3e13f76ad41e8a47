// SPDX-License-Identifier: Apache-2.0
#include "app/recovery.hpp"
#include "cluster/raft_message.hpp"
#include "schema/command_wire.hpp"
#include "storage/log_store.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace troupe::app {
namespace {

using cluster::configuration;
using cluster::entry_kind;
using core::group_id;
using core::log_index;
using core::node_id;
using core::term;

constexpr std::size_t segment_bytes = std::size_t{1} << 20;

storage::log_entry entry_of(std::uint64_t in_term,
                            const configuration& members) {
  return {term{in_term}, static_cast<std::uint8_t>(entry_kind::configuration),
          cluster::encode(members)};
}

storage::log_entry entry_of(std::uint64_t in_term,
                            core::cluster_command command) {
  return {term{in_term}, static_cast<std::uint8_t>(entry_kind::command),
          schema::encode(core::logged_directory_command{
              {},
              core::from_millis(1000),
              core::change_cluster{std::move(command)}})};
}

configuration of(std::vector<std::uint32_t> voters,
                 std::vector<std::uint32_t> learners = {}) {
  configuration made;
  for (const auto id : voters)
    made.voters.emplace_back(id);
  for (const auto id : learners)
    made.learners.emplace_back(id);
  return made;
}

/// The folder of node 2, of which only the log was written.
class Recovery : public testing::Test {
protected:
  Recovery() {
    auto folder =
        storage::data_folder::open(storage::posix_file_system(), data());
    storage::folder_identity identity;
    identity.cluster = cluster_ = storage::cluster_id::random();
    identity.node = node_id{2};
    identity.shards = 2;
    EXPECT_TRUE(folder->initialize(identity));
  }
  [[nodiscard]] std::filesystem::path data() const {
    return place_.path() / "data";
  }

  using group_logs = std::map<std::uint16_t, std::vector<storage::log_entry>>;

  storage::log_store::opened open_log() {
    storage::log_options options;
    options.folder = data() / "log";
    options.cluster = cluster_;
    options.segment_bytes = segment_bytes;
    options.reserve_bytes = 0;
    options.on_durable = [](auto) {};
    return std::move(
        *storage::log_store::open(storage::posix_file_system(), options));
  }
  void write(const group_logs& logs) {
    auto log = open_log();
    for (const auto& [group, entries] : logs) {
      storage::log_write write;
      write.group = group_id{group};
      write.hard_state = storage::hard_state{term{5}, node_id{1}};
      write.first = log_index{1};
      write.entries = entries;
      while (!log.store->submit(write)) {
      }
    }
  }
  /// A directory of three nodes, the first of which was removed.
  static std::vector<storage::log_entry> directory(configuration members) {
    std::vector<storage::log_entry> entries;
    entries.push_back(entry_of(1, of({1})));
    entries.push_back(
        entry_of(1, core::admit_node{"t1", "a", "h:1", 1, node_id{1}}));
    for (const auto* name : {"b", "c"})
      entries.push_back(entry_of(
          1, core::admit_node{std::string{"t"} + name, name, "h:2", 1, {}}));
    entries.push_back(entry_of(
        2, core::set_node_state{node_id{2}, core::node_state::member}));
    entries.push_back(entry_of(
        2, core::set_node_state{node_id{1}, core::node_state::removed}));
    entries.push_back(entry_of(4, members));
    return entries;
  }
  auto open() { return recovery::open({data(), segment_bytes, 0}); }

  test::temporary_folder place_;
  storage::cluster_id cluster_;
};

TEST_F(Recovery, SaysWhatEachGroupMayLack) {
  write({{0, directory(of({2, 3}))},
         {1, {entry_of(1, of({1})), entry_of(3, of({1, 2, 3}))}},
         {2, {entry_of(1, of({3}, {2}))}}});
  const auto plan = open();
  ASSERT_TRUE(plan) << core::to_string(plan.error());
  const auto& groups = (*plan)->groups();
  ASSERT_EQ(groups.size(), 3U);
  // Nothing says that the last configuration was agreed upon.
  EXPECT_EQ(groups[0].loss, recovery_loss::none);
  EXPECT_EQ(groups[0].last, log_index{7});
  EXPECT_EQ(groups[0].term, term{5});
  EXPECT_EQ(groups[1].loss, recovery_loss::recent);
  EXPECT_EQ(groups[2].loss, recovery_loss::unknown);
  // Who was removed before is not lost now.
  ASSERT_EQ((*plan)->lost().size(), 1U);
  EXPECT_EQ((*plan)->lost().front().first, node_id{3});
  EXPECT_EQ((*plan)->lost().front().second.name, "c");
}

TEST_F(Recovery, WritesANewTermWithThisNodeAlone) {
  write({{0, directory(of({2, 3}))},
         {1, {entry_of(1, of({2, 3}))}},
         {2, {entry_of(1, of({2}))}}});
  {
    auto plan = open();
    ASSERT_TRUE(plan) << core::to_string(plan.error());
    ASSERT_TRUE((*plan)->carry_out(core::from_millis(2000)));
  }
  const auto log = open_log();
  ASSERT_EQ(log.groups.size(), 3U);
  for (const auto& group : log.groups) {
    const bool was_alone = group.group == group_id{2};
    ASSERT_TRUE(group.hard_state);
    EXPECT_EQ(group.hard_state->term, term{was_alone ? 5U : 6U});
    EXPECT_EQ(group.hard_state->vote, node_id{was_alone ? 1U : 2U});
  }
  const auto& shard = log.groups[1].entries;
  ASSERT_EQ(shard.size(), 2U);
  EXPECT_EQ(shard[1].term, term{6});
  EXPECT_EQ(*cluster::decode_configuration(shard[1].data.view()), of({2}));
  EXPECT_EQ(log.groups[2].entries.size(), 1U) << "nothing to do there";

  const auto& entries = log.groups[0].entries;
  ASSERT_EQ(entries.size(), 10U);
  EXPECT_EQ(*cluster::decode_configuration(entries[7].data.view()), of({2}));
  const auto command = [&](std::size_t at) {
    const auto read = schema::decode_directory_command(entries[at].data);
    EXPECT_TRUE(read);
    EXPECT_EQ(read->time, core::from_millis(2000));
    return std::get<core::change_cluster>(read->command).change;
  };
  const auto placement = std::get<core::set_placement>(command(8));
  ASSERT_EQ(placement.groups.size(), 3U);
  for (const auto& placed : placement.groups)
    EXPECT_EQ(placed.replicas, std::vector{node_id{2}});
  EXPECT_EQ(std::get<core::set_node_state>(command(9)),
            (core::set_node_state{node_id{3}, core::node_state::removed}));

  std::ifstream record{data() / "recoveries.jsonl"};
  const std::string text{std::istreambuf_iterator<char>{record}, {}};
  EXPECT_NE(text.find("\"lost\":[{\"id\":3"), std::string::npos) << text;
}

TEST_F(Recovery, TimeDoesNotGoBack) {
  write({{0, directory(of({2, 3}))},
         {1, {entry_of(1, of({2}))}},
         {2, {entry_of(1, of({2}))}}});
  {
    auto plan = open();
    ASSERT_TRUE(plan);
    ASSERT_TRUE((*plan)->carry_out(core::from_millis(3)));
  }
  const auto log = open_log();
  const auto last =
      schema::decode_directory_command(log.groups[0].entries.back().data);
  EXPECT_EQ(last->time, core::from_millis(1000));
}

TEST_F(Recovery, CanBeDoneAgainUntilTheDirectoryIsWritten) {
  write({{0, directory(of({2, 3}))},
         {1, {entry_of(1, of({2, 3})), entry_of(6, of({2}))}}, // as if it was
         {2, {entry_of(1, of({2, 3}))}}});
  auto plan = open();
  ASSERT_TRUE(plan) << core::to_string(plan.error());
  ASSERT_TRUE((*plan)->carry_out(core::from_millis(2000)));
  plan = core::errc::ok; // the folder is free
  const auto log = open_log();
  EXPECT_EQ(log.groups[1].entries.size(), 2U);
  EXPECT_EQ(log.groups[2].entries.size(), 2U);
}

TEST_F(Recovery, RefusesANodeThatDoesNotKeepEveryGroup) {
  write({{0, directory(of({2, 3}))}, {2, {entry_of(1, of({2, 3}))}}});
  const auto plan = open();
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().detail.find("nothing of the groups 1"),
            std::string::npos)
      << plan.error().detail;
}

TEST_F(Recovery, RefusesANodeThatIsAlone) {
  auto entries = directory(of({2}));
  entries.push_back(
      entry_of(5, core::set_node_state{node_id{3}, core::node_state::removed}));
  write(
      {{0, entries}, {1, {entry_of(1, of({2}))}}, {2, {entry_of(1, of({2}))}}});
  const auto plan = open();
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().detail.find("nothing to recover from"),
            std::string::npos);
}

TEST_F(Recovery, MakesNoFolder) {
  const auto plan = recovery::open({place_.path() / "none", segment_bytes, 0});
  EXPECT_EQ(plan.error().code, core::errc::not_found);
  EXPECT_FALSE(std::filesystem::exists(place_.path() / "none"));
}

TEST_F(Recovery, RefusesAFolderInUse) {
  write({{0, directory(of({2, 3}))},
         {1, {entry_of(1, of({2, 3}))}},
         {2, {entry_of(1, of({2, 3}))}}});
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_EQ(open().error().code, core::errc::in_use);
}

} // namespace
} // namespace troupe::app
