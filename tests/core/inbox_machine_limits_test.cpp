// SPDX-License-Identifier: Apache-2.0
#include "tests/core/inbox_machine_case.hpp"

namespace troupe::test {
namespace {

// ------------------------------------------------------------------ expiry

TEST_F(InboxMachine, ASweepRemovesWhatHasExpired) {
  add("anna", 0);
  auto brief = letter({all_of("anna")});
  brief.time_to_live = milliseconds{100};
  apply(brief);
  post({all_of("anna")});
  now_ += milliseconds{100};
  apply(sweep_expired{});
  EXPECT_EQ(positions("anna"), (list{1, 2})) << "its last millisecond";
  now_ += milliseconds{1};
  EXPECT_FALSE(apply(sweep_expired{}).more);
  EXPECT_EQ(positions("anna"), list{2});
  EXPECT_EQ(seen_.removed, list{1});
  EXPECT_EQ(head("anna").lost, inbox_position{1});
  EXPECT_EQ(store_.expiry_count(), 0u);
}

TEST_F(InboxMachine, ASweepTakesNoMoreThanItsLimit) {
  add("anna", 0);
  inbox_policy policy;
  policy.default_time_to_live = milliseconds{10};
  set_policy(policy);
  for (int i = 0; i < 5; ++i)
    post({all_of("anna")});
  now_ += milliseconds{11};
  EXPECT_TRUE(apply(sweep_expired{3}).more);
  EXPECT_EQ(positions("anna"), (list{4, 5}));
  EXPECT_FALSE(apply(sweep_expired{3}).more);
  EXPECT_EQ(positions("anna"), list{});
}

TEST_F(InboxMachine, WhatEverybodyHasAcknowledgedIsNotLost) {
  add("anna", 0);
  add("anna", 1);
  post({all_of("anna")});
  auto brief = letter({own_copy("anna", 0)});
  brief.time_to_live = milliseconds{10};
  apply(brief);
  ack("anna", 1, 2);
  ASSERT_EQ(positions("anna"), (list{1, 2})) << "0 has not got the first";
  now_ += milliseconds{11};
  apply(sweep_expired{});
  EXPECT_EQ(positions("anna"), list{1});
  EXPECT_EQ(head("anna").lost, inbox_position{0});
}

TEST_F(InboxMachine, AnExpiryIsForgottenWithItsEntry) {
  add("anna", 0);
  auto brief = letter({all_of("anna")});
  brief.time_to_live = milliseconds{10};
  apply(brief);
  ack("anna", 0, 1);
  EXPECT_EQ(store_.expiry_count(), 0u);
}

// ---------------------------------------------------------------- overflow

TEST_F(InboxMachine, AFullInboxRefuses) {
  inbox_policy policy;
  policy.messages_max = 2;
  set_policy(policy);
  add("anna", 0);
  add("berta", 0);
  post({all_of("anna")});
  post({all_of("anna")});
  const auto outcome = post({all_of("anna"), all_of("berta")});
  ASSERT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.failures[0], (error{errc::inbox_full, "anna"}));
  EXPECT_EQ(positions("berta"), list{1});
  EXPECT_EQ(store_.references(log_index{index_}), 1u);
  ack("anna", 0, 1);
  EXPECT_TRUE(post({all_of("anna")}).failures.empty());
}

TEST_F(InboxMachine, BytesAreBoundedToo) {
  inbox_policy policy;
  policy.bytes_max = 150; // two letters of 74
  set_policy(policy);
  add("anna", 0);
  post({all_of("anna")});
  post({all_of("anna")});
  EXPECT_EQ(post({all_of("anna")}).failures.size(), 1u);
  EXPECT_EQ(head("anna").bytes, 148u);
}

TEST_F(InboxMachine, DropsTheOldestIfThePolicySaysSo) {
  inbox_policy policy;
  policy.bytes_max = 150;
  policy.overflow = overflow_policy::drop_oldest;
  set_policy(policy);
  add("anna", 0);
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(post({all_of("anna")}).failures.empty());
  EXPECT_EQ(positions("anna"), (list{3, 4}));
  EXPECT_EQ(head("anna").lost, inbox_position{2});
  EXPECT_EQ(seen_.removed, (list{1, 2}));
  EXPECT_EQ(
      apply(letter({all_of("anna")}, std::string(200, 'x'))).failures.size(),
      1u)
      << "one that never fits drives out nothing";
  EXPECT_EQ(positions("anna"), (list{3, 4}));
}

TEST_F(InboxMachine, WhatWasLostStaysLost) {
  inbox_policy policy;
  policy.messages_max = 3;
  policy.overflow = overflow_policy::drop_oldest;
  set_policy(policy);
  add("anna", 0);
  post({all_of("anna")});
  post({all_of("anna")});
  auto brief = letter({all_of("anna")});
  brief.time_to_live = milliseconds{10};
  apply(brief);
  now_ += milliseconds{11};
  apply(sweep_expired{});
  ASSERT_EQ(head("anna").lost, inbox_position{3});
  post({all_of("anna")});
  post({all_of("anna")});
  EXPECT_EQ(positions("anna"), (list{2, 4, 5}));
  EXPECT_EQ(head("anna").lost, inbox_position{3}) << "not back to 1";
}

TEST_F(InboxMachine, MakingRoomMayRemoveAnEntryOfTheSameCommand) {
  inbox_policy policy;
  policy.messages_max = 1;
  policy.overflow = overflow_policy::drop_oldest;
  set_policy(policy);
  add("anna", 0);
  EXPECT_TRUE(
      post({one_of("anna"), one_of("anna"), all_of("anna")}).failures.empty());
  EXPECT_EQ(positions("anna"), list{3});
  EXPECT_EQ(store_.references(log_index{index_}), 1u);
  ack("anna", 0, 3);
  EXPECT_EQ(store_.body_count(), 0u);
}

// -------------------------------------------------------------- inactivity

TEST_F(InboxMachine, AnInactiveDeviceHoldsNothingBack) {
  inbox_policy policy;
  policy.device_inactive_after = milliseconds{1000};
  set_policy(policy);
  add("anna", 0);
  add("anna", 1);
  post({all_of("anna")});
  now_ += milliseconds{1001};
  ack("anna", 1, 1);
  EXPECT_EQ(positions("anna"), list{});
  EXPECT_EQ(head("anna").lost, inbox_position{1}) << "0 has missed it";
  const auto all = head("anna");
  EXPECT_TRUE(machine_.inboxes().inactive(all, all.cursors[0], now_));
  EXPECT_FALSE(machine_.inboxes().inactive(all, all.cursors[1], now_));
}

TEST_F(InboxMachine, TheDeviceSeenLastIsNeverInactive) {
  inbox_policy policy;
  policy.device_inactive_after = milliseconds{1000};
  set_policy(policy);
  add("anna", 0);
  add("anna", 1); // at the same time: the lower offset counts
  now_ += std::chrono::hours{10'000};
  const auto all = head("anna");
  EXPECT_FALSE(machine_.inboxes().inactive(all, all.cursors[0], now_));
  EXPECT_TRUE(machine_.inboxes().inactive(all, all.cursors[1], now_));
  EXPECT_TRUE(post({all_of("anna")}).failures.empty());
}

TEST_F(InboxMachine, BeingSeenMakesADeviceActive) {
  inbox_policy policy;
  policy.device_inactive_after = milliseconds{1000};
  set_policy(policy);
  add("anna", 0);
  add("anna", 1);
  now_ += milliseconds{1001};
  ack("anna", 1, 0);
  ack("anna", 0, 0);
  post({all_of("anna")});
  ack("anna", 1, 1);
  EXPECT_EQ(positions("anna"), list{1});
}

TEST_F(InboxMachine, AUserNotSeenForLongIsSuspended) {
  inbox_policy policy;
  policy.device_inactive_after = milliseconds{1000};
  policy.user_inactive_after = milliseconds{5000};
  set_policy(policy);
  add("anna", 0);
  now_ += milliseconds{6000};
  EXPECT_TRUE(post({all_of("anna")}).failures.empty());
  now_ += milliseconds{1};
  const auto outcome = post({all_of("anna")});
  ASSERT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.failures[0], (error{errc::user_inactive, "anna"}));
  ack("anna", 0, 0);
  EXPECT_TRUE(post({all_of("anna")}).failures.empty());
}

} // namespace
} // namespace troupe::test
