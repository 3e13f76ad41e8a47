// SPDX-License-Identifier: Apache-2.0
// All of it, often.
#include "tests/actors/remote_session_case.hpp"

namespace troupe::remote_sessions {
namespace {

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
} // namespace troupe::remote_sessions
