// SPDX-License-Identifier: Apache-2.0
#include "core/authorizer.hpp"
#include "core/rights_registry.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using namespace troupe;
using namespace troupe::core;

class Authorizer : public ::testing::Test {
protected:
  void apply(const rights_command& command) {
    EXPECT_EQ(
        core::apply(store, "default", command, clock.wall(), log_index{++index})
            .code,
        errc::ok);
    board.changed(store.totals_of_rights());
  }
  void give(std::string uid, std::string_view text) {
    apply(change_account{std::move(uid), {}, {}, {*grant::parse(text)}});
  }
  void role(std::string name, std::string_view text) {
    apply(change_role{std::move(name), {}, {*grant::parse(text)}});
  }
  [[nodiscard]] static principal named(std::string uid) {
    principal who;
    who.uid = std::move(uid);
    who.by = credential_kind::device;
    return who;
  }
  static topic name(std::string_view text) { return *topic::parse(text); }

  test::memory_directory_store store;
  rights_board board;
  test_support::manual_clock clock;
  std::uint64_t index = 0;
  authorizer judge{store, board, clock, {anonymous_policy::loopback, {}}};
};

TEST_F(Authorizer, WithoutAGrantNothingIsPermitted) {
  session_rights anna{judge, named("anna")};
  EXPECT_EQ(anna.standing(), deny_reason::none);
  EXPECT_EQ(anna.check(right::publish, name("a")), deny_reason::not_granted);
  EXPECT_EQ(
      judge.stats()
          .checks_denied[static_cast<std::size_t>(deny_reason::not_granted)]
          .load(),
      1U);
}

TEST_F(Authorizer, GrantsComeFromEverySource) {
  give("anna", "publish:own/%u");
  role("editor", "publish:docs/#");
  role("mine", "publish:role/%u/%c");
  role("user", "publish:all-users");
  apply(change_account{"anna", {}, {"editor", "mine", "unknown"}, {}});
  authorizer with_everybody{
      store,
      board,
      clock,
      {anonymous_policy::loopback,
       {*grant::parse("publish:free"), *grant::parse("publish:free/%u")}}};
  auto who = named("anna");
  who.client = "phone";
  who.grants = {*grant::parse("publish:token")};
  session_rights anna{with_everybody, who};
  for (const char* topic : {"own/anna", "docs/a/b", "role/anna/phone",
                            "all-users", "free", "free/anna", "token"})
    EXPECT_EQ(anna.check(right::publish, name(topic)), deny_reason::none)
        << topic;
  for (const char* topic : {"own/bob", "role/bob/phone", "free/bob", "x"})
    EXPECT_EQ(anna.check(right::publish, name(topic)), deny_reason::not_granted)
        << topic;
}

TEST_F(Authorizer, CredentialsThatSayWhatTheyPermitPermitNothingElse) {
  give("anna", "publish:#");
  auto who = named("anna");
  who.own_rights_only = true;
  who.grants = {*grant::parse("subscribe:a")};
  session_rights anna{judge, who};
  EXPECT_EQ(anna.check(right::subscribe, name("a")), deny_reason::none);
  EXPECT_EQ(anna.check(right::publish, name("a")), deny_reason::not_granted);
}

TEST_F(Authorizer, AChangeTakesEffectOnLiveSessions) {
  role("editor", "publish:docs/#");
  apply(change_account{"anna", {}, {"editor"}, {}});
  session_rights anna{judge, named("anna")};
  EXPECT_EQ(anna.check(right::publish, name("docs/a")), deny_reason::none);
  role("editor", "publish:more");
  EXPECT_EQ(anna.check(right::publish, name("more")), deny_reason::none);
  apply(change_role{
      "editor", give_or_take::take, {*grant::parse("publish:docs/#")}});
  EXPECT_EQ(anna.check(right::publish, name("docs/a")),
            deny_reason::not_granted);
  apply(remove_role{"editor"});
  EXPECT_EQ(anna.check(right::publish, name("more")), deny_reason::not_granted);
}

TEST_F(Authorizer, NothingIsReadAgainUnlessSomethingChanged) {
  give("anna", "publish:a");
  session_rights anna{judge, named("anna")};
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(anna.check(right::publish, name("a")), deny_reason::none);
  EXPECT_EQ(judge.stats().compilations.load(), 1U);
}

TEST_F(Authorizer, NamelessClientsAreLetInByPolicy) {
  principal nobody;
  nobody.address = "192.0.2.1";
  EXPECT_EQ(judge.standing(nobody), deny_reason::no_credentials);
  for (const char* here : {"127.0.0.1", "127.9.9.9", "::1"}) {
    nobody.address = here;
    EXPECT_EQ(judge.standing(nobody), deny_reason::none);
  }
  authorizer open{store, board, clock, {anonymous_policy::allow, {}}};
  authorizer closed{store, board, clock, {anonymous_policy::deny, {}}};
  EXPECT_EQ(closed.standing(nobody), deny_reason::no_credentials);
  nobody.address = "192.0.2.1";
  EXPECT_EQ(open.standing(nobody), deny_reason::none);
  role("anonymous", "subscribe:news");
  session_rights session{open, nobody};
  EXPECT_EQ(session.check(right::subscribe, name("news")), deny_reason::none);
}

TEST_F(Authorizer, BansEndSessionsAndExpire) {
  auto who = named("bob");
  who.address = "192.0.2.7";
  session_rights bob{judge, who};
  EXPECT_EQ(bob.standing(), deny_reason::none);
  apply(set_ban{ban_kind::user, "bob", clock.wall() + milliseconds{100}, ""});
  EXPECT_EQ(bob.standing(), deny_reason::user_banned);
  clock.advance(milliseconds{100});
  EXPECT_EQ(judge.standing(who), deny_reason::none);
  apply(set_ban{ban_kind::address, "192.0.2.7", {}, ""});
  EXPECT_EQ(bob.standing(), deny_reason::address_banned);
  apply(lift_ban{ban_kind::address, "192.0.2.7"});
  EXPECT_EQ(bob.standing(), deny_reason::none);
}

TEST_F(Authorizer, ATokenIsWorthNothingWhenRevokedOrExpired) {
  apply(add_token{"t1", "anna", "h", "", {}, {}, {}});
  auto who = named("anna");
  who.by = credential_kind::token;
  who.token = "t1";
  session_rights live{judge, who};
  EXPECT_EQ(live.standing(), deny_reason::none);
  apply(revoke_token{"t1"});
  EXPECT_EQ(live.standing(), deny_reason::revoked);

  auto jwt = named("anna");
  jwt.by = credential_kind::jwt;
  jwt.expires = clock.wall() + milliseconds{500};
  session_rights signed_in{judge, jwt};
  EXPECT_EQ(signed_in.standing(), deny_reason::none);
  clock.advance(milliseconds{500});
  EXPECT_EQ(signed_in.standing(), deny_reason::expired);
  EXPECT_EQ(signed_in.check(right::publish, name("a")), deny_reason::expired);
  jwt.expires = clock.wall() + milliseconds{500};
  signed_in.renew(jwt);
  EXPECT_EQ(signed_in.standing(), deny_reason::none);
}

TEST_F(Authorizer, ANewPasswordEndsSessionsOfTheOldOne) {
  apply(set_password{"anna", "one"});
  auto who = named("anna");
  who.by = credential_kind::password;
  who.password_set = store.account("default", "anna")->password_set;
  session_rights live{judge, who};
  EXPECT_EQ(live.standing(), deny_reason::none);
  apply(set_password{"anna", "one"});
  EXPECT_EQ(live.standing(), deny_reason::password_changed);
}

TEST_F(Authorizer, MessagesAreLimitedByUserAndByAddress) {
  authorizer strict{
      store, board, clock, {anonymous_policy::loopback, {}, {1, 2}, {1, 3}}};
  auto anna = named("anna");
  auto bob = named("bob");
  anna.address = bob.address = "192.0.2.7";
  EXPECT_EQ(strict.allow_message(anna), deny_reason::none);
  EXPECT_EQ(strict.allow_message(anna), deny_reason::none);
  EXPECT_EQ(strict.allow_message(anna), deny_reason::too_many_messages);
  EXPECT_EQ(strict.allow_message(bob), deny_reason::too_many_messages);
  bob.address = "192.0.2.8";
  EXPECT_EQ(strict.allow_message(bob), deny_reason::none);
  clock.advance(milliseconds{1000});
  EXPECT_EQ(strict.allow_message(anna), deny_reason::none);
}

TEST_F(Authorizer, BlocksAreOneWay) {
  EXPECT_FALSE(judge.is_blocked("default", "anna", "bob"));
  apply(change_blocks{"anna", {}, {"bob"}});
  EXPECT_TRUE(judge.is_blocked("default", "anna", "bob"));
  EXPECT_FALSE(judge.is_blocked("default", "bob", "anna"));
  EXPECT_FALSE(judge.is_blocked("other", "anna", "bob"));
}

/// Both ways to ask what he may agree.
TEST_F(Authorizer, SourcesAreWhatIsCompiled) {
  give("anna", "publish:own/%u");
  role("editor", "publish:docs/#");
  role("user", "publish:all/%c");
  apply(change_account{"anna", {}, {"editor"}, {}});
  authorizer wide{store,
                  board,
                  clock,
                  {anonymous_policy::loopback, {*grant::parse("publish:x")}}};
  auto anna = named("anna");
  anna.client = "lamp";
  anna.grants.push_back(*grant::parse("publish:from/token"));
  for (const bool own_only : {false, true}) {
    anna.own_rights_only = own_only;
    session_rights live{wide, anna};
    const auto sources = wide.sources(anna);
    for (const std::string_view each : {"own/anna", "own/bob", "docs/a/b", "x",
                                        "all/lamp", "from/token", "y"}) {
      const bool found = std::any_of(
          sources.begin(), sources.end(), [&](const grant_source& s) {
            const auto filter = s.what.expand({anna.uid, anna.client});
            return s.what.what == right::publish && filter &&
                   filter->matches(name(each));
          });
      EXPECT_EQ(live.check(right::publish, name(each)) == deny_reason::none,
                found)
          << each;
      EXPECT_EQ(live.foretell(right::publish, name(each)),
                live.check(right::publish, name(each)));
    }
    EXPECT_EQ(sources.size(), own_only ? 1U : 5U);
  }
}

TEST_F(Authorizer, TheRoomForMessagesIsSaidWithoutBeingTaken) {
  authorizer strict{
      store, board, clock, {anonymous_policy::loopback, {}, {1, 2}, {}}};
  const auto anna = named("anna");
  for (int left = 2; left >= 0; --left) {
    EXPECT_EQ(strict.message_room_of(anna).of_user, left);
    const auto seen = strict.message_room_of(anna).why;
    EXPECT_EQ(strict.allow_message(anna), seen);
  }
  EXPECT_EQ(strict.message_room_of(anna).of_address, std::nullopt);
  EXPECT_EQ(judge.message_room_of(anna).of_user, std::nullopt);
}

TEST_F(Authorizer, ABanIsFound) {
  auto anna = named("anna");
  anna.address = "192.0.2.7";
  EXPECT_FALSE(judge.ban_of(anna));
  apply(set_ban{ban_kind::address, "192.0.2.7", std::nullopt, "too loud"});
  ASSERT_TRUE(judge.ban_of(anna));
  EXPECT_EQ(judge.ban_of(anna)->name, "192.0.2.7");
  EXPECT_EQ(judge.ban_of(anna)->record.reason, "too loud");
}

} // namespace
