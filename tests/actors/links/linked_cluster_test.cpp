// SPDX-License-Identifier: Apache-2.0
#include "schema/command_wire.hpp"
#include "schema/stored_inboxes.hpp"
#include "tests/actors/links/link_node.hpp"
#include "tests/actors/links/linked_broker.hpp"
#include "tests/support/temporary_folder.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using test_support::eventually;
using test_support::linked_broker;

/// Three nodes in one process with everything real between and under them.
class LinkedCluster : public testing::Test {
protected:
  linked_broker& start(std::uint32_t id) {
    auto& place = nodes_[id];
    place = std::make_unique<linked_broker>(id, folder_.path() /
                                                    std::to_string(id));
    for (auto& [other, node] : nodes_)
      if (other != id && node)
        node->meet(*place);
    return *place;
  }
  void kill(std::uint32_t id) { nodes_[id].reset(); }

  std::uint32_t leader_of(std::uint16_t group) {
    for (auto& [id, node] : nodes_)
      if (node &&
          node->inspect(group).find("\"ready\":true") != std::string::npos)
        return id;
    return 0;
  }
  bool wait_for_voters(std::size_t count) {
    return eventually(
        [&] {
          for (std::uint16_t g = 0; g <= linked_broker::shards; ++g) {
            const auto leader = leader_of(g);
            if (leader == 0)
              return false;
            const auto text = nodes_[leader]->inspect(g);
            const auto at = text.find("\"voters\":[") + 10;
            const auto list = text.substr(at, text.find(']', at) - at);
            if (static_cast<std::size_t>(
                    std::count(list.begin(), list.end(), ',')) +
                    1 !=
                count)
              return false;
          }
          return true;
        },
        30s);
  }

  /// Asks the leader of the directory until it says yes.
  core::node_id admit(std::uint32_t id) {
    const auto name = "node-" + std::to_string(id);
    const auto answers = std::make_shared<box<actors::directory_answers>>();
    core::node_id admitted;
    core::logged_directory_command command{
        {99, 0},
        {},
        core::change_cluster{
            core::admit_node{"token of " + name, name, name, 1, {}}}};
    EXPECT_TRUE(eventually(
        [&] {
          const auto leader = leader_of(0);
          if (leader == 0)
            return false;
          // The token says who it is; what was refused is asked anew.
          command.key.sequence = ++admissions_;
          auto& node = *nodes_[leader];
          // With an argument: without one CAF 0.17 binds a reference to null.
          const auto client = node.system().spawn(
              [](std::decay_t<decltype(answers)> sink)
                  -> actors::directory_client::behavior_type {
                return {[sink](actors::directory_answers& m) { sink->put(m); }};
              },
              answers);
          caf::anon_send(node.context().directory_handle,
                         actors::directory_proposals{
                             client, {{1, schema::encode(command), true}}});
          EXPECT_TRUE(eventually([&] { return answers->size() > 0; }, 5s));
          for (const auto& batch : answers->take())
            for (const auto& answer : batch.items)
              if (answer.outcome.failure.code == core::errc::ok)
                admitted = answer.outcome.node;
          return admitted != core::node_id{};
        },
        10s));
    return admitted;
  }

  /// Posts through one node and waits for all answers; those that were not
  /// accepted are asked again under their keys. Returns how many were.
  void post(std::uint32_t at, std::uint16_t group, int count,
            std::size_t size) {
    const auto answers = std::make_shared<box<actors::shard_answers>>();
    std::map<std::uint64_t, core::shared_bytes> open;
    for (int i = 0; i < count; ++i) {
      const auto number = ++posts_;
      core::append_message command;
      command.message.sender = "tester";
      command.message.payload = core::shared_bytes::copy_of(
          std::to_string(number) + " " + std::string(size, 'x'));
      command.to.push_back({"user", false, false, {}});
      open[number] = schema::encode(core::logged_shard_command{
          {1000U + group, number}, {}, std::move(command)});
      sent_[group].insert(number);
    }
    auto& node = *nodes_[at];
    const auto client = node.system().spawn(
        [](std::decay_t<decltype(answers)> sink)
            -> actors::shard_client::behavior_type {
          return {[sink](actors::shard_answers& m) { sink->put(m); }};
        },
        answers);
    const auto done = eventually(
        [&] {
          actors::shard_proposals batch;
          batch.from = client;
          batch.items.push_back(
              {1'000'000,
               schema::encode(core::logged_shard_command{
                   {},
                   {},
                   core::add_cursor{inbox(), core::device_offset{}, {}}}),
               true, true});
          for (const auto& [number, bytes] : open)
            batch.items.push_back({number,
                                   core::shared_bytes::copy_of(bytes.view()),
                                   true, true});
          const auto expected = batch.items.size();
          caf::anon_send(node.context().shards[group - 1U], std::move(batch));
          std::size_t seen = 0;
          (void)eventually(
              [&] {
                for (const auto& part : answers->take())
                  for (const auto& answer : part.items) {
                    ++seen;
                    const auto code = answer.outcome.failure.code;
                    if (code == core::errc::ok || code == core::errc::duplicate)
                      open.erase(answer.ticket);
                  }
                return seen >= expected;
              },
              5s);
          return open.empty();
        },
        30s);
    EXPECT_TRUE(done) << open.size() << " posts without an answer";
  }
  static core::owner inbox() {
    return {"default", core::owner_kind::user, "user"};
  }

  using rows = std::map<std::string, std::string>;
  rows exported(linked_broker& node, std::uint16_t group) {
    rows found;
    const auto done = node.state().export_group(
        core::group_id{group}, [&](storage::state_store::row row) {
          if (!row.first.starts_with('\xFF'))
            found.emplace(row.first, core::as_text(row.second));
          return true;
        });
    EXPECT_TRUE(done);
    return found;
  }
  void expect_same_tables() {
    for (std::uint16_t g = 0; g <= linked_broker::shards; ++g) {
      std::string why;
      EXPECT_TRUE(eventually(
          [&] {
            const auto first = exported(*nodes_[1], g);
            for (auto& [id, node] : nodes_)
              if (exported(*node, g) != first)
                return false;
            return true;
          },
          20s))
          << "group " << g;
    }
    for (auto& [group, numbers] : sent_) {
      const schema::stored_inboxes tables{
          nodes_[2]->state().space(core::group_id{group})};
      std::multiset<std::uint64_t> seen;
      const auto head = tables.head(inbox());
      ASSERT_TRUE(head);
      tables.each_entry(
          head->number, head->first, [&](const core::inbox_entry& e) {
            const auto message = schema::decode_message(*tables.body(e.source),
                                                        core::group_id{group},
                                                        e.source, e.ordinal);
            seen.insert(std::stoull(std::string{message->payload.text()}));
            return true;
          });
      EXPECT_EQ(seen,
                (std::multiset<std::uint64_t>{numbers.begin(), numbers.end()}));
    }
  }

  template <class Message>
  class box {
  public:
    void put(Message& m) {
      const std::lock_guard lock{mutex_};
      items_.push_back(std::move(m));
    }
    std::vector<Message> take() {
      const std::lock_guard lock{mutex_};
      return std::exchange(items_, {});
    }
    std::size_t size() {
      const std::lock_guard lock{mutex_};
      return items_.size();
    }

  private:
    std::mutex mutex_;
    std::vector<Message> items_;
  };

  test::temporary_folder folder_;
  std::map<std::uint32_t, std::unique_ptr<linked_broker>> nodes_;
  std::map<std::uint16_t, std::set<std::uint64_t>> sent_;
  std::uint64_t posts_ = 0;
  std::uint64_t admissions_ = 0;
};

TEST_F(LinkedCluster, GrowsToThreeLosesALeaderAndGetsItBack) {
  start(1);
  ASSERT_TRUE(wait_for_voters(1));
  // So much that the log has dropped it: newcomers get the tables.
  post(1, 1, 300, 40'000);
  post(1, 2, 20, 100);
  ASSERT_TRUE(eventually(
      [&] {
        return nodes_[1]->inspect(1).find("\"log_first\":1,") ==
               std::string::npos;
      },
      10s));
  for (const std::uint32_t id : {2U, 3U}) {
    ASSERT_EQ(admit(id), core::node_id{id});
    start(id);
  }
  ASSERT_TRUE(wait_for_voters(3));
  EXPECT_GE(nodes_[2]->context().stats.snapshots_installed.load(), 1U);
  EXPECT_GE(nodes_[3]->context().stats.snapshots_installed.load(), 1U);
  for (std::uint32_t at = 1; at <= 3; ++at) {
    post(at, 1, 50, 1000);
    post(at, 2, 50, 1000);
  }
  const auto victim = leader_of(1);
  kill(victim);
  const auto other = victim % 3 + 1;
  post(other, 1, 50, 1000);
  post(other, 2, 50, 1000);
  start(victim);
  post(victim, 1, 50, 1000);
  expect_same_tables();
}

TEST_F(LinkedCluster, AClientOfAnotherNodeOutlivesItsInboxesLeader) {
  using test_support::linked_client;
  start(1);
  for (const std::uint32_t id : {2U, 3U}) {
    ASSERT_EQ(admit(id), core::node_id{id});
    start(id);
  }
  ASSERT_TRUE(wait_for_voters(3));
  const core::owner owner{"default", core::owner_kind::user, "anna"};
  const auto group = nodes_[1]->context().group_of(owner).value();
  const auto leader = leader_of(group);
  ASSERT_NE(leader, 0U);
  const auto at = leader % 3 + 1;
  const auto other = 6 - leader - at;
  const auto answered = [](linked_client& client) {
    return eventually([&] { return !client.all<core::logged_in>().empty(); },
                      15s);
  };
  for (const auto* uid : {"anna", "berta"}) {
    const auto guest = nodes_[at]->connect();
    guest->send(core::register_user{0, uid, "phone", {}});
    ASSERT_TRUE(eventually(
        [&] { return !guest->all<core::user_registered>().empty(); }, 15s));
    ASSERT_TRUE(eventually(
        [&] { return nodes_[other]->directory().has_user("default", uid); }));
    guest->send(core::close_session{});
  }
  auto anna = nodes_[at]->connect();
  anna->send(core::login{0, "anna", "phone", 50, {}});
  auto berta = nodes_[other]->connect();
  berta->send(core::login{0, "berta", "phone", 50, {}});
  ASSERT_TRUE(answered(*anna) && answered(*berta));
  EXPECT_EQ(anna->all<core::logged_in>()[0].failure.code, core::errc::ok);
  EXPECT_GE(nodes_[leader]->context().stats.remote_sessions.load(), 1U);
  const auto second = nodes_[leader]->connect();
  second->send(core::login{0, "anna", "phone", 50, {}});
  ASSERT_TRUE(answered(*second));
  EXPECT_EQ(second->all<core::logged_in>()[0].failure.code,
            core::errc::device_busy);

  std::vector<std::string> expected;
  const auto post_some = [&](std::size_t size) {
    for (int i = 0; i < 100; ++i) {
      expected.push_back(std::to_string(expected.size()) + " " +
                         std::string(size, 'x'));
      core::post command;
      command.to = {{"anna", core::recipient_kind::all_devices}};
      command.message.payload = core::shared_bytes::copy_of(expected.back());
      berta->send(std::move(command));
    }
  };
  const auto all_came = [&] {
    return eventually(
        [&] {
          const auto got = anna->all<core::delivery>();
          if (!got.empty())
            anna->send(core::acknowledge{got.back().position});
          return got.size() >= expected.size();
        },
        25s);
  };
  post_some(10);
  post_some(20'000);
  ASSERT_TRUE(all_came());
  EXPECT_EQ(anna->texts(), expected);

  post_some(1'000); // under way when its leader goes
  kill(leader);
  post_some(10);
  ASSERT_TRUE(all_came());
  EXPECT_EQ(anna->texts(), expected);
  ASSERT_TRUE(eventually(
      [&] { return berta->all<core::posted>().size() == expected.size(); },
      15s));
  for (const auto& answer : berta->all<core::posted>())
    EXPECT_TRUE(answer.accepted);
  EXPECT_TRUE(anna->all<core::session_ended>().empty());
  EXPECT_GE(nodes_[at]->context().stats.sessions_reattached.load(), 1U);

  // A node that goes takes its sessions with it; the client goes elsewhere.
  start(leader);
  ASSERT_TRUE(eventually([&] { return leader_of(group) != 0; }, 15s));
  ASSERT_TRUE(wait_for_voters(3));
  kill(at);
  auto fresh = nodes_[other]->connect();
  EXPECT_TRUE(eventually(
      [&] {
        fresh->send(core::login{0, "anna", "phone", 50, {}});
        const auto before = fresh->all<core::logged_in>().size();
        (void)eventually(
            [&] { return fresh->all<core::logged_in>().size() > before; }, 12s);
        const auto answers = fresh->all<core::logged_in>();
        return !answers.empty() &&
               answers.back().failure.code == core::errc::ok;
      },
      15s));
  EXPECT_TRUE(fresh->texts().empty()) << "all of it was acknowledged";
}

} // namespace
