// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_receiver.hpp"
#include "cluster/interest_sender.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::cluster;
using core::node_id;

core::topic_filter filter(std::string_view text) {
  return *core::topic_filter::parse(text);
}

/// From the board of one node to that of another, over a link that the test
/// plays.
class one_way {
public:
  one_way(interest_board& from, interest_board& to, node_id of_sender,
          interest_sender::options bounds)
      : from_(from), sender(from, bounds), receiver(to, of_sender) {}

  void up(std::uint64_t stream) {
    linked = true;
    sender.link_up(stream);
  }
  void down() {
    linked = false;
    under_way.clear();
    sender.link_down();
    receiver.link_down();
  }
  /// Puts up to so many frames on the link; how many there were.
  std::size_t send(std::size_t frames_max) {
    std::size_t count = 0;
    while (linked && count < frames_max) {
      const auto* frame = sender.next();
      if (frame == nullptr)
        break;
      under_way.push_back(*frame);
      sender.sent();
      ++count;
    }
    return count;
  }
  void arrive() {
    if (under_way.empty())
      return;
    const auto frame = decode_interest(under_way.front().view());
    under_way.pop_front();
    if (frame)
      receiver.take(*frame);
    else
      receiver.take_bad_frame();
  }
  /// The answer to a request comes at once.
  bool ask() {
    const auto request = receiver.request();
    if (!linked || !request)
      return false;
    receiver.asked();
    sender.resync(decode_interest(encode(*request).view())->stream);
    return true;
  }
  /// Until nothing moves any more.
  void settle() {
    for (int i = 0; i < 10'000; ++i) {
      const bool moved = send(16) > 0 || !under_way.empty();
      while (!under_way.empty())
        arrive();
      if (!ask() && !moved)
        return;
    }
    ADD_FAILURE() << "the exchange does not come to an end";
  }
  [[nodiscard]] bool agree() const {
    return receiver.complete() && receiver.info().digest == from_.own();
  }

private:
  interest_board& from_;

public:
  interest_sender sender;
  interest_receiver receiver;
  std::deque<core::shared_bytes> under_way;
  bool linked = false;
};

class InterestExchange : public testing::Test {
protected:
  InterestExchange() { a_.watch(true); }

  interest_board::claim hold(std::string_view text) {
    return *a_.hold("r", filter(text), 0);
  }
  void tell() { way_.sender.changed(a_.take_changes()); }
  void settle() {
    tell();
    way_.settle();
  }
  [[nodiscard]] bool wanted(std::string_view name) const {
    audience found;
    b_.find("r", *core::topic::parse(name), found);
    return found.peers == std::vector{node_id{1}};
  }

  interest_board a_{{}, 1};
  interest_board b_{{}, 1};
  one_way way_{a_, b_, node_id{1}, {100}};
};

TEST_F(InterestExchange, WhoSharesAFilterIsToldAndCounted) {
  const auto members = [&] {
    audience found;
    b_.find("r", *core::topic::parse("x"), found);
    return found.shares.empty() ? 0U : found.shares[0].members();
  };
  const auto first = *a_.hold("r", filter("x"), 0, "g");
  way_.up(10);
  settle();
  EXPECT_EQ(members(), 1U);
  EXPECT_FALSE(wanted("x"));
  const auto second = *a_.hold("r", filter("x"), 0, "g");
  settle();
  EXPECT_EQ(members(), 2U);
  EXPECT_TRUE(way_.agree());
  a_.release(first, 0);
  settle();
  EXPECT_EQ(members(), 1U);
  a_.release(second, 0);
  settle();
  EXPECT_EQ(members(), 0U);
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, ATableIsToldWhenALinkBegins) {
  for (int i = 0; i < 5'000; ++i)
    hold("some/filter/of/many/" + std::to_string(i));
  EXPECT_EQ(way_.sender.next(), nullptr);
  way_.up(10);
  settle();
  EXPECT_TRUE(way_.agree());
  EXPECT_TRUE(wanted("some/filter/of/many/4999"));
  EXPECT_FALSE(wanted("some/filter/of/many/5000"));
  EXPECT_GT(way_.sender.stats().frames, 3U); // in pieces
  EXPECT_EQ(way_.receiver.stats().digests, 1U);
}

TEST_F(InterestExchange, ChangesAreToldOnce) {
  way_.up(10);
  settle();
  const auto a = hold("a/+");
  EXPECT_FALSE(wanted("a/b"));
  settle();
  EXPECT_TRUE(wanted("a/b"));
  const auto frames = way_.sender.stats().frames;
  hold("a/+"); // a second subscriber
  settle();
  EXPECT_EQ(way_.sender.stats().frames, frames);
  a_.release(a, 0);
  a_.release(a, 0);
  settle();
  EXPECT_FALSE(wanted("a/b"));
  EXPECT_EQ(way_.sender.stats().frames, frames + 1);
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, WhatChangesBackAndForthIsOneChange) {
  way_.up(10);
  settle();
  for (int i = 0; i < 50; ++i)
    a_.release(hold("a"), 0);
  hold("b");
  tell();
  EXPECT_EQ(way_.sender.changes_waiting(), 2U);
  settle();
  EXPECT_FALSE(wanted("a"));
  EXPECT_TRUE(wanted("b"));
}

TEST_F(InterestExchange, ALinkThatEndsTakesTheTableWithIt) {
  hold("a");
  way_.up(10);
  settle();
  ASSERT_TRUE(wanted("a"));
  way_.down();
  EXPECT_FALSE(wanted("a"));
  hold("b");
  tell();
  way_.up(20);
  settle();
  EXPECT_TRUE(wanted("a"));
  EXPECT_TRUE(wanted("b"));
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, ALostFrameIsNoticedAndTheOldTableServesMeanwhile) {
  hold("a");
  way_.up(10);
  settle();
  hold("b");
  tell();
  way_.send(1);
  way_.under_way.clear(); // lost
  hold("c");
  tell();
  way_.send(1);
  way_.arrive();
  EXPECT_EQ(way_.receiver.stats().gaps, 1U);
  EXPECT_TRUE(wanted("a"));
  EXPECT_TRUE(way_.ask());
  way_.send(1); // the whole table, complete
  EXPECT_TRUE(wanted("a"));
  settle();
  EXPECT_TRUE(wanted("b"));
  EXPECT_TRUE(wanted("c"));
  EXPECT_TRUE(way_.agree());
  EXPECT_EQ(way_.receiver.stats().resyncs, 1U);
  EXPECT_EQ(way_.sender.stats().restarts, 1U);
}

TEST_F(InterestExchange, ADigestFindsWhatNobodyNoticed) {
  hold("a");
  way_.up(10);
  settle();
  // Somebody spoils the receiver's table.
  b_.apply(0, {{"r", "a", false}});
  way_.sender.want_digest();
  settle();
  EXPECT_EQ(way_.receiver.stats().divergences, 1U);
  EXPECT_TRUE(wanted("a"));
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, ATableServesUntilTheNextOneIsComplete) {
  for (int i = 0; i < 100; ++i)
    hold(std::to_string(i) + std::string(1'000, 'x'));
  hold("last");
  tell();
  way_.up(10);
  settle();
  way_.sender.resync(10);
  way_.send(1);
  way_.arrive();
  EXPECT_FALSE(way_.receiver.complete());
  EXPECT_TRUE(wanted("last"));
  settle();
  EXPECT_TRUE(way_.agree());
  while (b_.clean()) {
  }
  EXPECT_TRUE(wanted("last"));
}

TEST_F(InterestExchange, ChangesWhileATableIsToldAreInIt) {
  std::vector<interest_board::claim> claims;
  for (int i = 0; i < 200; ++i)
    claims.push_back(hold(std::to_string(i) + std::string(1'000, 'x')));
  tell();
  way_.up(10);
  way_.send(1);
  a_.release(claims.front(), 0); // told already
  a_.release(claims.back(), 0);  // not yet
  hold("new");
  tell();
  way_.send(1);
  way_.arrive();
  way_.arrive();
  EXPECT_TRUE(wanted("new")); // does not wait for the rest
  settle();
  EXPECT_TRUE(way_.agree());
  EXPECT_EQ(way_.receiver.stats().divergences, 0U);
}

TEST_F(InterestExchange, ADigestWaitsForWhatIsToBeTold) {
  way_.up(10);
  settle();
  hold("a");
  way_.sender.want_digest();
  way_.settle(); // the change was not taken from the board yet
  EXPECT_EQ(way_.receiver.stats().divergences, 0U);
  settle();
  EXPECT_EQ(way_.receiver.stats().divergences, 0U);
  EXPECT_EQ(way_.receiver.stats().digests, 2U);
}

TEST_F(InterestExchange, ADamagedBeginningIsAskedForAgain) {
  hold("a");
  way_.up(10);
  settle();
  way_.sender.resync(10);
  way_.send(1);
  way_.under_way.front() = core::shared_bytes::copy_of("nonsense");
  settle();
  EXPECT_EQ(way_.receiver.stats().bad_frames, 1U);
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, TooManyChangesBeginTheTableAnew) {
  way_.up(10);
  settle();
  for (int i = 0; i < 101; ++i)
    hold("a/" + std::to_string(i));
  tell();
  EXPECT_EQ(way_.sender.changes_waiting(), 0U);
  EXPECT_EQ(way_.sender.stats().restarts, 1U);
  settle();
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, AFrameWithoutRoomIsSentLater) {
  way_.up(10);
  hold("a");
  tell();
  const auto first = *way_.sender.next();
  hold("b");
  tell();
  EXPECT_EQ(*way_.sender.next(), first); // not sent() yet
  settle();
  EXPECT_TRUE(way_.agree());
}

TEST_F(InterestExchange, AnOldRequestIsNotAnsweredTwice) {
  way_.up(10);
  settle();
  way_.sender.resync(10);
  settle();
  way_.sender.resync(10);
  EXPECT_EQ(way_.sender.stats().restarts, 1U);
  EXPECT_EQ(way_.sender.next(), nullptr);
}

// -------------------------------------------------------------- by seed, all

class InterestSeeds : public testing::TestWithParam<std::uint64_t> {};

/// Three nodes whose filters come and go while links break, frames vanish or
/// are damaged: in the end all know what each of them wants. Where nothing
/// vanishes nothing may ever differ.
TEST_P(InterestSeeds, AllAgreeInTheEnd) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  const bool faults = GetParam() % 2 == 0;
  // A table takes several frames.
  const std::string padding(GetParam() % 3 == 0 ? 1'000 : 0, 'x');
  std::mt19937_64 random{GetParam()};
  const auto below = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
  };
  constexpr std::size_t nodes = 3;
  std::vector<std::unique_ptr<interest_board>> boards;
  std::vector<std::vector<interest_board::claim>> held(nodes);
  for (std::size_t i = 0; i < nodes; ++i) {
    boards.push_back(std::make_unique<interest_board>(
        interest_limits{1'000'000, GetParam() % 4 == 0 ? 100U : 1'000'000U},
        1));
    boards.back()->watch(true);
  }
  std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<one_way>> ways;
  for (std::size_t i = 0; i < nodes; ++i)
    for (std::size_t j = 0; j < nodes; ++j)
      if (i != j)
        ways[{i, j}] = std::make_unique<one_way>(
            *boards[i], *boards[j], node_id{static_cast<std::uint32_t>(i + 1)},
            interest_sender::options{20});
  const auto tell = [&](std::size_t i) {
    const auto changes = boards[i]->take_changes();
    for (auto& [ends, way] : ways)
      if (ends.first == i)
        way->sender.changed(changes);
  };
  for (int round = 0; round < 4'000; ++round) {
    const auto i = below(nodes);
    auto& way = *ways[{i, (i + 1 + below(nodes - 1)) % nodes}];
    switch (below(12)) {
    case 0:
    case 1:
    case 2:
      held[i].push_back(*boards[i]->hold(
          below(5) == 0 ? "other" : "default",
          filter(padding + "t/" + std::to_string(below(200))), 0));
      break;
    case 3:
    case 4:
      if (!held[i].empty()) {
        std::swap(held[i].back(), held[i][below(held[i].size())]);
        boards[i]->release(held[i].back(), 0);
        held[i].pop_back();
      }
      break;
    case 5:
      if (below(4) != 0)
        break;
      if (way.linked)
        way.down();
      else
        way.up(random());
      break;
    case 6:
      if (faults && !way.under_way.empty() && below(4) == 0)
        way.under_way.pop_front(); // vanishes
      break;
    case 7:
      if (faults && !way.under_way.empty() && below(4) == 0)
        way.under_way.front() = core::shared_bytes::copy_of("?");
      break;
    case 8:
      way.sender.want_digest();
      break;
    case 9:
      way.ask();
      break;
    default:
      break;
    }
    tell(i);
    for (auto& [ends, each] : ways) {
      each->send(below(3));
      for (auto n = below(3); n > 0; --n)
        each->arrive();
    }
    boards[below(nodes)]->clean();
  }
  for (auto& [ends, way] : ways) {
    if (!way->linked)
      way->up(random());
    tell(ends.first);
    way->settle();
    way->sender.want_digest(); // the next look at the clock
    way->settle();
    EXPECT_TRUE(way->agree() || way->receiver.info().overflowed);
    const auto& stats = way->receiver.stats();
    if (!faults) {
      EXPECT_EQ(stats.gaps + stats.bad_frames + stats.divergences, 0U);
    }
  }
  // And what they know is what a publish is matched with.
  for (std::size_t i = 0; i < nodes; ++i)
    for (int t = 0; t < 200; ++t) {
      const auto name = padding + "t/" + std::to_string(t);
      audience found;
      boards[i]->find("default", *core::topic::parse(name), found);
      std::size_t expected = 0;
      for (std::size_t j = 0; j < nodes; ++j)
        expected += j != i && (boards[j]->change_of({"default", name}).held ||
                               ways[{j, i}]->receiver.info().overflowed)
                        ? 1U
                        : 0U;
      EXPECT_EQ(found.peers.size(), expected) << name;
    }
  for (auto& [ends, way] : ways)
    way->down();
  for (auto& board : boards)
    while (board->clean()) {
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, InterestSeeds,
                         testing::Range<std::uint64_t>(1, 41));

} // namespace
