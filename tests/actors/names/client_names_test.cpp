// SPDX-License-Identifier: Apache-2.0
#include "actors/names/client_names.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::names {
namespace {

using core::errc;

constexpr desk_address here{core::node_id{}, 0};
constexpr desk_address there{core::node_id{2}, 0};
constexpr desk_address beside{core::node_id{2}, 1};

name_claim claim_of(const std::string& name, std::uint64_t holder,
                    name_grant had = {}) {
  return {holder, {"default", name}, had};
}

class ClientNames : public testing::Test {
protected:
  ClientNames() { names_.lead_in(core::term{5}); }

  client_names names_{3};
};

TEST_F(ClientNames, GoToWhoComesLast) {
  const auto first = names_.claim(here, claim_of("a", 1));
  EXPECT_EQ(first.failure, errc::ok);
  EXPECT_FALSE(first.before);
  const auto second = names_.claim(there, claim_of("a", 1));
  EXPECT_EQ(second.failure, errc::ok);
  EXPECT_GT(second.given, first.given);
  ASSERT_TRUE(second.before);
  EXPECT_EQ(second.before->at, here);
  EXPECT_EQ(second.before->holder, 1U);
  EXPECT_EQ(second.before->given, first.given);
  EXPECT_EQ(names_.size(), 1U);
}

TEST_F(ClientNames, OfRealmsAreNotEachOthers) {
  names_.claim(here, claim_of("a", 1));
  EXPECT_FALSE(names_.claim(here, {2, {"other", "a"}, {}}).before);
}

TEST_F(ClientNames, AskedForTwiceByTheSameAreItsOwn) {
  const auto first = names_.claim(there, claim_of("a", 1));
  const auto again = names_.claim(there, claim_of("a", 1));
  EXPECT_EQ(again.failure, errc::ok);
  EXPECT_FALSE(again.before);
  EXPECT_GT(again.given, first.given);
  EXPECT_TRUE(names_.claim(beside, claim_of("a", 1)).before)
      << "that of another loop is another one";
}

TEST_F(ClientNames, ComeBackWithWhoHadThem) {
  const name_grant had{core::term{4}, 7};
  const auto back = names_.claim(there, claim_of("a", 1, had));
  EXPECT_EQ(back.failure, errc::ok);
  EXPECT_EQ(back.given, had);
}

/// After a leader was lost two may say that they have a name.
TEST_F(ClientNames, AreTheLaterOnesWhoeverTellsFirst) {
  const name_grant early{core::term{3}, 9};
  const name_grant late{core::term{4}, 1};
  names_.claim(here, claim_of("a", 1, late));
  EXPECT_EQ(names_.claim(there, claim_of("a", 2, early)).failure,
            errc::not_logged_in);
  names_.claim(there, claim_of("b", 2, early));
  const auto won = names_.claim(here, claim_of("b", 1, late));
  EXPECT_EQ(won.failure, errc::ok);
  EXPECT_EQ(won.given, late);
  EXPECT_EQ(won.before->given, early);
}

TEST_F(ClientNames, WhoComesNowIsLaterThanAllWhoHadThem) {
  const name_grant had{core::term{4}, 1'000'000};
  names_.claim(here, claim_of("a", 1, had));
  const auto fresh = names_.claim(there, claim_of("a", 2));
  EXPECT_TRUE(fresh.before);
  EXPECT_GT(fresh.given, had);
  EXPECT_EQ(names_.claim(here, claim_of("a", 1, had)).failure,
            errc::not_logged_in);
}

TEST_F(ClientNames, AreFreedByTheirHolderOnly) {
  names_.claim(here, claim_of("a", 1));
  names_.free(here, {2, {"default", "a"}});
  names_.free(there, {1, {"default", "a"}});
  names_.free(here, {1, {"default", "b"}});
  EXPECT_EQ(names_.size(), 1U);
  names_.free(here, {1, {"default", "a"}});
  EXPECT_EQ(names_.size(), 0U);
}

TEST_F(ClientNames, AreGivenUpToARecord) {
  names_.claim(here, claim_of("a", 1));
  const auto had = names_.take({"default", "a"});
  ASSERT_TRUE(had);
  EXPECT_EQ(had->holder, 1U);
  EXPECT_FALSE(names_.take({"default", "a"}));
}

TEST_F(ClientNames, OfANodeOrADeskAreForgotten) {
  names_.claim(here, claim_of("a", 1));
  names_.claim(there, claim_of("b", 1));
  names_.claim(beside, claim_of("c", 1));
  names_.forget_desk(beside);
  EXPECT_EQ(names_.size(), 2U);
  names_.forget_node(core::node_id{2});
  EXPECT_EQ(names_.size(), 1U);
  EXPECT_EQ(names_.clear(), std::vector<desk_address>{here});
  EXPECT_EQ(names_.size(), 0U);
}

TEST_F(ClientNames, AreBounded) {
  for (const auto* name : {"a", "b", "c"})
    names_.claim(here, claim_of(name, 1));
  EXPECT_EQ(names_.claim(here, claim_of("d", 1)).failure, errc::overloaded);
  EXPECT_EQ(names_.claim(there, claim_of("a", 2)).failure, errc::ok)
      << "one for one";
}

} // namespace
} // namespace troupe::actors::names
