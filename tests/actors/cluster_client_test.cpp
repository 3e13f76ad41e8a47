// SPDX-License-Identifier: Apache-2.0
#include "schema/command_wire.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using core::errc;
using core::node_id;

/// Clients at the nodes of a cluster, whose groups are led here and there.
class ClusterClient : public test_support::cluster_fixture {
protected:
  ClusterClient() {
    settings with;
    with.seed = 1; // the shards are led by different nodes
    start(with);
    EXPECT_TRUE(wait_for_leaders());
    EXPECT_NE(leader_of(1), leader_of(2)) << "take another seed";
  }
  core::owner inbox(const std::string& uid) {
    return {"default", core::owner_kind::user, uid};
  }
  std::uint32_t leader_of_inbox(const std::string& uid) {
    return leader_of(node(1).context().group_of(inbox(uid)).value());
  }
  errc register_at(std::uint32_t at, const std::string& uid) {
    auto& client = connect(at);
    client.send(core::register_user{0, uid, "phone", {}});
    EXPECT_TRUE(wait_until(
        [&] { return client.link.count<core::user_registered>() == 1; }));
    return client.link.last<core::user_registered>().failure.code;
  }
};

TEST_F(ClusterClient, RegistersAtAnyNode) {
  for (std::uint32_t at = 1; at <= 3; ++at) {
    const auto uid = "user" + std::to_string(at);
    EXPECT_EQ(register_at(at, uid), errc::ok);
    // It is in the copy of that node at once.
    EXPECT_TRUE(node(at).directory->has_user("default", uid));
    EXPECT_EQ(register_at(at % 3 + 1, uid), errc::user_exists);
  }
  advance(200ms);
  expect_same_tables({1, 2, 3});
}

TEST_F(ClusterClient, ReadsItsOwnRegistrationBehindASlowLog) {
  const auto other = leader_of(0) % 3 + 1;
  // The leader's answer overtakes its notice of what is committed.
  const auto until = system_.clock().now() + 300ms;
  network_.filter = [&](node_id, node_id to, core::group_id group,
                        actors::group_frame_kind kind) {
    return to != node_id{other} || group != core::directory_group ||
           (kind != actors::group_frame_kind::raft &&
            kind != actors::group_frame_kind::entries) ||
           system_.clock().now() >= until;
  };
  auto& client = connect(other);
  client.send(core::register_user{0, "late", "phone", {}});
  settle();
  EXPECT_EQ(client.link.count<core::user_registered>(), 0U);
  EXPECT_FALSE(node(other).directory->has_user("default", "late"));
  ASSERT_TRUE(wait_until(
      [&] { return client.link.count<core::user_registered>() == 1; }));
  EXPECT_EQ(client.link.last<core::user_registered>().failure.code, errc::ok);
  EXPECT_TRUE(node(other).directory->has_user("default", "late"));
}

TEST_F(ClusterClient, WaitsForANewLeaderUnderTheSameKey) {
  for (int round = 0; round < 5; ++round) {
    const auto victim = leader_of(0);
    const auto at = victim % 3 + 1;
    auto& client = connect(at);
    const auto uid = "user" + std::to_string(round);
    client.send(core::register_user{0, uid, "phone", {"alias of " + uid}});
    // Somewhere on its way the leader is lost.
    for (int i = 0; i < round; ++i) {
      system_.run();
      network_.step(system_.clock().now());
      for (auto& each : nodes_)
        if (each->up)
          each->log.flush();
    }
    crash(victim);
    ASSERT_TRUE(wait_until(
        [&] { return client.link.count<core::user_registered>() == 1; }, 9s));
    const auto done = client.link.last<core::user_registered>();
    EXPECT_EQ(done.failure.code, errc::ok) << "round " << round;
    EXPECT_EQ(done.aliases, std::vector{"alias of " + uid});
    start_node(victim);
    ASSERT_TRUE(wait_for_leaders());
  }
  advance(2s);
  expect_same_tables({1, 2, 3});
}

TEST_F(ClusterClient, HardlyNoticesThatALeaderStops) {
  network_.delay_max = 5ms;
  for (int round = 0; round < 20; ++round) {
    const auto victim = leader_of(0);
    auto& client = connect(victim % 3 + 1);
    auto& stopping = node(victim).context();
    caf::anon_send(stopping.directory_handle, actors::retire{});
    for (const auto& shard : stopping.shards)
      caf::anon_send(shard, actors::retire{});
    advance(round % 5 * 10ms); // the transfer is that far on its way
    const auto asked = system_.clock().now();
    client.send(
        core::register_user{0, "user" + std::to_string(round), "phone", {}});
    ASSERT_TRUE(wait_until(
        [&] { return client.link.count<core::user_registered>() == 1; }));
    EXPECT_EQ(client.link.last<core::user_registered>().failure.code, errc::ok);
    EXPECT_LE(system_.clock().now() - asked, 100ms) << "round " << round;
    crash(victim);
    start_node(victim);
    ASSERT_TRUE(wait_for_leaders());
  }
}

/// Asks a shard as sessions do, but never again under the same key.
class OneTimeAsker : public ClusterClient {
protected:
  using answers = std::vector<actors::shard_answer>;

  OneTimeAsker() {
    asker_ = system_.system().spawn(
        [](std::shared_ptr<answers> box)
            -> actors::shard_client::behavior_type {
          return {[box](actors::shard_answers& m) {
            box->insert(box->end(), m.items.begin(), m.items.end());
          }};
        },
        answers_);
  }
  ~OneTimeAsker() override {
    caf::anon_send_exit(asker_, caf::exit_reason::kill);
    asker_ = actors::shard_client{};
  }
  errc ask(std::uint32_t at) {
    const auto before = answers_->size();
    actors::shard_proposals batch;
    batch.from = asker_;
    batch.items.push_back(
        {++last_,
         schema::encode(core::logged_shard_command{
             {},
             {},
             core::add_cursor{inbox("anna"), core::device_offset{}, {}}})});
    caf::anon_send(node(at).context().shards[0], std::move(batch));
    EXPECT_TRUE(wait_until([&] { return answers_->size() > before; }));
    return answers_->back().outcome.failure.code;
  }

private:
  std::shared_ptr<answers> answers_ = std::make_shared<answers>();
  actors::shard_client asker_;
  actors::ticket last_ = 0;
};

TEST_F(OneTimeAsker, IsHeardAMinuteAfterWhatItLost) {
  const auto at = leader_of(1) % 3 + 1;
  EXPECT_EQ(ask(at), errc::ok);
  network_.isolate(node_id{at}, 3);
  EXPECT_EQ(ask(at), errc::not_leader);
  network_.heal();
  advance(2s);
  EXPECT_EQ(ask(at), errc::not_leader) << "it would overtake what was lost";
  advance(61s);
  EXPECT_EQ(ask(at), errc::ok);
}

TEST_F(ClusterClient, PostsToShardsLedElsewhereKeepTheirOrder) {
  // Two users in shards with different leaders, if there are any.
  std::string here;
  std::string there;
  for (int i = 0; i < 40 && (here.empty() || there.empty()); ++i) {
    const auto uid = "user" + std::to_string(i);
    ASSERT_EQ(register_at(1, uid), errc::ok);
    auto& place = node(1).context().group_of(inbox(uid)) == core::group_id{1}
                      ? here
                      : there;
    if (place.empty())
      place = uid;
  }
  const auto home = leader_of(1);
  auto& sender = connect(home);
  sender.send(core::login{0, here, "phone", 100, {}});
  settle();
  ASSERT_EQ(sender.link.last<core::logged_in>().failure.code, errc::ok);
  // The recipient's shard loses its leader over and over, where that is not
  // the sender's as well.
  int sent = 0;
  const auto post_one = [&] {
    core::post command;
    command.to = {{there, core::recipient_kind::all_devices}};
    command.message.payload =
        core::shared_bytes::copy_of(std::to_string(sent++));
    sender.send(std::move(command));
  };
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 20; ++i)
      post_one();
    system_.run();
    const auto victim = leader_of(2);
    if (victim != home && victim != 0) {
      network_.isolate(node_id{victim}, 3);
      for (int i = 0; i < 20; ++i) {
        post_one();
        advance(20ms);
      }
      advance(2s);
      network_.heal();
    }
    ASSERT_TRUE(wait_for_leaders());
    ASSERT_EQ(leader_of(1), home) << "the seed of this test is a bad one";
  }
  ASSERT_TRUE(wait_until([&] {
    return sender.link.count<core::posted>() == static_cast<std::size_t>(sent);
  }));
  for (const auto& answer : sender.link.all<core::posted>())
    EXPECT_TRUE(answer.accepted);
  const auto at = leader_of_inbox(there);
  auto& recipient = connect(at);
  recipient.send(core::login{0, there, "phone", 1000, {}});
  ASSERT_TRUE(wait_until([&] {
    return recipient.link.texts().size() >= static_cast<std::size_t>(sent);
  }));
  std::vector<std::string> expected;
  for (int i = 0; i < sent; ++i)
    expected.push_back(std::to_string(i));
  EXPECT_EQ(recipient.link.texts(), expected);
  EXPECT_GT(node(home).context().stats.proposals_repeated.load(), 0U);
}

/// What a user has posted to himself is in the order in which he did.
class LostFrames : public ClusterClient {
protected:
  test_support::test_client& log_in_away_from_the_leader() {
    EXPECT_EQ(register_at(1, "anna"), errc::ok);
    leader_ = leader_of_inbox("anna");
    auto& anna = connect(leader_ % 3 + 1);
    anna.send(core::login{0, "anna", "phone", 1000, {}});
    EXPECT_TRUE(
        wait_until([&] { return anna.link.count<core::logged_in>() == 1; }));
    return anna;
  }
  void post(test_support::test_client& from, int number) {
    core::post command;
    command.to = {{"anna", core::recipient_kind::all_devices}};
    command.message.payload =
        core::shared_bytes::copy_of(std::to_string(number));
    from.send(std::move(command));
  }
  void expect_all_in_order(test_support::test_client& anna, int sent) {
    EXPECT_TRUE(wait_until([&] {
      return anna.link.count<core::posted>() ==
                 static_cast<std::size_t>(sent) &&
             anna.link.texts().size() >= static_cast<std::size_t>(sent);
    }));
    std::vector<std::string> expected;
    for (int i = 0; i < sent; ++i)
      expected.push_back(std::to_string(i));
    EXPECT_EQ(anna.link.texts(), expected);
  }
  bool is_inbox(core::group_id group) {
    return group == node(1).context().group_of(inbox("anna"));
  }

  std::uint32_t leader_ = 0;
};

TEST_F(LostFrames, LaterOnesDoNotOvertake) {
  auto& anna = log_in_away_from_the_leader();
  for (const int lost : {0, 1, 3}) {
    SCOPED_TRACE(lost);
    int seen = 0;
    network_.filter = [&](node_id, node_id, core::group_id group,
                          actors::group_frame_kind kind) {
      return kind != actors::group_frame_kind::proposals || !is_inbox(group) ||
             seen++ != lost;
    };
    const int before = static_cast<int>(anna.link.count<core::posted>());
    for (int i = 0; i < 6; ++i) {
      post(anna, before + i);
      settle(); // a frame each
    }
    EXPECT_GT(seen, lost);
    expect_all_in_order(anna, before + 6);
  }
  EXPECT_GT(node(anna.node).context().stats.proposals_repeated.load(), 0U);
}

TEST_F(LostFrames, AFullLinkKeepsTheOrder) {
  auto& anna = log_in_away_from_the_leader();
  int sent = 0;
  for (int round = 0; round < 10; ++round) {
    // There is room for the second while the first is being refused, and not
    // known to the session yet.
    bool refused = false;
    network_.is_full = [&](core::group_id group,
                           actors::group_frame_kind kind) {
      return kind == actors::group_frame_kind::proposals && is_inbox(group) &&
             !std::exchange(refused, true);
    };
    for (int i = 0; i < 5; ++i)
      post(anna, sent++);
    system_.run();
    EXPECT_TRUE(refused);
    expect_all_in_order(anna, sent);
  }
}

TEST_F(LostFrames, OneThatWaitsLongIsNotTakenForAnOldOne) {
  auto& anna = log_in_away_from_the_leader();
  const auto at = anna.node;
  ASSERT_EQ(register_at(at, "bert"), errc::ok);
  auto& bert = connect(at);
  bert.send(core::login{0, "bert", "phone", 1, {}});
  ASSERT_TRUE(
      wait_until([&] { return bert.link.count<core::logged_in>() == 1; }));
  const auto& repeated = node(at).context().stats.proposals_repeated;
  network_.filter = [&](node_id, node_id, core::group_id group,
                        actors::group_frame_kind kind) {
    return kind != actors::group_frame_kind::proposals || !is_inbox(group);
  };
  post(anna, 0);
  ASSERT_TRUE(wait_until([&] { return repeated.load() >= 2; }));
  network_.filter = nullptr;
  // While it pauses, more commands than replicas keep in mind overtake it.
  const auto before = repeated.load();
  for (std::uint64_t i = 0; i < core::idempotency_window + 100; ++i)
    post(bert, 1);
  settle();
  ASSERT_EQ(bert.link.count<core::posted>(), core::idempotency_window + 100);
  ASSERT_EQ(anna.link.count<core::posted>(), 0U);
  ASSERT_EQ(repeated.load(), before);
  ASSERT_TRUE(wait_until([&] { return anna.link.count<core::posted>() == 1; }));
  EXPECT_TRUE(anna.link.last<core::posted>().accepted);
  EXPECT_TRUE(anna.link.last<core::posted>().failures.empty());
}

TEST_F(LostFrames, ManyAtRandomKeepTheOrder) {
  auto& anna = log_in_away_from_the_leader();
  std::mt19937 random{7};
  network_.filter = [&](node_id, node_id, core::group_id group,
                        actors::group_frame_kind kind) {
    const bool ours = kind == actors::group_frame_kind::proposals ||
                      kind == actors::group_frame_kind::answers;
    return !ours || !is_inbox(group) || random() % 10 != 0;
  };
  int sent = 0;
  while (sent < 400) {
    for (unsigned i = random() % 4; i > 0; --i)
      post(anna, sent++);
    if (random() % 2 == 0)
      system_.run();
    advance(core::milliseconds{random() % 5});
  }
  network_.filter = nullptr;
  expect_all_in_order(anna, sent);
}

TEST_F(ClusterClient, ALeaderThatWasReplacedUnawaresLetsNobodyIn) {
  ASSERT_EQ(register_at(1, "anna"), errc::ok);
  advance(500ms);
  const auto old = leader_of_inbox("anna");
  auto& before = connect(old);
  before.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(before.link.last<core::logged_in>().failure.code, errc::ok);
  before.send(core::close_session{});
  network_.isolate(node_id{old}, 3);
  advance(100ms);
  auto& late = connect(old);
  late.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(late.link.count<core::logged_in>(), 0U) << "not sure any more";
  ASSERT_TRUE(
      wait_until([&] { return late.link.count<core::logged_in>() == 1; }));
  EXPECT_EQ(late.link.last<core::logged_in>().failure.code, errc::not_leader);
}

} // namespace
