// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Sessions whose inbox is led by another node.
namespace troupe::remote_sessions {

using namespace std::chrono_literals;
using actors::attachment_way;
using core::errc;
using core::node_id;
using test_support::test_client;
using texts = std::vector<std::string>;
namespace words = actors::attachment_words;

inline texts numbers(int from, int to) {
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

} // namespace troupe::remote_sessions
