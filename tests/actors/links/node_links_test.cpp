// SPDX-License-Identifier: Apache-2.0
#include "actors/links/batch_codec.hpp"
#include "tests/actors/links/link_node.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

namespace troupe::actors::links {
namespace {

using test_support::eventually;
using test_support::link_node;
using namespace std::chrono_literals;

std::string number_text(std::size_t n) { return std::to_string(n); }

TEST(NodeLinks, ExchangeMessagesBothWays) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two)) << one.log_text() << two.log_text();

  ASSERT_TRUE(one.send(two, kind::raft, 3, "from one"));
  ASSERT_TRUE(two.send(one, kind::publish, 4, "from two"));
  ASSERT_TRUE(eventually(
      [&] { return one.message_count() == 1 && two.message_count() == 1; }));
  const auto at_two = two.messages().front();
  EXPECT_EQ(at_two.from, one.id());
  EXPECT_EQ(at_two.peer, one.links().incarnation());
  EXPECT_EQ(at_two.kind, kind::raft);
  EXPECT_EQ(at_two.key, 3U);
  EXPECT_EQ(at_two.body.text(), "from one");
  EXPECT_EQ(one.messages().front().body.text(), "from two");
}

TEST(NodeLinks, TellOfThePeerThatCame) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.advertise = "one.example:7001";
                 }}};
  link_node two{{.id = 2, .adjust = [](link_options& options) {
                   options.listen = "*:0";
                 }}};
  one.links().set_peer(two.id(),
                       {"127.0.0.1:" + std::to_string(two.links().port())});
  ASSERT_TRUE(one.wait_for_link(two));
  ASSERT_EQ(two.events().size(), 1U);
  const auto event = two.events().front();
  EXPECT_TRUE(event.up);
  EXPECT_TRUE(event.restarted);
  EXPECT_EQ(event.peer, one.id());
  EXPECT_EQ(event.incarnation, one.links().incarnation());
  EXPECT_EQ(event.address, "one.example:7001");
  EXPECT_EQ(event.features, feature_level);
  const auto address = one.events().front().address;
  EXPECT_EQ(address.find("0.0.0.0"), std::string::npos) << address;
  EXPECT_TRUE(parse_host_port(address)) << address;
}

TEST(NodeLinks, SurviveAHandlerThatThrows) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2, .prepare = [](node_links& links) {
                   links.on_message(kind::call, [](const received&) {
                     throw std::runtime_error{"from a test"};
                   });
                 }}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  ASSERT_TRUE(one.send(two, kind::call, 0, "x"));
  ASSERT_TRUE(one.send(two, kind::call, 1, "x"));
  ASSERT_TRUE(one.send(two, kind::raft, 0, "after"));
  ASSERT_TRUE(eventually([&] { return two.message_count() == 1; }));
  EXPECT_TRUE(one.linked_to(two));
}

TEST(NodeLinks, CountMessagesNobodyTakes) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  ASSERT_TRUE(one.send(two, kind::interest, 0, "x"));
  EXPECT_TRUE(eventually([&] {
    return two.peer(one)
               .dropped[static_cast<std::size_t>(drop_reason::no_handler)] == 1;
  }));
}

TEST(NodeLinks, TakeMessagesFromOutsideOfTheLoops) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  ASSERT_TRUE(one.links().send(two.id(), kind::raft, 1,
                               core::shared_bytes::copy_of("main thread")));
  EXPECT_TRUE(eventually([&] { return two.message_count() == 1; }));
}

TEST(NodeLinks, AreNotThereWithoutBeingEnabled) {
  runtime::runtime_options options;
  options.loops = 1;
  runtime::runtime_config config{options};
  caf::actor_system system{config};
  EXPECT_FALSE(links_enabled(system));
  EXPECT_FALSE(system.has_middleman()) << "no network thread";
}

TEST(NodeLinks, RefuseAPortThatIsTaken) {
  link_node one{{.id = 1}};
  link_options options;
  options.self = core::node_id{2};
  options.secret = "s";
  options.listen = one.address();
  const auto opened = node_links::open(one.system(), options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, core::errc::in_use);
}

TEST(NodeLinks, FormAFullMeshOfThree) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  link_node three{{.id = 3}};
  one.meet(two);
  two.meet(three);
  three.meet(one);
  EXPECT_TRUE(one.wait_for_link(two));
  EXPECT_TRUE(two.wait_for_link(three));
  EXPECT_TRUE(three.wait_for_link(one));
  EXPECT_TRUE(three.peer(one).dialed) << "the higher id dials";
  EXPECT_FALSE(one.peer(three).dialed);
}

TEST(NodeLinks, KeepTheOrderOfEachKeyOnItsLoop) {
  constexpr std::size_t count = 20'000;
  constexpr std::size_t keys = 4;
  std::mutex mutex;
  std::map<std::uint64_t, std::vector<std::string>> seen;
  std::map<std::uint64_t, std::set<std::size_t>> loops_of_key;
  std::atomic<std::size_t> arrived{0};
  link_node one{{.id = 1}};
  link_node two{{.id = 2, .prepare = [&](node_links& links) {
                   links.on_message(kind::call, [&](const received& m) {
                     const std::lock_guard lock{mutex};
                     seen[m.key].emplace_back(m.body.text());
                     loops_of_key[m.key].insert(
                         runtime::loop::current()->index());
                     ++arrived;
                   });
                 }}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  for (std::size_t i = 0; i < count;) {
    one.on_loop(1, [&] {
      for (int k = 0; k < 100 && i < count; ++k, ++i)
        ASSERT_TRUE(
            one.links().send(two.id(), kind::call, i % keys,
                             core::shared_bytes::copy_of(number_text(i))));
    });
  }
  ASSERT_TRUE(eventually([&] { return arrived == count; }));
  const std::lock_guard lock{mutex};
  for (std::size_t key = 0; key < keys; ++key) {
    ASSERT_EQ(seen[key].size(), count / keys);
    for (std::size_t i = 0; i < seen[key].size(); ++i)
      ASSERT_EQ(seen[key][i], number_text(i * keys + key));
    EXPECT_EQ(loops_of_key[key], std::set<std::size_t>{key % 2});
  }
}

TEST(NodeLinks, CarryMessagesLargerThanABatch) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  for (const std::size_t size :
       {std::size_t{1} << 20U, batch_bytes_max, std::size_t{20} << 20U}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 1000)
      text[i] = static_cast<char>('a' + i / 1000 % 26);
    two.forget_messages();
    ASSERT_TRUE(one.send(two, kind::raft_entries, 1, text));
    ASSERT_TRUE(one.send(two, kind::raft_entries, 1, "behind it"));
    ASSERT_TRUE(eventually([&] { return two.message_count() == 2; }));
    EXPECT_TRUE(two.messages()[0].body.text() == text);
    EXPECT_EQ(two.messages()[1].body.text(), "behind it");
  }
}

TEST(NodeLinks, RefuseAMessageAboveTheBound) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.message_bytes_max = 1000;
                 }}};
  link_node two{{.id = 2}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const auto sent = one.send(two, kind::raft, 1, std::string(1001, 'x'));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, core::errc::too_large);
}

TEST(NodeLinks, SayThatAPeerIsNotThere) {
  link_node one{{.id = 1}};
  link_node two{{.id = 2}};
  const auto sent = one.send(two, kind::raft, 1, "x");
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, core::errc::unavailable);
}

TEST(NodeLinks, MeasureTheRoundTrip) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.beat_interval = 20ms;
                 }}};
  link_node two{{.id = 2, .adjust = [](link_options& options) {
                   options.beat_interval = 20ms;
                 }}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  ASSERT_TRUE(eventually([&] { return one.peer(two).round_trip > 0us; }));
  EXPECT_LT(one.peer(two).round_trip, 1s);
}

TEST(NodeLinks, KeepQuietPeersLinked) {
  link_node one{{.id = 1, .adjust = [](link_options& options) {
                   options.beat_interval = 20ms;
                   options.silence_max = 400ms;
                 }}};
  link_node two{{.id = 2, .adjust = [](link_options& options) {
                   options.beat_interval = 20ms;
                   options.silence_max = 400ms;
                 }}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two));
  const auto link = one.peer(two).link;
  const auto until = std::chrono::steady_clock::now() + 1s;
  ASSERT_TRUE(
      eventually([&] { return std::chrono::steady_clock::now() > until; }));
  EXPECT_EQ(one.peer(two).link, link) << one.log_text();
}

} // namespace
} // namespace troupe::actors::links
