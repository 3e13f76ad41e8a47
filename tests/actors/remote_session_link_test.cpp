// SPDX-License-Identifier: Apache-2.0
// Links that break, damage, or have no room.
#include "tests/actors/remote_session_case.hpp"

namespace troupe::remote_sessions {
namespace {

// --------------------------------------------------------------------- links

TEST_F(RemoteSession, ABrokenLinkIsAPause) {
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& first = login(at, "anna", 0);
  auto& second = login(leader, "anna", 1);
  auto& berta = login(leader, "berta");
  for (int i = 0; i < 10; ++i) {
    post_all(berta, "anna", {std::to_string(2 * i)});
    post_all(berta, "anna", {std::to_string(2 * i + 1)}, true);
    if (i == 5)
      first.acknowledge();
    links_.flap(node_id{at}, node_id{leader});
    advance(300ms);
  }
  ASSERT_TRUE(wait_until([&] {
    first.acknowledge();
    second.acknowledge();
    return first.link.texts().size() + second.link.texts().size() >= 30;
  }));
  advance(5s);
  EXPECT_EQ(first.link.texts().size() + second.link.texts().size(), 30U);
  auto all = first.link.texts();
  for (const auto& text : second.link.texts())
    if (std::stoi(text) % 2 != 0)
      all.push_back(text);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::stoi(a) < std::stoi(b);
  });
  EXPECT_EQ(all, numbers(0, 20)) << "every job once";
  EXPECT_GE(stats(at).sessions_reattached.load(), 10U);
  EXPECT_GE(stats(at).attachments_lost.load(), 10U);
}

TEST_F(RemoteSession, TakesItsOwnPlaceWhereTheBrokenLinkIsNotKnownYet) {
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna", 0);
  auto& berta = login(leader, "berta");
  post_all(berta, "anna", {"0"});
  post_all(berta, "anna", {"1"}, true);
  ASSERT_TRUE(wait_for_texts(anna, 2));
  auto& second = login(leader, "anna", 1);
  for (int i = 2; i < 6; ++i) {
    links_.flap_seen_by(node_id{at}, node_id{leader});
    if (i % 2 == 0) // else nothing tells the inbox before the session is back
      post_all(berta, "anna", {std::to_string(i)});
    advance(200ms);
    if (i % 2 != 0)
      post_all(berta, "anna", {std::to_string(i)});
    advance(50ms);
  }
  EXPECT_EQ(anna.link.texts(), numbers(0, 6));
  EXPECT_EQ(anna.link.count<core::session_ended>(), 0U);
  EXPECT_EQ(stats(at).sessions_reattached.load(), 4U);
  EXPECT_EQ(stats(leader).remote_sessions.load(), 1U);
  advance(5s);
  EXPECT_EQ(second.link.texts(), texts{"0"}) << "behind it is another's job";
}

TEST_F(RemoteSession, ALinkWithoutRoomLosesNothing) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna");
  auto& berta = login(leader, "berta");
  links_.room = 1;
  // More at one time than there is room for.
  for (int i = 0; i < 50; ++i) {
    ask_post(berta, "anna", std::to_string(i));
    system_.run();
    node(leader).log.flush();
  }
  ASSERT_TRUE(wait_for_texts(anna, 50));
  EXPECT_EQ(anna.link.texts(), numbers(0, 50));
  for (std::uint64_t i = 1; i <= 50; ++i) {
    anna.send(core::acknowledge{core::inbox_position{i}});
    system_.run();
  }
  EXPECT_TRUE(
      wait_until([&] { return cursor("anna") == core::inbox_position{50}; }));
  EXPECT_GT(stats(leader).attachment_frames_put_off.load() +
                stats(at).attachment_frames_put_off.load(),
            0U);
  // The last words wait, too.
  anna.send(core::edit_list{0, "list", core::list_edit_kind::add, "anna", {}});
  close(anna);
  advance(1s);
  login(at, "anna");
  end_lists();
}

TEST_F(RemoteSession, ADamagedFrameIsAPauseToo) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna");
  auto& berta = login(leader, "berta");
  int frames = 0;
  links_.filter = [&](node_id, node_id, attachment_way,
                      core::shared_bytes& bytes) {
    if (++frames % 7 == 0) {
      auto damaged = std::string{bytes.text()};
      damaged.back() = static_cast<char>(damaged.back() ^ 1);
      bytes = core::shared_bytes::copy_of(damaged);
    }
    return true;
  };
  for (int i = 0; i < 40; ++i) {
    post_all(berta, "anna", {std::to_string(i)});
    anna.acknowledge();
    advance(50ms);
  }
  ASSERT_TRUE(wait_for_texts(anna, 40));
  advance(1s);
  EXPECT_EQ(anna.link.texts(), numbers(0, 40));
  EXPECT_GT(stats(at).attachment_frames_unusable.load() +
                stats(leader).attachment_frames_unusable.load(),
            2U);
}

TEST_F(RemoteSession, AFrameForNobodyIsAnswered) {
  struct seen {
    attachment_way way;
    words::any what;
  };
  std::vector<seen> all;
  links_.filter = [&](node_id, node_id, attachment_way way,
                      core::shared_bytes& bytes) {
    const auto message = actors::decode_attachment(bytes);
    if (message && message->attachment == 4711)
      all.push_back({way, message->what});
    return true;
  };
  auto& one = *node(1).context().attachments;
  const auto life = links_.life_of(node_id{2});
  const auto tell = [&](attachment_way way, const words::any& what) {
    one.on_frame(way, {node_id{2}, life, actors::encode(4711, what), {}});
    settle();
  };
  tell(attachment_way::to_inbox, words::acknowledge{core::inbox_position{1}});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<words::released>(all[0].what));
  EXPECT_EQ(all[0].way, attachment_way::to_session);
  tell(attachment_way::to_session, words::devices{2});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<words::released>(all[1].what));
  EXPECT_EQ(all[1].way, attachment_way::to_inbox);
  // What ends anyway is not answered, or it would go on for ever.
  tell(attachment_way::to_inbox, words::detach{});
  tell(attachment_way::to_inbox, words::released{});
  tell(attachment_way::to_session, words::released{});
  tell(attachment_way::to_session, words::stop{});
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(stats(1).attachments_unknown.load(), 6U);
  // Nor is what makes no sense.
  one.on_frame(attachment_way::to_inbox, {node_id{2}, life, {}, {}});
  one.on_frame(
      attachment_way::to_inbox,
      {node_id{2}, life, core::shared_bytes::copy_of("0123456789abcdef"), {}});
  settle();
  EXPECT_EQ(stats(1).attachment_frames_unusable.load(), 2U);
}

TEST_F(RemoteSession, AnEarlierLifeOfANodeSaysNothing) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  std::uint64_t number = 0;
  links_.filter = [&](node_id from, node_id, attachment_way,
                      core::shared_bytes& bytes) {
    if (from == node_id{at})
      number = *actors::attachment_of(bytes.view());
    return true;
  };
  login(at, "anna");
  ASSERT_NE(number, 0U);
  auto& table = *node(leader).context().attachments;
  const auto life = links_.life_of(node_id{at});
  // The same attachment of another life, or of another node, is unknown.
  table.on_frame(
      attachment_way::to_inbox,
      {node_id{at}, life + 1, actors::encode(number, words::detach{}), {}});
  table.on_frame(attachment_way::to_inbox,
                 {node_id{third(leader, at)},
                  life,
                  actors::encode(number, words::detach{}),
                  {}});
  settle();
  EXPECT_EQ(outcome(ask_login(leader, "anna")), errc::device_busy);
  auto& here = *node(at).context().attachments;
  here.on_frame(attachment_way::to_session,
                {node_id{third(leader, at)},
                 life,
                 actors::encode(number, words::stop{}),
                 {}});
  settle();
  EXPECT_EQ(here.remote_inboxes(), 1U);
  // Its own word counts.
  table.on_frame(
      attachment_way::to_inbox,
      {node_id{at}, life, actors::encode(number, words::detach{}), {}});
  settle();
  login(leader, "anna");
}

} // namespace
} // namespace troupe::remote_sessions
