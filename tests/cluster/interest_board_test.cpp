// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_board.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::cluster;
using core::errc;
using core::node_id;
using changes = std::vector<interest_change>;

core::topic_filter filter(std::string_view text) {
  return *core::topic_filter::parse(text);
}
core::topic topic(std::string_view text) { return *core::topic::parse(text); }

class InterestBoard : public testing::Test {
protected:
  interest_board::claim hold(std::string_view text, std::size_t loop = 0) {
    return *board_.hold("r", filter(text), loop);
  }
  audience find(std::string_view name, std::string_view realm = "r") {
    audience all;
    board_.find(realm, topic(name), all);
    return all;
  }
  void clean() {
    while (board_.clean()) {
    }
  }

  interest_board board_{{3, 2}, 2};
};

using peers = std::vector<node_id>;

TEST_F(InterestBoard, FindsLoopsWithTheFiltersThatMatch) {
  const auto a = hold("a/+", 0);
  const auto b = hold("a/b", 1);
  const auto both = hold("a/b", 0);
  EXPECT_EQ(b.id(), both.id());
  const auto found = find("a/b");
  EXPECT_EQ(found.loops[1], std::vector{b.id()});
  EXPECT_EQ(found.loops[0].size(), 2U);
  EXPECT_TRUE(found.peers.empty());
  EXPECT_EQ(found.filters(), 3U);
  EXPECT_TRUE(find("b").empty());
  EXPECT_TRUE(find("a/b", "another").empty());
  EXPECT_EQ(find("a/c").loops[0], std::vector{a.id()});
}

TEST_F(InterestBoard, CountsWhoHoldsAFilter) {
  const auto one = hold("a", 1);
  const auto two = hold("a", 1);
  board_.release(one, 1);
  EXPECT_EQ(find("a").loops[1], std::vector{two.id()});
  board_.release(two, 1);
  EXPECT_TRUE(find("a").empty());
  EXPECT_EQ(board_.own(), interest_digest{});
  const auto again = hold("a", 1);
  EXPECT_NE(again.id(), one.id()); // what is under way is for the one before
}

TEST_F(InterestBoard, RefusesMoreFiltersThanAllowed) {
  const auto a = hold("a");
  hold("b");
  hold("c");
  const auto more = board_.hold("r", filter("d"), 0);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, errc::too_many);
  EXPECT_NE(more.error().detail.find("3 different"), std::string::npos);
  EXPECT_TRUE(find("d").empty());
  hold("c"); // one that is there
  board_.release(a, 0);
  EXPECT_TRUE(board_.hold("r", filter("d"), 0));
  EXPECT_EQ(board_.hold("", filter("c"), 0).error().code, errc::name_invalid);
}

TEST_F(InterestBoard, WhatNodesNeedAmongThemselvesIsToldAndNotShown) {
  hold("a");
  hold("b");
  hold("c");
  const auto own = hold("$troupe/zenconn/counted/1/0"); // beyond the limit
  EXPECT_EQ(board_.own().filters, 4U);                  // others are to know
  EXPECT_EQ(board_.filters(), 3U);
  board_.apply(*board_.open_table(node_id{2}),
               changes{{"r", "$troupe/zenconn/counted/2/0", true},
                       {"r", "$troupers", true}});
  EXPECT_EQ(find("$troupe/zenconn/counted/2/0").peers, peers{node_id{2}});
  EXPECT_FALSE(find("$troupe/zenconn/counted/1/0").empty());
  std::vector<interest_board::row> rows;
  interest_board::page_mark mark;
  EXPECT_FALSE(board_.list(mark, 100, rows));
  std::set<std::string> listed;
  for (const auto& row : rows)
    listed.insert(row.filter);
  EXPECT_EQ(listed, (std::set<std::string>{"$troupers", "a", "b", "c"}));
  EXPECT_FALSE(board_.hold("r", filter("d"), 0));
  board_.release(own, 0);
  EXPECT_EQ(board_.own().filters, 3U);
  EXPECT_EQ(board_.filters(), 3U);
}

TEST_F(InterestBoard, ANodeIsFoundOnce) {
  const auto table = *board_.open_table(node_id{2});
  const auto other = *board_.open_table(node_id{2});
  board_.apply(table, changes{{"r", "a/+", true}, {"r", "a/b", true}});
  board_.apply(other, changes{{"r", "a/b", true}});
  EXPECT_EQ(find("a/b").peers, peers{node_id{2}});
  board_.drop_table(table);
  EXPECT_EQ(find("a/b").peers, peers{node_id{2}});
  EXPECT_TRUE(find("a/c").peers.empty());
  clean();
  EXPECT_EQ(find("a/b").peers, peers{node_id{2}});
  EXPECT_EQ(*board_.open_table(node_id{3}), table); // used again
  EXPECT_TRUE(find("a/c").empty());
}

TEST_F(InterestBoard, ATableIsASet) {
  const auto table = *board_.open_table(node_id{2});
  board_.apply(table, changes{{"r", "a", true}, {"r", "a", true}});
  EXPECT_EQ(board_.info(table).digest.filters, 1U);
  board_.apply(table, changes{{"r", "b", false}, {"r", "a", false}});
  EXPECT_EQ(board_.info(table).digest, interest_digest{});
  EXPECT_TRUE(find("a").peers.empty());
}

TEST_F(InterestBoard, ANodeWithTooManyFiltersGetsAll) {
  const auto table = *board_.open_table(node_id{2});
  board_.apply(table, changes{{"r", "a", true}, {"r", "b", true}});
  EXPECT_FALSE(board_.info(table).overflowed);
  EXPECT_TRUE(find("z", "any").peers.empty());
  board_.apply(table, changes{{"r", "c", true}, {"r", "d", true}});
  EXPECT_TRUE(board_.info(table).overflowed);
  EXPECT_EQ(find("z", "any").peers, peers{node_id{2}});
  EXPECT_EQ(find("a").peers, peers{node_id{2}});
  board_.drop_table(table);
  EXPECT_TRUE(find("z", "any").peers.empty());
}

TEST_F(InterestBoard, TellsOfChangesOnce) {
  int told = 0;
  board_.on_change = [&] { ++told; };
  hold("a");
  EXPECT_TRUE(board_.take_changes().empty()); // nobody watched
  board_.watch(true);
  const auto b = hold("b");
  hold("b");
  const auto c = hold("c");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(board_.settled_digest(), std::nullopt);
  board_.release(c, 0);
  const auto taken = board_.take_changes();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_TRUE(board_.change_of({"r", "b"}).held);
  EXPECT_FALSE(board_.change_of({"r", "c"}).held);
  EXPECT_FALSE(board_.change_of({"q", "b"}).held);
  EXPECT_EQ(board_.settled_digest(), board_.own());
  EXPECT_EQ(board_.own().filters, 2U);
  board_.release(b, 0);
  EXPECT_EQ(told, 1); // it is still held
  EXPECT_TRUE(board_.take_changes().empty());
}

using seats = std::vector<std::pair<std::uint16_t, std::uint32_t>>;
using peer_seats = std::vector<std::pair<node_id, std::uint32_t>>;

TEST_F(InterestBoard, WhoSharesASubscriptionStandsApart) {
  const auto own = hold("a/+", 0);
  const auto first = *board_.hold("r", filter("a/+"), 1, "g");
  const auto second = *board_.hold("r", filter("a/+"), 0, "g");
  const auto third = *board_.hold("r", filter("a/+"), 1, "g");
  EXPECT_EQ(first.id(), third.id());
  EXPECT_NE(first.id(), own.id());
  const auto table = *board_.open_table(node_id{2});
  board_.apply(table, changes{{"r", "a/b", true, "h", 2}});
  const auto found = find("a/b");
  EXPECT_EQ(found.loops[0], std::vector{own.id()});
  EXPECT_TRUE(found.loops[1].empty());
  EXPECT_TRUE(found.peers.empty());
  ASSERT_EQ(found.shares.size(), 2U);
  const auto& here = found.shares[found.shares[0].share == "g" ? 0 : 1];
  const auto& there = found.shares[found.shares[0].share == "g" ? 1 : 0];
  EXPECT_EQ(here.filter, "a/+");
  EXPECT_EQ(here.loops, (seats{{0, 1}, {1, 2}}));
  EXPECT_EQ(here.members(), 3U);
  EXPECT_EQ(there.share, "h");
  EXPECT_EQ(there.here(), 0U);
  EXPECT_EQ(there.peers, (peer_seats{{node_id{2}, 2}}));
  EXPECT_TRUE(find("b").shares.empty());
  EXPECT_TRUE(find("a/b", "another").shares.empty());
  EXPECT_EQ(board_.find_share("r", "a/+", "g")->loops, here.loops);
  EXPECT_EQ(board_.find_share("r", "a/b", "h"), std::nullopt);
  board_.release(first, 1);
  board_.release(second, 0);
  board_.release(third, 1);
  board_.apply(table, changes{{"r", "a/b", false, "h", 0}});
  EXPECT_TRUE(find("a/b").shares.empty());
  EXPECT_EQ(find("a/b").loops[0], std::vector{own.id()});
  EXPECT_EQ(
      board_.hold("r", filter("a"), 0, std::string(256, 'g')).error().code,
      errc::name_invalid);
}

TEST_F(InterestBoard, TellsHowManyShareEachTimeItChanges) {
  board_.watch(true);
  const interest_board::filter_name name{"r", "a", "g"};
  const auto first = *board_.hold("r", filter("a"), 0, "g");
  const auto second = *board_.hold("r", filter("a"), 1, "g");
  EXPECT_EQ(board_.take_changes(), std::vector{name});
  EXPECT_EQ(board_.change_of(name), (interest_change{"r", "a", true, "g", 2}));
  const auto third = *board_.hold("r", filter("a"), 1, "g");
  EXPECT_EQ(board_.take_changes(), std::vector{name});
  const auto digest = board_.own();
  board_.release(third, 1);
  board_.release(second, 1);
  EXPECT_EQ(board_.take_changes(), std::vector{name});
  EXPECT_EQ(board_.change_of(name), (interest_change{"r", "a", true, "g", 1}));
  EXPECT_EQ(board_.own(), digest); // which counts filters, not who shares them
  board_.release(first, 0);
  EXPECT_EQ(board_.change_of(name), (interest_change{"r", "a", false, "g", 0}));
  EXPECT_EQ(board_.own(), interest_digest{});
}

TEST_F(InterestBoard, ATableKnowsHowManyShareByNow) {
  const auto table = *board_.open_table(node_id{2});
  board_.apply(table,
               changes{{"r", "a", true, "g", 2}, {"r", "a", true, "g", 5}});
  EXPECT_EQ(find("a").shares.at(0).peers, (peer_seats{{node_id{2}, 5}}));
  EXPECT_EQ(board_.info(table).digest.filters, 1U);
  const auto newer = *board_.open_table(node_id{2});
  board_.apply(newer, changes{{"r", "a", true, "g", 7}});
  EXPECT_EQ(find("a").shares.at(0).peers, (peer_seats{{node_id{2}, 7}}));
  board_.drop_table(table);
  board_.drop_table(newer);
  EXPECT_TRUE(find("a").shares.empty());
  clean();
  EXPECT_TRUE(find("a").shares.empty());
  std::vector<interest_board::row> rows;
  interest_board::page_mark mark;
  EXPECT_FALSE(board_.list(mark, 10, rows));
  EXPECT_TRUE(rows.empty());
}

TEST(InterestBoardScan, GoesThroughWhatIsHeldInPieces) {
  interest_board board{{}, 1};
  for (int i = 0; i < 1000; ++i)
    static_cast<void>(board.hold(i % 2 == 0 ? "even" : "odd",
                                 filter("a/" + std::to_string(i)), 0));
  const auto table = *board.open_table(node_id{2});
  board.apply(table, changes{{"even", "peer", true}});
  interest_board::page_mark mark;
  changes all;
  bool more = true;
  while (more) {
    changes part;
    more = board.scan(mark, 100, part);
    std::size_t bytes = 0;
    for (auto& each : part) {
      bytes += cost(each);
      all.push_back(std::move(each));
    }
    EXPECT_LE(bytes, 100U);
  }
  EXPECT_EQ(all.size(), 1000U);
  interest_digest sum;
  for (const auto& each : all)
    sum.add(interest_hash(each.realm, each.filter));
  EXPECT_EQ(sum, board.own());
}

TEST(InterestBoardList, ShowsWhoWantsWhat) {
  interest_board board{{}, 2};
  static_cast<void>(board.hold("r", filter("a"), 0));
  static_cast<void>(board.hold("r", filter("a"), 1));
  const auto table = *board.open_table(node_id{2});
  board.apply(table, changes{{"r", "a", true}, {"s", "b/#", true}});
  interest_board::page_mark mark;
  std::vector<interest_board::row> rows;
  EXPECT_TRUE(board.list(mark, 1, rows));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].filter, "a");
  EXPECT_EQ(rows[0].held, 2U);
  EXPECT_EQ(rows[0].peers, peers{node_id{2}});
  EXPECT_FALSE(board.list(mark, 10, rows));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].realm, "s");
  EXPECT_EQ(rows[1].held, 0U);
}

TEST(InterestBoardThreads, LooksAndChangesGoOnTogether) {
  interest_board board{{}, 2};
  static_cast<void>(board.hold("r", filter("always/+"), 0));
  std::atomic<bool> stop{false};
  std::atomic<int> missed{0};
  std::thread reader{[&] {
    audience found;
    while (!stop) {
      board.find("r", topic("always/x"), found);
      missed += found.loops[0].empty() ? 1 : 0;
    }
  }};
  std::thread writer{[&] {
    for (int i = 0; i < 2'000; ++i) {
      const auto claim = *board.hold("r", filter("x/" + std::to_string(i)), 1);
      board.release(claim, 1);
    }
  }};
  for (int i = 0; i < 300; ++i) {
    const auto table = *board.open_table(node_id{2});
    board.apply(table, changes{{"r", "always/#", true}, {"r", "b", true}});
    board.drop_table(table);
    while (board.clean()) {
    }
  }
  writer.join();
  stop = true;
  reader.join();
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(board.own().filters, 1U);
}

TEST_F(InterestBoard, WhatMatchesIsShownWithWhoHoldsIt) {
  const auto a = hold("a/+", 0);
  const auto again = hold("a/+", 1);
  EXPECT_EQ(again.id(), a.id());
  board_.apply(*board_.open_table(node_id{2}), {{"r", "a/b", true}});
  const auto seen = board_.matching("r", topic("a/b"));
  ASSERT_EQ(seen.size(), 2U);
  for (const auto& [id, row] : seen)
    if (row.filter == "a/+") {
      EXPECT_EQ(id, a.id());
      EXPECT_EQ(row.held, 2U);
      EXPECT_TRUE(row.peers.empty());
    } else {
      EXPECT_EQ(id, filter_id{});
      EXPECT_EQ(row.held, 0U);
      EXPECT_EQ(row.peers, peers{node_id{2}});
    }
  EXPECT_TRUE(board_.matching("r", topic("b")).empty());
}

} // namespace
