// SPDX-License-Identifier: Apache-2.0
#include "actors/reach_board.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::node_id;

constexpr core::steady_time noon{12h};

/// Which of the nodes 1, 2, … have links to which.
class graph {
public:
  /// A bit for each pair in the order (1,2), (1,3), (2,3), (1,4), …
  graph(std::uint32_t nodes, std::uint64_t links) : nodes_(nodes) {
    for (std::uint32_t b = 2; b <= nodes; ++b)
      for (std::uint32_t a = 1; a < b; ++a, links >>= 1)
        linked_[a][b] = linked_[b][a] = (links & 1) != 0;
  }
  static std::uint64_t pairs(std::uint32_t nodes) {
    return nodes * (nodes - 1) / 2;
  }
  static graph mesh(std::uint32_t nodes) { return {nodes, UINT64_MAX}; }
  graph& cut(std::uint32_t a, std::uint32_t b) {
    linked_[a][b] = linked_[b][a] = false;
    return *this;
  }

  [[nodiscard]] std::uint32_t nodes() const { return nodes_; }
  [[nodiscard]] bool reaches(std::uint32_t a, std::uint32_t b) const {
    return a == b || linked_[a][b];
  }
  [[nodiscard]] std::vector<node_id> links_of(std::uint32_t node) const {
    std::vector<node_id> result;
    for (std::uint32_t other = 1; other <= nodes_; ++other)
      if (linked_[node][other])
        result.emplace_back(other);
    return result;
  }
  /// More than half of the nodes within two links.
  [[nodiscard]] bool in_touch(std::uint32_t node) const {
    std::uint32_t near = 0;
    std::uint32_t known = 0;
    for (std::uint32_t other = 1; other <= nodes_; ++other) {
      near += reaches(node, other) ? 1 : 0;
      bool knows = false;
      for (std::uint32_t between = 1; between <= nodes_; ++between)
        knows |= reaches(node, between) && reaches(between, other);
      known += knows ? 1 : 0;
    }
    return 2 * near > known;
  }
  [[nodiscard]] std::uint32_t serves(std::uint32_t node) const {
    std::uint32_t count = 0;
    for (std::uint32_t other = 1; other <= nodes_; ++other)
      count += reaches(node, other) && in_touch(other) ? 1 : 0;
    return count;
  }
  [[nodiscard]] bool wins(std::uint32_t node,
                          const std::vector<node_id>& voters) const {
    std::size_t reached = 0;
    for (const auto voter : voters)
      reached += reaches(node, voter.value()) ? 1 : 0;
    return 2 * reached > voters.size();
  }

private:
  std::uint32_t nodes_;
  std::array<std::array<bool, 8>, 8> linked_{};
};

/// Tells each board of `boards(node)` what the others say, once.
template <class Boards>
void talk(const graph& links, Boards boards, core::steady_time now) {
  for (std::uint32_t at = 1; at <= links.nodes(); ++at) {
    const auto said =
        boards(at).set_own(node_id{at}, links.links_of(at), now).encode();
    for (const auto other : links.links_of(at))
      ASSERT_TRUE(boards(other.value()).take(node_id{at}, said.view(), now));
  }
}

/// Nodes that have told each other all there is to say.
class told_nodes {
public:
  explicit told_nodes(const graph& links) : links_(links) {
    for (int round = 0; round < 3; ++round)
      talk(
          links_,
          [this](std::uint32_t node) -> reach_board& { return boards_[node]; },
          noon);
  }
  [[nodiscard]] const reach_board& of(std::uint32_t node) const {
    return boards_[node];
  }
  /// To whom a leader would give its group; 0: it keeps it.
  [[nodiscard]] std::uint32_t next(std::uint32_t leader,
                                   const std::vector<node_id>& voters) const {
    std::vector<node_id> able; // a voter without a link is not up to date
    for (const auto voter : voters)
      if (voter.value() != leader && links_.reaches(leader, voter.value()))
        able.push_back(voter);
    return of(leader)
        .serves_most(able, voters, noon)
        .value_or(node_id{})
        .value();
  }

private:
  graph links_;
  std::array<reach_board, 8> boards_;
};

std::vector<node_id> first_nodes(std::uint32_t count) {
  std::vector<node_id> result;
  for (std::uint32_t node = 1; node <= count; ++node)
    result.emplace_back(node);
  return result;
}

/// Follows a group from each node that may lead it until it rests.
void check_leaders(const graph& links, std::uint32_t voter_count) {
  const auto voters = first_nodes(voter_count);
  const told_nodes nodes{links};
  for (std::uint32_t first = 1; first <= voter_count; ++first) {
    if (!links.wins(first, voters))
      continue;
    auto leader = first;
    for (std::uint32_t moves = 0;; ++moves) {
      ASSERT_LE(moves, links.nodes()) << "it does not come to rest";
      const auto next = nodes.next(leader, voters);
      if (next == 0)
        break;
      ASSERT_TRUE(links.wins(next, voters)) << next << " loses the election";
      ASSERT_GT(links.serves(next), links.serves(leader));
      bool needed = false;
      for (std::uint32_t node = 1; node <= links.nodes(); ++node)
        needed |= links.in_touch(node) && links.reaches(next, node) &&
                  !links.reaches(leader, node);
      ASSERT_TRUE(needed) << leader << " served all of them";
      ASSERT_TRUE(nodes.of(next).serves_less(node_id{leader}, noon))
          << "it could come back";
      leader = next;
    }
    for (const auto voter : voters)
      ASSERT_FALSE(links.reaches(leader, voter.value()) &&
                   links.wins(voter.value(), voters) &&
                   links.serves(voter.value()) > links.serves(leader))
          << voter.value() << " should lead, not " << leader;
  }
}

void check_graph(std::uint32_t nodes, std::uint64_t links) {
  SCOPED_TRACE(std::to_string(nodes) + " nodes, links " +
               std::to_string(links));
  const graph of{nodes, links};
  check_leaders(of, 3);
  if (nodes >= 5)
    check_leaders(of, 5);
}

TEST(ReachOfNodes, LeadersRestAtWhoServesMostWhateverLinksAreLost) {
  for (std::uint32_t nodes = 3; nodes <= 5; ++nodes)
    for (std::uint64_t links = 0; links >> graph::pairs(nodes) == 0; ++links) {
      check_graph(nodes, links);
      if (HasFatalFailure())
        return;
    }
}

TEST(ReachOfNodes, LeadersRestAmongSixAndSevenToo) {
  std::mt19937_64 random{20'261'122};
  for (int n = 0; n < 4'000 && !HasFatalFailure(); ++n) {
    const std::uint32_t nodes = 6 + n % 2;
    // From most links lost to a few.
    auto links = random();
    if (n % 4 >= 2)
      links |= random();
    check_graph(nodes, links & ((1ULL << graph::pairs(nodes)) - 1));
  }
}

TEST(ReachOfNodes, NobodyMovesForWhoIsCutOff) {
  auto links = graph::mesh(5);
  links.cut(5, 1).cut(5, 2).cut(5, 3); // 4 has its only link
  const told_nodes nodes{links};
  for (std::uint32_t leader = 1; leader <= 4; ++leader)
    EXPECT_EQ(nodes.next(leader, first_nodes(5)), 0U) << leader;
  EXPECT_NE(nodes.next(5, {node_id{4}, node_id{5}}), 0U);
}

TEST(ReachOfNodes, OneLostLinkMovesLeadersOfItsEndsOnly) {
  auto links = graph::mesh(5);
  const told_nodes nodes{links.cut(1, 2)};
  const auto voters = first_nodes(5);
  EXPECT_EQ(nodes.next(1, voters), 3U);
  EXPECT_EQ(nodes.next(2, voters), 3U);
  for (std::uint32_t leader = 3; leader <= 5; ++leader)
    EXPECT_EQ(nodes.next(leader, voters), 0U) << leader;
}

TEST(ReachOfNodes, NobodyMovesInAMesh) {
  for (std::uint32_t count = 1; count <= 7; ++count) {
    const told_nodes nodes{graph::mesh(count)};
    for (std::uint32_t leader = 1; leader <= count; ++leader)
      EXPECT_EQ(nodes.next(leader, first_nodes(count)), 0U);
  }
}

/// It serves most, but has links to one voter of five only.
TEST(ReachOfNodes, AVoterWithoutAMajorityIsNotAsked) {
  reach_board board;
  const auto voters = first_nodes(5);
  (void)board.set_own(node_id{1}, {node_id{2}, node_id{3}}, noon);
  const reach_word many{{node_id{1}, node_id{6}, node_id{7}}, true, 4};
  ASSERT_TRUE(board.take(node_id{2}, many.encode().view(), noon));
  EXPECT_FALSE(board.may_win(node_id{2}, voters, noon));
  EXPECT_TRUE(board.may_win(node_id{2}, first_nodes(3), noon));
  EXPECT_EQ(board.serves_most({node_id{2}}, voters, noon), std::nullopt);
  EXPECT_EQ(board.serves_most({node_id{2}}, first_nodes(3), noon), node_id{2});
  EXPECT_TRUE(board.may_win(node_id{3}, voters, noon)) << "it has said nothing";
}

TEST(ReachBoard, OldWordsCountNoMore) {
  reach_board board;
  const reach_word word{{node_id{1}}, true, 2};
  EXPECT_TRUE(board.take(node_id{2}, word.encode().view(), noon));
  const auto later = noon + reach_board::memory;
  const std::vector<node_id> two{node_id{2}};
  EXPECT_EQ(board.serves_most(two, two, later), node_id{2});
  EXPECT_EQ(board.serves_most(two, two, later + 1ms), std::nullopt);
  (void)board.set_own(node_id{1}, {node_id{3}}, noon);
  const reach_word none{{}, false, 0};
  EXPECT_TRUE(board.take(node_id{2}, none.encode().view(), noon));
  EXPECT_TRUE(board.serves_less(node_id{2}, later));
  EXPECT_FALSE(board.serves_less(node_id{2}, later + 1ms));
  EXPECT_FALSE(board.serves_less(node_id{3}, noon)) << "it has said nothing";
}

TEST(ReachBoard, RefusesWhatIsNone) {
  reach_board board;
  const reach_word word{{node_id{3}, node_id{1}}, true, 7};
  const auto good = word.encode();
  const auto read = reach_word::decode(good.view());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, word);
  for (std::size_t size = 0; size < good.size(); ++size)
    if (size != 6 && size != 10) { // fewer nodes
      EXPECT_FALSE(board.take(node_id{2}, good.view().subspan(0, size), noon));
    }
  for (const auto& bad :
       {std::string("\1\1\0\0\0\0", 6), std::string("\2\2\0\0\0\0", 6),
        std::string("\2\1\7\0\0\0", 6) + std::string(4 * 4097, '\1')})
    EXPECT_FALSE(board.take(node_id{2}, core::as_bytes(bad), noon));
  EXPECT_EQ(board.serves_most({node_id{2}}, {node_id{2}}, noon), std::nullopt);
}

/// Two nodes have lost each other; groups are led by one of them.
class LeaderOfLessReach : public test_support::cluster_fixture {
protected:
  LeaderOfLessReach() {
    settings with;
    with.nodes = with.founders = 1;
    with.stewards = true;
    with.adjust = [](broker_options& options) {
      options.leader_steady_after = 20s;
      options.leader_balance_interval = 1s;
    };
    start(with);
    EXPECT_TRUE(wait_for_leaders());
    EXPECT_TRUE(wait_until([&] {
      return node(1).directory->placement(core::group_id{1}).has_value();
    }));
    add_node();
    add_node();
    EXPECT_TRUE(wait_for_voters(3, 3));
    leader_ = leader_of(1);
    better_ = leader_ % 3 + 1;
  }
  /// What the nodes tell each other meanwhile.
  void live_on(core::milliseconds by, const graph& links) {
    for (; by > 0ms; by -= 500ms) {
      talk(
          links,
          [this](std::uint32_t at) -> reach_board& {
            return node(at).context().reach;
          },
          system_.clock().now());
      advance(500ms);
    }
  }
  [[nodiscard]] graph without_a_link() const {
    return graph::mesh(3).cut(leader_, 6 - leader_ - better_);
  }

  std::uint32_t leader_ = 0;
  std::uint32_t better_ = 0;
};

TEST_F(LeaderOfLessReach, GivesItsGroupsToOneOfMore) {
  live_on(3s, without_a_link());
  EXPECT_EQ(leader_of(1), leader_) << "it may be over in a moment";
  live_on(5s, without_a_link());
  for (std::uint16_t group = 0; group <= 2; ++group)
    EXPECT_EQ(leader_of(group), better_) << group;
  // Not even the preferred one gets them back before it reaches as much.
  live_on(90s, without_a_link());
  for (std::uint16_t group = 0; group <= 2; ++group)
    EXPECT_EQ(leader_of(group), better_) << group;
  live_on(120s, graph::mesh(3));
  std::set<std::uint32_t> leaders;
  for (std::uint16_t group = 1; group <= 2; ++group)
    leaders.insert(leader_of(group));
  EXPECT_EQ(leaders.size(), 2U) << "they are spread again";
}

TEST_F(LeaderOfLessReach, GivesNothingToANodeWithoutALink) {
  live_on(8s, without_a_link());
  ASSERT_EQ(leader_of(1), better_);
  ASSERT_EQ(leader_of(2), better_);
  live_on(5s, graph::mesh(
                  3)); // one of the groups has its preferred leader elsewhere
  auto& context = node(better_).context();
  const auto before = context.stats.leaderships_given.load();
  // All others were heard of a moment ago; then their links end.
  network_.isolate(node_id{better_}, 3);
  context.balance_leaders_now(system_.clock().now());
  advance(250ms); // nobody campaigns yet
  EXPECT_EQ(context.stats.leaderships_given.load(), before)
      << "the group would wait for it";
  network_.heal();
  live_on(2s, graph::mesh(3));
  EXPECT_GT(context.stats.leaderships_given.load(), before);
}

TEST_F(LeaderOfLessReach, KeepsThemFromWhoWouldNotBeElected) {
  const reach_word apart{{node_id{7}, node_id{8}}, true, 9};
  for (int n = 0; n < 180; ++n) { // preferred leaders have had their turn, too
    for (std::uint32_t at = 1; at <= 3; ++at)
      ASSERT_TRUE(node(at).context().reach.take(
          node_id{better_}, apart.encode().view(), system_.clock().now()));
    advance(500ms);
  }
  for (std::uint16_t group = 0; group <= 2; ++group)
    EXPECT_NE(leader_of(group), better_) << group;
}

TEST_F(LeaderOfLessReach, KeepsThemAmongEquals) {
  live_on(10s, graph::mesh(3));
  EXPECT_EQ(leader_of(1), leader_);
}

} // namespace
} // namespace troupe::actors
