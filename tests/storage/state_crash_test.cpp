// SPDX-License-Identifier: Apache-2.0
#include "storage/state_store.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

using core::group_id;
using core::log_index;

state_options options_in(const test::temporary_folder& folder) {
  state_options options;
  options.folder = folder.path() / "state";
  options.groups = 2;
  options.map_bytes = std::size_t{1} << 30;
  options.commit_interval = std::chrono::milliseconds{1};
  options.reserve_bytes = 0;
  return options;
}

/// What entry `index` does to a space: always the same.
void apply(core::state_space& space, std::uint64_t index) {
  std::mt19937_64 random{index};
  for (auto n = random() % 8; n > 0; --n) {
    const auto key = "key" + std::to_string(random() % 300);
    if (random() % 3 == 0)
      space.erase(key);
    else
      space.put(key,
                core::shared_bytes::copy_of(std::to_string(index) +
                                            std::string(random() % 600, '.')));
  }
  space.checkpoint(log_index{index});
}

bool same(const core::state_space& a, const core::state_space& b) {
  std::string contents[2];
  const core::state_space* spaces[] = {&a, &b};
  for (int i = 0; i < 2; ++i)
    spaces[i]->scan({}, {}, [&](std::string_view key, const auto& value) {
      contents[i].append(key).append("=").append(value.text()).append("\n");
      return true;
    });
  return contents[0] == contents[1];
}

/// Applies entries until it ends itself, without warning, in the middle of
/// whatever the state thread does.
[[noreturn]] void run_and_die(const state_options& options,
                              std::uint64_t entries, int report) {
  auto with_report = options;
  with_report.on_commit = [report](std::span<const durable_point> points) {
    for (const auto& point : points)
      if (point.group == group_id{1}) {
        const auto index = point.applied.value();
        (void)!::write(report, &index, sizeof index);
      }
  };
  auto store = state_store::open(with_report);
  if (!store)
    ::_exit(2);
  auto& space = (*store)->space(group_id{1});
  auto index = space.applied().value();
  for (; entries > 0; --entries)
    apply(space, ++index);
  ::_exit(0);
}

TEST(StateCrash, DurableIndexAndContentsAgreeAfterAKillAtAnyPoint) {
  const test::temporary_folder folder;
  const auto options = options_in(folder);
  std::mt19937_64 random{8};
  test::memory_state_space model;
  for (int round = 0; round < 40; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const auto entries = random() % 4000;
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      run_and_die(options, entries, ends[1]);
    }
    ::close(ends[1]);
    std::uint64_t reported = 0;
    for (std::uint64_t index = 0;
         ::read(ends[0], &index, sizeof index) == sizeof index;)
      reported = index;
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    auto store = state_store::open(options);
    ASSERT_TRUE(store) << to_string(store.error());
    const auto durable = (*store)->durable_applied(group_id{1});
    ASSERT_GE(durable.value(), reported) << "round " << round;
    while (model.applied() < durable)
      apply(model, model.applied().value() + 1);
    ASSERT_TRUE(same((*store)->space(group_id{1}), model))
        << "round " << round << " at " << durable.value();
  }
  EXPECT_GT(model.applied().value(), 1000U);
}

} // namespace
} // namespace troupe::storage
