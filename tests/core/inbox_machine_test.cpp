// SPDX-License-Identifier: Apache-2.0
#include "tests/core/inbox_machine_case.hpp"

#include <limits>

namespace troupe::test {
namespace {

// ------------------------------------------------------------------ append

TEST_F(InboxMachine, AppendsForAllDevices) {
  add("anna", 0);
  add("anna", 1);
  const auto outcome = post({all_of("anna")});
  EXPECT_EQ(outcome.failure.code, errc::ok);
  EXPECT_TRUE(outcome.failures.empty());
  ASSERT_TRUE(outcome.id);
  EXPECT_EQ(outcome.id->millis, to_millis(now_));
  EXPECT_EQ(queue("anna", 0), list{1});
  EXPECT_EQ(queue("anna", 1), list{1});
  EXPECT_EQ(head("anna").count, 1u);
  EXPECT_EQ(head("anna").bytes, 74u);
}

TEST_F(InboxMachine, TellsTheObserverTheMessageAsRecipientsSeeIt) {
  add("anna", 0);
  const auto outcome = post({all_of("anna"), one_of("anna")});
  ASSERT_EQ(seen_.appended.size(), 2u);
  EXPECT_EQ(seen_.appended[0].second->id, *outcome.id);
  EXPECT_EQ(seen_.appended[0].second->created, now_);
  EXPECT_NE(seen_.appended[1].second->id, *outcome.id)
      << "a message for one device is one of its own";
}

TEST_F(InboxMachine, APostToOneDeviceHasTheIdThatItsReceiverSees) {
  add("anna", 0);
  add("berta", 0);
  const auto outcome = post({one_of("anna"), one_of("berta")});
  ASSERT_EQ(seen_.appended.size(), 2u);
  EXPECT_EQ(seen_.appended[0].second->id, *outcome.id);
  EXPECT_NE(seen_.appended[1].second->id, *outcome.id);
}

TEST_F(InboxMachine, NamesWhoIsUnknownAndServesTheOthers) {
  add("anna", 0);
  const auto outcome =
      post({all_of("nobody"), all_of("anna"), own_copy("stranger", 0)});
  ASSERT_EQ(outcome.failures.size(), 1u) << "own copies fail in silence";
  EXPECT_EQ(outcome.failures[0], (error{errc::user_unknown, "nobody"}));
  EXPECT_EQ(store_.references(log_index{index_}), 1u);
}

TEST_F(InboxMachine, AnOwnCopyIsForTheOtherDevices) {
  add("anna", 0);
  add("anna", 1);
  post({own_copy("anna", 0)});
  EXPECT_EQ(queue("anna", 0), list{});
  EXPECT_EQ(queue("anna", 1), list{1});
  ack("anna", 1, 1);
  EXPECT_EQ(positions("anna"), list{});
}

TEST_F(InboxMachine, KeepsNoOwnCopyThatNobodyElseWouldGet) {
  add("anna", 0);
  EXPECT_TRUE(post({own_copy("anna", 0)}).failures.empty());
  EXPECT_EQ(store_.entry_count(), 0u);
  EXPECT_EQ(store_.body_count(), 0u);
}

TEST_F(InboxMachine, ATimeToLiveWithoutEndIsNoOverflow) {
  add("anna", 0);
  auto command = letter({all_of("anna")});
  command.time_to_live = milliseconds{std::numeric_limits<std::int64_t>::max()};
  apply(command);
  ASSERT_EQ(seen_.appended.size(), 1u);
  EXPECT_EQ(seen_.appended[0].first.expires, timestamp::max());
}

// ----------------------------------------------------------------- cursors

TEST_F(InboxMachine, TheSlowestCursorKeepsAnEntry) {
  add("anna", 0);
  add("anna", 1);
  for (int i = 0; i < 5; ++i)
    post({all_of("anna")});
  ack("anna", 0, 4);
  EXPECT_EQ(positions("anna"), (list{1, 2, 3, 4, 5}));
  ack("anna", 1, 2);
  EXPECT_EQ(positions("anna"), (list{3, 4, 5}));
  EXPECT_EQ(head("anna").first, inbox_position{3});
  EXPECT_EQ(queue("anna", 0), list{5});
}

TEST_F(InboxMachine, AnAcknowledgementGoesNoFurtherThanTheInbox) {
  add("anna", 0);
  post({all_of("anna")});
  ack("anna", 0, 1000);
  post({all_of("anna")});
  EXPECT_EQ(queue("anna", 0), list{2});
}

TEST_F(InboxMachine, AnAcknowledgementNeverGoesBack) {
  add("anna", 0);
  for (int i = 0; i < 3; ++i)
    post({all_of("anna")});
  ack("anna", 0, 3);
  ack("anna", 0, 1);
  EXPECT_EQ(head("anna").cursors[0].acknowledged, inbox_position{3});
}

TEST_F(InboxMachine, AnEntryForOneDeviceIsDoneForAllOnceAcknowledged) {
  add("anna", 0);
  add("anna", 1);
  post({all_of("anna")});
  post({one_of("anna")});
  post({all_of("anna")});
  EXPECT_EQ(head("anna").singles, 1u);
  ack("anna", 1, 2);
  EXPECT_EQ(positions("anna"), (list{1, 3}));
  EXPECT_EQ(head("anna").singles, 0u);
  EXPECT_EQ(seen_.removed, list{2});
  EXPECT_EQ(queue("anna", 0), (list{1, 3}));
}

TEST_F(InboxMachine, RemovingACursorFreesWhatOnlyItHeld) {
  add("anna", 0);
  add("anna", 1);
  post({all_of("anna")});
  ack("anna", 0, 1);
  apply(remove_cursor{inbox_of("anna"), device(1)});
  EXPECT_EQ(positions("anna"), list{});
  EXPECT_EQ(apply(remove_cursor{inbox_of("anna"), device(1)}).failure.code,
            errc::device_unknown);
}

TEST_F(InboxMachine, ASecondCursorForADeviceChangesNothing) {
  add("anna", 0);
  post({all_of("anna")});
  ack("anna", 0, 1);
  const auto before = store_;
  add("anna", 0);
  EXPECT_TRUE(store_ == before);
}

// ------------------------------------------------------------- inheritance

TEST_F(InboxMachine, ANewDeviceInheritsWhatItsAncestorWouldStillGet) {
  add("anna", 0);
  add("anna", 1);
  post({all_of("anna")});
  post({own_copy("anna", 0)});
  post({all_of("anna")});
  ack("anna", 0, 1);
  add("anna", 2, 0);
  EXPECT_EQ(queue("anna", 2), list{3}) << "2 was posted by the ancestor";
  post({own_copy("anna", 0)});
  EXPECT_EQ(queue("anna", 2), (list{3, 4})) << "now it is another device";
}

TEST_F(InboxMachine, ExceptionsAreInheritedAlongAChain) {
  add("anna", 0);
  add("anna", 9);
  post({own_copy("anna", 0)}); // 1
  add("anna", 1, 0);
  post({own_copy("anna", 1)}); // 2
  post({own_copy("anna", 0)}); // 3
  add("anna", 2, 1);
  EXPECT_EQ(queue("anna", 0), list{2});
  EXPECT_EQ(queue("anna", 1), list{3});
  EXPECT_EQ(queue("anna", 2), list{3}) << "like its ancestor";
  ack("anna", 2, 3);
  for (const auto& c : head("anna").cursors)
    if (c.device == device(2)) {
      EXPECT_TRUE(c.inheritance.empty()) << "all of it is in the past";
    }
}

TEST_F(InboxMachine, NothingIsInheritedFromAnEmptyQueue) {
  add("anna", 0);
  post({all_of("anna")});
  ack("anna", 0, 1);
  add("anna", 1, 0);
  EXPECT_TRUE(head("anna").cursors[1].inheritance.empty());
  EXPECT_EQ(queue("anna", 1), list{});
}

TEST_F(InboxMachine, WithoutAnAncestorADeviceGetsAllThatIsThere) {
  add("anna", 0);
  post({all_of("anna")});
  post({all_of("anna")});
  ack("anna", 0, 1);
  add("anna", 1);
  EXPECT_EQ(queue("anna", 1), list{2});
  add("anna", 2, 77);
  EXPECT_EQ(queue("anna", 2), list{2}) << "an unknown ancestor is none";
}

} // namespace
} // namespace troupe::test
