// SPDX-License-Identifier: Apache-2.0
#include "tests/core/shard_machine_case.hpp"

namespace troupe::test {
namespace {

class KeyMachine : public ShardMachine {};

TEST_F(KeyMachine, TheLastValueOfATopicIsKept) {
  EXPECT_FALSE(set("a/b", "one").present);
  const auto second = set("a/b", "two");
  EXPECT_TRUE(second.present);
  EXPECT_EQ(second.number, 2U);
  const auto record = keys_.key("default", "a/b");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->revision(), 2U);
  EXPECT_EQ(record->changed, now_);
  EXPECT_EQ(keys_.value(record->source)->text(), "command 2");
  EXPECT_EQ(keys_.value_count(), 1U) << "the older value is gone";
  EXPECT_EQ(keys_.totals_of_keys(), (key_totals{1, record->weight}));
}

TEST_F(KeyMachine, RevisionsAscendOverAllKeysOfAShard) {
  const auto a = set("a", "1").number;
  const auto b = set("b", "1").number;
  clear("a");
  const auto again = set("a", "2").number;
  EXPECT_LT(a, b);
  EXPECT_LT(b, again);
}

TEST_F(KeyMachine, AClearedKeyIsGone) {
  set("a", "1", milliseconds{10});
  EXPECT_TRUE(clear("a").present);
  EXPECT_FALSE(clear("a").present);
  EXPECT_EQ(clear("a").failure.code, errc::ok);
  EXPECT_EQ(keys_.key_count() + keys_.value_count() + keys_.expiry_count(), 0U);
  EXPECT_EQ(keys_.totals_of_keys(), key_totals{});
}

TEST_F(KeyMachine, RealmsHaveKeysOfTheirOwn) {
  set("a", "1");
  apply(set_key{"other", "a", content("2"), {}, {}});
  EXPECT_EQ(keys_.key("default", "a")->revision(), 1U);
  EXPECT_EQ(keys_.key("other", "a")->revision(), 2U);
}

TEST_F(KeyMachine, AKeyChangesOnlyFromTheExpectedRevision) {
  EXPECT_EQ(set("a", "1", {}, 7).failure.code, errc::conflict);
  const auto first = set("a", "1", {}, 0);
  EXPECT_EQ(first.failure.code, errc::ok);
  const auto lost = set("a", "2", {}, 0);
  EXPECT_EQ(lost.failure.code, errc::conflict);
  EXPECT_EQ(lost.number, first.number) << "the one that is";
  const auto second = set("a", "2", {}, first.number);
  EXPECT_EQ(second.failure.code, errc::ok);
  EXPECT_EQ(clear("a", first.number).failure.code, errc::conflict);
  EXPECT_EQ(clear("a", first.number).number, second.number);
  const auto cleared = clear("a", second.number);
  EXPECT_EQ(cleared.failure.code, errc::ok);
  EXPECT_GT(cleared.number, second.number) << "where among the revisions";
  EXPECT_EQ(clear("a", 0).failure.code, errc::ok) << "there is none";
}

TEST_F(KeyMachine, WhatIsNoTopicIsRefused) {
  EXPECT_EQ(set("a/+", "1").failure.code, errc::name_invalid);
  EXPECT_EQ(clear("#").failure.code, errc::name_invalid);
  EXPECT_EQ(set(std::string(5000, 'x'), "1").failure.code, errc::too_large);
  EXPECT_EQ(apply(set_key{"", "a", content("1"), {}, {}}).failure.code,
            errc::name_invalid);
  EXPECT_EQ(keys_.key_count(), 0U);
}

TEST_F(KeyMachine, ASweepRemovesWhatHasExpired) {
  set("a", "1", milliseconds{10});
  set("b", "1", milliseconds{20});
  set("c", "1");
  now_ += milliseconds{11};
  EXPECT_FALSE(apply(sweep_expired{10}).more);
  EXPECT_FALSE(keys_.key("default", "a"));
  EXPECT_TRUE(keys_.key("default", "b"));
  now_ += milliseconds{100};
  apply(sweep_expired{10});
  EXPECT_EQ(keys_.key_count(), 1U);
  EXPECT_EQ(keys_.expiry_count(), 0U);
  EXPECT_EQ(seen_.told,
            (texts{"set a 1 1", "set b 2 1", "set c 3 1", "gone a", "gone b"}));
}

TEST_F(KeyMachine, ASweepIsBoundedAndSaysThatThereIsMore) {
  for (const auto* topic : {"a", "b", "c"})
    set(topic, "1", milliseconds{1});
  now_ += milliseconds{5};
  EXPECT_TRUE(apply(sweep_expired{2}).more);
  EXPECT_EQ(keys_.key_count(), 1U);
  EXPECT_FALSE(apply(sweep_expired{2}).more);
  EXPECT_EQ(keys_.key_count(), 0U);
}

TEST_F(KeyMachine, ANewValueHasATimeOfItsOwn) {
  set("a", "1", milliseconds{10});
  set("a", "2", milliseconds{100});
  set("b", "1", milliseconds{10});
  set("b", "2");
  now_ += milliseconds{50};
  apply(sweep_expired{10});
  EXPECT_EQ(keys_.key_count(), 2U);
  EXPECT_EQ(keys_.expiry_count(), 1U);
}

TEST_F(KeyMachine, AnExpiredKeyIsNoneAlsoBeforeTheSweep) {
  set("a", "1", milliseconds{10});
  now_ += milliseconds{11};
  const auto outcome = set("a", "2", {}, 0);
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_FALSE(outcome.present);
  EXPECT_EQ(keys_.totals_of_keys().keys, 1U);
  EXPECT_EQ(keys_.value_count(), 1U);
  EXPECT_EQ(keys_.expiry_count(), 0U);
}

TEST_F(KeyMachine, AShardRefusesMoreKeysThanItsPolicyAllows) {
  apply(set_key_policy{{2, 0}});
  set("a", "1");
  set("b", "1");
  EXPECT_EQ(set("c", "1").failure.code, errc::storage_full);
  EXPECT_EQ(set("b", "2").failure.code, errc::ok) << "there already";
  clear("a");
  EXPECT_EQ(set("c", "1").failure.code, errc::ok);
  EXPECT_EQ(keys_.totals_of_keys().keys, 2U);
}

TEST_F(KeyMachine, AShardRefusesMoreBytesThanItsPolicyAllows) {
  apply(set_key_policy{{0, 300}});
  EXPECT_EQ(set("a", std::string(200, 'x')).failure.code, errc::ok);
  EXPECT_EQ(set("b", "1").failure.code, errc::storage_full);
  EXPECT_EQ(set("a", std::string(400, 'x')).failure.code, errc::storage_full);
  // What makes it less is taken, also above a bound that was lowered.
  apply(set_key_policy{{0, 10}});
  EXPECT_EQ(set("a", "1").failure.code, errc::ok);
  EXPECT_EQ(set("a", "12").failure.code, errc::storage_full);
}

TEST_F(KeyMachine, ThePolicyIsKept) {
  apply(set_key_policy{{2, 3}});
  const shard_machine again{group_id{3}, {store_, keys_, sessions_}};
  EXPECT_EQ(again.policy_of_keys(), (key_policy{2, 3}));
}

TEST_F(KeyMachine, ACommandAppliesOnce) {
  const set_key command{"default", "a", content("1"), {}, {}};
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::ok);
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::duplicate);
  EXPECT_EQ(keys_.key("default", "a")->revision(), 1U);
}

} // namespace
} // namespace troupe::test
