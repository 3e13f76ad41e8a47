// SPDX-License-Identifier: Apache-2.0
// Sessions whose inbox is led by another node: proxies, links, leaders that go.
#include "actors/attachment_wire.hpp"
#include "schema/stored_inboxes.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using actors::attachment_way;
using core::errc;
using core::node_id;
using test_support::test_client;
using texts = std::vector<std::string>;
namespace words = actors::attachment_words;

texts numbers(int from, int to) {
  texts all;
  for (int i = from; i < to; ++i)
    all.push_back(std::to_string(i));
  return all;
}

class RemoteSession : public test_support::cluster_fixture {
protected:
  RemoteSession() {
    settings with;
    with.seed = 1; // the shards are led by different nodes
    start(with);
    EXPECT_TRUE(wait_for_leaders());
  }
  core::owner inbox(const std::string& uid) {
    return {"default", core::owner_kind::user, uid};
  }
  std::uint16_t shard_of(const std::string& uid) {
    return nodes_[0]->context().group_of(inbox(uid)).value();
  }
  std::uint32_t leader_of_inbox(const std::string& uid) {
    return leader_of(shard_of(uid));
  }
  /// The one that is neither.
  static std::uint32_t third(std::uint32_t a, std::uint32_t b) {
    return 6 - a - b;
  }
  actors::broker_stats& stats(std::uint32_t at) {
    return node(at).context().stats;
  }
  void add_user(const std::string& uid, int devices = 1) {
    auto& client = connect(leader_of_inbox(uid));
    client.send(core::register_user{0, uid, "device0", {}});
    for (int i = 1; i < devices; ++i)
      client.send(
          core::add_device{0, uid, "device" + std::to_string(i), "device0"});
    EXPECT_TRUE(wait_until([&] {
      return client.link.count<core::user_registered>() == 1 &&
             client.link.count<core::device_added>() + 1 ==
                 static_cast<std::size_t>(devices);
    }));
    close(client);
    advance(300ms); // known on all nodes
  }
  test_client& ask_login(std::uint32_t at, const std::string& uid,
                         int device = 0, std::uint32_t window = 100) {
    auto& client = connect(at);
    client.send(
        core::login{0, uid, "device" + std::to_string(device), window, {}});
    return client;
  }
  errc outcome(test_client& client) {
    EXPECT_TRUE(
        wait_until([&] { return client.link.count<core::logged_in>() == 1; }));
    return client.link.last<core::logged_in>().failure.code;
  }
  test_client& login(std::uint32_t at, const std::string& uid, int device = 0,
                     std::uint32_t window = 100) {
    auto& client = ask_login(at, uid, device, window);
    EXPECT_EQ(outcome(client), errc::ok);
    return client;
  }
  void ask_post(test_client& from, const std::string& to,
                const std::string& text, bool single = false) {
    core::post command;
    command.to = {{to, single ? core::recipient_kind::one_device
                              : core::recipient_kind::all_devices}};
    command.message.payload = core::shared_bytes::copy_of(text);
    command.copy_to_own_devices = false;
    from.send(std::move(command));
  }
  /// Posts all and waits for the answers.
  void post_all(test_client& from, const std::string& to, const texts& all,
                bool single = false) {
    const auto before = from.link.count<core::posted>();
    for (const auto& text : all)
      ask_post(from, to, text, single);
    EXPECT_TRUE(wait_until([&] {
      return from.link.count<core::posted>() == before + all.size();
    }));
    for (const auto& answer : from.link.all<core::posted>())
      EXPECT_TRUE(answer.accepted);
  }
  bool wait_for_texts(test_client& client, std::size_t count) {
    return wait_until([&] { return client.link.texts().size() >= count; });
  }
  core::inbox_position cursor(const std::string& uid, int device = 0) {
    const auto leader = leader_of_inbox(uid);
    const schema::stored_inboxes tables{*node(leader).spaces[shard_of(uid)]};
    return tables.head(inbox(uid))
        ->cursors.at(static_cast<std::size_t>(device))
        .acknowledged;
  }
  /// Lists look for idleness as long as their directory lives.
  void end_lists() {
    for (auto& each : nodes_)
      if (each->up)
        caf::anon_send(each->context().directory_handle, actors::retire{});
    settle();
  }
  std::size_t actors_of(std::string_view kind) {
    actors::runtime::actor_query query;
    query.entries_max = 10'000;
    const auto page = system_.registry().page(query);
    return static_cast<std::size_t>(
        std::count_if(page.actors.begin(), page.actors.end(),
                      [&](const auto& a) { return a.kind == kind; }));
  }
};

// ------------------------------------------------------- any node will do

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

// ------------------------------------------------------------ all of it, often

/// Users with clients at all nodes write to each other while leaders are cut
/// off, restarted and links break: nothing is lost, nothing comes twice or out
/// of order to a session, and what was acknowledged never comes back.
class MovingSessions : public RemoteSession,
                       public testing::WithParamInterface<std::uint64_t> {
protected:
  struct user {
    std::string uid;
    test_client* client = nullptr;
    std::size_t looked_at = 0; ///< events of this client
    int next = 0;              ///< number expected next
    core::inbox_position acknowledged;
    int sent_to = 0;
  };

  /// What has come since the last look; a new session begins behind what was
  /// acknowledged at the one before.
  void look(user& u) {
    const auto& events = u.client->link.events;
    for (; u.looked_at < events.size(); ++u.looked_at) {
      const auto* one = std::get_if<core::delivery>(&events[u.looked_at]);
      if (one == nullptr)
        continue;
      ASSERT_GT(one->position, u.acknowledged) << u.uid;
      ASSERT_EQ(one->message->payload.text(), std::to_string(u.next)) << u.uid;
      ++u.next;
      last_[u.uid] = one->position;
    }
  }
  void acknowledge(user& u) {
    u.acknowledged = last_[u.uid];
    u.client->send(core::acknowledge{u.acknowledged});
  }
  /// Only where the answer shows that all it had acknowledged is durable: a
  /// client that closes at once may be served again.
  void move(user& u, std::uint32_t to) {
    acknowledge(u);
    const auto group = shard_of(u.uid);
    if (!wait_until([&] {
          return leader_of(group) != 0 && cursor(u.uid) >= u.acknowledged;
        }))
      FAIL() << u.uid << " is stuck";
    look(u);
    close(*u.client);
    settle();
    // What had come and was not acknowledged comes again.
    u.next -= static_cast<int>(last_[u.uid].value() - u.acknowledged.value());
    u.client = &login(to, u.uid, 0, 10);
    u.looked_at = 0;
  }

  std::map<std::string, core::inbox_position> last_;
};

TEST_P(MovingSessions, LoseNothingAndSeeNothingTwice) {
  std::mt19937_64 random{GetParam()};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  std::vector<user> users;
  for (int i = 0; i < 6; ++i) {
    users.emplace_back().uid = "user" + std::to_string(i);
    add_user(users.back().uid);
    users.back().client =
        &login(static_cast<std::uint32_t>(i % 3 + 1), users.back().uid, 0, 10);
  }
  std::size_t asked = 0;
  for (int round = 0; round < 12; ++round) {
    const auto victim = static_cast<std::uint32_t>(below(3) + 1);
    const auto fault = below(4);
    if (fault == 0)
      network_.isolate(node_id{victim}, 3);
    if (fault == 1)
      links_.flap(node_id{victim}, node_id{victim % 3 + 1});
    for (int step = 0; step < 40; ++step) {
      for (auto& u : users) {
        // One writer a reader, so that order is defined.
        if (below(3) == 0 && asked < 2000) {
          auto& to = users[(static_cast<std::size_t>(&u - users.data()) + 1) %
                           users.size()];
          ask_post(*u.client, to.uid, std::to_string(to.sent_to++));
          ++asked;
        }
        look(u);
        if (HasFatalFailure())
          return;
        if (below(2) == 0)
          acknowledge(u);
      }
      advance(core::milliseconds{static_cast<std::int64_t>(below(8) * 10)});
    }
    network_.heal();
    ASSERT_TRUE(wait_for_leaders());
    // Posts that nobody could take in time are refused: not in this test.
    ASSERT_TRUE(wait_until([&] {
      for (auto& u : users) {
        look(u);
        acknowledge(u);
        if (u.next < u.sent_to)
          return false;
      }
      return true;
    })) << "round "
        << round;
    if (fault == 2)
      move(users[below(users.size())],
           static_cast<std::uint32_t>(below(3) + 1));
    if (HasFatalFailure())
      return;
  }
  std::uint64_t again = 0;
  for (std::uint32_t at = 1; at <= 3; ++at)
    again += stats(at).sessions_reattached.load();
  EXPECT_GT(again, 0U);
  for (auto& u : users) {
    EXPECT_EQ(u.client->link.count<core::session_ended>(), 0U);
    for (const auto& answer : u.client->link.all<core::posted>())
      EXPECT_TRUE(answer.accepted);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MovingSessions,
                         testing::Range<std::uint64_t>(1, 9));

} // namespace
