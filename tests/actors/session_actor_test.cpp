// SPDX-License-Identifier: Apache-2.0
#include "actors/session_actor.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using core::errc;
using core::inbox_position;
using texts = std::vector<std::string>;

class Session : public test_support::broker_fixture {
protected:
  Session() { start(); }
};

TEST_F(Session, RegistersLogsInPostsAndAcknowledges) {
  add_user("anna");
  add_user("berta");
  auto& anna = login("anna");
  auto& berta = login("berta");
  const auto answer = post(anna, {all_of("berta")}, "hello");
  ASSERT_TRUE(answer.id);
  EXPECT_EQ(berta.link.texts(), texts{"hello"});
  const auto got = berta.link.last<core::delivery>();
  EXPECT_EQ(got.position, inbox_position{1});
  EXPECT_EQ(got.message->id, *answer.id);
  EXPECT_EQ(got.message->sender, "anna");
  berta.acknowledge();
  advance(50ms);
  EXPECT_EQ(head("berta")->count, 0u);
  close(berta);
  settle();
  auto& again = login("berta");
  EXPECT_EQ(again.link.last<core::logged_in>().acknowledged, inbox_position{1});
  EXPECT_TRUE(again.link.texts().empty());
}

TEST_F(Session, NobodyLogsInAtADrainingNode) {
  add_user("anna");
  auto& before = login("anna");
  context().draining = true;
  auto& after = connect();
  after.send(core::login{0, "anna", "n0", 1, {}});
  settle();
  EXPECT_EQ(after.link.count<core::logged_in>(), 0u);
  ASSERT_EQ(after.link.count<core::session_ended>(), 1u);
  EXPECT_EQ(after.link.last<core::session_ended>().reason.code, errc::draining);
  // Who is in goes when its time has come, and can still post.
  EXPECT_TRUE(post(before, {all_of("anna")}, "note").id);
  close(after);
  settle();
  context().draining = false;
  close(before);
  settle();
  EXPECT_EQ(login("anna").link.count<core::logged_in>(), 1u);
}

TEST_F(Session, AnswersOnlyWhatIsOnStableStorage) {
  auto& client = connect();
  client.send(core::register_user{0, "anna", "phone", {}});
  run();
  EXPECT_TRUE(client.link.events.empty());
  log_.flush(); // the directory
  run();
  EXPECT_TRUE(client.link.events.empty()) << "the inbox is not there yet";
  settle();
  EXPECT_EQ(client.link.count<core::user_registered>(), 1u);

  auto& anna = login("anna");
  ask_post(anna, {all_of("anna")}, "note");
  run();
  EXPECT_EQ(anna.link.count<core::posted>(), 0u);
  EXPECT_EQ(anna.link.count<core::delivery>(), 0u);
  settle();
  EXPECT_EQ(anna.link.count<core::posted>(), 1u);
  EXPECT_EQ(anna.link.count<core::delivery>(), 1u);
}

TEST_F(Session, RefusesALoginOfStrangers) {
  add_user("anna");
  auto& client = connect();
  client.send(core::login{0, "nobody", "phone", 1, {}});
  client.send(core::login{0, "anna", "tablet", 1, {}});
  settle();
  const auto answers = client.link.all<core::logged_in>();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].failure.code, errc::user_unknown);
  EXPECT_EQ(answers[1].failure.code, errc::device_unknown);
}

TEST_F(Session, OneDeviceHasOneSession) {
  add_user("anna");
  auto& first = login("anna");
  auto& second = connect();
  second.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(second.link.last<core::logged_in>().failure.code,
            errc::device_busy);
  close(first);
  settle();
  second.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(second.link.last<core::logged_in>().failure.code, errc::ok);
  second.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(second.link.last<core::logged_in>().failure.code,
            errc::already_logged_in);
}

TEST_F(Session, ASessionThatDiedFreesItsDevice) {
  add_user("anna");
  auto& first = login("anna");
  caf::anon_send_exit(first.actor, caf::exit_reason::kill);
  settle();
  login("anna");
}

TEST_F(Session, WhatFollowsALoginWaitsForIt) {
  add_user("anna");
  auto& anna = connect();
  anna.send(core::login{0, "anna", "phone", 1, {}});
  ask_post(anna, {all_of("anna")}, "one");
  ask_post(anna, {all_of("anna")}, "two");
  settle();
  const auto answers = anna.link.all<core::posted>();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].accepted);
  EXPECT_TRUE(answers[1].accepted);
  EXPECT_TRUE(
      std::holds_alternative<core::logged_in>(anna.link.events.front()));
}

TEST_F(Session, WhatNeedsALoginIsRefusedWithoutOne) {
  add_user("anna");
  auto& client = connect();
  ask_post(client, {all_of("anna")}, "spam");
  client.send(core::edit_list{0, "friends", {}, "anna", {}});
  client.send(core::change_aliases{0, "anna", {"ann"}});
  settle();
  EXPECT_FALSE(client.link.last<core::posted>().accepted);
  EXPECT_EQ(client.link.last<core::posted>().failures.at(0).code,
            errc::not_logged_in);
  EXPECT_EQ(client.link.last<core::list_edited>().failure.code,
            errc::not_logged_in);
  EXPECT_EQ(client.link.last<core::user_registered>().failure.code,
            errc::not_permitted);
}

TEST_F(Session, PostsUnderWayHappenThoughTheSessionCloses) {
  add_user("anna");
  add_user("berta");
  auto& anna = login("anna");
  ask_post(anna, {all_of("berta")}, "last words");
  close(anna);
  settle();
  EXPECT_EQ(anna.link.count<core::posted>(), 0u);
  EXPECT_EQ(login("berta").link.texts(), texts{"last words"});
}

TEST_F(Session, AClosedSessionEndsWhenNothingIsUnderWay) {
  add_user("anna");
  const auto before = actors_of("session");
  auto& anna = login("anna");
  ask_post(anna, {all_of("anna")}, "note");
  close(anna);
  run();
  EXPECT_EQ(actors_of("session"), before + 1);
  settle();
  EXPECT_EQ(actors_of("session"), before);
}

TEST_F(Session, ALoginUnderWayDoesNotKeepTheDeviceOfAClosedSession) {
  add_user("anna");
  auto& hasty = connect();
  hasty.send(core::login{0, "anna", "phone", 1, {}});
  close(hasty);
  settle();
  login("anna");
}

TEST_F(Session, AnAcknowledgementBeforeTheLoginIsNone) {
  add_user("anna");
  auto& writer = login("anna");
  post(writer, {all_of("anna")}, "one");
  close(writer);
  settle();
  auto& anna = connect();
  anna.send(core::acknowledge{inbox_position{1}});
  anna.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  advance(50ms);
  EXPECT_EQ(head("anna")->count, 1u);
}

TEST_F(Session, ARequestWithoutAnAnswerTimesOut) {
  add_user("anna");
  auto& anna = login("anna");
  ask_post(anna, {all_of("anna")}, "note");
  auto& other = connect();
  other.send(core::register_user{0, "berta", "phone", {}});
  system_.advance(9s); // the log does not flush
  EXPECT_EQ(anna.link.count<core::posted>(), 0u);
  system_.advance(2s);
  EXPECT_EQ(anna.link.last<core::posted>().failures.at(0).code,
            errc::timed_out);
  EXPECT_EQ(other.link.last<core::user_registered>().failure.code,
            errc::timed_out);
  settle(); // a late answer is for nobody
  EXPECT_EQ(anna.link.count<core::posted>(), 1u);
}

TEST_F(Session, KeepsNoMoreUnderWayThanAllowed) {
  stop();
  settings few;
  few.session_requests_max = 2;
  start(few);
  add_user("anna");
  auto& anna = login("anna", "phone", 100);
  for (int i = 0; i < 7; ++i)
    ask_post(anna, {all_of("anna")}, std::to_string(i));
  run();
  EXPECT_EQ(log_.waiting(), 2u) << "one write for each proposal";
  settle();
  EXPECT_EQ(anna.link.count<core::posted>(), 7u);
  EXPECT_EQ(anna.link.texts(), (texts{"0", "1", "2", "3", "4", "5", "6"}));
}

TEST_F(Session, PostsWaitWhileTheLogHasNoRoom) {
  add_user("anna");
  auto& anna = login("anna", "phone", 100);
  post(anna, {all_of("anna")}, "before");
  ask_post(anna, {all_of("anna")}, "accepted");
  run();
  log_.full = true;
  ask_post(anna, {all_of("anna")}, "waiting");
  settle();
  EXPECT_EQ(anna.link.count<core::posted>(), 2u);
  log_.full = false;
  advance(1s);
  post(anna, {all_of("anna")}, "after");
  EXPECT_EQ(anna.link.texts(),
            (texts{"before", "accepted", "waiting", "after"}));
  for (const auto& answer : anna.link.all<core::posted>())
    EXPECT_TRUE(answer.accepted);
}

TEST_F(Session, LowStorageRefusesPostsAndTakesAcknowledgements) {
  add_user("anna");
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "before");
  log_.low = true;
  ask_post(anna, {all_of("anna")}, "refused");
  anna.acknowledge();
  advance(50ms);
  EXPECT_EQ(anna.link.last<core::posted>().failures.at(0).code,
            errc::storage_full);
  EXPECT_EQ(head("anna")->count, 0u);
  log_.low = false;
  post(anna, {all_of("anna")}, "after");
}

TEST_F(Session, ARemovedUserIsToldAndHasNothingLeft) {
  add_user("anna", "phone", {"ann"});
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "secret");
  EXPECT_EQ(remove_user("anna").code, errc::ok);
  EXPECT_EQ(anna.link.last<core::session_ended>().reason.code,
            errc::user_unknown);
  ask_post(anna, {all_of("anna")}, "still here?");
  settle();
  EXPECT_FALSE(anna.link.last<core::posted>().accepted);
  EXPECT_EQ(anna.link.last<core::posted>().failures.at(0).code,
            errc::not_logged_in);
  EXPECT_FALSE(head("anna"));
  EXPECT_EQ(remove_user("anna").code, errc::user_unknown);

  add_user("anna", "desktop", {"ann"});
  auto& successor = login("anna", "desktop");
  EXPECT_TRUE(successor.link.texts().empty());
  post(successor, {all_of("anna")}, "mine");
  EXPECT_EQ(successor.link.texts(), texts{"mine"});
}

TEST_F(Session, TheStopOfTheBrokerIsTold) {
  add_user("anna");
  auto& anna = login("anna");
  for (const auto& shard : context().shards)
    caf::anon_send(shard, actors::retire{});
  advance(100ms);
  EXPECT_EQ(anna.link.last<core::session_ended>().reason.code,
            errc::shutting_down);
}

} // namespace
