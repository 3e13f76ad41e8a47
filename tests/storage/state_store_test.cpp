// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/state_store_case.hpp"
#include "tests/support/memory_state_space.hpp"

#include <random>

namespace troupe::storage {
namespace {

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

} // namespace
} // namespace troupe::storage
