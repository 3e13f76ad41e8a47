// SPDX-License-Identifier: Apache-2.0
#include "net/mq/delivery_window.hpp"
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <string>

namespace troupe::net::mq {
namespace {

std::string id_of(const core::delivery& what) {
  return core::to_string(what.message->id);
}

TEST(DeliveryWindow, IsEmptyAtFirst) {
  delivery_window window;
  EXPECT_EQ(window.next(), nullptr);
  EXPECT_FALSE(window.deadline());
  EXPECT_EQ(window.count(), 0U);
  EXPECT_FALSE(window.acknowledge("1-0"));
}

TEST(DeliveryWindow, ClearForgetsAll) {
  delivery_window window;
  window.push(delivery(1));
  window.mark_sent();
  window.flushed({}, core::milliseconds{10});
  window.clear();
  EXPECT_EQ(window.count(), 0U);
  EXPECT_FALSE(window.deadline());
}

TEST(DeliveryWindowDeathTest, MarkingWithoutAnythingIsAProgrammersError) {
  delivery_window window;
  EXPECT_DEATH(window.mark_sent(), "nothing was waiting");
}

/// What the window should do, in the plainest possible way.
struct model {
  struct entry {
    core::delivery what;
    bool sent = false;
    std::optional<core::steady_time> due{};
  };
  std::deque<entry> entries;
  std::size_t size = 1;

  std::size_t in_flight() const {
    std::size_t count = 0;
    for (const auto& e : entries)
      count += e.sent ? 1 : 0;
    return count;
  }
};

TEST(DeliveryWindow, AgreesWithItsModelUnderRandomUse) {
  constexpr core::milliseconds retry_time{100};
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random{seed};
    delivery_window window;
    model expected;
    expected.size = 1 + random() % 8;
    window.resize(static_cast<std::uint32_t>(expected.size));
    core::steady_time now{};
    std::uint64_t position = 0;
    for (int step = 0; step < 2000; ++step) {
      switch (random() % 6) {
      case 0:
      case 1: {
        auto what = delivery(++position);
        expected.entries.push_back({what, false, {}});
        window.push(what);
        break;
      }
      case 2: {
        const auto* next = window.next();
        const auto in_flight = expected.in_flight();
        const bool room =
            in_flight < expected.size && in_flight < expected.entries.size();
        ASSERT_EQ(next != nullptr, room) << "seed " << seed;
        if (!room)
          break;
        ASSERT_EQ(next->position, expected.entries[in_flight].what.position);
        expected.entries[in_flight].sent = true;
        window.mark_sent();
        break;
      }
      case 3: {
        if (expected.entries.empty())
          break;
        const auto which = random() % expected.entries.size();
        const auto entry = expected.entries[which];
        const auto acked = window.acknowledge(id_of(entry.what));
        ASSERT_EQ(acked.has_value(), entry.sent) << "seed " << seed;
        if (!acked)
          break;
        ASSERT_EQ(*acked, entry.what.position);
        expected.entries.erase(expected.entries.begin(),
                               expected.entries.begin() +
                                   static_cast<std::ptrdiff_t>(which) + 1);
        break;
      }
      case 4:
        for (auto& entry : expected.entries)
          if (entry.sent && !entry.due)
            entry.due = now + retry_time;
        window.flushed(now, retry_time);
        break;
      case 5: {
        now += core::milliseconds{random() % 80};
        std::vector<core::inbox_position> due;
        std::optional<core::steady_time> soonest;
        for (auto& entry : expected.entries) {
          if (entry.due && (!soonest || *entry.due < *soonest))
            soonest = entry.due;
          if (entry.due && *entry.due <= now) {
            due.push_back(entry.what.position);
            entry.due.reset();
          }
        }
        // May be early, never late.
        if (soonest) {
          ASSERT_TRUE(window.deadline() && *window.deadline() <= *soonest);
        }
        std::vector<core::inbox_position> repeated;
        window.retry(now, [&](const core::delivery& what) {
          repeated.push_back(what.position);
        });
        ASSERT_EQ(repeated, due) << "seed " << seed;
        break;
      }
      }
      ASSERT_EQ(window.count(), expected.entries.size());
      ASSERT_EQ(window.in_flight(), expected.in_flight());
    }
  }
}

} // namespace
} // namespace troupe::net::mq
