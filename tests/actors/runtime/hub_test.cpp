// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/hub.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace troupe::actors::runtime {
namespace {

using text_hub = hub<std::string, std::string>;

struct recorder final : subscriber<std::string> {
  void deliver(const std::string& batch) override {
    got.push_back(batch);
    if (then)
      then();
  }
  std::vector<std::string> got;
  std::function<void()> then;
};

TEST(Hub, ReachesThoseOfTheKeyAndNobodyElse) {
  text_hub hub;
  recorder a;
  recorder b;
  recorder c;
  const auto sa = hub.subscribe("x", a);
  const auto sb = hub.subscribe("x", b);
  const auto sc = hub.subscribe("y", c);
  EXPECT_EQ(hub.deliver("x", "1"), 2U);
  EXPECT_EQ(hub.deliver("z", "1"), 0U);
  EXPECT_EQ(a.got, std::vector<std::string>{"1"});
  EXPECT_EQ(b.got, std::vector<std::string>{"1"});
  EXPECT_TRUE(c.got.empty());
}

TEST(Hub, ReachesOneOfTheKeyByItsNumber) {
  text_hub hub;
  recorder a;
  recorder b;
  const auto sa = hub.subscribe("x", a);
  auto sb = hub.subscribe("x", b);
  EXPECT_TRUE(hub.deliver_to_one("x", "even", 0));
  EXPECT_TRUE(hub.deliver_to_one("x", "odd", 7));
  EXPECT_EQ(a.got, std::vector<std::string>{"even"});
  EXPECT_EQ(b.got, std::vector<std::string>{"odd"});
  EXPECT_FALSE(hub.deliver_to_one("y", "nobody", 0));
  b.then = [&] { sb.end(); };
  EXPECT_TRUE(hub.deliver_to_one("x", "last", 1));
  EXPECT_TRUE(hub.deliver_to_one("x", "odd", 1));
  EXPECT_EQ(a.got.back(), "odd");
}

TEST(Hub, TellsOfTheFirstAndTheLastSubscriber) {
  std::vector<std::pair<std::string, bool>> told;
  text_hub hub{
      [&](const std::string& key, bool any) { told.emplace_back(key, any); }};
  recorder a;
  auto first = hub.subscribe("x", a);
  auto second = hub.subscribe("x", a);
  first.end();
  EXPECT_EQ(told.size(), 1U);
  second.end();
  second.end();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0], (std::pair<std::string, bool>{"x", true}));
  EXPECT_EQ(told[1], (std::pair<std::string, bool>{"x", false}));
  EXPECT_EQ(hub.keys(), 0U);
}

TEST(Hub, SubscriptionMayMove) {
  text_hub hub;
  recorder a;
  recorder b;
  auto first = hub.subscribe("x", a);
  std::vector<text_hub::subscription> kept;
  kept.push_back(std::move(first));
  for (int i = 0; i < 10; ++i)
    kept.push_back(hub.subscribe("x", b)); // reallocates
  kept.erase(kept.begin());
  EXPECT_EQ(hub.deliver("x", "1"), 10U);
  EXPECT_TRUE(a.got.empty());
  kept.clear();
  EXPECT_EQ(hub.subscribers("x"), 0U);
}

TEST(Hub, SubscriberMayEndItselfAndOthersWhileDelivering) {
  text_hub hub;
  recorder a;
  recorder b;
  recorder c;
  auto sa = hub.subscribe("x", a);
  auto sb = hub.subscribe("x", b);
  const auto sc = hub.subscribe("x", c);
  a.then = [&] {
    sa.end();
    sb.end();
  };
  EXPECT_EQ(hub.deliver("x", "1"), 2U);
  EXPECT_TRUE(b.got.empty());
  EXPECT_EQ(hub.deliver("x", "2"), 1U);
  EXPECT_EQ(c.got.size(), 2U);
  EXPECT_EQ(hub.subscribers("x"), 1U);
}

TEST(Hub, WhoSubscribesDuringADeliverySeesTheNextOne) {
  text_hub hub;
  recorder a;
  recorder late;
  std::vector<text_hub::subscription> kept;
  a.then = [&] { kept.push_back(hub.subscribe("x", late)); };
  kept.push_back(hub.subscribe("x", a));
  EXPECT_EQ(hub.deliver("x", "1"), 1U);
  EXPECT_TRUE(late.got.empty());
  a.then = nullptr;
  EXPECT_EQ(hub.deliver("x", "2"), 2U);
}

TEST(Hub, LastSubscriberMayEndInsideNestedDeliveries) {
  text_hub hub;
  recorder a;
  auto sa = hub.subscribe("x", a);
  int depth = 0;
  a.then = [&] {
    if (++depth < 3)
      hub.deliver("x", "deeper");
    else
      sa.end();
  };
  hub.deliver("x", "1");
  EXPECT_EQ(hub.keys(), 0U);
  EXPECT_EQ(a.got.size(), 3U);
}

TEST(Hub, KeepsItsBooksWhenASubscriberThrows) {
  text_hub hub;
  recorder a;
  auto sa = hub.subscribe("x", a);
  a.then = [] { throw std::runtime_error{"full"}; };
  EXPECT_THROW(hub.deliver("x", "1"), std::runtime_error);
  sa.end();
  EXPECT_EQ(hub.keys(), 0U);
}

} // namespace
} // namespace troupe::actors::runtime
