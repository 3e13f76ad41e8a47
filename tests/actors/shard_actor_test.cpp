// SPDX-License-Identifier: Apache-2.0
#include "actors/directory_actor.hpp"
#include "actors/shard_actor.hpp"
#include "schema/command_wire.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using core::errc;
using core::inbox_position;
using texts = std::vector<std::string>;

class Shard : public test_support::broker_fixture {
protected:
  Shard() { start(); }

  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

// ---------------------------------------------------------------- restart

TEST_F(Shard, ARestartGoesOnWhereTheTablesAre) {
  add_user("anna");
  auto& anna = login("anna", "phone", 10);
  post(anna, {all_of("anna")}, "one");
  post(anna, {all_of("anna")}, "two");
  anna.send(core::acknowledge{inbox_position{1}});
  advance(50ms);
  crash();
  start();
  EXPECT_EQ(context().groups_ready.load(), 4u);
  EXPECT_EQ(login("anna", "phone", 10).link.texts(), texts{"two"});
}

TEST_F(Shard, TheLogAloneGivesTheSameTables) {
  settings with;
  with.inbox.messages_max = 1000;
  stop();
  start(with);
  add_user("anna");
  add_user("berta");
  auto& anna = login("anna", "phone", 10);
  auto& berta = login("berta", "phone", 10);
  for (int i = 0; i < 20; ++i) {
    post(anna, {all_of("berta"), one_of("anna")}, std::to_string(i));
    berta.acknowledge();
    advance(20ms);
  }
  advance(100ms);
  std::vector<test::memory_state_space::contents> before;
  for (const auto& space : spaces_)
    before.push_back(space->all());
  crash();
  for (auto& space : spaces_)
    *space = test::memory_state_space{};
  start(with);
  for (std::size_t g = 0; g < spaces_.size(); ++g)
    EXPECT_EQ(spaces_[g]->all(), before[g]) << "group " << g;
}

TEST_F(Shard, AFewLargeCommandsAreDroppedFromTheLogOnceTheTablesHaveThem) {
  add_user("anna");
  auto& anna = login("anna", "phone", 10);
  const auto group = group_of("anna");
  const auto commit_tables = [&] {
    caf::anon_send(context().shard(group),
                   actors::state_committed{space(group).applied()});
    settle();
  };
  const std::string megabyte(std::size_t{1} << 20, 'm');
  post(anna, {all_of("anna")}, megabyte);
  commit_tables();
  const auto few = log_.recover(group).entries.size();
  EXPECT_GT(few, 1u) << "not for every message";
  for (int i = 0; i < 4; ++i)
    post(anna, {all_of("anna")}, megabyte);
  EXPECT_GT(log_.recover(group).entries.size(), few) << "not before";
  commit_tables();
  EXPECT_LT(log_.recover(group).entries.size(), few);
}

TEST_F(Shard, WhatWasNotFlushedNeverHappened) {
  add_user("anna");
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "kept");
  ask_post(anna, {all_of("anna")}, "lost");
  run();
  crash();
  start();
  auto& again = login("anna", "phone", 10);
  EXPECT_EQ(again.link.texts(), texts{"kept"});
}

TEST_F(Shard, ALoginHealsARegistrationThatWasCutShort) {
  auto& client = connect();
  client.send(core::register_user{0, "anna", "phone", {}});
  run();
  log_.flush(); // the directory has it; the shard's half is on its way
  run();
  EXPECT_EQ(client.link.count<core::user_registered>(), 0u);
  crash();
  start();
  ASSERT_TRUE(directory_->has_user("default", "anna"));
  ASSERT_FALSE(head("anna"));
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "hello");
  EXPECT_EQ(anna.link.texts(), texts{"hello"});
}

TEST_F(Shard, ALoginHealsADeviceWithItsInheritance) {
  add_user("anna");
  auto& phone = login("anna");
  post(phone, {all_of("anna")}, "waiting");
  auto& client = connect();
  client.send(core::add_device{0, "anna", "tablet", "phone"});
  run();
  log_.flush();
  run();
  crash();
  start();
  EXPECT_EQ(head("anna")->cursors.size(), 1u);
  EXPECT_EQ(login("anna", "tablet").link.texts(), texts{"waiting"});
}

TEST_F(Shard, ARemovalThatWasCutShortLeavesNothingToASuccessor) {
  add_user("anna");
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "secret");
  log_.flush();
  crash();
  start();
  // The directory's half alone.
  const auto bytes = schema::encode(core::logged_directory_command{
      {}, {}, core::remove_user{"default", "anna"}});
  caf::anon_send(context().directory_handle,
                 actors::directory_proposals{{}, {{0, bytes, false}}});
  settle();
  ASSERT_FALSE(directory_->has_user("default", "anna"));
  ASSERT_TRUE(head("anna"));
  add_user("anna");
  auto& successor = login("anna");
  EXPECT_TRUE(successor.link.texts().empty());
  EXPECT_EQ(head("anna")->count, 0u);
}

TEST_F(Shard, ARepeatedRemovalFinishesOneThatWasCutShort) {
  add_user("anna");
  const auto bytes = schema::encode(core::logged_directory_command{
      {}, {}, core::remove_user{"default", "anna"}});
  caf::anon_send(context().directory_handle,
                 actors::directory_proposals{{}, {{0, bytes, false}}});
  settle();
  ASSERT_TRUE(head("anna"));
  EXPECT_EQ(remove_user("anna").code, errc::ok);
  EXPECT_FALSE(head("anna"));
  EXPECT_EQ(remove_user("anna").code, errc::user_unknown);
}

TEST_F(Shard, AnAttachThatOvertakesARemovalMakesNoInbox) {
  add_user("anna");
  ASSERT_EQ(remove_user("anna").code, errc::ok);
  auto& client = connect();
  actors::attach_request ask;
  ask.ticket = 1;
  ask.session = client.actor;
  ask.inbox = inbox_of("anna");
  caf::anon_send(context().shard(group_of("anna")), std::move(ask));
  settle();
  EXPECT_FALSE(head("anna"));
}

// ------------------------------------------------------------- idempotency

TEST_F(Shard, ItsOwnCommandsDoNotMakeWaitingPostsLookOld) {
  add_user("anna");
  const auto group = group_of("anna");
  // More posts than the window has room for, numbered but not yet proposed …
  actors::shard_proposals batch;
  for (std::uint64_t i = 0; i < 2 * core::idempotency_window; ++i) {
    core::append_message command;
    command.to.push_back({"anna", false, false, {}});
    batch.items.push_back(
        {0,
         schema::encode(core::logged_shard_command{
             *context().take_key(group), {}, std::move(command)}),
         true});
  }
  // … while the shard writes something of its own: a first login's cursor.
  auto& anna = login("anna");
  anna.acknowledge();
  advance(100ms);
  caf::anon_send(context().shard(group), std::move(batch));
  settle();
  EXPECT_EQ(head("anna")->count, 2 * core::idempotency_window);
  EXPECT_EQ(context().stats.commands_duplicate.load(), 0u);
}

// ------------------------------------------------------------------ expiry

TEST_F(Shard, SweepsAllThatIsDueWithoutWaitingBetween) {
  add_user("anna");
  auto& anna = login("anna");
  const auto group = group_of("anna");
  constexpr std::uint64_t many = 2500;
  for (std::uint64_t i = 0; i < many; ++i) {
    core::post command;
    command.to = {all_of("anna")};
    command.message.time_to_live = 1000ms;
    anna.send(std::move(command));
  }
  settle();
  ASSERT_EQ(head("anna")->count, many);
  advance(6s);
  EXPECT_EQ(head("anna")->count, 0u);
  EXPECT_TRUE(schema::stored_inboxes{space(group)}
                  .expired(core::timestamp::max(), 1)
                  .empty());
}

TEST_F(Shard, AnIdleShardWritesNothing) {
  add_user("anna");
  login("anna");
  advance(25min);
  const auto before = spaces_[group_of("anna").value()]->applied();
  advance(30min);
  EXPECT_EQ(spaces_[group_of("anna").value()]->applied(), before);
}

// -------------------------------------------------------------- retirement

TEST_F(Shard, RetiresWhenAllCursorsAreWritten) {
  add_user("anna");
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "read");
  anna.acknowledge();
  run(); // the move waits for its interval
  ASSERT_EQ(head("anna")->count, 1u);
  caf::anon_send(context().directory_handle, actors::retire{});
  for (const auto& shard : context().shards)
    caf::anon_send(shard, actors::retire{});
  run();
  EXPECT_EQ(std::count(retired_.begin(), retired_.end(), group_of("anna")), 0)
      << "nothing is flushed yet";
  settle();
  EXPECT_EQ(retired_.size(), 4u);
  EXPECT_EQ(head("anna")->count, 0u);
  EXPECT_EQ(actors_of("inbox"), 0u);
  EXPECT_EQ(actors_of("shard"), 0u);
  EXPECT_EQ(actors_of("directory"), 0u);
}

TEST_F(Shard, RetiresThoughTheLogIsFullForAWhile) {
  add_user("anna");
  auto& anna = login("anna");
  post(anna, {all_of("anna")}, "read");
  ask_post(anna, {all_of("anna")}, "second");
  anna.acknowledge();
  log_.full = true;
  run();
  for (const auto& shard : context().shards)
    caf::anon_send(shard, actors::retire{});
  caf::anon_send(context().directory_handle, actors::retire{});
  advance(5s);
  EXPECT_LT(retired_.size(), 4u);
  log_.full = false;
  advance(2s);
  EXPECT_EQ(retired_.size(), 4u);
  EXPECT_EQ(head("anna")->cursors.at(0).acknowledged, inbox_position{1});
}

TEST_F(Shard, RetiresWhenAWriteThatWaitedIsDone) {
  add_user("anna");
  auto& anna = login("anna", "phone", 10);
  log_.stuck = true;
  ask_post(anna, {all_of("anna")}, "decided, not yet written");
  run();
  ask_post(anna, {all_of("anna")}, "waits for room");
  run();
  EXPECT_EQ(anna.link.count<core::posted>(), 0u);
  caf::anon_send(context().directory_handle, actors::retire{});
  for (const auto& shard : context().shards)
    caf::anon_send(shard, actors::retire{});
  advance(5s);
  EXPECT_EQ(retired_.size(), 3u) << "all but anna's";
  log_.stuck = false;
  advance(1s);
  EXPECT_EQ(retired_.size(), 4u);
  EXPECT_TRUE(anna.link.last<core::posted>().accepted);
  EXPECT_EQ(head("anna")->count, 2u);
}

TEST_F(Shard, RefusesLoginsWhileItRetires) {
  add_user("anna");
  auto& anna = login("anna");
  ask_post(anna, {all_of("anna")}, "keeps it busy");
  run();
  caf::anon_send(context().shard(group_of("anna")), actors::retire{});
  run();
  auto& late = connect();
  late.send(core::login{0, "anna", "phone", 1, {}});
  run();
  EXPECT_EQ(late.link.last<core::logged_in>().failure.code,
            errc::shutting_down);
  settle();
}

// -------------------------------------------------------------- inspection

TEST_F(Shard, ShowsAnInboxWithItsLiveActor) {
  add_user("anna");
  add_device("anna", "tablet", "phone");
  auto& anna = login("anna", "phone", 4);
  post(anna, {all_of("anna")}, "one");
  post(anna, {all_of("anna")}, "two");
  anna.send(core::acknowledge{inbox_position{1}});
  advance(50ms);
  const auto live = inspect_inbox("anna");
  EXPECT_TRUE(contains(live, "\"active\":true")) << live;
  EXPECT_TRUE(contains(live, "\"messages\":2")) << live;
  EXPECT_TRUE(contains(live, "\"live\":{\"kind\":\"inbox\"")) << live;
  EXPECT_TRUE(contains(live, "\"in_flight\":1")) << live;
  EXPECT_TRUE(contains(
      live, "{\"offset\":0,\"acknowledged\":1,\"queued\":1,\"seen_ms\":"))
      << live;
  EXPECT_TRUE(contains(live, "\"last_seen\":\"2024-01-01T00:00:00.")) << live;
  EXPECT_TRUE(contains(live, "\"connected\":true,\"inactive\":false}")) << live;
  EXPECT_TRUE(contains(live, "\"offset\":1,\"acknowledged\":0,\"queued\":2"))
      << live;
  close(anna);
  advance(20s);
  const auto passive = inspect_inbox("anna");
  EXPECT_TRUE(contains(passive, "\"active\":false")) << passive;
  EXPECT_FALSE(contains(passive, "\"live\"")) << passive;
  EXPECT_FALSE(contains(passive, "\"connected\":true")) << passive;
  EXPECT_EQ(inspect_inbox("nobody"), "");
}

TEST_F(Shard, ShowsWhichDevicesAreInactive) {
  stop();
  settings with;
  with.inbox.device_inactive_after = 60'000ms;
  start(with);
  add_user("anna");
  add_device("anna", "tablet", "phone");
  login("anna");
  advance(61s);
  const auto text = inspect_inbox("anna");
  EXPECT_TRUE(contains(text, "\"connected\":true,\"inactive\":false}")) << text;
  EXPECT_TRUE(contains(text, "\"connected\":false,\"inactive\":true}")) << text;
}

TEST_F(Shard, DescribesItself) {
  add_user("anna");
  const auto text = system_.ask<std::string>(context().shard(group_of("anna")),
                                             actors::inspect{});
  ASSERT_TRUE(text);
  EXPECT_TRUE(contains(*text, "\"leads\":true,\"ready\":true")) << *text;
  EXPECT_TRUE(contains(*text, "\"inboxes\":1")) << *text;
}

} // namespace
