// SPDX-License-Identifier: Apache-2.0
#include "actors/list_actor.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using core::errc;
using core::list_edit_kind;
using test_support::test_client;
using texts = std::vector<std::string>;

class List : public test_support::broker_fixture {
protected:
  List() {
    start();
    for (const auto* uid : {"anna", "berta", "clara"})
      add_user(uid, "phone", {std::string{uid} + "-alias"});
    anna_ = &login("anna", "phone", 100);
    berta_ = &login("berta", "phone", 100);
    clara_ = &login("clara", "phone", 100);
  }

  core::error edit(test_client& who, list_edit_kind kind,
                   const std::string& member,
                   const std::string& invitation = "") {
    core::edit_list command{0, "friends", kind, member, {}};
    command.invitation.payload = core::shared_bytes::copy_of(invitation);
    who.send(std::move(command));
    settle();
    return who.link.last<core::list_edited>().failure;
  }
  static core::recipient list(core::recipient_kind kind) {
    return {"friends", kind};
  }
  static core::recipient others() {
    return list(core::recipient_kind::list_without_sender);
  }
  static core::recipient everybody() {
    return list(core::recipient_kind::list_with_sender);
  }
  core::error post_failure(test_client& from, core::recipient to) {
    ask_post(from, {std::move(to)}, "x");
    settle();
    const auto failures = from.link.last<core::posted>().failures;
    return failures.empty() ? core::error{} : failures.front();
  }
  /// Posts alone, without announcements.
  static texts posts(const test_client& client) {
    texts found;
    for (const auto& d : client.link.all<core::delivery>())
      if (d.message->kind == core::message_kind::post)
        found.emplace_back(d.message->payload.text());
    return found;
  }
  static texts news(const test_client& client) {
    texts found;
    for (const auto& d : client.link.all<core::delivery>())
      if (d.message->kind == core::message_kind::list_changed)
        found.emplace_back(d.message->meta.text());
    return found;
  }

  test_client* anna_ = nullptr;
  test_client* berta_ = nullptr;
  test_client* clara_ = nullptr;
};

TEST_F(List, APostReachesItsMembers) {
  ASSERT_EQ(edit(*anna_, list_edit_kind::add, "berta").code, errc::ok);
  post(*anna_, {others()}, "to others");
  EXPECT_EQ(posts(*berta_), texts{"to others"});
  EXPECT_TRUE(posts(*anna_).empty());
  EXPECT_TRUE(posts(*clara_).empty());
  post(*berta_, {everybody()}, "to all");
  EXPECT_EQ(posts(*anna_), texts{"to all"});
  EXPECT_EQ(posts(*berta_), (texts{"to others", "to all"}));
}

TEST_F(List, WhoIsInTwiceGetsOneCopy) {
  (void)edit(*anna_, list_edit_kind::add, "berta");
  post(*anna_, {all_of("berta"), others(), everybody(), all_of("berta")},
       "once");
  EXPECT_EQ(posts(*berta_), texts{"once"});
  EXPECT_EQ(posts(*anna_), texts{"once"});
}

TEST_F(List, OnlyMembersMayPostAndEdit) {
  (void)edit(*anna_, list_edit_kind::add, "berta");
  EXPECT_EQ(post_failure(*clara_, others()).code, errc::not_a_member);
  EXPECT_EQ(edit(*clara_, list_edit_kind::add, "clara").code,
            errc::not_a_member);
  EXPECT_EQ(post_failure(*anna_,
                         {"strangers", core::recipient_kind::list_with_sender}),
            (core::error{errc::list_unknown, "strangers"}));
}

TEST_F(List, AnUnknownListHasNoActor) {
  for (int i = 0; i < 10; ++i)
    ask_post(
        *anna_,
        {{"list" + std::to_string(i), core::recipient_kind::list_with_sender}},
        "x");
  settle();
  EXPECT_EQ(actors_of("list"), 0u);
}

TEST_F(List, AnInvitationComesBeforeTheNews) {
  ASSERT_EQ(edit(*anna_, list_edit_kind::invite, "berta-alias", "join us").code,
            errc::ok);
  EXPECT_EQ(posts(*berta_), texts{"join us"});
  EXPECT_TRUE(news(*berta_).empty()) << "she is not a full member";
  ASSERT_EQ(news(*anna_).size(), 1u);
  EXPECT_NE(news(*anna_)[0].find("\"op\":\"invite\""), std::string::npos);
  EXPECT_NE(news(*anna_)[0].find("\"alias\":\"berta-alias\""),
            std::string::npos);
  EXPECT_EQ(news(*anna_)[0].find("\"uid\""), std::string::npos)
      << "only the alias is known to who invited";
  // An invited member may post, and does not get what others post.
  post(*anna_, {others()}, "to full members");
  EXPECT_EQ(posts(*berta_), texts{"join us"});
  post(*berta_, {others()}, "may I?");
  EXPECT_EQ(posts(*anna_), texts{"may I?"});
  // She accepts.
  ASSERT_EQ(edit(*berta_, list_edit_kind::add, "berta").code, errc::ok);
  post(*anna_, {others()}, "welcome");
  EXPECT_EQ(posts(*berta_).back(), "welcome");
}

TEST_F(List, TheNewsComeBeforeTheAnswer) {
  (void)edit(*anna_, list_edit_kind::add, "berta");
  const auto& events = anna_->link.events;
  std::size_t told = events.size();
  std::size_t answered = events.size();
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (std::holds_alternative<core::delivery>(events[i]))
      told = std::min(told, i);
    if (std::holds_alternative<core::list_edited>(events[i]))
      answered = i;
  }
  EXPECT_LE(told, answered + 1);
  EXPECT_EQ(news(*anna_).size(), 1u);
  EXPECT_EQ(news(*berta_).size(), 1u);
}

TEST_F(List, WhoIsRemovedIsNotTold) {
  (void)edit(*anna_, list_edit_kind::add, "berta");
  (void)edit(*anna_, list_edit_kind::add, "clara");
  const auto before = news(*clara_).size();
  ASSERT_EQ(edit(*anna_, list_edit_kind::remove, "clara").code, errc::ok);
  EXPECT_EQ(news(*clara_).size(), before);
  EXPECT_NE(news(*berta_).back().find("\"op\":\"remove\""), std::string::npos);
  post(*anna_, {others()}, "without clara");
  EXPECT_TRUE(posts(*clara_).empty());
  EXPECT_EQ(posts(*berta_), texts{"without clara"});
}

TEST_F(List, TheLastMemberTakesTheListWithHim) {
  (void)edit(*anna_, list_edit_kind::add, "anna");
  ASSERT_EQ(edit(*anna_, list_edit_kind::remove, "anna").code, errc::ok);
  EXPECT_EQ(post_failure(*anna_, others()).code, errc::list_unknown);
  EXPECT_EQ(edit(*anna_, list_edit_kind::remove, "anna").code,
            errc::list_unknown);
}

TEST_F(List, ARemovedUserLeavesHisLists) {
  (void)edit(*anna_, list_edit_kind::add, "berta");
  (void)edit(*anna_, list_edit_kind::add, "clara");
  post(*anna_, {others()}, "before"); // the members are in memory now
  ASSERT_EQ(remove_user("clara").code, errc::ok);
  post(*anna_, {others()}, "after");
  EXPECT_EQ(posts(*berta_), (texts{"before", "after"}));
}

TEST_F(List, IsPassivatedWhenIdleAndComesBack) {
  (void)edit(*anna_, list_edit_kind::add, "berta");
  post(*anna_, {others()}, "one");
  EXPECT_EQ(actors_of("list"), 1u);
  advance(20s);
  EXPECT_EQ(actors_of("list"), 1u) << "used since its last look";
  advance(15s);
  EXPECT_EQ(actors_of("list"), 0u);
  EXPECT_EQ(context().stats.list_actors.load(), 0u);
  post(*anna_, {others()}, "two");
  EXPECT_EQ(posts(*berta_), (texts{"one", "two"}));
}

} // namespace
