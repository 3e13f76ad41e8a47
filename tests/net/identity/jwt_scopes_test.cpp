// SPDX-License-Identifier: Apache-2.0
#include "net/identity/jwt_scopes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::net::identity;
using texts = std::vector<std::string>;

texts granted(texts scopes, std::string_view realm = "default") {
  scopes.emplace_back("rabbitmq.configure:*/*");
  texts all;
  for (const auto& each : grants_of_scopes(scopes, "rabbitmq", realm))
    all.push_back(core::to_string(each));
  return all;
}

TEST(JwtScopes, SayWhatMayBeReadAndWritten) {
  EXPECT_EQ(granted({"rabbitmq.read:*/*/apps.tilechat.users.u1.*",
                     "rabbitmq.write:*/*/apps.tilechat.outgoing.users.u1.*"}),
            (texts{"subscribe:apps/tilechat/users/u1/*",
                   "publish:apps/tilechat/outgoing/users/u1/*"}));
}

TEST(JwtScopes, KeysAreNeverMoreThanWasMeant) {
  const std::vector<std::pair<const char*, texts>> table{
      {"*", {"publish:#"}},
      {"a", {"publish:a"}},
      {"a.b", {"publish:a/b"}},
      {"a.b*", {"publish:a/b*"}},
      {"a.*.c", {"publish:a/+/c"}},
      {"a*.c", {}},
      {"*.c", {"publish:+/c"}},
      {"a.%u.x", {"publish:a/%25u/x"}},
      {"a/+/#", {"publish:a%2F%2B%2F%23"}},
      {"", {"publish:"}},
  };
  for (const auto& [key, wanted] : table)
    EXPECT_EQ(granted({"rabbitmq.write:*/*/" + std::string{key}}), wanted)
        << key;
}

TEST(JwtScopes, WithoutAKeyAreAboutAllTopics) {
  EXPECT_EQ(granted({"rabbitmq.read:*/*"}), texts{"subscribe:#"});
}

TEST(JwtScopes, OfOtherServersHostsAndExchangesGrantNothing) {
  for (const char* each :
       {"other.read:*/*/a", "rabbitmqread:*/*/a", "rabbitmq.read:other/*/a",
        "rabbitmq.read:*/amq.direct/a", "rabbitmq.read", "rabbitmq.read:*",
        "rabbitmq.admin:*/*/a", ""})
    EXPECT_EQ(granted({each}), texts{}) << each;
  for (const char* each :
       {"rabbitmq.read:%2F/*/a", "rabbitmq.read:default/amq.topic/a"})
    EXPECT_EQ(granted({each}), texts{"subscribe:a"}) << each;
  EXPECT_EQ(granted({"rabbitmq.read:%2F/*/a"}, "shop"), texts{});
  EXPECT_EQ(granted({"rabbitmq.read:shop/*/a"}, "shop"), texts{"subscribe:a"});
}

TEST(JwtScopes, WhoMayNotConfigureMayNotSubscribe) {
  const texts scopes{"rabbitmq.read:*/*/a", "rabbitmq.write:*/*/b"};
  const auto found = grants_of_scopes(scopes, "rabbitmq", "default");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(core::to_string(found[0]), "publish:b");
}

TEST(JwtScopes, AnyIsAboutTheServerAlone) {
  EXPECT_FALSE(any_scope_of(texts{}, "rabbitmq"));
  EXPECT_FALSE(any_scope_of(texts{"other.read:*/*"}, "rabbitmq"));
  EXPECT_TRUE(any_scope_of(texts{"rabbitmq.tag:x"}, "rabbitmq"));
}

} // namespace
