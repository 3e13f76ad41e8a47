// SPDX-License-Identifier: Apache-2.0
#include "actors/operation.hpp"
#include "actors/post_operation.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace troupe;
using core::errc;
using texts = std::vector<std::string>;

class PostOperation : public test_support::broker_fixture {
protected:
  PostOperation() {
    start();
    add_user("anna", "phone", {"ann"});
    anna_ = &login("anna", "phone", 100);
  }
  core::posted answer() { return anna_->link.last<core::posted>(); }
  static actors::post_sender sender_anna() {
    actors::post_sender sender;
    sender.uid = "anna";
    return sender;
  }
  core::post with_id(const std::string& id) {
    core::post command;
    command.to = {all_of("anna")};
    command.deduplication_id = id;
    return command;
  }

  test_support::test_client* anna_ = nullptr;
};

TEST_F(PostOperation, ReachesUsersOfAllShards) {
  std::vector<core::recipient> all;
  std::set<core::group_id> groups;
  for (int i = 0; i < 20; ++i) {
    const auto uid = "user" + std::to_string(i);
    add_user(uid);
    groups.insert(group_of(uid));
    all.push_back(all_of(uid));
  }
  ASSERT_EQ(groups.size(), 3u);
  post(*anna_, all, "hello");
  for (const auto& to : all)
    EXPECT_EQ(login(to.name).link.texts(), texts{"hello"});
}

TEST_F(PostOperation, NamesWhoWasNotReached) {
  ask_post(*anna_, {all_of("nobody"), all_of("anna"), one_of("noone")}, "x");
  settle();
  EXPECT_TRUE(answer().accepted);
  ASSERT_EQ(answer().failures.size(), 2u);
  std::set<std::string> names;
  for (const auto& failure : answer().failures) {
    EXPECT_EQ(failure.code, errc::user_unknown);
    names.insert(failure.detail);
  }
  EXPECT_EQ(names, (std::set<std::string>{"nobody", "noone"}));
  EXPECT_EQ(anna_->link.texts(), texts{"x"});
}

TEST_F(PostOperation, GoesOnceToAnInboxHoweverOftenNamed) {
  post(*anna_, {all_of("anna"), all_of("anna")}, "a");
  EXPECT_EQ(anna_->link.texts(), texts{"a"});
  post(*anna_, {all_of("anna"), one_of("anna"), all_of("anna")}, "b");
  EXPECT_EQ(anna_->link.texts(), (texts{"a", "b", "b"}))
      << "to one device is a message of its own";
  post(*anna_, {one_of("anna"), all_of("anna"), all_of("anna")}, "c");
  EXPECT_EQ(anna_->link.texts(), (texts{"a", "b", "b", "c", "c"}));
}

/// A replica that has lost its memory of outcomes only knows that the command
/// was in the log: it may have been refused there. Found by the simulated
/// broker.
TEST_F(PostOperation, IsNotAcceptedByAReplicaThatOnlyKnowsItAsRepeated) {
  std::vector<core::posted> told;
  actors::operation_table table{context(), "default",
                                [&](const core::session_event& e) {
                                  told.push_back(std::get<core::posted>(e));
                                }};
  const auto answer_with = [&](std::optional<core::message_id> id) {
    core::post command;
    command.to = {all_of("anna")};
    table.start(
        std::make_unique<actors::post_operation>(command, sender_anna()));
    actors::shard_answers batch;
    batch.items.emplace_back();
    batch.items.back().ticket = (told.size() + 1) << 20U | 1U;
    batch.items.back().outcome.failure.code = errc::duplicate;
    batch.items.back().outcome.id = id;
    table.on_answers(batch);
  };
  answer_with(std::nullopt);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_FALSE(told[0].accepted);
  ASSERT_EQ(told[0].failures.size(), 1U);
  EXPECT_EQ(told[0].failures[0].code, errc::timed_out);
  answer_with(core::message_id{1, 2}); // repeated by the sender itself
  ASSERT_EQ(told.size(), 2U);
  EXPECT_TRUE(told[1].accepted);
}

TEST_F(PostOperation, TheSenderLearnsTheIdThatRecipientsSee) {
  for (const auto& to : {all_of("anna"), one_of("anna")}) {
    const auto sent = post(*anna_, {to}, "x");
    EXPECT_EQ(anna_->link.last<core::delivery>().message->id, sent.id);
  }
}

TEST_F(PostOperation, ToNobodyIsRefused) {
  core::post command;
  command.copy_to_own_devices = false;
  anna_->send(std::move(command));
  settle();
  EXPECT_FALSE(answer().accepted);
  EXPECT_EQ(answer().failures.at(0).code, errc::no_recipients);
}

TEST_F(PostOperation, FindsWhoHasAnAlias) {
  core::post_to_alias command;
  command.alias = "ann";
  command.message.payload = core::shared_bytes::copy_of("hello");
  anna_->send(command);
  settle();
  EXPECT_TRUE(answer().accepted);
  EXPECT_EQ(anna_->link.texts(), texts{"hello"});
  command.alias = "bert";
  anna_->send(command);
  settle();
  EXPECT_FALSE(answer().accepted);
  EXPECT_EQ(answer().failures.at(0),
            (core::error{errc::alias_unknown, "bert"}));
}

TEST_F(PostOperation, AnIdCountsOnce) {
  anna_->send(with_id("1"));
  settle();
  const auto first = answer();
  anna_->send(with_id("1"));
  settle();
  EXPECT_TRUE(answer().accepted);
  EXPECT_EQ(answer().id, first.id);
  EXPECT_EQ(anna_->link.count<core::delivery>(), 1u);
  anna_->send(with_id("2"));
  settle();
  EXPECT_EQ(anna_->link.count<core::delivery>(), 2u);
}

TEST_F(PostOperation, AnIdOfAPredecessorDoesNotCount) {
  add_user("berta");
  auto& before = login("berta");
  before.send(with_id("1"));
  settle();
  ASSERT_EQ(remove_user("berta").code, errc::ok);
  advance(core::milliseconds{10});
  add_user("berta");
  auto& after = login("berta");
  after.send(with_id("1"));
  settle();
  EXPECT_EQ(anna_->link.count<core::delivery>(), 2u);
}

TEST_F(PostOperation, AFullInboxIsToldOfAndTheOthersAreServed) {
  stop();
  settings with;
  with.inbox.messages_max = 2;
  start(with);
  add_user("berta");
  add_user("clara");
  auto& berta = login("berta");
  for (int i = 0; i < 2; ++i)
    post(berta, {all_of("clara")}, "x");
  ask_post(berta, {all_of("clara"), all_of("berta")}, "y");
  settle();
  const auto last = berta.link.last<core::posted>();
  EXPECT_TRUE(last.accepted);
  ASSERT_EQ(last.failures.size(), 1u);
  EXPECT_EQ(last.failures[0], (core::error{errc::inbox_full, "clara"}));
  EXPECT_EQ(berta.link.texts(), texts{"y"});
}

TEST_F(PostOperation, ARefusedPostBearsNoId) {
  add_user("user0");
  ask_post(*anna_, {all_of("user0"), all_of("anna")}, "x");
  log_.low = true;
  settle();
  EXPECT_FALSE(answer().accepted);
  EXPECT_FALSE(answer().id);
}

} // namespace
