// SPDX-License-Identifier: Apache-2.0
#include "core/directory_machine.hpp"
#include "core/rights_registry.hpp"
#include "tests/support/memory_directory_store.hpp"
#include "tests/support/random_directory.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using namespace troupe;
using namespace troupe::core;

class RightsRegistry : public ::testing::Test {
protected:
  errc apply(const rights_command& command, std::int64_t millis = 0) {
    return core::apply(store, "default", command, from_millis(millis),
                       log_index{++index})
        .code;
  }
  [[nodiscard]] account_record account(std::string_view uid) const {
    return store.account("default", uid).value_or(account_record{});
  }

  test::memory_directory_store store;
  std::uint64_t index = 0;
};

TEST_F(RightsRegistry, APasswordKnowsWhenItWasSet) {
  EXPECT_EQ(apply(set_password{"anna", "one"}), errc::ok);
  EXPECT_EQ(account("anna").password_set, log_index{1});
  EXPECT_EQ(apply(set_password{"anna", "one"}), errc::ok);
  EXPECT_EQ(account("anna").password_set, log_index{2});
  EXPECT_EQ(apply(set_password{"anna", ""}), errc::ok);
  EXPECT_FALSE(store.account("default", "anna"));
  EXPECT_EQ(apply(set_password{"anna", ""}), errc::not_found);
}

TEST_F(RightsRegistry, WhatProvesAPasswordGoesWithIt) {
  EXPECT_EQ(apply(set_password{"anna", "one", "scram one"}), errc::ok);
  EXPECT_EQ(account("anna").scram, "scram one");
  EXPECT_EQ(apply(change_account{"anna", give_or_take::give, {"r"}, {}}),
            errc::ok);
  EXPECT_EQ(account("anna").scram, "scram one");
  EXPECT_EQ(apply(set_password{"anna", "two"}), errc::ok);
  EXPECT_EQ(account("anna").scram, "");
  EXPECT_EQ(apply(set_password{"anna", "", "without a password"}), errc::ok);
  EXPECT_EQ(account("anna").scram, "");
  EXPECT_EQ(apply(set_password{"anna", "x", std::string(513, 'x')}),
            errc::too_large);
}

TEST_F(RightsRegistry, GivingTwiceIsGivingOnce) {
  const change_account give{
      "anna", give_or_take::give, {"r"}, {{right::publish, "a"}}};
  EXPECT_EQ(apply(give), errc::ok);
  EXPECT_EQ(apply(give), errc::ok);
  EXPECT_EQ(account("anna").roles.size(), 1U);
  EXPECT_EQ(account("anna").grants.size(), 1U);
  auto take = give;
  take.how = give_or_take::take;
  EXPECT_EQ(apply(take), errc::ok);
  EXPECT_FALSE(store.account("default", "anna"));
  EXPECT_EQ(apply(take), errc::not_found);
}

TEST_F(RightsRegistry, NothingChangesOnAFailure) {
  apply(change_account{"anna", give_or_take::give, {"r"}, {}});
  const auto before = store;
  EXPECT_EQ(apply(change_account{
                "anna", give_or_take::give, {"x"}, {{right::publish, "#/#"}}}),
            errc::name_invalid);
  EXPECT_EQ(apply(change_account{"", {}, {}, {}}), errc::name_invalid);
  EXPECT_EQ(apply(set_password{"anna", std::string(513, 'x')}),
            errc::too_large);
  EXPECT_EQ(apply(change_account{"anna", {}, {"\x01"}, {}}),
            errc::name_invalid);
  EXPECT_EQ(apply(remove_role{"r"}), errc::not_found);
  EXPECT_EQ(apply(revoke_token{"t"}), errc::not_found);
  EXPECT_EQ(apply(lift_ban{ban_kind::user, "anna"}), errc::not_found);
  EXPECT_EQ(store, before);
}

TEST_F(RightsRegistry, ATokenIsOfItsUserAndGoesWithHim) {
  EXPECT_EQ(apply(add_token{"t1", "anna", "h", "lamp", {}, {}, {}}), errc::ok);
  EXPECT_EQ(apply(add_token{"t1", "bob", "h", "", {}, {}, {}}),
            errc::user_exists);
  EXPECT_EQ(apply(add_token{"t2", "anna", "", "", {}, {}, {}}),
            errc::malformed);
  EXPECT_EQ(account("anna").tokens, std::vector<std::string>{"t1"});
  EXPECT_EQ(core::apply(store, "other", revoke_token{"t1"}, {}, {}).code,
            errc::not_found);
  forget_rights(store, "default", "anna");
  EXPECT_EQ(store, test::memory_directory_store{});
}

TEST_F(RightsRegistry, TokensOfOneUserAreBounded) {
  for (std::size_t i = 0; i < tokens_per_account_max; ++i)
    ASSERT_EQ(apply(add_token{std::to_string(i), "anna", "h", "", {}, {}, {}}),
              errc::ok);
  EXPECT_EQ(apply(add_token{"more", "anna", "h", "", {}, {}, {}}),
            errc::too_many);
  EXPECT_EQ(apply(revoke_token{"7"}), errc::ok);
  EXPECT_EQ(apply(add_token{"more", "anna", "h", "", {}, {}, {}}), errc::ok);
}

TEST_F(RightsRegistry, GrantsOfOneHolderAreBounded) {
  change_role all{"r", give_or_take::give, {}};
  for (std::size_t i = 0; i <= grants_per_holder_max; ++i)
    all.grants.push_back({right::publish, std::to_string(i)});
  EXPECT_EQ(apply(all), errc::too_many);
  all.grants.pop_back();
  EXPECT_EQ(apply(all), errc::ok);
  EXPECT_EQ(apply(change_role{"r", give_or_take::give, {{right::call, "x"}}}),
            errc::too_many);
}

TEST_F(RightsRegistry, BlocksAreCounted) {
  EXPECT_EQ(apply(change_blocks{"anna", give_or_take::give, {"b", "c", "b"}}),
            errc::ok);
  EXPECT_EQ(apply(change_blocks{"anna", give_or_take::give, {"b"}}), errc::ok);
  EXPECT_EQ(store.totals_of_rights().blocks, 2U);
  EXPECT_TRUE(store.has_block("default", "anna", "b"));
  EXPECT_FALSE(store.has_block("default", "b", "anna"));
  EXPECT_EQ(apply(change_blocks{"anna", give_or_take::take, {"b", "x"}}),
            errc::ok);
  EXPECT_EQ(store.totals_of_rights().blocks, 1U);
  forget_rights(store, "default", "anna");
  EXPECT_EQ(store, test::memory_directory_store{});
}

TEST_F(RightsRegistry, BansOfAddressesAreForAllRealms) {
  EXPECT_EQ(apply(set_ban{ban_kind::address, "192.0.2.7", {}, "x"}), errc::ok);
  EXPECT_TRUE(store.ban(ban_kind::address, "", "192.0.2.7"));
  EXPECT_FALSE(store.ban(ban_kind::address, "default", "192.0.2.7"));
  EXPECT_EQ(core::apply(store, "other",
                        lift_ban{ban_kind::address, "192.0.2.7"}, {}, {})
                .code,
            errc::ok);
  EXPECT_EQ(apply(set_ban{ban_kind::user, "bob", {}, "x"}), errc::ok);
  EXPECT_TRUE(store.ban(ban_kind::user, "default", "bob"));
}

TEST_F(RightsRegistry, ExpiredBansMakeRoom) {
  for (std::size_t i = 0; i < bans_max; ++i)
    ASSERT_EQ(apply(set_ban{ban_kind::user, std::to_string(i),
                            from_millis(i % 2 == 0 ? 100 : 1'000'000), ""}),
              errc::ok);
  EXPECT_EQ(apply(set_ban{ban_kind::user, "more", {}, ""}, 50), errc::too_many);
  // One that is there may be changed.
  EXPECT_EQ(apply(set_ban{ban_kind::user, "1", {}, ""}, 50), errc::ok);
  EXPECT_EQ(apply(set_ban{ban_kind::user, "more", {}, ""}, 100), errc::ok);
  EXPECT_EQ(store.totals_of_rights().bans, bans_max / 2 + 1);
}

/// What is counted and what refers to each other agrees, whatever happens.
TEST(RightsModel, CountsAndReferencesAgree) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::random_directory random{seed, true};
    test::memory_directory_store store;
    directory_machine machine{store};
    for (std::uint64_t i = 1; i <= 300; ++i)
      machine.apply(log_index{i}, random.next());
    rights_totals counted;
    std::size_t tokens = 0;
    for (const std::string realm : {"default", "other"}) {
      for (const char* uid : {"ann", "bob", "Bob", "../x", "u,1"})
        store.each_block(realm, uid, {}, [&](std::string_view) {
          ++counted.blocks;
          return true;
        });
      store.each_ban(ban_kind::user, realm, {},
                     [&](std::string_view, const ban_record&) {
                       ++counted.bans;
                       return true;
                     });
      store.each_account(
          realm, {}, [&](std::string_view uid, const account_record& account) {
            EXPECT_NE(account, account_record{});
            tokens += account.tokens.size();
            for (const auto& id : account.tokens) {
              const auto token = store.token(id);
              EXPECT_TRUE(token && token->uid == uid && token->realm == realm);
            }
            return true;
          });
    }
    store.each_ban(ban_kind::address, "", {},
                   [&](std::string_view, const ban_record&) {
                     ++counted.bans;
                     return true;
                   });
    store.each_token({}, [&](std::string_view, const token_record&) {
      --tokens;
      return true;
    });
    EXPECT_EQ(store.totals_of_rights(), counted) << seed;
    EXPECT_EQ(tokens, 0U) << seed;
  }
}

} // namespace
