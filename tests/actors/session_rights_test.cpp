// SPDX-License-Identifier: Apache-2.0
#include "actors/operator_actor.hpp"
#include "actors/rights_operation.hpp"
#include "actors/session_actor.hpp"
#include "core/authorizer.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using core::errc;
using texts = std::vector<std::string>;

/// Sessions of websocket.MQ under rights.
class SessionRights : public test_support::broker_fixture {
protected:
  SessionRights() { start(); }
  /// REQUIRES: nobody is judged yet.
  void judge_by(core::authorizer_options options) {
    judge_.emplace(context().directory->rights(), context().rights,
                   context().clock, std::move(options));
    context().authorizer = &*judge_;
  }
  static core::authorizer_options everything() {
    return {core::anonymous_policy::loopback, {*core::grant::parse("post:#")}};
  }
  errc change(core::rights_command command) {
    std::optional<errc> code;
    order([&](actors::operator_state& op) {
      op.run(std::make_unique<actors::change_rights_operation>(
          std::move(command), [&](const core::error& e) { code = e.code; }));
    });
    settle();
    return code.value_or(errc::timed_out);
  }
  core::posted try_post(test_support::test_client& from,
                        std::vector<core::recipient> to) {
    ask_post(from, std::move(to), "text");
    settle();
    return from.link.last<core::posted>();
  }

  std::optional<core::authorizer> judge_;
};

TEST_F(SessionRights, ABlockedSendersPostIsAcceptedAndGoesNowhere) {
  judge_by(everything());
  add_user("anna");
  add_user("bob");
  add_user("carl");
  auto& anna = login("anna");
  auto& bob = login("bob");
  auto& carl = login("carl");
  ASSERT_EQ(change(core::change_blocks{"anna", {}, {"bob"}}), errc::ok);
  // Alone, and among others; nothing tells the sender.
  const auto alone = try_post(bob, {all_of("anna")});
  EXPECT_TRUE(alone.accepted);
  EXPECT_TRUE(alone.failures.empty());
  const auto both = try_post(bob, {all_of("anna"), one_of("carl")});
  EXPECT_TRUE(both.accepted);
  EXPECT_TRUE(both.failures.empty());
  EXPECT_TRUE(anna.link.texts().empty());
  EXPECT_EQ(carl.link.texts(), texts{"text"});
  EXPECT_EQ(judge_->stats().messages_blocked.load(), 2U);
  // It is one way, and ends when she says so.
  post(anna, {all_of("bob")}, "hello");
  EXPECT_EQ(bob.link.texts(), texts{"hello"});
  ASSERT_EQ(
      change(core::change_blocks{"anna", core::give_or_take::take, {"bob"}}),
      errc::ok);
  post(bob, {all_of("anna")}, "at last");
  EXPECT_EQ(anna.link.texts(), texts{"at last"});
}

TEST_F(SessionRights, WhoIsBannedCannotLogIn) {
  judge_by(everything());
  add_user("anna");
  ASSERT_EQ(change(core::set_ban{core::ban_kind::user, "anna", {}, ""}),
            errc::ok);
  auto& client = connect();
  client.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(client.link.last<core::logged_in>().failure.code,
            errc::not_permitted);
  ASSERT_EQ(change(core::lift_ban{core::ban_kind::user, "anna"}), errc::ok);
  client.send(core::login{0, "anna", "phone", 1, {}});
  settle();
  EXPECT_EQ(client.link.last<core::logged_in>().failure.code, errc::ok);
}

TEST_F(SessionRights, WhoIsBannedCannotRegister) {
  judge_by(everything());
  ASSERT_EQ(change(core::set_ban{core::ban_kind::user, "anna", {}, ""}),
            errc::ok);
  auto& client = connect();
  client.send(core::register_user{0, "anna", "phone", {}});
  settle();
  EXPECT_EQ(client.link.last<core::user_registered>().failure.code,
            errc::not_permitted);
  client.send(core::register_user{0, "berta", "phone", {}});
  settle();
  EXPECT_EQ(client.link.last<core::user_registered>().failure.code, errc::ok);
  client.send(core::add_device{0, "anna", "tablet", "phone"});
  settle();
  EXPECT_EQ(client.link.last<core::device_added>().failure.code,
            errc::not_permitted);
}

TEST_F(SessionRights, GrantsSayToWhomOneMayPost) {
  judge_by({core::anonymous_policy::loopback, {}});
  for (const char* uid : {"anna", "bob", "carl"})
    add_user(uid);
  auto& anna = login("anna");
  auto refused = try_post(anna, {all_of("bob")});
  EXPECT_FALSE(refused.accepted);
  ASSERT_EQ(refused.failures.size(), 1U);
  EXPECT_EQ(refused.failures[0].code, errc::not_permitted);
  EXPECT_EQ(refused.failures[0].detail, "bob");
  ASSERT_EQ(change(core::change_account{
                "anna", {}, {}, {*core::grant::parse("post:users/bob")}}),
            errc::ok);
  EXPECT_TRUE(try_post(anna, {all_of("bob")}).accepted);
  // All or nothing.
  EXPECT_FALSE(try_post(anna, {all_of("bob"), all_of("carl")}).accepted);
  EXPECT_FALSE(try_post(anna, {{"bob", core::recipient_kind::list_with_sender}})
                   .accepted);
  ASSERT_EQ(
      change(core::change_account{"anna",
                                  core::give_or_take::take,
                                  {},
                                  {*core::grant::parse("post:users/bob")}}),
      errc::ok);
  EXPECT_FALSE(try_post(anna, {all_of("bob")}).accepted);
}

TEST_F(SessionRights, MessagesAreLimitedByUser) {
  auto options = everything();
  options.messages_of_user = {1, 2};
  judge_by(options);
  add_user("anna");
  auto& anna = login("anna");
  EXPECT_TRUE(try_post(anna, {all_of("anna")}).accepted);
  EXPECT_TRUE(try_post(anna, {all_of("anna")}).accepted);
  const auto refused = try_post(anna, {all_of("anna")});
  ASSERT_EQ(refused.failures.size(), 1U);
  EXPECT_EQ(refused.failures[0].code, errc::rate_limited);
}

TEST_F(SessionRights, RightsAreThereAgainAfterARestart) {
  judge_by(everything());
  add_user("anna");
  ASSERT_EQ(change(core::set_password{"anna", "hash"}), errc::ok);
  ASSERT_EQ(change(core::change_blocks{"anna", {}, {"bob"}}), errc::ok);
  crash();
  start();
  const auto& rights = context().directory->rights();
  ASSERT_TRUE(rights.account("default", "anna"));
  EXPECT_EQ(rights.account("default", "anna")->password, "hash");
  EXPECT_TRUE(rights.has_block("default", "anna", "bob"));
  EXPECT_EQ(remove_user("anna").code, errc::ok);
  EXPECT_FALSE(rights.account("default", "anna"));
  EXPECT_EQ(rights.totals_of_rights(), core::rights_totals{});
}

} // namespace
