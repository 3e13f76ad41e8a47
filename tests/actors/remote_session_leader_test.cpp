// SPDX-License-Identifier: Apache-2.0
// Leaders that go, and what single devices had of them.
#include "tests/actors/remote_session_case.hpp"

namespace troupe::remote_sessions {
namespace {

// ------------------------------------------------------------ leaders that go

TEST_F(RemoteSession, SurvivesItsLeader) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna");
  auto& berta = login(at, "berta");
  post_all(berta, "anna", numbers(0, 20));
  ASSERT_TRUE(wait_for_texts(anna, 20));
  anna.send(core::acknowledge{core::inbox_position{10}});
  settle(); // it has not been written yet
  crash(leader);
  settle();
  // Under way, and acknowledged, while nobody leads.
  for (int i = 20; i < 40; ++i)
    ask_post(berta, "anna", std::to_string(i));
  anna.send(core::acknowledge{core::inbox_position{15}});
  ASSERT_TRUE(wait_for_texts(anna, 40));
  EXPECT_EQ(anna.link.texts(), numbers(0, 40));
  ASSERT_TRUE(
      wait_until([&] { return berta.link.count<core::posted>() == 40; }));
  for (const auto& answer : berta.link.all<core::posted>())
    EXPECT_TRUE(answer.accepted);
  EXPECT_TRUE(
      wait_until([&] { return cursor("anna") == core::inbox_position{15}; }));
  EXPECT_EQ(anna.link.count<core::session_ended>(), 0U);
  EXPECT_GT(stats(at).sessions_released.load(), 0U);
  EXPECT_GT(stats(at).sessions_reattached.load(), 0U);
  // Everywhere else it goes on from the cursor.
  close(anna);
  settle();
  auto& elsewhere = login(third(leader, at), "anna");
  ASSERT_TRUE(wait_for_texts(elsewhere, 25));
  EXPECT_EQ(elsewhere.link.texts(), numbers(15, 40));
}

TEST_F(RemoteSession,
       WhatWasAcknowledgedWithoutALeaderIsKeptThoughTheClientGoes) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna");
  auto& berta = login(at, "berta");
  post_all(berta, "anna", numbers(0, 10));
  ASSERT_TRUE(wait_for_texts(anna, 10));
  crash(leader);
  settle();
  anna.send(core::acknowledge{core::inbox_position{7}});
  close(anna);
  settle();
  ASSERT_TRUE(wait_until([&] {
    return leader_of_inbox("anna") != 0 &&
           cursor("anna") == core::inbox_position{7};
  }));
  auto& again = login(third(leader, at), "anna");
  ASSERT_TRUE(wait_for_texts(again, 3));
  EXPECT_EQ(again.link.texts(), numbers(7, 10));
}

TEST_F(RemoteSession, ALeaderThatIsCutOffGivesItsSessionsAway) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& cut_off = login(leader, "anna");
  auto& berta = login(at, "berta");
  post_all(berta, "anna", numbers(0, 5));
  ASSERT_TRUE(wait_for_texts(cut_off, 5));
  network_.isolate(node_id{leader}, 3);
  ASSERT_TRUE(wait_until([&] {
    return leader_of_inbox("anna") != 0 && leader_of_inbox("anna") != leader;
  }));
  post_all(berta, "anna", numbers(5, 10));
  cut_off.send(core::acknowledge{core::inbox_position{3}});
  EXPECT_EQ(cut_off.link.texts().size(), 5U);
  network_.heal();
  ASSERT_TRUE(wait_for_texts(cut_off, 10));
  EXPECT_EQ(cut_off.link.texts(), numbers(0, 10));
  EXPECT_TRUE(
      wait_until([&] { return cursor("anna") == core::inbox_position{3}; }));
  EXPECT_EQ(cut_off.link.count<core::session_ended>(), 0U);
}

TEST_F(RemoteSession, ADrainedNodeEndsItsOwnSessionsOnly) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna");
  auto& guest = login(leader, "berta");
  ASSERT_TRUE(stop(leader));
  EXPECT_EQ(guest.link.last<core::session_ended>().reason.code,
            errc::shutting_down);
  advance(3s);
  EXPECT_EQ(anna.link.count<core::session_ended>(), 0U);
  auto& writer = login(third(leader, at), "berta");
  post_all(writer, "anna", numbers(0, 3));
  EXPECT_TRUE(wait_for_texts(anna, 3));
}

TEST_F(RemoteSession, WhoHasLoggedInElsewhereMeanwhileIsToldSo) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& stale = login(at, "anna");
  network_.isolate(node_id{at}, 3);
  advance(3s);
  auto& fresh = login(leader, "anna");
  network_.heal();
  ASSERT_TRUE(
      wait_until([&] { return stale.link.count<core::session_ended>() == 1; }));
  EXPECT_EQ(stale.link.last<core::session_ended>().reason.code,
            errc::device_busy);
  EXPECT_EQ(fresh.link.count<core::session_ended>(), 0U);
  ask_post(stale, "anna", "spam");
  settle();
  EXPECT_FALSE(stale.link.last<core::posted>().accepted);
}

TEST_F(RemoteSession, AnAnswerStillWaitsForItsAnnouncement) {
  add_user("anna");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  auto& anna = login(at, "anna");
  for (int round = 0; round < 3; ++round) {
    if (round > 0) {
      // The announcement waits for a leader, then the answer for the inbox.
      const auto now = leader_of_inbox("anna");
      if (now != at)
        network_.isolate(node_id{now}, 3);
    }
    anna.link.events.clear();
    anna.send(core::edit_list{0,
                              "friends" + std::to_string(round),
                              core::list_edit_kind::add,
                              "anna",
                              {}});
    ASSERT_TRUE(
        wait_until([&] { return anna.link.count<core::list_edited>() == 1; }));
    EXPECT_EQ(anna.link.last<core::list_edited>().failure.code, errc::ok);
    ASSERT_EQ(anna.link.count<core::delivery>(), 1U) << "round " << round;
    EXPECT_TRUE(
        std::holds_alternative<core::delivery>(anna.link.events.front()));
    network_.heal();
    ASSERT_TRUE(wait_for_leaders());
    advance(3s);
  }
  end_lists();
}

// ------------------------------------------------------------- single devices

TEST_F(RemoteSession, AClaimSurvivesTheLeader) {
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  const auto other = third(leader, at);
  auto& first = login(at, "anna", 0);
  auto& berta = login(other, "berta");
  post_all(berta, "anna", {"job"}, true);
  ASSERT_TRUE(wait_for_texts(first, 1));
  auto& second = login(other, "anna", 1);
  advance(500ms);
  crash(leader);
  ASSERT_TRUE(wait_until([&] {
    return stats(at).sessions_reattached.load() > 0 &&
           stats(other).sessions_reattached.load() > 0;
  }));
  advance(5s); // the grace is over
  EXPECT_TRUE(second.link.texts().empty());
  first.acknowledge();
  advance(1s);
  close(first);
  advance(5s);
  EXPECT_TRUE(second.link.texts().empty());
  EXPECT_EQ(first.link.texts(), texts{"job"});
}

TEST_F(RemoteSession, DoesNotWaitForTheLinkToALeaderThatIsNone) {
  // A stopped process: nothing comes from it, nothing ends.
  links_.silence = 60s;
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  const auto other = third(leader, at);
  auto& first = login(at, "anna", 0);
  auto& berta = login(other, "berta");
  post_all(berta, "anna", {"job"}, true);
  ASSERT_TRUE(wait_for_texts(first, 1));
  auto& second = login(other, "anna", 1);
  advance(500ms);
  network_.isolate(node_id{leader}, 3);
  ASSERT_TRUE(wait_until([&] {
    return stats(at).sessions_reattached.load() > 0 &&
           stats(other).sessions_reattached.load() > 0;
  }));
  post_all(berta, "anna", {"news"});
  ASSERT_TRUE(wait_for_texts(first, 2));
  advance(5s); // the grace is over
  EXPECT_EQ(second.link.texts(), texts{}) << "behind it is another's job";
  network_.heal();
  advance(5s);
  first.acknowledge();
  ASSERT_TRUE(wait_for_texts(second, 1));
  EXPECT_EQ(first.link.texts(), (texts{"job", "news"}));
  EXPECT_EQ(second.link.texts(), texts{"news"});
  EXPECT_EQ(first.link.count<core::session_ended>(), 0U);
}

TEST_F(RemoteSession, WhoIsNotSureToLeadGivesNoJobsAway) {
  add_user("anna");
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  auto& anna = login(leader, "anna", 0, 1);
  auto& berta = login(leader % 3 + 1, "berta");
  post_all(berta, "anna", {"first"});
  post_all(berta, "anna", {"job"}, true);
  ASSERT_TRUE(wait_for_texts(anna, 1));
  network_.isolate(node_id{leader}, 3);
  advance(600ms); // the others may have elected somebody by now
  ASSERT_TRUE(node(leader).context().leader_of(
                  core::group_id{shard_of("anna")}) == node_id{leader});
  anna.acknowledge();
  settle();
  EXPECT_EQ(anna.link.texts(), texts{"first"});
  network_.heal();
  ASSERT_TRUE(wait_for_texts(anna, 2));
  EXPECT_EQ(anna.link.texts(), (texts{"first", "job"}));
}

TEST_F(RemoteSession, AnAcknowledgedJobIsNotDoneAgainUnderTheNextLeader) {
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  const auto other = third(leader, at);
  auto& first = login(at, "anna", 0);
  auto& berta = login(other, "berta");
  post_all(berta, "anna", {"job"}, true);
  ASSERT_TRUE(wait_for_texts(first, 1));
  auto& second = login(other, "anna", 1);
  settle();
  crash(leader);
  first.acknowledge(); // nobody is there to hear it
  settle();
  advance(8s);
  EXPECT_TRUE(second.link.texts().empty());
  EXPECT_EQ(cursor("anna", 0), core::inbox_position{1});
}

TEST_F(RemoteSession, AnAcknowledgementThatWentWithTheLeaderIsSaidAgain) {
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto at = leader % 3 + 1;
  const auto other = third(leader, at);
  auto& first = login(at, "anna", 0);
  auto& berta = login(other, "berta");
  post_all(berta, "anna", {"job"}, true);
  ASSERT_TRUE(wait_for_texts(first, 1));
  auto& second = login(other, "anna", 1);
  settle();
  first.acknowledge();
  settle(); // the inbox knows, the tables do not
  ASSERT_EQ(cursor("anna", 0), core::inbox_position{0});
  crash(leader);
  advance(8s);
  EXPECT_TRUE(second.link.texts().empty());
  EXPECT_EQ(cursor("anna", 0), core::inbox_position{1});
}

TEST_F(RemoteSession, AJobOfALostHolderGoesToAnotherAfterTheGrace) {
  add_user("anna", 2);
  add_user("berta");
  const auto leader = leader_of_inbox("anna");
  const auto other = leader % 3 + 1;
  auto& first = login(leader, "anna", 0); // goes with the leader
  auto& berta = login(other, "berta");
  post_all(berta, "anna", {"job"}, true);
  ASSERT_TRUE(wait_for_texts(first, 1));
  auto& second = login(other, "anna", 1);
  advance(100ms);
  crash(leader);
  ASSERT_TRUE(
      wait_until([&] { return stats(other).sessions_reattached.load() > 0; }));
  advance(1s);
  EXPECT_TRUE(second.link.texts().empty()) << "within the grace";
  advance(3s);
  EXPECT_EQ(second.link.texts(), texts{"job"});
  // New ones need not wait.
  second.acknowledge();
  post_all(berta, "anna", {"next"}, true);
  settle();
  EXPECT_EQ(second.link.texts(), (texts{"job", "next"}));
}

} // namespace
} // namespace troupe::remote_sessions
