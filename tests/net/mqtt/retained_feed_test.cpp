// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/retained_feed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::net::mqtt {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

core::topic_filter filter(std::string_view text) {
  return *core::topic_filter::parse(text);
}
core::topic name(std::string_view text) { return *core::topic::parse(text); }

kept_key key(std::string_view topic, std::uint64_t revision) {
  core::publication what;
  what.topic = name(topic);
  what.payload = core::shared_bytes::copy_of(std::to_string(revision));
  return {
      std::make_shared<const core::publication>(std::move(what)), revision, {}};
}

/// A feed, and a session around it that does what the test says.
class feed_driver : public retained_outlet {
public:
  feed_driver() = default;
  virtual ~feed_driver() = default;
  feed_driver(const feed_driver&) = delete;
  feed_driver& operator=(const feed_driver&) = delete;

  void settle(std::uint64_t number) override { settling = number; }
  void read(key_query what, std::uint64_t number) override {
    asked.push_back(what.filter.text() +
                    (what.from.after ? " after " + *what.from.after : ""));
    reading = number;
  }
  [[nodiscard]] bool has_room() const override { return room > 0; }
  bool give(const core::topic_filter& of,
            const core::publication_ptr& what) override {
    if (gone == of.text())
      return false;
    --room;
    given.push_back(what->topic.text() + "=" +
                    std::string{what->payload.text()});
    return true;
  }

  void begin(std::string_view text) {
    subject.begin(filter(text), filter(text));
  }
  void settled(bool all = true) { subject.on_settled(settling, all); }
  void page(std::vector<kept_key> keys, std::optional<key_place> next = {},
            std::size_t unread = 0) {
    subject.on_page(reading, {std::move(keys), std::move(next), unread}, now);
  }
  void live(std::string_view topic, std::uint64_t revision) {
    subject.on_live(name(topic), revision);
  }
  lines take() { return std::exchange(given, {}); }

  mqtt_stats stats;
  core::steady_time now{std::chrono::hours{1}};
  std::uint64_t settling = 0;
  std::uint64_t reading = 0;
  std::size_t room = 1'000'000;
  std::string gone;
  lines asked;
  lines given;
  retained_feed subject{*this, stats, "default"};
};

TEST(MqttRetainedFeed, ReadsOnceAllNodesKnowAndGivesWhatItFinds) {
  feed_driver it;
  it.begin("a/#");
  EXPECT_EQ(it.asked, lines{});
  it.settled();
  EXPECT_EQ(it.asked, lines{"a/#"});
  it.page({key("a/1", 5), key("a/2", 6)});
  EXPECT_EQ(it.take(), (lines{"a/1=5", "a/2=6"}));
  EXPECT_FALSE(it.subject.busy());
  EXPECT_EQ(it.stats.retained_sent, 2U);
  EXPECT_EQ(it.stats.retained_incomplete, 0U);
}

TEST(MqttRetainedFeed, TheNextPageWaitsForTheClient) {
  feed_driver it;
  it.room = 1;
  it.begin("#");
  it.settled();
  it.page({key("a", 1), key("b", 2)}, key_place{3, "b"});
  EXPECT_EQ(it.take(), lines{"a=1"});
  it.subject.pump(it.now);
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.asked.size(), 1U);
  it.room = 5;
  it.subject.pump(it.now);
  EXPECT_EQ(it.take(), lines{"b=2"});
  EXPECT_EQ(it.asked, (lines{"#", "# after b"}));
  it.page({key("c", 3)});
  EXPECT_EQ(it.take(), lines{"c=3"});
}

TEST(MqttRetainedFeed, OneSubscriptionAfterTheOther) {
  feed_driver it;
  it.begin("a");
  it.begin("b");
  it.settled();
  EXPECT_EQ(it.asked, lines{"a"});
  it.page({key("a", 1)});
  it.settled();
  EXPECT_EQ(it.asked, (lines{"a", "b"}));
  it.page({});
  EXPECT_EQ(it.take(), lines{"a=1"});
}

TEST(MqttRetainedFeed, TheSameFilterAgainBeginsAnew) {
  feed_driver it;
  it.begin("a");
  it.settled();
  const auto old = it.reading;
  it.begin("a");
  it.subject.on_page(old, {{key("a", 1)}, {}, 0}, it.now);
  EXPECT_EQ(it.take(), lines{});
  it.settled();
  it.page({key("a", 1)});
  EXPECT_EQ(it.take(), lines{"a=1"});
  it.begin("a"); // and once more, when it is over
  it.settled();
  it.page({key("a", 1)});
  EXPECT_EQ(it.take(), lines{"a=1"});
}

TEST(MqttRetainedFeed, WhatWasHeardMeanwhileIsNotGivenAgainNorWhatIsOlder) {
  feed_driver it;
  it.begin("#");
  it.settled();
  it.live("a", 5);
  it.live("b", 7);
  it.live("c", 1);
  it.page({key("a", 5), key("b", 6), key("c", 2), key("d", 1)});
  EXPECT_EQ(it.take(), (lines{"c=2", "d=1"}));
  EXPECT_EQ(it.stats.retained_superseded, 2U);
}

TEST(MqttRetainedFeed, AnOlderPublicationBehindANewerValueHasItGivenAgain) {
  feed_driver it;
  it.begin("a/+");
  it.settled();
  it.page({key("a/b", 5)});
  EXPECT_EQ(it.take(), lines{"a/b=5"});
  it.live("a/b", 4);
  EXPECT_EQ(it.asked, (lines{"a/+", "a/b"}));
  it.page({key("a/b", 5)});
  EXPECT_EQ(it.take(), lines{"a/b=5"});
  it.now += retained_feed::linger;
  it.subject.on_tick(it.now);
  EXPECT_TRUE(it.subject.idle());
  it.live("a/b", 3); // nobody knows any more
  EXPECT_EQ(it.asked.size(), 2U);
}

TEST(MqttRetainedFeed, WhatIsMissingIsCountedOnceASubscription) {
  feed_driver it;
  it.begin("a");
  it.settled(false);
  it.page({key("a", 1)}, {}, 2);
  EXPECT_EQ(it.take(), lines{"a=1"});
  EXPECT_EQ(it.stats.retained_incomplete, 1U);
}

TEST(MqttRetainedFeed, WhoIsGoneGetsNothingMore) {
  feed_driver it;
  it.begin("a/#");
  it.begin("b");
  it.settled();
  it.gone = "a/#";
  it.page({key("a/1", 1), key("a/2", 2)}, key_place{2, {}});
  it.settled();
  EXPECT_EQ(it.asked, (lines{"a/#", "b"}));
  it.subject.stop();
  it.page({key("b", 1)});
  EXPECT_EQ(it.take(), lines{});
}

TEST(MqttRetainedFeed, APageThatMayBeOldIsReadAgain) {
  feed_driver it;
  it.begin("#");
  it.settled();
  it.live("a", 9);
  for (std::size_t i = 0; i < retained_feed::topics_known_max; ++i)
    it.live("x/" + std::to_string(i), i + 1); // "a" is forgotten
  it.page({key("a", 8)});
  EXPECT_EQ(it.take(), lines{});
  EXPECT_EQ(it.asked, (lines{"#", "#"}));
  it.page({key("a", 9)});
  EXPECT_EQ(it.take(), lines{"a=9"});
}

TEST(MqttRetainedFeed, ManyKeysLeaveNothingBehind) {
  feed_driver it;
  it.begin("#");
  it.settled();
  constexpr std::size_t all = 3 * retained_feed::topics_known_max;
  for (std::size_t i = 0; i < all; ++i)
    it.page({key("k/" + std::to_string(i), i + 1)},
            i + 1 < all ? std::optional{key_place{1, std::to_string(i)}}
                        : std::nullopt);
  EXPECT_EQ(it.take().size(), all);
  EXPECT_EQ(it.asked.size(), all);
}

/// Publishers, a shard and a subscriber, with everything on its way for a
/// while: who subscribes ends with the last value of each key.
class random_world final : public feed_driver {
public:
  explicit random_world(std::uint64_t seed) : random_(seed) {}

  void play() {
    for (int i = 0; i < 200; ++i)
      step();
    room = 1'000'000;
    while (!under_way_.empty() || subject.busy()) {
      while (!under_way_.empty())
        arrive();
      work();
      subject.pump(now);
    }
    if (!subscribed_)
      return;
    for (const auto& [topic, revision] : values_)
      EXPECT_EQ(seen_[topic], revision) << topic;
  }

private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  void step() {
    switch (pick(6)) {
    case 0:
    case 1: { // is kept, and is on its way to who listens
      const auto topic = "t/" + std::to_string(pick(5));
      values_[topic] = ++revision_;
      if (subscribed_ || pick(2) == 0)
        under_way_.emplace_back(topic, revision_);
      break;
    }
    case 2:
      if (!under_way_.empty())
        arrive();
      break;
    case 3:
      if (!subscribed_ || pick(4) == 0) {
        subscribed_ = true;
        begin("t/#");
      }
      break;
    case 4:
      work();
      break;
    default:
      room = pick(3);
      subject.pump(now);
      collect();
    }
  }
  /// The first of any topic: publishers are at different nodes, each with a
  /// topic of its own but for what was published before anybody listened.
  void arrive() {
    const auto picked = under_way_[pick(under_way_.size())].first;
    const auto at =
        std::find_if(under_way_.begin(), under_way_.end(),
                     [&](const auto& each) { return each.first == picked; });
    const auto [topic, revision] = *at;
    under_way_.erase(at);
    if (!subscribed_)
      return;
    seen_[topic] = revision;
    live(topic, revision);
  }
  /// A question goes, or its answer comes.
  void work() {
    if (settling != done_settling_) {
      done_settling_ = settling;
      settled();
    } else if (reading != done_reading_) {
      if (answer_of_ != reading) { // read at the shard
        answer_of_ = reading;
        answer_ = {};
        const auto exact = asked.back() != "t/#";
        for (const auto& [topic, revision] : values_)
          if (!exact || topic == asked.back())
            answer_.push_back(key(topic, revision));
      } else {
        done_reading_ = reading;
        page(std::exchange(answer_, {}));
      }
    }
    collect();
  }
  void collect() {
    for (const auto& each : take()) {
      const auto equals = each.find('=');
      seen_[each.substr(0, equals)] = std::stoull(each.substr(equals + 1));
    }
  }

  std::mt19937_64 random_;
  bool subscribed_ = false;
  std::uint64_t revision_ = 0;
  std::uint64_t done_settling_ = 0;
  std::uint64_t done_reading_ = 0;
  std::uint64_t answer_of_ = 0;
  std::vector<kept_key> answer_;
  std::map<std::string, std::uint64_t> values_;
  std::map<std::string, std::uint64_t> seen_;
  std::vector<std::pair<std::string, std::uint64_t>> under_way_;
};

TEST(MqttRetainedFeed, WhoSubscribesEndsWithTheLastValue) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    random_world{seed}.play();
    if (HasFailure())
      return;
  }
}

} // namespace
} // namespace troupe::net::mqtt
