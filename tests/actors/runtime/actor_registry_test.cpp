// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/actor_registry.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace troupe::actors::runtime {
namespace {

struct thing final : registry_entry {
  thing(registry_shard& shard, std::string name) : name_(std::move(name)) {
    enrol(shard, core::from_millis(1'700'000'000'999));
  }
  ~thing() override { withdraw(); }
  [[nodiscard]] std::string path() const override { return name_; }
  [[nodiscard]] std::string_view kind() const override { return "thing"; }
  using registry_entry::count_dropped;
  using registry_entry::count_enqueued;
  using registry_entry::count_handled;
  using registry_entry::remember_error;

private:
  std::string name_;
};

std::vector<actor_info> walk(const actor_registry& registry,
                             actor_query query) {
  std::vector<actor_info> all;
  for (;;) {
    auto page = registry.page(query);
    for (auto& each : page.actors)
      all.push_back(std::move(each));
    if (!page.next)
      return all;
    query.from = *page.next;
  }
}

TEST(ActorRegistry, ShowsWhatAnEntryCounts) {
  actor_registry registry{2};
  thing a{registry.shard(1), "things/a"};
  for (int i = 0; i < 5; ++i)
    a.count_enqueued();
  a.count_handled();
  a.count_handled();
  a.count_dropped();
  a.remember_error("disk is full");
  const auto all = walk(registry, {});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].path, "things/a");
  EXPECT_EQ(all[0].kind, "thing");
  EXPECT_EQ(all[0].loop, 1U);
  EXPECT_EQ(all[0].mailbox_length, 3U);
  EXPECT_EQ(all[0].messages_handled, 2U);
  EXPECT_EQ(all[0].messages_dropped, 1U);
  EXPECT_EQ(all[0].spawned, core::from_millis(1'700'000'000'000));
  EXPECT_EQ(all[0].last_error, "disk is full");
}

TEST(ActorRegistry, EntryCostsAnActorNoMoreThanSixtyFourBytes) {
  EXPECT_LE(sizeof(registry_entry) + sizeof(registry_entry*) + sizeof(void*),
            64U); // with its slot and the home of an actor
}

TEST(ActorRegistry, PagesAreBoundedAndFollowEachOther) {
  actor_registry registry{3};
  std::vector<std::unique_ptr<thing>> things;
  for (int i = 0; i < 3000; ++i)
    things.push_back(std::make_unique<thing>(
        registry.shard(static_cast<std::size_t>(i % 3)), std::to_string(i)));
  EXPECT_EQ(registry.size(), 3000U);
  actor_query query;
  query.entries_max = 7;
  EXPECT_EQ(registry.page(query).actors.size(), 7U);
  std::set<std::string> seen;
  for (const auto& each : walk(registry, query))
    EXPECT_TRUE(seen.insert(each.path).second) << each.path;
  EXPECT_EQ(seen.size(), 3000U);
}

TEST(ActorRegistry, PageWorkIsBoundedWhenNothingMatches) {
  actor_registry registry{1};
  std::vector<std::unique_ptr<thing>> things;
  for (std::size_t i = 0; i < 2 * registry_shard::slots_per_page_max; ++i)
    things.push_back(
        std::make_unique<thing>(registry.shard(0), "a/" + std::to_string(i)));
  thing wanted{registry.shard(0), "b/1"};
  actor_query query;
  query.path_prefix = "b/";
  const auto first = registry.page(query);
  EXPECT_TRUE(first.actors.empty());
  ASSERT_TRUE(first.next);
  EXPECT_EQ(first.next->slot, registry_shard::slots_per_page_max);
  const auto all = walk(registry, query);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].path, "b/1");
}

TEST(ActorRegistry, WalkUnderChurnSeesAllThatStayedExactlyOnce) {
  actor_registry registry{2};
  std::mt19937 random{11}; // NOLINT: the same sequence in every run
  std::vector<std::unique_ptr<thing>> staying;
  std::vector<std::unique_ptr<thing>> passing;
  for (int i = 0; i < 2000; ++i) {
    auto& shard = registry.shard(random() % 2);
    staying.push_back(std::make_unique<thing>(shard, "s" + std::to_string(i)));
    passing.push_back(std::make_unique<thing>(shard, "p" + std::to_string(i)));
  }
  std::map<std::string, int> seen;
  actor_query query;
  query.entries_max = 50;
  for (int serial = 0;; ++serial) {
    const auto page = registry.page(query);
    for (const auto& each : page.actors)
      ++seen[each.path];
    if (!page.next)
      break;
    query.from = *page.next;
    for (int i = 0; i < 20; ++i) {
      auto& victim = passing[random() % passing.size()];
      victim.reset();
      victim = std::make_unique<thing>(registry.shard(random() % 2),
                                       "n" + std::to_string(serial) + "." +
                                           std::to_string(i));
    }
  }
  for (const auto& [path, count] : seen)
    EXPECT_EQ(count, 1) << path;
  for (const auto& each : staying)
    EXPECT_EQ(seen[each->path()], 1) << each->path();
}

TEST(ActorRegistry, ReusesTheSlotsOfTheGone) {
  actor_registry registry{1};
  for (int i = 0; i < 10'000; ++i)
    const thing passing{registry.shard(0), "x"};
  thing last{registry.shard(0), "last"};
  actor_query query;
  query.entries_max = 1;
  EXPECT_EQ(registry.page(query).actors.size(), 1U);
  EXPECT_FALSE(registry.page(query).next);
}

TEST(ActorRegistry, CursorBeyondTheEndIsAnEmptyPage) {
  actor_registry registry{1};
  actor_query query;
  query.from = {5, 0};
  EXPECT_TRUE(registry.page(query).actors.empty());
  query.from = {0, 12345};
  EXPECT_FALSE(registry.page(query).next);
}

TEST(ActorRegistry, KeepsTheLastFailures) {
  actor_registry registry{2};
  for (int i = 0; i < 100; ++i)
    registry.shard(0).add_failure(
        {"a", "thing", std::to_string(i), 0, core::from_millis(i)});
  registry.shard(1).add_failure({"b", "thing", "x", 0, core::from_millis(50)});
  const auto all = registry.failures();
  ASSERT_EQ(all.size(), registry_shard::failures_kept + 1);
  EXPECT_EQ(all.front().error, "36");
  EXPECT_EQ(all.back().error, "99");
  EXPECT_EQ(all[15].path, "b");
  EXPECT_EQ(all[15].loop, 1U);
}

} // namespace
} // namespace troupe::actors::runtime
