// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb_env.hpp"
#include "storage/state_format.hpp"
#include "storage/state_store.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace troupe::storage {
namespace {

using core::errc;
using core::group_id;
using core::log_index;
using core::shared_bytes;
using test::temporary_folder;

shared_bytes text(std::string_view t) { return shared_bytes::copy_of(t); }

state_options options_in(const temporary_folder& folder) {
  state_options options;
  options.folder = folder.path() / "state";
  options.groups = 3;
  options.map_bytes = std::size_t{1} << 30;
  // Commits only when a test asks for them.
  options.commit_interval = std::chrono::hours{1};
  options.reserve_bytes = 0;
  return options;
}

std::unique_ptr<state_store> open_in(const temporary_folder& folder) {
  auto opened = state_store::open(options_in(folder));
  EXPECT_TRUE(opened) << to_string(opened.error());
  return std::move(*opened);
}

std::map<std::string, std::string> all_of(const core::state_space& space,
                                          std::string_view prefix = {},
                                          std::string_view from = {}) {
  std::map<std::string, std::string> found;
  std::string last;
  space.scan(prefix, from, [&](std::string_view key, const auto& value) {
    EXPECT_TRUE(found.empty() || std::string_view{last} < key);
    last = key;
    found.emplace(key, value.text());
    return true;
  });
  return found;
}

TEST(StateStore, PutIsSeenAtOnce) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{1});
  space.put("key", text("value"));
  EXPECT_EQ(space.get("key")->text(), "value");
  EXPECT_EQ(store->space(group_id{2}).get("key"), std::nullopt);
  space.erase("key");
  EXPECT_EQ(space.get("key"), std::nullopt);
}

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

TEST(StateStore, PutThenEraseNeverReachesTheDisk) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{0});
  for (int i = 0; i < 1000; ++i) {
    const auto key = "queue/" + std::to_string(i);
    space.put(key, text("message"));
    space.erase(key);
  }
  space.checkpoint(log_index{1000});
  ASSERT_TRUE(store->checkpoint_now());
  EXPECT_EQ(store->stats().puts, 0U);
  EXPECT_EQ(store->stats().erases, 0U);
  EXPECT_EQ(store->stats().elided, 1000U);
  EXPECT_EQ(store->durable_applied(group_id{0}), log_index{1000});
}

TEST(StateStore, IndexAloneIsCommittedToo) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  store->space(group_id{2}).checkpoint(log_index{9});
  ASSERT_TRUE(store->checkpoint_now());
  EXPECT_EQ(store->durable_applied(group_id{2}), log_index{9});
}

TEST(StateStore, ScanStartsAtFromAndStaysInsideThePrefix) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{1});
  for (const auto* key : {"a", "b/1", "b/2", "b/3", "c"})
    space.put(key, text(key));
  store->space(group_id{2}).put("b/9", text("another group's"));
  const std::map<std::string, std::string> expected{{"b/2", "b/2"},
                                                    {"b/3", "b/3"}};
  EXPECT_EQ(all_of(space, "b/", "b/2"), expected);
  space.checkpoint(log_index{1});
  ASSERT_TRUE(store->checkpoint_now());
  EXPECT_EQ(all_of(space, "b/", "b/2"), expected);
  EXPECT_EQ(all_of(space, "b/", "b/4").size(), 0U);
}

TEST(StateStore, VisitorMayEraseWhatItSees) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{1});
  for (int i = 0; i < 2000; ++i)
    space.put("key" + std::to_string(i), text("x"));
  space.checkpoint(log_index{1});
  ASSERT_TRUE(store->checkpoint_now());
  int seen = 0;
  space.scan("key", {}, [&](std::string_view key, const auto&) {
    ++seen;
    space.erase(key);
    return true;
  });
  EXPECT_EQ(seen, 2000);
  EXPECT_TRUE(all_of(space).empty());
}

TEST(StateStore, LongestKeyIsKept) {
  const temporary_folder folder;
  const std::string key(core::state_key_bytes_max, 'k');
  const auto store = open_in(folder);
  store->space(group_id{1}).put(key, text("v"));
  store->space(group_id{1}).checkpoint(log_index{1});
  ASSERT_TRUE(store->checkpoint_now());
  EXPECT_EQ(store->space(group_id{1}).get(key)->text(), "v");
}

TEST(StateStoreDeathTest, LongerKeyIsAProgrammersError) {
  const temporary_folder folder;
  EXPECT_DEATH(
      {
        const auto store = open_in(folder);
        store->space(group_id{1})
            .put(std::string(core::state_key_bytes_max + 1, 'k'), {});
      },
      "state key too long");
}

/// Random changes, commits, restarts and scans against a map in memory.
class overlay_model {
public:
  explicit overlay_model(std::uint64_t seed) : random_(seed) {}

  void run(int steps) {
    store_ = open_in(folder_);
    model_.keep_checkpoints();
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step)
      this->step();
  }

private:
  core::state_space& space() { return store_->space(group_id{1}); }
  std::string random_key() {
    // Few first letters, so that prefixes and neighbours matter.
    std::string key(1, static_cast<char>('a' + random_() % 3));
    for (auto n = random_() % 3; n > 0; --n)
      key += static_cast<char>(random_() % 256);
    return key;
  }

  void step() {
    const auto what = random_() % 100;
    if (what < 45) {
      const auto key = random_key();
      const auto value = text(std::to_string(random_()));
      space().put(key, value);
      model_.put(key, value);
    } else if (what < 75) {
      const auto key = random_key();
      space().erase(key);
      model_.erase(key);
    } else if (what < 85) {
      const auto key = random_key();
      ASSERT_EQ(space().get(key), model_.get(key));
    } else if (what < 92) {
      compare_scans();
    } else if (what < 97) {
      ++index_;
      space().checkpoint(log_index{index_});
      model_.checkpoint(log_index{index_});
    } else if (what < 99) {
      ASSERT_TRUE(store_->checkpoint_now());
    } else {
      restart();
    }
  }

  void compare_scans() {
    const auto prefix = random_() % 2 == 0 ? std::string{} : random_key();
    const auto from = random_() % 2 == 0 ? std::string{} : random_key();
    ASSERT_EQ(all_of(space(), prefix, from), all_of(model_, prefix, from));
  }

  void restart() {
    ++index_;
    space().checkpoint(log_index{index_});
    model_.checkpoint(log_index{index_});
    ASSERT_TRUE(store_->checkpoint_now());
    space().put("a", text("forgotten"));
    store_.reset();
    store_ = open_in(folder_);
    ASSERT_EQ(store_->durable_applied(group_id{1}), log_index{index_});
  }

  temporary_folder folder_;
  std::mt19937_64 random_;
  std::unique_ptr<state_store> store_;
  test::memory_state_space model_;
  std::uint64_t index_ = 0;
};

TEST(StateStore, BehavesAsAMapWhateverIsCommittedWhen) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    overlay_model{seed}.run(3000);
  }
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

TEST(StateStore, ExportedGroupIsImportedAsAWhole) {
  const temporary_folder from_folder;
  const temporary_folder to_folder;
  const auto from = open_in(from_folder);
  const auto to = open_in(to_folder);
  auto& source = from->space(group_id{1});
  for (int i = 0; i < 500; ++i)
    source.put("key" + std::to_string(i), text(std::to_string(i)));
  source.checkpoint(log_index{77});
  std::vector<std::pair<std::string, std::string>> rows;
  const auto applied =
      from->export_group(group_id{1}, [&](state_store::row row) {
        rows.emplace_back(row.first, core::as_text(row.second));
        return true;
      });
  ASSERT_TRUE(applied);
  EXPECT_EQ(*applied, log_index{77});

  auto& target = to->space(group_id{1});
  target.put("old", text("gone"));
  target.checkpoint(log_index{3});
  ASSERT_TRUE(to->checkpoint_now());
  target.put("older", text("never committed"));
  for (int twice = 0; twice < 2; ++twice) {
    std::size_t at = 0;
    ASSERT_TRUE(
        to->import_group(group_id{1}, *applied, [&](state_store::row& row) {
          if (at == rows.size())
            return false;
          row = {rows[at].first, core::as_bytes(rows[at].second)};
          ++at;
          return true;
        }));
    EXPECT_EQ(all_of(target), all_of(source));
    EXPECT_EQ(target.applied(), log_index{77});
    EXPECT_EQ(to->durable_applied(group_id{1}), log_index{77});
  }
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

TEST(StateStore, ReadersSeeOldOrNewContentsWhileOneIsImported) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  const auto& space = store->space(group_id{1});
  std::uint64_t applied = 0;
  const auto import = [&] {
    int rows = 0;
    ASSERT_TRUE(store->import_group(group_id{1}, log_index{++applied},
                                    [&](state_store::row& row) {
                                      row = {"always", core::as_bytes("there")};
                                      return rows++ == 0;
                                    }));
  };
  import();
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> missing{0};
  std::thread reader{[&] {
    while (!done.load()) {
      missing += space.get("always") ? 0U : 1U;
      bool seen = false;
      space.scan("always", {}, [&](auto, const auto&) { return seen = true; });
      missing += seen ? 0U : 1U;
    }
  }};
  for (int i = 0; i < 4000; ++i)
    import();
  done = true;
  reader.join();
  EXPECT_EQ(missing.load(), 0U);
}

TEST(StateStore, AnImportThatFailsLeavesTheOldContents) {
  const temporary_folder folder;
  const auto store = open_in(folder);
  auto& space = store->space(group_id{1});
  space.put("old", text("kept"));
  space.checkpoint(log_index{3});
  ASSERT_TRUE(store->checkpoint_now());
  int rows = 0;
  const auto done = store->import_group(
      group_id{1}, log_index{9},
      [&](state_store::row& row) -> core::result<bool> {
        if (++rows == 3)
          return core::error{errc::corrupt, "damaged"};
        row = {rows == 1 ? "new" : "newer", core::as_bytes("value")};
        return true;
      });
  EXPECT_EQ(done.error().code, errc::corrupt);
  EXPECT_EQ(all_of(space),
            (std::map<std::string, std::string>{{"old", "kept"}}));
  EXPECT_EQ(space.applied(), log_index{3});
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
