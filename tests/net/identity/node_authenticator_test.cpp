// SPDX-License-Identifier: Apache-2.0
#include "core/rights_registry.hpp"
#include "net/identity/node_authenticator.hpp"
#include "net/identity/static_token.hpp"
#include "tests/support/jwt_signer.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_directory_store.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <string>

namespace {

using namespace troupe;
using namespace troupe::core;
using namespace troupe::net::identity;

/// Cheap enough for many.
constexpr password_cost quick{64, 1};

class NodeAuthenticator : public ::testing::Test {
protected:
  void apply(const rights_command& command) {
    ASSERT_EQ(
        core::apply(store, "default", command, clock.wall(), log_index{++index})
            .code,
        errc::ok);
    board.changed(store.totals_of_rights());
  }
  void add_password(const std::string& uid, const std::string& password) {
    apply(set_password{uid, *hash_password(password, quick)});
  }
  std::string add_static_token(const std::string& uid,
                               std::optional<timestamp> expires = {},
                               std::vector<grant> grants = {}) {
    const auto token = *make_static_token();
    apply(add_token{token.id,
                    uid,
                    hash_of_token(token.secret),
                    "",
                    expires,
                    {},
                    std::move(grants)});
    return token.text();
  }
  void open(authenticator_options options = {}) {
    options.cost = quick;
    auto keys = load_jwt_keys(options.jwt);
    ASSERT_TRUE(keys);
    logins.emplace(store, judge, clock, *keys, options);
  }
  login_outcome login(credentials shown) {
    if (shown.address.empty())
      shown.address = "127.0.0.1";
    std::promise<login_outcome> promise;
    logins->authenticate(std::move(shown), [&](login_outcome outcome) {
      promise.set_value(std::move(outcome));
    });
    return promise.get_future().get();
  }
  static credentials with_password(std::string uid, std::string password) {
    credentials shown;
    shown.uid = std::move(uid);
    shown.password = std::move(password);
    return shown;
  }
  static credentials with_bearer(std::string bearer) {
    credentials shown;
    shown.bearer = std::move(bearer);
    return shown;
  }
  [[nodiscard]] std::string claims(const std::string& more,
                                   int seconds = 60) const {
    return R"({"sub":"anna","exp":)" +
           std::to_string(to_millis(clock.wall()) / 1000 + seconds) + more +
           "}";
  }

  test::memory_directory_store store;
  rights_board board;
  test_support::manual_clock clock;
  std::uint64_t index = 0;
  authorizer judge{store, board, clock, {anonymous_policy::loopback, {}}};
  std::optional<node_authenticator> logins;
};

TEST_F(NodeAuthenticator, APasswordProvesItsUser) {
  add_password("anna", "secret");
  open();
  const auto in = login(with_password("anna", "secret"));
  ASSERT_EQ(in.why, deny_reason::none);
  EXPECT_EQ(in.who.uid, "anna");
  EXPECT_EQ(in.who.by, credential_kind::password);
  EXPECT_EQ(judge.standing(in.who), deny_reason::none);
  for (const auto& [uid, password] :
       {std::pair{"anna", "Secret"}, std::pair{"anna", ""},
        std::pair{"bob", "secret"}, std::pair{"bob", ""}})
    EXPECT_EQ(login(with_password(uid, password)).why,
              deny_reason::wrong_credentials);
  // What was valid is not for the password that follows.
  add_password("anna", "secret");
  EXPECT_EQ(judge.standing(in.who), deny_reason::password_changed);
}

TEST_F(NodeAuthenticator, AStaticTokenStandsForItsUser) {
  const auto text = add_static_token("anna", clock.wall() + milliseconds{1000},
                                     {*grant::parse("publish:lamp")});
  open();
  const auto in = login(with_bearer(text));
  ASSERT_EQ(in.why, deny_reason::none);
  EXPECT_EQ(in.who.uid, "anna");
  EXPECT_TRUE(in.who.own_rights_only);
  auto other = with_bearer(text);
  other.uid = "bob";
  EXPECT_EQ(login(other).why, deny_reason::wrong_credentials);
  other = with_bearer(text);
  other.realm = "other";
  EXPECT_EQ(login(other).why, deny_reason::wrong_credentials);
  auto changed = text;
  changed.back() = changed.back() == '0' ? '1' : '0';
  EXPECT_EQ(login(with_bearer(changed)).why, deny_reason::wrong_credentials);
  for (const char* none : {"trp_", "trp__", "trp_x_y", "trp_000000000000_"})
    EXPECT_EQ(login(with_bearer(none)).why, deny_reason::wrong_credentials);
  clock.advance(milliseconds{1000});
  EXPECT_EQ(login(with_bearer(text)).why, deny_reason::expired);
  apply(revoke_token{in.who.token});
  EXPECT_EQ(login(with_bearer(text)).why, deny_reason::wrong_credentials);
}

TEST_F(NodeAuthenticator, AJwtSaysWhoItIsAndWhatHeMay) {
  authenticator_options options;
  options.jwt.secret = "tokenKey";
  options.jwt.rules.leeway = milliseconds{0};
  open(options);
  const auto sign = [&](const std::string& text) {
    return with_bearer(test_support::sign_hmac("HS256", "tokenKey", text));
  };
  auto in = login(sign(claims("")));
  ASSERT_EQ(in.why, deny_reason::none);
  EXPECT_EQ(in.who.uid, "anna");
  EXPECT_FALSE(in.who.own_rights_only);
  ASSERT_TRUE(in.who.expires);
  in = login(sign(claims(R"(,"roles":"a b","grants":["publish:x/%u"])")));
  ASSERT_EQ(in.why, deny_reason::none);
  EXPECT_TRUE(in.who.own_rights_only);
  EXPECT_EQ(in.who.roles, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(in.who.grants.size(), 1U);
  session_rights live{judge, in.who};
  EXPECT_EQ(live.check(right::publish, *topic::parse("x/anna")),
            deny_reason::none);
  clock.advance(milliseconds{61'000});
  EXPECT_EQ(live.standing(), deny_reason::expired);
  EXPECT_EQ(login(sign(claims("", -1))).why, deny_reason::expired);
  for (const char* bad :
       {R"(,"roles":7)", R"(,"grants":["write:x"])", R"(,"grants":[7])"})
    EXPECT_EQ(login(sign(claims(bad))).why, deny_reason::wrong_credentials)
        << bad;
  EXPECT_EQ(login(sign(R"({"sub":"","exp":99999999999})")).why,
            deny_reason::wrong_credentials);
  EXPECT_EQ(login(with_bearer("rubbish")).why, deny_reason::wrong_credentials);
}

TEST_F(NodeAuthenticator, KeysAreReadAgainAndKeptIfTheNewOnesAreNone) {
  test::temporary_folder folder;
  const auto path = (folder.path() / "keys.json").string();
  const test_support::jwt_signer old{"P-256"};
  const test_support::jwt_signer fresh{"P-256"};
  std::ofstream{path} << "{\"keys\":[" << old.jwk("1") << "]}";
  authenticator_options options;
  options.jwt.keys_path = path;
  open(options);
  const auto of_old = with_bearer(old.sign("ES256", claims("")));
  const auto of_new = with_bearer(fresh.sign("ES256", claims("")));
  EXPECT_EQ(login(of_old).why, deny_reason::none);
  EXPECT_EQ(login(of_new).why, deny_reason::wrong_credentials);
  std::ofstream{path} << "{\"keys\":[" << fresh.jwk("2") << "]}";
  ASSERT_TRUE(logins->reload());
  EXPECT_EQ(login(of_old).why, deny_reason::wrong_credentials);
  EXPECT_EQ(login(of_new).why, deny_reason::none);
  std::ofstream{path} << "oops";
  EXPECT_FALSE(logins->reload());
  EXPECT_EQ(login(of_new).why, deny_reason::none);
}

TEST_F(NodeAuthenticator, WithoutCredentialsOnlyThisMachineComesIn) {
  open();
  EXPECT_EQ(login({}).why, deny_reason::none);
  credentials far;
  far.address = "192.0.2.7";
  EXPECT_EQ(login(far).why, deny_reason::no_credentials);
}

TEST_F(NodeAuthenticator, BansHoldWhateverIsShown) {
  add_password("anna", "secret");
  open();
  apply(set_ban{ban_kind::user, "anna", {}, ""});
  EXPECT_EQ(login(with_password("anna", "secret")).why,
            deny_reason::user_banned);
  apply(lift_ban{ban_kind::user, "anna"});
  apply(set_ban{ban_kind::address, "127.0.0.1", {}, ""});
  EXPECT_EQ(login(with_password("anna", "secret")).why,
            deny_reason::address_banned);
}

TEST_F(NodeAuthenticator, WrongAttemptsAreLimitedByUserAndByAddress) {
  add_password("anna", "secret");
  authenticator_options options;
  options.attempts_of_user = {1, 3};
  options.attempts_from_address = {1, 5};
  open(options);
  // What is right does not count, however often it comes.
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(login(with_password("anna", "secret")).why, deny_reason::none);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(login(with_password("anna", "wrong")).why,
              deny_reason::wrong_credentials);
  EXPECT_EQ(login(with_password("anna", "secret")).why,
            deny_reason::too_many_attempts);
  EXPECT_EQ(login(with_bearer("x")).why, deny_reason::wrong_credentials);
  EXPECT_EQ(login(with_bearer("x")).why, deny_reason::too_many_attempts);
  auto elsewhere = with_bearer("x");
  elsewhere.address = "127.0.0.2";
  EXPECT_EQ(login(elsewhere).why, deny_reason::wrong_credentials);
  clock.advance(milliseconds{1000});
  EXPECT_EQ(login(with_password("anna", "secret")).why, deny_reason::none);
}

TEST_F(NodeAuthenticator, WhenTheQueueIsFullNewcomersAreToldSo) {
  authenticator_options options;
  options.hashing = {1, 2};
  open(options);
  std::mutex mutex;
  std::condition_variable changed;
  bool running = false;
  bool go_on = false;
  // The only worker is held up by an answer.
  logins->authenticate(with_password("anna", "x"), [&](login_outcome) {
    std::unique_lock lock{mutex};
    running = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
  });
  {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return running; });
  }
  std::promise<void> both[2];
  for (auto& each : both)
    logins->authenticate(with_password("anna", "x"),
                         [&each](login_outcome) { each.set_value(); });
  EXPECT_EQ(login(with_password("anna", "x")).why, deny_reason::busy);
  {
    const std::lock_guard lock{mutex};
    go_on = true;
  }
  changed.notify_all();
  for (auto& each : both)
    each.get_future().wait();
}

TEST(Password, HashesAreSaltedAndSayHowTheyWereMade) {
  const auto one = *hash_password("secret", quick);
  const auto two = *hash_password("secret", quick);
  EXPECT_NE(one, two);
  EXPECT_TRUE(one.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
  EXPECT_TRUE(verify_password(one, "secret"));
  EXPECT_FALSE(verify_password(one, "secret "));
  EXPECT_FALSE(verify_password("", "secret"));
  EXPECT_FALSE(verify_password("$argon2id$rubbish", "secret"));
  EXPECT_EQ(hash_password("").error().code, errc::malformed);
  EXPECT_EQ(hash_password(std::string(2000, 'x')).error().code,
            errc::too_large);
}

TEST(StaticToken, IsReadAsItWasWritten) {
  const auto token = *make_static_token();
  const auto read = parse_static_token(token.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, token.id);
  EXPECT_EQ(read->secret, token.secret);
  EXPECT_NE(make_static_token()->secret, token.secret);
  EXPECT_FALSE(parse_static_token(token.text() + "0"));
  EXPECT_FALSE(parse_static_token("x" + token.text()));
}

} // namespace
