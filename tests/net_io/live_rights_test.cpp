// SPDX-License-Identifier: Apache-2.0
#include "net/identity/live_rights.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

namespace troupe::net::test {
namespace {

using identity::live_rights;

class LiveRights : public node_fixture {
protected:
  /// A session that counts what it is told, and may end.
  struct session final : live_rights::watcher {
    void on_rights_changed() override {
      told.fetch_add(1);
      if (leaves)
        hold = {};
    }
    std::atomic<int> told{0};
    bool leaves = false;
    live_rights::hold hold;
  };

  /// On the loop, and done when this returns.
  void on_loop(const std::function<void()>& work) {
    std::promise<void> done;
    loops_[0]->post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  std::vector<std::unique_ptr<session>> watch(std::size_t count) {
    std::vector<std::unique_ptr<session>> made;
    on_loop([&] {
      for (std::size_t i = 0; i < count; ++i) {
        made.push_back(std::make_unique<session>());
        made.back()->hold = rights_.watch(*made.back());
      }
    });
    return made;
  }
  void end(std::vector<std::unique_ptr<session>>& all) {
    on_loop([&] { all.clear(); });
  }
  void change() { board_.changed({}); }
  static bool all_told(const std::vector<std::unique_ptr<session>>& all,
                       int times) {
    return eventually([&] {
      for (const auto& each : all)
        if (each->told.load() < times)
          return false;
      return true;
    });
  }

  troupe::test::memory_directory_store store_;
  core::rights_board board_;
  test_support::manual_clock clock_;
  core::authorizer judge_{store_, board_, clock_, {}};
  live_rights rights_{judge_};
};

TEST_F(LiveRights, EverybodyIsToldOnceAChange) {
  auto all = watch(1000); // more than a turn tells
  change();
  EXPECT_TRUE(all_told(all, 1));
  change();
  EXPECT_TRUE(all_told(all, 2));
  for (const auto& each : all)
    EXPECT_EQ(each->told.load(), 2);
  end(all);
}

TEST_F(LiveRights, WhoIsToldMayLeave) {
  auto all = watch(600);
  on_loop([&] {
    for (std::size_t i = 0; i < all.size(); i += 2)
      all[i]->leaves = true;
  });
  change();
  EXPECT_TRUE(all_told(all, 1));
  change();
  EXPECT_TRUE(eventually([&] {
    for (std::size_t i = 1; i < all.size(); i += 2)
      if (all[i]->told.load() < 2)
        return false;
    return true;
  }));
  for (std::size_t i = 0; i < all.size(); i += 2)
    EXPECT_EQ(all[i]->told.load(), 1);
  end(all);
}

TEST_F(LiveRights, OneMayTakeAnotherAlong) {
  auto all = watch(3);
  struct taker final : live_rights::watcher {
    void on_rights_changed() override {
      victims.clear();
      ++told;
    }
    std::vector<std::unique_ptr<session>> victims;
    std::atomic<int> told{0};
    live_rights::hold hold;
  } first;
  // The last to come is the first to be told.
  on_loop([&] {
    first.victims = std::move(all);
    first.hold = rights_.watch(first);
  });
  change();
  EXPECT_TRUE(eventually([&] { return first.told.load() == 1; }));
  on_loop([&] { first.hold = {}; });
}

TEST_F(LiveRights, WhoComesLaterIsToldOfWhatComesThen) {
  auto early = watch(1);
  end(early);
  change();
  auto late = watch(1);
  change();
  EXPECT_TRUE(all_told(late, 1));
  end(late);
}

} // namespace
} // namespace troupe::net::test
