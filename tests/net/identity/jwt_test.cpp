// SPDX-License-Identifier: Apache-2.0
#include "net/identity/base64url.hpp"
#include "net/identity/jwt.hpp"
#include "tests/support/jwt_signer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace troupe;
using namespace troupe::net::identity;
using test_support::jwt_signer;
using test_support::sign_hmac;
using test_support::unsigned_token;

constexpr std::string_view anna = R"({"sub":"anna","exp":2000})";
const auto now = core::from_millis(1'000'000); // second 1000

jwt_failure why(std::string_view token, const jwt_keys& keys,
                const jwt_rules& rules = {"", {}, core::milliseconds{0}},
                core::timestamp at = now) {
  return verify_jwt(token, keys, rules, at).why;
}
jwt_keys secret(const char* text = "tokenKey") {
  return {*jwt_key::of_secret(text)};
}
std::string hs(std::string_view claims, std::string_view header = {}) {
  return sign_hmac("HS256", "tokenKey", claims, header);
}

TEST(Jwt, TakesWhatASecretSigned) {
  for (const char* algorithm : {"HS256", "HS384", "HS512"}) {
    const auto outcome = verify_jwt(sign_hmac(algorithm, "tokenKey", anna),
                                    secret(), {"", {}, {}}, now);
    EXPECT_EQ(outcome.why, jwt_failure::none) << algorithm;
    EXPECT_EQ(outcome.claims.at("sub").as_string(), "anna");
    EXPECT_EQ(outcome.expires, core::from_millis(2'000'000));
  }
  EXPECT_EQ(why(hs(anna), secret("another")), jwt_failure::signature);
}

/// The example of RFC 7515, appendix A.1.
TEST(Jwt, TakesTheExampleOfTheStandard) {
  const auto keys = parse_jwks(
      R"({"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})");
  ASSERT_TRUE(keys);
  EXPECT_EQ(why("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
                "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                *keys),
            jwt_failure::none);
}

TEST(Jwt, TakesWhatAPublicKeyProves) {
  const jwt_signer rsa{"RSA"};
  const jwt_keys keys{*jwt_key::of_pem(rsa.pem())};
  for (const char* algorithm :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
    EXPECT_EQ(why(rsa.sign(algorithm, anna), keys), jwt_failure::none)
        << algorithm;
  EXPECT_EQ(why(jwt_signer{"RSA"}.sign("RS256", anna), keys),
            jwt_failure::signature);
  for (const auto& [curve, algorithm] :
       {std::pair{"P-256", "ES256"}, std::pair{"P-384", "ES384"},
        std::pair{"P-521", "ES512"}}) {
    const jwt_signer ec{curve};
    EXPECT_EQ(why(ec.sign(algorithm, anna), {*jwt_key::of_pem(ec.pem())}),
              jwt_failure::none)
        << algorithm;
    const auto set = parse_jwks("{\"keys\":[" + ec.jwk("a") + "]}");
    ASSERT_TRUE(set);
    EXPECT_EQ(why(ec.sign(algorithm, anna), *set), jwt_failure::none);
  }
}

TEST(Jwt, NeverTakesNone) {
  for (const char* name : {"none", "None", "NONE", "nOnE", ""}) {
    const auto text =
        unsigned_token(R"({"alg":")" + std::string{name} + R"("})", anna);
    for (const char* tail : {".", ".AA", ""})
      EXPECT_NE(why(text + tail, secret()), jwt_failure::none) << name;
    EXPECT_EQ(why(text + ".AA", secret()), jwt_failure::algorithm) << name;
  }
  EXPECT_EQ(why(unsigned_token("{}", anna) + ".AA", secret()),
            jwt_failure::algorithm);
}

/// What is signed with a public key as if it were a shared secret.
TEST(Jwt, AKeyServesItsOwnAlgorithmsOnly) {
  const jwt_signer rsa{"RSA"};
  const jwt_signer ec{"P-256"};
  const jwt_keys keys{*jwt_key::of_pem(rsa.pem()), *jwt_key::of_pem(ec.pem())};
  for (const auto& pem : {rsa.pem(), ec.pem()})
    EXPECT_EQ(why(sign_hmac("HS256", pem, anna), keys),
              jwt_failure::key_unknown);
  // Another curve's algorithm, and a key that is for one algorithm.
  EXPECT_EQ(why(ec.sign("ES384", anna), {*jwt_key::of_pem(ec.pem())}),
            jwt_failure::key_unknown);
  const auto only =
      parse_jwks("{\"keys\":[" + rsa.jwk("a", R"(,"alg":"PS256")") + "]}");
  ASSERT_TRUE(only);
  EXPECT_EQ(why(rsa.sign("RS256", anna), *only), jwt_failure::key_unknown);
  EXPECT_EQ(why(rsa.sign("PS256", anna), *only), jwt_failure::none);
}

TEST(Jwt, FindsTheKeyByItsName) {
  const jwt_signer one{"P-256"};
  const jwt_signer two{"P-256"};
  const auto keys =
      parse_jwks("{\"keys\":[" + one.jwk("one") + "," + two.jwk("two") + "]}");
  ASSERT_TRUE(keys);
  EXPECT_EQ(why(two.sign("ES256", anna, R"(,"kid":"two")"), *keys),
            jwt_failure::none);
  EXPECT_EQ(why(two.sign("ES256", anna, R"(,"kid":"one")"), *keys),
            jwt_failure::signature);
  EXPECT_EQ(why(two.sign("ES256", anna, R"(,"kid":"new")"), *keys),
            jwt_failure::key_unknown);
  EXPECT_EQ(why(two.sign("ES256", anna), *keys), jwt_failure::none);
}

TEST(Jwt, HoldsTheTimes) {
  const jwt_rules strict{"", {}, core::milliseconds{0}};
  const jwt_rules kind{"", {}, core::milliseconds{30'000}};
  const auto ends = [](int s) {
    return hs(R"({"exp":)" + std::to_string(s) + "}");
  };
  EXPECT_EQ(why(ends(1001), secret(), strict), jwt_failure::none);
  EXPECT_EQ(why(ends(1000), secret(), strict), jwt_failure::expired);
  EXPECT_EQ(why(ends(971), secret(), kind), jwt_failure::none);
  EXPECT_EQ(why(ends(970), secret(), kind), jwt_failure::expired);
  EXPECT_EQ(why(hs(R"({"sub":"anna"})"), secret(), kind), jwt_failure::expired);
  for (const char* name : {"nbf", "iat"}) {
    const auto begins = [&](int s) {
      return hs(R"({"exp":5000,")" + std::string{name} +
                "\":" + std::to_string(s) + "}");
    };
    EXPECT_EQ(why(begins(1000), secret(), strict), jwt_failure::none);
    EXPECT_EQ(why(begins(1001), secret(), strict), jwt_failure::not_yet_valid);
    EXPECT_EQ(why(begins(1030), secret(), kind), jwt_failure::none);
    EXPECT_EQ(why(begins(1031), secret(), kind), jwt_failure::not_yet_valid);
  }
  EXPECT_EQ(why(hs(R"({"exp":1000.5})"), secret(), strict), jwt_failure::none);
  for (const char* bad :
       {"1e300", "\"2000\"", "null", "-1e300", "true", "18446744073709551615"})
    EXPECT_EQ(why(hs(R"({"exp":)" + std::string{bad} + "}"), secret(), strict),
              jwt_failure::malformed)
        << bad;
}

TEST(Jwt, HoldsIssuerAndAudience) {
  const jwt_rules rules{"joe", {"chat", "lamp"}, {}};
  const auto check = [&](const char* more) {
    return why(hs(R"({"exp":2000,)" + std::string{more} + "}"), secret(),
               rules);
  };
  EXPECT_EQ(check(R"("iss":"joe","aud":"lamp")"), jwt_failure::none);
  EXPECT_EQ(check(R"("iss":"joe","aud":["x","chat"])"), jwt_failure::none);
  EXPECT_EQ(check(R"("iss":"jim","aud":"chat")"), jwt_failure::wrong_issuer);
  EXPECT_EQ(check(R"("aud":"chat")"), jwt_failure::wrong_issuer);
  for (const char* none : {"\"x\"", "[]", "7", "null", "[[\"chat\"]]"})
    EXPECT_EQ(check((R"("iss":"joe","aud":)" + std::string{none}).c_str()),
              jwt_failure::wrong_audience)
        << none;
  EXPECT_EQ(check(R"("iss":"joe")"), jwt_failure::wrong_audience);
}

TEST(Jwt, NoBitOfATokenCanBeChanged) {
  const jwt_signer ec{"P-256"};
  const jwt_keys keys{*jwt_key::of_pem(ec.pem()), secret().front()};
  for (const auto& token : {hs(anna), ec.sign("ES256", anna)})
    for (std::size_t at = 0; at < token.size(); ++at)
      for (const char other : {'A', 'z', '-', '.', '='}) {
        auto changed = token;
        changed[at] = other;
        if (changed != token) {
          EXPECT_NE(why(changed, keys), jwt_failure::none) << changed;
        }
      }
}

TEST(Jwt, RefusesWhatIsNoToken) {
  const auto token = hs(anna);
  for (const auto& text :
       {std::string{}, std::string{"."}, std::string{".."},
        std::string{"a.b.c.d"}, token + ".", token + " ", token + "=",
        " " + token, std::string(jwt_bytes_max + 1, 'a'),
        unsigned_token("[]", anna) + ".AA",
        unsigned_token(std::string(9000, '['), anna) + ".AA"})
    EXPECT_EQ(why(text, secret()), jwt_failure::malformed)
        << text.substr(0, 80);
  EXPECT_EQ(why(hs("[1]"), secret()), jwt_failure::malformed);
  EXPECT_EQ(why(hs(anna, R"(,"crit":["exp"])"), secret()),
            jwt_failure::algorithm);
}

TEST(Jwks, RefusesWhatIsNoKey) {
  for (const char* text :
       {"", "[]", "{}", R"({"keys":7})", R"({"keys":[]})", R"({"keys":[7]})",
        R"({"keys":[{"kty":"oct"}]})", R"({"keys":[{"kty":"oct","k":"="}]})",
        R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
        R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})",
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]})",
        R"({"keys":[{"kty":"oct","k":"AA","use":"enc"}]})"})
    EXPECT_EQ(parse_jwks(text).error().code, core::errc::invalid_config)
        << text;
  // A point that is not on its curve.
  const std::string far(43, 'A');
  EXPECT_FALSE(parse_jwks(R"({"keys":[{"kty":"EC","crv":"P-256","x":")" + far +
                          R"(","y":")" + far + R"("}]})"));
  EXPECT_FALSE(jwt_key::of_pem("-----BEGIN PUBLIC KEY-----\n"));
  EXPECT_FALSE(jwt_key::of_secret(""));
}

TEST(Base64Url, ThereIsOneWayToWriteEachText) {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "\xff\xfe"})
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
  EXPECT_EQ(to_base64url("\xff\xfe"), "__4");
  for (const char* text : {"A", "AB", "__5", "AA==", "+/", "A A", "AAAAA"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

} // namespace
