// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "net/identity/base64url.hpp"
#include "net/identity/jwt.hpp"
#include "net/identity/static_token.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace troupe;
using namespace troupe::net::identity;

/// Those of the seeds: a secret and a public key.
const jwt_keys& keys() {
  static const auto all = [] {
    auto parsed = parse_jwks(
        R"({"keys":[{"kty":"oct","k":"dG9rZW5LZXk"},{"kty":"EC","crv":"P-256",)"
        R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
        R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
    TROUPE_ASSERT(parsed, "the keys of the target");
    return *parsed;
  }();
  return all;
}

} // namespace

/// What a client may show as a bearer, and what an operator may have in the
/// file of keys.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const jwt_rules rules{"", {}, core::milliseconds{0}};
  const auto now = core::from_millis(1'000'000);
  const auto outcome = verify_jwt(text, keys(), rules, now);
  TROUPE_ASSERT(outcome.why != jwt_failure::none || outcome.expires > now,
                "a token that is over");
  if (const auto token = parse_static_token(text))
    TROUPE_ASSERT(token->text() == text, "a token in two spellings");
  if (const auto bytes = from_base64url(text))
    TROUPE_ASSERT(to_base64url(*bytes) == text, "a text in two spellings");
  static_cast<void>(parse_jwks(text));
  return 0;
}
