// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb_env.hpp"
#include "storage/state_format.hpp"
#include "tests/storage/state_store_case.hpp"

#include <atomic>
#include <mutex>
#include <thread>

namespace troupe::storage {
namespace {

TEST(StateStore, CommittedStateIsThereAfterARestart) {
  const temporary_folder folder;
  {
    const auto store = open_in(folder);
    auto& space = store->space(group_id{1});
    space.put("a", text("1"));
    space.put("empty", {});
    space.checkpoint(log_index{7});
    ASSERT_TRUE(store->checkpoint_now());
    EXPECT_EQ(store->durable_applied(group_id{1}), log_index{7});
    EXPECT_EQ(store->backlog_bytes(), 0U);
    EXPECT_EQ(space.get("a")->text(), "1");
  }
  const auto store = open_in(folder);
  EXPECT_EQ(store->durable_applied(group_id{1}), log_index{7});
  EXPECT_EQ(store->space(group_id{1}).applied(), log_index{7});
  EXPECT_EQ(all_of(store->space(group_id{1})),
            (std::map<std::string, std::string>{{"a", "1"}, {"empty", ""}}));
}

TEST(StateStore, ClosingCommitsTheLastCheckpoint) {
  const temporary_folder folder;
  {
    const auto store = open_in(folder);
    store->space(group_id{0}).put("a", text("1"));
    store->space(group_id{0}).checkpoint(log_index{3});
    store->close();
    store->close();
  }
  EXPECT_EQ(open_in(folder)->durable_applied(group_id{0}), log_index{3});
}

TEST(StateStore, WhatFollowsTheLastCheckpointIsNotCommitted) {
  const temporary_folder folder;
  {
    const auto store = open_in(folder);
    auto& space = store->space(group_id{0});
    space.put("a", text("1"));
    space.checkpoint(log_index{1});
    ASSERT_TRUE(store->checkpoint_now());
    space.put("b", text("half an entry"));
    ASSERT_TRUE(store->checkpoint_now());
    EXPECT_EQ(store->durable_applied(group_id{0}), log_index{1});
    EXPECT_EQ(store->stats().puts, 1U);
  }
  const auto store = open_in(folder);
  EXPECT_EQ(store->space(group_id{0}).get("b"), std::nullopt);
}

TEST(StateStore, GroupCaughtMidEntryIsCommittedAtItsNextCheckpoint) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{0});
  space.put("a", text("1"));
  ASSERT_TRUE(store->checkpoint_now());
  space.checkpoint(log_index{1});
  space.put("b", text("2"));
  ASSERT_TRUE(store->checkpoint_now());
  EXPECT_EQ(store->durable_applied(group_id{0}), log_index{1});
  EXPECT_EQ(store->stats().puts, 1U);
  EXPECT_EQ(space.get("b")->text(), "2");
}

TEST(StateStore, IndexAloneIsCommittedToo) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  store->space(group_id{2}).checkpoint(log_index{9});
  ASSERT_TRUE(store->checkpoint_now());
  EXPECT_EQ(store->durable_applied(group_id{2}), log_index{9});
}

TEST(StateStore, ReadersMayRunBesideOwnerAndCommits) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{0});
  constexpr int keys = 50;
  const auto name = [](int i) { return "key" + std::to_string(100 + i); };
  for (int i = 0; i < keys; ++i)
    space.put(name(i), text("0"));
  space.checkpoint(log_index{1});

  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 2; ++r)
    readers.emplace_back([&] {
      int last = 0;
      while (!stop) {
        // Values of a key only ever grow, and no key is ever missing.
        const auto value = space.get(name(7));
        ASSERT_TRUE(value);
        const int now = std::stoi(std::string{value->text()});
        ASSERT_GE(now, last);
        last = now;
        ASSERT_EQ(all_of(space, "key").size(), std::size_t{keys});
      }
    });
  for (int round = 1; round <= 200; ++round) {
    for (int i = 0; i < keys; ++i)
      space.put(name(i), text(std::to_string(round)));
    space.checkpoint(log_index{static_cast<std::uint64_t>(round + 1)});
    if (round % 4 == 0) {
      EXPECT_TRUE(store->checkpoint_now());
    }
  }
  stop = true;
  for (auto& reader : readers)
    reader.join();
}

TEST(StateStore, CommitsAreReportedOnceTheyAreDurable) {
  const temporary_folder folder;
  auto options = options_in(folder);
  options.commit_interval = std::chrono::milliseconds{1};
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint16_t, std::uint64_t> reported;
  options.on_commit = [&](std::span<const durable_point> points) {
    const std::lock_guard lock{mutex};
    for (const auto& point : points)
      reported[point.group.value()] = point.applied.value();
    changed.notify_all();
  };
  auto store = state_store::open(options);
  ASSERT_TRUE(store);
  (*store)->space(group_id{1}).put("a", text("1"));
  (*store)->space(group_id{1}).checkpoint(log_index{5});
  std::unique_lock lock{mutex};
  changed.wait(lock, [&] { return reported[1] == 5; });
  EXPECT_EQ((*store)->durable_applied(group_id{1}), log_index{5});
}

TEST(StateStore, LargeBacklogForcesACommit) {
  const temporary_folder folder;
  auto options = options_in(folder);
  options.commit_bytes = 100'000;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t commits = 0;
  options.on_commit = [&](auto) {
    const std::lock_guard lock{mutex};
    ++commits;
    changed.notify_all();
  };
  auto store = state_store::open(options);
  ASSERT_TRUE(store);
  auto& space = (*store)->space(group_id{1});
  // Two of them: the second commit's flush makes the first one durable.
  for (std::uint64_t round = 1; round <= 2; ++round) {
    for (int i = 0; i < 1000; ++i)
      space.put(std::to_string(round) + "/" + std::to_string(i), text("x"));
    space.checkpoint(log_index{round});
    while ((*store)->stats().commits < round)
      std::this_thread::yield();
  }
  std::unique_lock lock{mutex};
  changed.wait(lock, [&] { return commits > 0; });
}

TEST(StateStore, FullMapKeepsEverythingInMemoryAndRecovers) {
  const temporary_folder folder;
  auto options = options_in(folder);
  options.map_bytes = std::size_t{1} << 20;
  auto opened = state_store::open(options);
  ASSERT_TRUE(opened) << to_string(opened.error());
  auto& store = **opened;
  auto& space = store.space(group_id{1});
  const auto large = text(std::string(2000, 'x'));
  std::uint64_t index = 0;
  const auto key = [](std::uint64_t i) { return "key" + std::to_string(i); };
  while (index < 10'000) {
    space.put(key(index), large);
    space.checkpoint(log_index{++index});
    if (index % 20 == 0 && !store.checkpoint_now())
      break;
  }
  ASSERT_LT(index, 10'000U);
  EXPECT_EQ(store.health().level, space_level::full);
  EXPECT_GT(store.stats().commits_failed, 0U);
  EXPECT_LT(store.durable_applied(group_id{1}), log_index{index});
  EXPECT_EQ(all_of(space).size(), index);

  // What is erased makes the frozen changes superfluous only later: they fit
  // once there is room again, here by a restart with a larger map.
  const auto durable = store.durable_applied(group_id{1});
  opened->reset();
  options.map_bytes = std::size_t{1} << 24;
  opened = state_store::open(options);
  ASSERT_TRUE(opened) << to_string(opened.error());
  auto& again = (*opened)->space(group_id{1});
  EXPECT_EQ(all_of(again).size(), durable.value());
  for (auto i = durable.value(); i < index; ++i) {
    again.put(key(i), large);
    again.checkpoint(log_index{i + 1});
  }
  ASSERT_TRUE((*opened)->checkpoint_now());
  EXPECT_EQ((*opened)->health().level, space_level::ok);
  EXPECT_EQ(all_of(again).size(), index);
}

TEST(StateStore, QuotaTurnsHealthLowThenFullAndDeletingHelps) {
  const temporary_folder folder;
  auto options = options_in(folder);
  options.quota_bytes = 1'000'000;
  auto opened = state_store::open(options);
  ASSERT_TRUE(opened);
  auto& store = **opened;
  auto& space = store.space(group_id{1});
  std::uint64_t index = 0;
  const auto fill_until = [&](space_level level) {
    while (store.refresh_health().level < level && index < 5000) {
      for (int i = 0; i < 10; ++i)
        space.put(std::to_string(index) + "/" + std::to_string(i),
                  text(std::string(1000, 'x')));
      space.checkpoint(log_index{++index});
    }
  };
  EXPECT_EQ(store.refresh_health().level, space_level::ok);
  fill_until(space_level::low);
  fill_until(space_level::full);
  EXPECT_EQ(store.health().level, space_level::full);
  EXPECT_GT(store.stats().used_bytes, options.quota_bytes);
  space.scan({}, {}, [&](std::string_view key, const auto&) {
    space.erase(key);
    return true;
  });
  space.checkpoint(log_index{++index});
  (void)store.refresh_health();
  space.checkpoint(log_index{++index});
  EXPECT_EQ(store.refresh_health().level, space_level::ok)
      << store.stats().used_bytes;
}

TEST(StateStore, DamagedValueIsFatalAndNamed) {
  const temporary_folder folder;
  {
    const auto store = open_in(folder);
    store->space(group_id{2}).put("key", text("value"));
    store->space(group_id{2}).checkpoint(log_index{1});
    store->close();
  }
  {
    auto env = lmdb_env::open(options_in(folder).folder, 1U << 30);
    ASSERT_TRUE(env);
    ASSERT_TRUE((*env)->write("damage", [&](MDB_txn* txn) {
      const auto full = state_key(slot_of(group_id{2}, false), "key");
      auto key = to_val(full);
      auto value = to_val("valuE1234");
      return ::mdb_put(txn, (*env)->state(), &key, &value, 0);
    }));
  }
  auto options = options_in(folder);
  std::string what;
  options.on_fatal = [&](std::string_view said) { what = said; };
  auto store = state_store::open(options);
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->space(group_id{2}).get("key"), std::nullopt);
  EXPECT_EQ(what, "state: damaged value in table \"state\", group 2, key "
                  "6b6579");
  what.clear();
  EXPECT_TRUE(all_of((*store)->space(group_id{2})).empty());
  EXPECT_NE(what, "");
}

TEST(StateStore, ForeignStateIsRefused) {
  const temporary_folder folder;
  open_in(folder)->close();
  auto options = options_in(folder);
  options.cluster.bytes[3] = 1;
  EXPECT_EQ(state_store::open(options).error().code, errc::wrong_cluster);
}

TEST(StateStore, NewerFormatIsRefused) {
  const temporary_folder folder;
  open_in(folder)->close();
  {
    auto env = lmdb_env::open(options_in(folder).folder, 1U << 30);
    ASSERT_TRUE(env);
    ASSERT_TRUE((*env)->write("raise", [&](MDB_txn* txn) {
      auto key = to_val("format");
      auto value = to_val(std::string_view{"\x02\0\0\0", 4});
      return ::mdb_put(txn, (*env)->meta(), &key, &value, 0);
    }));
  }
  EXPECT_EQ(state_store::open(options_in(folder)).error().code,
            errc::newer_format);
}

} // namespace
} // namespace troupe::storage
