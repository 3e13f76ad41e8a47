// SPDX-License-Identifier: Apache-2.0
#include "net/identity/base64.hpp"
#include "net/identity/digest.hpp"
#include "net/identity/scram_server.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::net::identity;
using core::errc;

// RFC 7677 §3: user "user", password "pencil".
const std::string client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
const std::string server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const std::string server_final =
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

scram_verifier pencil() {
  return make_scram_verifier("pencil", *from_base64(salt), 4096);
}

/// A server that has sent its challenge for `first`.
scram_server challenged(const std::string& first = client_first) {
  scram_server server{server_nonce};
  EXPECT_TRUE(server.on_first(first));
  (void)server.challenge(pencil());
  return server;
}

errc outcome(const std::string& final) {
  auto server = challenged();
  const auto told = server.on_final(final);
  return told ? errc::ok : told.error().code;
}

/// A client's final message, right for these.
std::string prove(const std::string& first_bare, const std::string& challenge,
                  const std::string& without_proof,
                  const std::string& password) {
  const auto salted = pbkdf2_sha256(password, *from_base64(salt), 4096);
  const auto key = hmac_sha256(salted, "Client Key");
  const auto signature = hmac_sha256(sha256(key), first_bare + ',' + challenge +
                                                      ',' + without_proof);
  std::string proof;
  for (std::size_t i = 0; i < key.size(); ++i)
    proof += static_cast<char>(key[i] ^ signature[i]);
  return without_proof + ",p=" + to_base64(proof);
}

TEST(Scram, DoesTheExampleOfRfc7677) {
  scram_server server{server_nonce};
  const auto user = server.on_first(client_first);
  ASSERT_TRUE(user);
  EXPECT_EQ(*user, "user");
  EXPECT_EQ(server.challenge(pencil()), server_first);
  const auto told = server.on_final(client_final);
  ASSERT_TRUE(told);
  EXPECT_EQ(*told, server_final);
}

TEST(Scram, AnyOtherProofIsWrong) {
  const auto begin = client_final.find(",p=") + 3;
  const auto proof = *from_base64(client_final.substr(begin));
  for (std::size_t bit = 0; bit < 8 * proof.size(); ++bit) {
    auto other = proof;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(outcome(client_final.substr(0, begin) + to_base64(other)),
              errc::not_permitted);
  }
}

TEST(Scram, NoMutationOfTheFinalMessageGetsIn) {
  std::mt19937 random{7677};
  for (int i = 0; i < 2'000; ++i) {
    auto other = client_final;
    for (auto n = random() % 3 + 1; n > 0; --n) {
      const auto at = random() % other.size();
      switch (random() % 3) {
      case 0:
        other[at] = static_cast<char>(random());
        break;
      case 1:
        other.erase(at, 1 + random() % 4);
        break;
      default:
        other.insert(at, 1, static_cast<char>(random()));
      }
      if (other.empty())
        break;
    }
    if (other != client_final) {
      EXPECT_NE(outcome(other), errc::ok) << other;
    }
  }
}

TEST(Scram, WhatTheFinalMessageAnswersIsTheChallenge) {
  const std::string bare = "n=user,r=rOprNGfwEbeRWgbNEkqO";
  const auto nonce = server_first.substr(2, server_first.find(",s=") - 2);
  const auto proven = [&](const std::string& text) {
    return outcome(prove(bare, server_first, text, "pencil"));
  };
  EXPECT_EQ(proven("c=biws,r=" + nonce), errc::ok);
  EXPECT_EQ(proven("c=biws,r=" + nonce + ",x=an extension"), errc::ok);
  EXPECT_EQ(proven("c=biws,r=" + nonce + ",m=an extension"), errc::malformed);
  EXPECT_EQ(proven("c=eSws,r=" + nonce), errc::malformed); // y,,
  EXPECT_EQ(proven("c=biws,r=" + nonce + "x"), errc::malformed);
  EXPECT_EQ(proven("c=biws,r=rOprNGfwEbeRWgbNEkqO"), errc::malformed);
  EXPECT_EQ(outcome(prove(bare, server_first, "c=biws,r=" + nonce, "pencils")),
            errc::not_permitted);
}

TEST(Scram, WhoCouldHaveBoundTheChannelMaySaySo) {
  const std::string first = "y,,n=user,r=rOprNGfwEbeRWgbNEkqO";
  auto server = challenged(first);
  const auto nonce = server_first.substr(2, server_first.find(",s=") - 2);
  EXPECT_TRUE(server.on_final(
      prove(first.substr(3), server_first, "c=eSws,r=" + nonce, "pencil")));
}

TEST(Scram, FirstMessagesThatAreGood) {
  struct row {
    const char* message;
    const char* user;
    const char* header;
  };
  for (const auto& each : std::vector<row>{
           {"n,,n=a,r=x", "a", "n,,"},
           {"y,,n=a,r=x", "a", "y,,"},
           {"n,a=a,n=a,r=x", "a", "n,a=a,"},
           {"n,,n=a=2Cb=3Dc,r=x", "a,b=c", "n,,"},
           {"n,a=a=2Cb,n=a=2Cb,r=x", "a,b", "n,a=a=2Cb,"},
           {"n,,n=a,r=!~,x=ignored", "a", "n,,"},
           {"n,,n=a b,r=x", "a b", "n,,"},
       }) {
    const auto read = parse_scram_client_first(each.message);
    ASSERT_TRUE(read) << each.message;
    EXPECT_EQ(read->user, each.user);
    EXPECT_EQ(read->header, each.header);
    EXPECT_EQ(read->header + read->bare, each.message);
  }
}

TEST(Scram, FirstMessagesThatAreNone) {
  struct row {
    std::string message;
    const char* why;
  };
  const std::string long_nonce(scram_nonce_bytes_max + 1, 'x');
  for (const auto& each : std::vector<row>{
           {"", "no GS2 header"},
           {"n", "no GS2 header"},
           {"n,", "no GS2 header"},
           {"N,,n=a,r=x", "no GS2 header"},
           {"n,b=a,n=a,r=x", "no GS2 header"},
           {"p=tls-unique,,n=a,r=x", "channel binding is not served"},
           {"p=,,n=a,r=x", "channel binding is not served"},
           {"n,,m=z,n=a,r=x", "mandatory extensions are not served"},
           {"n,,n=a,r=x,m=z", "mandatory extensions are not served"},
           {"n,a=b,n=a,r=x", "nobody acts for another user"},
           {"n,a=,n=a,r=x", "nobody acts for another user"},
           {"n,,", "no user name"},
           {"n,,r=x,n=a", "no user name"},
           {"n,,n=,r=x", "not the way to write a user name"},
           {"n,,n=a=,r=x", "not the way to write a user name"},
           {"n,,n=a=2c,r=x", "not the way to write a user name"},
           {"n,,n=a=3,r=x", "not the way to write a user name"},
           {"n,,n=\xC3\xA9,r=x", "a user name beyond printable ASCII"},
           {"n,,n=a\tb,r=x", "a user name beyond printable ASCII"},
           {std::string{"n,,n=a\0b,r=x", 12},
            "a user name beyond printable ASCII"},
           {"n,,n=a", "no nonce"},
           {"n,,n=a,r=", "no nonce"},
           {"n,,n=a,r=x y", "no nonce"},
           {"n,,n=a,r=\x7f", "no nonce"},
           {"n,,n=a,r=\xC3\xA9", "no nonce"},
           {"n,,n=a,r=" + long_nonce, "no nonce"},
           {"n,,n=a,r=x,", "no attribute"},
           {"n,,n=a,r=x,xx", "no attribute"},
           {"n,,n=a,r=x," + std::string(3000, 'x'),
            "a message that is too long"},
       }) {
    const auto read = parse_scram_client_first(each.message);
    ASSERT_FALSE(read) << each.message;
    EXPECT_EQ(read.error(), (core::error{errc::malformed, each.why}))
        << each.message;
  }
}

TEST(Scram, FinalMessagesThatAreNone) {
  const std::string proof = ",p=" + to_base64(std::string(32, 'x'));
  struct row {
    std::string message;
    const char* why;
  };
  ASSERT_TRUE(parse_scram_client_final("c=biws,r=x" + proof));
  for (const auto& each : std::vector<row>{
           {"", "no channel binding"},
           {"r=x" + proof, "no channel binding"},
           {"c=biw,r=x" + proof, "no channel binding"},
           {"c=biws" + proof, "no nonce"},
           {"c=biws,r=" + proof, "no nonce"},
           {"c=biws,r=x", "no proof"},
           {"c=biws,r=x,p=", "no proof"},
           {"c=biws,r=x,p=eHh4", "no proof"},
           {"c=biws,r=x" + proof + ",y=1", "no proof"},
           {"c=biws,r=x,m=1" + proof, "mandatory extensions are not served"},
           {"c=biws,r=x,,", "no attribute"},
       }) {
    const auto read = parse_scram_client_final(each.message);
    ASSERT_FALSE(read) << each.message;
    EXPECT_EQ(read.error(), (core::error{errc::malformed, each.why}))
        << each.message;
  }
}

TEST(ScramVerifier, ComesBackFromItsText) {
  const auto text = to_text(pencil());
  EXPECT_EQ(text, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                  "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                  "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  EXPECT_EQ(parse_scram_verifier(text), pencil());
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse_scram_verifier(text.substr(0, size))) << size;
  for (const char* each :
       {"SCRAM-SHA-1$4096:eA==$eA==:eA==", "SCRAM-SHA-256$0:eA==$eA==:eA==",
        "SCRAM-SHA-256$x:eA==$eA==:eA==", "SCRAM-SHA-256$4096:eA==$eA==:eA=="})
    EXPECT_FALSE(parse_scram_verifier(each)) << each;
}

TEST(ScramVerifier, HasASaltOfItsOwnEachTime) {
  const auto one = make_scram_verifier("secret", 4096);
  const auto other = make_scram_verifier("secret", 4096);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->salt.size(), 16U);
  EXPECT_NE(one->salt, other->salt);
  EXPECT_NE(one->stored_key, other->stored_key);
}

TEST(ScramVerifier, IsNotMadeOfWhatClientsMayPrepareInTwoWays) {
  for (const char* each : {"", "caf\xC3\xA9", "a\tb", "\x7f"})
    EXPECT_EQ(make_scram_verifier(each, 4096).error().code, errc::malformed);
}

TEST(ScramVerifier, ADecoyIsTheSameForTheSameName) {
  const auto decoy = decoy_verifier("a secret", "anna", 5000);
  EXPECT_EQ(decoy, decoy_verifier("a secret", "anna", 5000));
  EXPECT_EQ(decoy.iterations, 5000U);
  EXPECT_EQ(decoy.salt.size(), 16U);
  EXPECT_NE(decoy.salt, decoy_verifier("a secret", "bob", 5000).salt);
  EXPECT_NE(decoy.salt, decoy_verifier("another", "anna", 5000).salt);
}

TEST(Base64, HasOneWayToWriteEachText) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"\xFB\xFF", "+/8="}}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  for (const char* each :
       {"Zg", "Zg=", "Zh==", "Z===", "-_8=", "Zg==Zg==", "Zm9v\n", "====", "="})
    EXPECT_FALSE(from_base64(each)) << each;
}

} // namespace
