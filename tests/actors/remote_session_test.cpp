// SPDX-License-Identifier: Apache-2.0
// Any node will do.
#include "tests/actors/remote_session_case.hpp"

namespace troupe::remote_sessions {
namespace {

TEST_F(RemoteSession, IsDeliveredToAtAnyNode) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  auto& berta = login(leader, "berta");
  int posted = 0;
  for (std::uint32_t at = 1; at <= 3; ++at) {
    auto& anna = login(at, "anna");
    post_all(berta, "anna", numbers(posted, posted + 40));
    // Credit comes with acknowledgements.
    for (int i = 0; i < 10 && anna.link.texts().size() < 40; ++i) {
      anna.acknowledge();
      advance(50ms);
    }
    EXPECT_EQ(anna.link.texts(), numbers(posted, posted + 40));
    posted += 40;
    anna.acknowledge();
    settle();
    EXPECT_EQ(actors_of("remote_inbox"), at == leader ? 0U : 1U);
    EXPECT_EQ(actors_of("remote_session"), at == leader ? 0U : 1U);
    close(anna);
    advance(100ms);
    EXPECT_EQ(cursor("anna"), core::inbox_position(posted));
    EXPECT_EQ(actors_of("remote_inbox"), 0U);
    EXPECT_EQ(actors_of("remote_session"), 0U);
  }
}

TEST_F(RemoteSession, ProxiesSayWhatTheyAre) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  login(at, "anna");
  actors::runtime::actor_query query;
  query.path_prefix = "nodes/";
  const auto page = system_.registry().page(query);
  texts paths;
  for (const auto& actor : page.actors)
    paths.push_back(actor.path.substr(0, actor.path.rfind('/')));
  std::sort(paths.begin(), paths.end());
  texts expected{"nodes/" + std::to_string(leader) + "/inboxes",
                 "nodes/" + std::to_string(at) + "/sessions"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(paths, expected);
  EXPECT_EQ(stats(at).remote_inboxes.load(), 1U);
  EXPECT_EQ(stats(leader).remote_sessions.load(), 1U);
  const auto& any = page.actors.front().path;
  const auto number = std::stoull(any.substr(any.rfind('/') + 1));
  const auto there = system_.ask<std::string>(
      node(at).context().attachments->find_inbox(number), actors::inspect{});
  ASSERT_TRUE(there);
  EXPECT_NE(there->find("\"kind\":\"remote_inbox\""), std::string::npos);
  EXPECT_NE(there->find("\"attached\":true"), std::string::npos);
  const auto here = system_.ask<std::string>(
      node(leader).context().attachments->find_session(node_id{at}, number),
      actors::inspect{});
  ASSERT_TRUE(here);
  EXPECT_NE(here->find("\"user\":\"anna\""), std::string::npos);
  EXPECT_FALSE(node(at).context().attachments->find_inbox(1));
  EXPECT_EQ(stats(leader).attachments_made.load(), 1U);
}

TEST_F(RemoteSession, ADeviceHasOneSessionInTheWholeCluster) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  auto& first = login(leader % 3 + 1, "anna");
  for (std::uint32_t at = 1; at <= 3; ++at)
    EXPECT_EQ(outcome(ask_login(at, "anna")), errc::device_busy);
  close(first);
  settle();
  auto& here = login(leader, "anna");
  EXPECT_EQ(outcome(ask_login(leader % 3 + 1, "anna")), errc::device_busy);
  caf::anon_send_exit(here.actor, caf::exit_reason::kill);
  settle();
  auto& again = login(leader % 3 + 1, "anna");
  // Without a word from it.
  caf::anon_send_exit(again.actor, caf::exit_reason::kill);
  settle();
  login(leader, "anna");
}

TEST_F(RemoteSession, ADeviceOfADeadNodeIsFree) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  const auto other = third(leader, at);
  login(at, "anna");
  network_.isolate(node_id{at}, 3);
  advance(1s);
  EXPECT_EQ(outcome(ask_login(other, "anna")), errc::device_busy);
  advance(2s); // the links' heart-beats are missed
  auto& elsewhere = login(other, "anna");
  network_.heal();
  close(elsewhere);
  advance(3s);
  // The first one has got it back meanwhile; a crash is noticed at once.
  EXPECT_EQ(outcome(ask_login(other, "anna")), errc::device_busy);
  crash(at);
  settle();
  login(other, "anna");
}

TEST_F(RemoteSession, AnUnknownLeaderIsWaitedFor) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  crash(leader);
  auto& anna = ask_login(leader % 3 + 1, "anna");
  settle();
  EXPECT_EQ(anna.link.count<core::logged_in>(), 0U);
  EXPECT_EQ(outcome(anna), errc::ok);
  EXPECT_GT(stats(leader % 3 + 1).attaches_repeated.load(), 0U);
}

TEST_F(RemoteSession, WithoutAMajorityALoginIsRefusedInTime) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  network_.isolate(node_id{at}, 3);
  advance(5s);
  auto& anna = ask_login(at, "anna");
  advance(9s);
  EXPECT_EQ(anna.link.count<core::logged_in>(), 0U);
  advance(2s);
  EXPECT_EQ(anna.link.last<core::logged_in>().failure.code, errc::not_leader);
}

} // namespace
} // namespace troupe::remote_sessions
