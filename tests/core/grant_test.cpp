// SPDX-License-Identifier: Apache-2.0
#include "core/grant.hpp"
#include "core/grant_set.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace troupe::core;

std::vector<grant> grants(std::initializer_list<const char*> texts) {
  std::vector<grant> all;
  for (const char* text : texts)
    all.push_back(*grant::parse(text));
  return all;
}
topic name(std::string_view text) { return *topic::parse(text); }

TEST(Grant, IsReadAndWritten) {
  for (const char* text : {"publish:a/#", "subscribe:#", "post:users/%u",
                           "call:+", "register:p/%c/*", "admin:#"}) {
    const auto read = grant::parse(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(to_string(*read), text);
  }
}

TEST(Grant, RefusesWhatIsNone) {
  for (const char* text : {"", "publish", "write:a", ":a", "Publish:a"})
    EXPECT_EQ(grant::parse(text).error().code, errc::malformed) << text;
  for (const char* text : {"publish:#/#", "publish:%x", "publish:a*/b"})
    EXPECT_EQ(grant::parse(text).error().code, errc::name_invalid) << text;
  EXPECT_EQ(grant::parse("publish:" + std::string(2000, 'a')).error().code,
            errc::too_large);
}

TEST(Grant, PlaceholdersBecomeOneLevelWhateverTheNameIs) {
  const auto mine = *grant::parse("publish:users/%u/#");
  EXPECT_EQ(mine.expand({"anna", ""})->text(), "users/anna/#");
  // No name reaches beyond its level, or becomes a wildcard.
  EXPECT_EQ(mine.expand({"#", ""})->text(), "users/%23/#");
  EXPECT_EQ(mine.expand({"a/b", ""})->text(), "users/a%2Fb/#");
  EXPECT_EQ(mine.expand({"%u", ""})->text(), "users/%25u/#");
  EXPECT_EQ(grant::parse("publish:x-%c-%u")->expand({"u", "c"})->text(),
            "x-c-u");
}

TEST(Grant, WithoutANameAPlaceholderPermitsNothing) {
  EXPECT_FALSE(grant::parse("publish:users/%u")->expand({"", "c"}));
  EXPECT_FALSE(grant::parse("publish:users/%c")->expand({"u", ""}));
  EXPECT_TRUE(grant_set(grants({"publish:users/%u"}), {}).empty());
}

TEST(GrantSet, PermitsWhatIsGrantedAndSaysByWhat) {
  const grant_set set{
      grants({"publish:a/#", "publish:users/%u", "call:x", "subscribe:+/news"}),
      {"anna", ""}};
  ASSERT_NE(set.find(right::publish, name("a/b/c")), nullptr);
  EXPECT_EQ(*set.find(right::publish, name("a/b/c")), "a/#");
  EXPECT_EQ(*set.find(right::publish, name("users/anna")), "users/anna");
  EXPECT_EQ(set.find(right::publish, name("users/bob")), nullptr);
  EXPECT_EQ(set.find(right::publish, name("x")), nullptr);
  EXPECT_EQ(set.find(right::admin, name("a")), nullptr);
  EXPECT_EQ(set.find(right::post, name("a")), nullptr);
}

TEST(GrantSet, PermitsASubscriptionOnlyIfAllOfItIsGranted) {
  const grant_set set{grants({"subscribe:a/#", "subscribe:b/+"}), {}};
  const auto wants = [&](std::string_view text) {
    return set.find(right::subscribe, *topic_filter::parse(text)) != nullptr;
  };
  EXPECT_TRUE(wants("a/#"));
  EXPECT_TRUE(wants("a/+/x"));
  EXPECT_TRUE(wants("b/x"));
  EXPECT_FALSE(wants("#"));
  EXPECT_FALSE(wants("+/x"));
  EXPECT_FALSE(wants("b/#"));
}

TEST(GrantSet, WildcardsDoNotPermitTheBrokersOwnTopics) {
  const grant_set set{grants({"publish:#", "subscribe:#"}), {}};
  EXPECT_EQ(set.find(right::publish, name("$SYS/x")), nullptr);
  EXPECT_EQ(set.find(right::subscribe, *topic_filter::parse("$SYS/#")),
            nullptr);
}

} // namespace
