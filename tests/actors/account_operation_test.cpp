// SPDX-License-Identifier: Apache-2.0
#include "actors/account_operations.hpp"
#include "actors/admin_operations.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace troupe;
using core::errc;
using texts = std::vector<std::string>;

class AccountOperation : public test_support::broker_fixture {
protected:
  AccountOperation() { start(); }
};

TEST_F(AccountOperation, ATakenNameIsRefusedWithItsAliases) {
  add_user("anna", "phone", {"ann"});
  auto& client = connect();
  client.send(core::register_user{0, "anna", "phone", {"other"}});
  settle();
  const auto answer = client.link.last<core::user_registered>();
  EXPECT_EQ(answer.failure.code, errc::user_exists);
  EXPECT_EQ(answer.aliases, texts{"ann"});
}

TEST_F(AccountOperation, NewAliasesAreNewsToAllDevices) {
  add_user("anna", "phone", {"ann"});
  add_device("anna", "tablet", "phone");
  auto& phone = login("anna");
  auto& tablet = login("anna", "tablet");
  phone.send(core::change_aliases{0, "anna", {"annie", "ann"}});
  settle();
  const auto answer = phone.link.last<core::user_registered>();
  EXPECT_EQ(answer.failure.code, errc::ok);
  EXPECT_EQ(answer.aliases, (texts{"annie", "ann"}));
  for (auto* device : {&phone, &tablet}) {
    const auto news = device->link.last<core::delivery>();
    ASSERT_TRUE(news.message);
    EXPECT_EQ(news.message->kind, core::message_kind::aliases_changed);
    EXPECT_EQ(news.message->meta.text(), "\"annie ann\"");
  }
  EXPECT_EQ(directory_->uid_of_alias("default", "annie"), "anna");
}

TEST_F(AccountOperation, NobodyChangesTheAliasesOfAnother) {
  add_user("anna");
  add_user("berta");
  auto& anna = login("anna");
  anna.send(core::change_aliases{0, "berta", {"bert"}});
  settle();
  EXPECT_EQ(anna.link.last<core::user_registered>().failure.code,
            errc::not_permitted);
}

TEST_F(AccountOperation, ANewDeviceNeedsTheNameOfAnother) {
  add_user("anna");
  auto& client = connect();
  client.send(core::add_device{0, "anna", "tablet", "guess"});
  client.send(core::add_device{0, "anna", "tablet", ""});
  client.send(core::add_device{0, "anna", "phone", "phone"});
  settle();
  const auto answers = client.link.all<core::device_added>();
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].failure.code, errc::device_unknown);
  EXPECT_EQ(answers[1].failure.code, errc::previous_device_invalid);
  EXPECT_EQ(answers[2].failure.code, errc::device_exists);
  EXPECT_EQ(answers[2].offset, core::device_offset{0});
}

TEST_F(AccountOperation, AnImportGivesEveryDeviceItsCursor) {
  core::import_directory batch;
  core::imported_user anna;
  anna.uid = "anna";
  anna.devices = {{"phone", core::device_offset{0}},
                  {"tablet", core::device_offset{5}}};
  anna.aliases = {"ann"};
  batch.users.push_back(anna);
  batch.lists.push_back({"friends", {{"anna", ""}}});
  for (int repeat = 0; repeat < 2; ++repeat) {
    core::error result{errc::timed_out, {}};
    core::import_counts counts;
    order([&](actors::operator_state& op) {
      op.run(std::make_unique<actors::import_operation>(
          batch, [&](core::error why, const core::import_counts& found) {
            result = std::move(why);
            counts = found;
          }));
    });
    EXPECT_EQ(result.code, errc::ok);
    EXPECT_EQ(counts.users_added, repeat == 0 ? 1u : 0u);
    ASSERT_TRUE(head("anna"));
    EXPECT_EQ(head("anna")->cursors.size(), 2u);
  }
  auto& phone = login("anna");
  post(phone, {all_of("anna")}, "hello");
  EXPECT_EQ(login("anna", "tablet").link.texts(), texts{"hello"});
}

TEST_F(AccountOperation, AnOperatorsQuestionTimesOutOnce) {
  core::error result{errc::ok, {}};
  int answers = 0;
  order([&](actors::operator_state& op) {
    op.run(std::make_unique<actors::remove_user_operation>(
        "nobody", [&](core::error why) {
          result = std::move(why);
          ++answers;
        }));
  });
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(result.code, errc::user_unknown);
}

} // namespace
