// SPDX-License-Identifier: Apache-2.0
#include "core/rights_registry.hpp"
#include "net/msgbus/identity_gatekeeper.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::net::msgbus {
namespace {

using kind = verdict::kind;

constexpr const char* as_anna = "Basic YW5uYTpzZWNyZXQ=";       // anna:secret
constexpr const char* as_anna_wrong = "Basic YW5uYTpvdGhlcg=="; // anna:other
constexpr const char* as_eve = "Basic ZXZlOng=";                // eve:x

/// Knows one password and one token.
class two_credentials final : public core::authenticator {
public:
  void authenticate(core::credentials shown, answer_function answer) override {
    ++asked;
    core::login_outcome outcome;
    outcome.who.realm = shown.realm;
    outcome.who.address = shown.address;
    outcome.who.uid = "anna";
    if (shown.bearer == "token") {
      outcome.who.by = core::credential_kind::jwt;
      outcome.who.expires = expires;
    } else if (shown.uid == "anna" && shown.password == "secret") {
      outcome.who.by = core::credential_kind::password;
      outcome.who.password_set = core::log_index{1};
    } else {
      outcome.why = why;
      outcome.who = {};
    }
    answer(std::move(outcome));
  }
  int asked = 0;
  core::deny_reason why = core::deny_reason::wrong_credentials;
  std::optional<core::timestamp> expires{};
};

class IdentityGatekeeper : public ::testing::Test {
protected:
  IdentityGatekeeper() {
    core::authorizer_options options;
    for (const auto* text : {"publish:open/#", "subscribe:open/#"})
      options.everybody.push_back(*core::grant::parse(text));
    judge_.emplace(store_, board_, clock_, std::move(options));
    apply(core::set_password{"anna", "a hash"});
    apply(core::change_account{"anna",
                               core::give_or_take::give,
                               {},
                               {*core::grant::parse("publish:annas/#")}});
  }
  void apply(const core::rights_command& command) {
    ASSERT_EQ(core::apply(store_, "default", command, clock_.wall(),
                          core::log_index{++index_})
                  .code,
              core::errc::ok);
    board_.changed(store_.totals_of_rights());
  }
  verdict ask(const std::string& field, deed what = deed::publish,
              std::string_view channel = "open/x") {
    if (!keeper_)
      keeper_.emplace(
          identity_gatekeeper::parts{
              logins_, *judge_, store_, clock_,
              [] { return [](const std::function<void()>& work) { work(); }; }},
          "default", password_);
    connection_info info;
    info.peer = *parse_endpoint(address_ + ":4711");
    std::optional<verdict> found;
    keeper_->decide({field, info, what, channel},
                    [&](verdict v) { found = std::move(v); });
    EXPECT_TRUE(found);
    return found.value_or(verdict{});
  }

  test::memory_directory_store store_;
  core::rights_board board_;
  test_support::manual_clock clock_;
  std::uint64_t index_ = 0;
  two_credentials logins_;
  std::optional<core::authorizer> judge_;
  std::optional<identity_gatekeeper> keeper_;
  std::string address_ = "127.0.0.1";
  std::string password_;
};

TEST_F(IdentityGatekeeper, ANameWithoutAPasswordIsOnlyAName) {
  EXPECT_EQ(ask("").what, kind::admitted);
  EXPECT_EQ(ask("").sender, "");
  EXPECT_EQ(ask(as_eve).what, kind::admitted);
  EXPECT_EQ(ask(as_eve).sender, "eve");
  EXPECT_EQ(ask(as_eve, deed::publish, "annas/x").what, kind::denied);
  EXPECT_EQ(logins_.asked, 0);
}

TEST_F(IdentityGatekeeper, NobodyCallsHimselfAsSomebodyWithAPassword) {
  EXPECT_EQ(ask(as_anna_wrong).what, kind::unknown);
  const auto in = ask(as_anna, deed::publish, "annas/x");
  EXPECT_EQ(in.what, kind::admitted);
  EXPECT_EQ(in.sender, "anna");
}

TEST_F(IdentityGatekeeper, ARefusalSaysWhyAndWhoItWasSaidToBe) {
  const auto wrong = ask(as_anna_wrong);
  EXPECT_EQ(wrong.why, core::deny_reason::wrong_credentials);
  EXPECT_EQ(wrong.sender, "anna");
  const auto denied = ask(as_eve, deed::publish, "annas/x");
  EXPECT_EQ(denied.why, core::deny_reason::not_granted);
  EXPECT_EQ(denied.sender, "eve");
  EXPECT_EQ(ask(as_eve).why, core::deny_reason::none);
}

TEST_F(IdentityGatekeeper, APasswordIsCheckedOnceAMinute) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(ask(as_anna).what, kind::admitted);
  EXPECT_EQ(logins_.asked, 1);
  clock_.advance(std::chrono::seconds{61});
  EXPECT_EQ(ask(as_anna).what, kind::admitted);
  EXPECT_EQ(logins_.asked, 2);
  // Wrong ones are not remembered, nor are those of another address.
  EXPECT_EQ(ask(as_anna_wrong).what, kind::unknown);
  EXPECT_EQ(ask(as_anna_wrong).what, kind::unknown);
  address_ = "127.0.0.2";
  EXPECT_EQ(ask(as_anna).what, kind::admitted);
  EXPECT_EQ(logins_.asked, 5);
}

TEST_F(IdentityGatekeeper, WhatIsRememberedEndsWithThePassword) {
  EXPECT_EQ(ask(as_anna).what, kind::admitted);
  apply(core::set_password{"anna", "another hash"});
  EXPECT_EQ(ask(as_anna).what, kind::unknown);
}

TEST_F(IdentityGatekeeper, ATokenIsShownAsABearer) {
  EXPECT_EQ(ask("Bearer token", deed::publish, "annas/x").what, kind::admitted);
  EXPECT_EQ(ask("bearer  token").sender, "anna");
  EXPECT_EQ(ask("Bearer other").what, kind::unknown);
  EXPECT_EQ(ask("Bearer ").what, kind::unknown);
}

TEST_F(IdentityGatekeeper, OthersNeedCredentialsFromOutside) {
  address_ = "192.0.2.1";
  EXPECT_EQ(ask("").what, kind::unknown);
  EXPECT_EQ(ask(as_eve).what, kind::unknown);
  EXPECT_EQ(ask("", deed::subscribe).what, kind::unknown);
  EXPECT_EQ(ask(as_anna).what, kind::admitted);
  EXPECT_EQ(ask("", deed::read_file, "").what, kind::admitted);
}

TEST_F(IdentityGatekeeper, AServerPasswordAloneLetsIn) {
  password_ = "secret";
  address_ = "192.0.2.1";
  EXPECT_EQ(ask("").what, kind::unknown);
  EXPECT_EQ(ask("", deed::read_file, "").what, kind::unknown);
  EXPECT_EQ(ask(as_eve).what, kind::unknown);
  const auto in = ask(as_anna);
  EXPECT_EQ(in.what, kind::admitted);
  EXPECT_EQ(in.sender, "anna");
  // But makes nobody of somebody who has rights of his own.
  EXPECT_EQ(ask(as_anna, deed::publish, "annas/x").what, kind::denied);
}

TEST_F(IdentityGatekeeper, ASubscriberKeepsHisRights) {
  const auto in = ask(as_anna, deed::subscribe, "open/x");
  ASSERT_TRUE(in.rights);
  EXPECT_EQ(in.rights->standing(), core::deny_reason::none);
  apply(core::set_ban{core::ban_kind::user, "anna", {}, {}});
  EXPECT_EQ(in.rights->standing(), core::deny_reason::user_banned);
  EXPECT_EQ(ask(as_anna).what, kind::denied);
  EXPECT_EQ(ask("", deed::subscribe, "").what, kind::denied); // the root
}

TEST_F(IdentityGatekeeper, TooManyAttemptsAreNoRefusalForGood) {
  logins_.why = core::deny_reason::too_many_attempts;
  EXPECT_EQ(ask(as_anna_wrong).what, kind::hasty);
  logins_.why = core::deny_reason::busy;
  EXPECT_EQ(ask(as_anna_wrong).what, kind::hasty);
}

} // namespace
} // namespace troupe::net::msgbus
