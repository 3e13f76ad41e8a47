// SPDX-License-Identifier: Apache-2.0
#include "core/rights_registry.hpp"
#include "net/identity/base64.hpp"
#include "net/identity/digest.hpp"
#include "net/identity/node_authenticator.hpp"
#include "net/identity/scram_verifier.hpp"
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

// ---------------------------------------------------------------------- SCRAM

/// A client of SCRAM-SHA-256, as far as a test needs one.
struct scram_client {
  std::string user;
  std::string password;
  std::string bare = "n=" + user + ",r=client";
  std::string challenge{};
  std::string signature{}; ///< that the server has to show

  [[nodiscard]] std::string first() const { return "n,," + bare; }
  std::string answer(const std::string& told) {
    challenge = told;
    const auto salt_at = told.find(",s=");
    const auto count_at = told.find(",i=");
    const auto verifier = make_scram_verifier(
        password,
        *from_base64(told.substr(salt_at + 3, count_at - salt_at - 3)),
        static_cast<std::uint32_t>(std::stoul(told.substr(count_at + 3))));
    const auto salted =
        pbkdf2_sha256(password, verifier.salt, verifier.iterations);
    const auto without_proof = "c=biws,r=" + told.substr(2, salt_at - 2);
    const auto proven = bare + ',' + challenge + ',' + without_proof;
    auto key = hmac_sha256(salted, "Client Key");
    const auto mask = hmac_sha256(verifier.stored_key, proven);
    for (std::size_t i = 0; i < key.size(); ++i)
      key[i] = static_cast<char>(key[i] ^ mask[i]);
    signature = "v=" + to_base64(hmac_sha256(verifier.server_key, proven));
    return without_proof + ",p=" + to_base64(key);
  }
};

class ScramLogin : public NodeAuthenticator {
protected:
  void open_scram(authenticator_options options = {}) {
    options.scram_iterations = 4096;
    options.scram_secret = "a secret";
    open(options);
  }
  void add_both(const std::string& uid, const std::string& password) {
    std::promise<password_record> made;
    logins->hash(password, [&](result<password_record> record) {
      made.set_value(*record);
    });
    const auto record = made.get_future().get();
    EXPECT_FALSE(record.scram.empty());
    apply(set_password{uid, record.hash, record.scram});
  }
  std::unique_ptr<login_dialogue> begin(const std::string& only = {}) {
    credentials shown;
    shown.client = "client";
    shown.address = "127.0.0.1";
    shown.uid = only;
    return logins->begin("SCRAM-SHA-256", std::move(shown));
  }
  login_outcome exchange(const std::string& user, const std::string& password,
                         const std::string& only = {}) {
    scram_client client{user, password};
    const auto dialogue = begin(only);
    const auto challenged = dialogue->hear(client.first());
    if (challenged.outcome)
      return *challenged.outcome;
    const auto done = dialogue->hear(client.answer(challenged.challenge));
    EXPECT_TRUE(done.outcome);
    if (done.outcome->why == deny_reason::none) {
      EXPECT_EQ(done.outcome->last_words, client.signature);
    }
    return *done.outcome;
  }
};

TEST_F(ScramLogin, IsServedIfItIsWanted) {
  open();
  EXPECT_FALSE(logins->serves("SCRAM-SHA-256"));
  open_scram();
  EXPECT_TRUE(logins->serves("SCRAM-SHA-256"));
  for (const char* other : {"", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "PLAIN"})
    EXPECT_FALSE(logins->serves(other));
}

TEST_F(ScramLogin, ProvesAPassword) {
  open_scram();
  add_both("anna", "secret");
  const auto in = exchange("anna", "secret");
  ASSERT_EQ(in.why, deny_reason::none);
  EXPECT_EQ(in.who.uid, "anna");
  EXPECT_EQ(in.who.client, "client");
  EXPECT_EQ(in.who.by, credential_kind::password);
  EXPECT_EQ(judge.standing(in.who), deny_reason::none);
  EXPECT_EQ(login(with_password("anna", "secret")).why, deny_reason::none);
  add_both("anna", "another");
  EXPECT_EQ(judge.standing(in.who), deny_reason::password_changed);
  EXPECT_EQ(exchange("anna", "secret").why, deny_reason::wrong_credentials);
  EXPECT_EQ(exchange("anna", "another").why, deny_reason::none);
}

TEST_F(ScramLogin, APasswordThatChangesInTheMidstIsNotThatOfTheEnd) {
  open_scram();
  add_both("anna", "secret");
  scram_client client{"anna", "secret"};
  const auto dialogue = begin();
  const auto challenged = dialogue->hear(client.first());
  add_both("anna", "another");
  EXPECT_EQ(dialogue->hear(client.answer(challenged.challenge)).outcome->why,
            deny_reason::password_changed);
}

TEST_F(ScramLogin, NobodyLearnsWhoIsSomebody) {
  open_scram();
  add_both("anna", "secret");
  add_password("carl", "secret"); // of before, without a verifier
  const auto challenge = [&](const std::string& user) {
    const auto step = begin()->hear("n,,n=" + user + ",r=client");
    EXPECT_FALSE(step.outcome);
    return step.challenge;
  };
  const auto salt = [&](const std::string& user) {
    const auto told = challenge(user);
    return told.substr(told.find(",s="));
  };
  for (const char* user : {"anna", "bob", "carl", "../x"}) {
    EXPECT_EQ(challenge(user).size(), challenge("anna").size());
    EXPECT_EQ(salt(user), salt(user));
    EXPECT_NE(challenge(user), challenge(user)); // but for the nonce
  }
  EXPECT_NE(salt("bob"), salt("carl"));
  const auto stranger = exchange("bob", "secret");
  const auto wrong = exchange("anna", "wrong");
  EXPECT_EQ(stranger.why, wrong.why);
  EXPECT_EQ(stranger.last_words, wrong.last_words);
  EXPECT_EQ(exchange("carl", "secret").why, deny_reason::wrong_credentials);
}

TEST_F(ScramLogin, IsOfTheUserItHasToBe) {
  open_scram();
  add_both("anna", "secret");
  add_both("bob", "secret");
  EXPECT_EQ(exchange("anna", "secret", "anna").why, deny_reason::none);
  const auto other = exchange("bob", "secret", "anna");
  EXPECT_EQ(other.why, deny_reason::wrong_credentials);
  EXPECT_EQ(other.last_words, "another user");
}

TEST_F(ScramLogin, WhatIsNoMessageSaysSo) {
  open_scram();
  const auto step = begin()->hear("p=tls-unique,,n=anna,r=x");
  ASSERT_TRUE(step.outcome);
  EXPECT_EQ(step.outcome->why, deny_reason::wrong_credentials);
  EXPECT_EQ(step.outcome->last_words, "channel binding is not served");
}

TEST_F(ScramLogin, BansAreBans) {
  open_scram();
  add_both("anna", "secret");
  apply(set_ban{ban_kind::user, "anna", {}, ""});
  const auto out = exchange("anna", "secret");
  EXPECT_EQ(out.why, deny_reason::user_banned);
  EXPECT_EQ(out.last_words, "");
  EXPECT_EQ(exchange("anna", "wrong").why, deny_reason::wrong_credentials);
}

TEST_F(ScramLogin, FailedAttemptsCountAsThoseOfPasswords) {
  authenticator_options options;
  options.attempts_of_user = {1.0 / 60, 3};
  open_scram(options);
  add_both("anna", "secret");
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(exchange("anna", "secret").why, deny_reason::none);
  EXPECT_EQ(exchange("anna", "wrong").why, deny_reason::wrong_credentials);
  EXPECT_EQ(login(with_password("anna", "wrong")).why,
            deny_reason::wrong_credentials);
  (void)begin()->hear("n,,n=anna,r=x"); // given up in the midst
  EXPECT_EQ(exchange("anna", "secret").why, deny_reason::too_many_attempts);
  EXPECT_EQ(login(with_password("anna", "secret")).why,
            deny_reason::too_many_attempts);
}

TEST_F(ScramLogin, IsCountedAsALogin) {
  open_scram();
  add_both("anna", "secret");
  const auto count = [&](deny_reason why) {
    return judge.stats().logins[static_cast<std::size_t>(why)].load();
  };
  exchange("anna", "secret");
  exchange("anna", "wrong");
  exchange("bob", "wrong");
  EXPECT_EQ(count(deny_reason::none), 1U);
  EXPECT_EQ(count(deny_reason::wrong_credentials), 2U);
}

TEST_F(ScramLogin, NoVerifierIsMadeOfWhatClientsPrepareInTwoWays) {
  open_scram();
  std::promise<password_record> made;
  logins->hash("caf\xC3\xA9", [&](result<password_record> record) {
    made.set_value(*record);
  });
  const auto record = made.get_future().get();
  EXPECT_FALSE(record.hash.empty());
  EXPECT_TRUE(record.scram.empty());
}

} // namespace
