// SPDX-License-Identifier: Apache-2.0
#include "core/inbox_machine.hpp"
#include "tests/support/memory_inbox_store.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace troupe::core;
using troupe::test::memory_inbox_store;

constexpr group_id group{3};

owner inbox_of(const std::string& uid) { return {"default", {}, uid}; }
constexpr device_offset device(int offset) {
  return device_offset{static_cast<std::uint8_t>(offset)};
}

/// Says yes to every inbox and keeps what it is told.
struct recorder final : inbox_observer {
  bool observes(const owner&) override { return true; }
  void on_appended(const owner&, const inbox_entry& entry,
                   message_ptr message) override {
    appended.emplace_back(entry, std::move(message));
  }
  void on_removed(const owner&, inbox_position position) override {
    removed.push_back(position.value());
  }
  void on_devices_changed(const owner&, const inbox_head& head) override {
    device_counts.push_back(head.cursors.size());
  }
  void on_inbox_dropped(const owner& inbox) override {
    dropped.push_back(inbox.name);
  }

  std::vector<std::pair<inbox_entry, message_ptr>> appended;
  std::vector<std::uint64_t> removed;
  std::vector<std::size_t> device_counts;
  std::vector<std::string> dropped;
};

class InboxMachine : public testing::Test {
protected:
  shard_outcome apply(shard_command command, idempotency_key key = {}) {
    ++index_;
    return machine_.apply(log_index{index_}, {key, now_, std::move(command)},
                          shared_bytes::copy_of("command"));
  }

  void add(const std::string& uid, int offset, std::optional<int> from = {}) {
    add_cursor command{inbox_of(uid), device(offset), {}};
    if (from)
      command.inherit = device(*from);
    ASSERT_EQ(apply(command).failure.code, errc::ok);
  }
  static append_message letter(std::vector<inbox_recipient> to,
                               const std::string& text = "0123456789") {
    append_message command;
    command.message.payload = shared_bytes::copy_of(text);
    command.to = std::move(to);
    return command;
  }
  static inbox_recipient all_of(const std::string& uid) {
    return {uid, false, false, {}};
  }
  static inbox_recipient one_of(const std::string& uid) {
    return {uid, true, false, {}};
  }
  static inbox_recipient own_copy(const std::string& uid, int posted_by) {
    return {uid, false, true, device(posted_by)};
  }
  shard_outcome post(std::vector<inbox_recipient> to) {
    return apply(letter(std::move(to)));
  }
  void ack(const std::string& uid, int offset, std::uint64_t up_to) {
    apply(
        move_cursors{{{inbox_of(uid), device(offset), inbox_position{up_to}}}});
  }
  void set_policy(inbox_policy policy) { apply(set_inbox_policy{policy}); }

  inbox_head head(const std::string& uid) const {
    const auto found = store_.head(inbox_of(uid));
    EXPECT_TRUE(found) << uid;
    return found.value_or(inbox_head{});
  }
  std::vector<std::uint64_t> positions(const std::string& uid) const {
    std::vector<std::uint64_t> all;
    store_.each_entry(head(uid).number, inbox_position{0},
                      [&](const inbox_entry& e) {
                        all.push_back(e.position.value());
                        return true;
                      });
    return all;
  }
  /// What a device would still get.
  std::vector<std::uint64_t> queue(const std::string& uid, int offset) const {
    const auto all = head(uid);
    std::vector<std::uint64_t> wanted;
    for (const auto& c : all.cursors)
      if (c.device == device(offset))
        store_.each_entry(all.number, inbox_position{0},
                          [&](const inbox_entry& e) {
                            if (inbox_machine::wants(c, e))
                              wanted.push_back(e.position.value());
                            return true;
                          });
    return wanted;
  }

  using list = std::vector<std::uint64_t>;
  timestamp now_ = from_millis(1'000'000);
  std::uint64_t index_ = 0;
  memory_inbox_store store_;
  recorder seen_;
  inbox_machine machine_{group, store_, &seen_};
};

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
  EXPECT_TRUE(machine_.inactive(all, all.cursors[0], now_));
  EXPECT_FALSE(machine_.inactive(all, all.cursors[1], now_));
}

TEST_F(InboxMachine, TheDeviceSeenLastIsNeverInactive) {
  inbox_policy policy;
  policy.device_inactive_after = milliseconds{1000};
  set_policy(policy);
  add("anna", 0);
  add("anna", 1); // at the same time: the lower offset counts
  now_ += std::chrono::hours{10'000};
  const auto all = head("anna");
  EXPECT_FALSE(machine_.inactive(all, all.cursors[0], now_));
  EXPECT_TRUE(machine_.inactive(all, all.cursors[1], now_));
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

// ------------------------------------------------------------- idempotency

TEST_F(InboxMachine, ACommandAppliesOnce) {
  add("anna", 0);
  const idempotency_key key{77, 1};
  apply(letter({all_of("anna")}), key);
  EXPECT_EQ(apply(letter({all_of("anna")}), key).failure.code, errc::duplicate);
  EXPECT_EQ(positions("anna"), list{1});
  apply(letter({all_of("anna")}), {77, 2});
  EXPECT_EQ(positions("anna"), (list{1, 2}));
}

TEST_F(InboxMachine, ASweepForgetsOriginsThatAreSilent) {
  add("anna", 0);
  apply(letter({all_of("anna")}), {77, 1});
  now_ += std::chrono::hours{1};
  apply(sweep_expired{});
  EXPECT_TRUE(store_.origin(77));
  now_ += milliseconds{1};
  apply(sweep_expired{});
  EXPECT_FALSE(store_.origin(77));
}

TEST_F(InboxMachine, AClientsIdCountsForTheWindow) {
  add("anna", 0);
  auto command = letter({all_of("anna")});
  command.deduplication_key = "berta/1";
  const auto first = apply(command);
  now_ += milliseconds{599'999};
  const auto again = apply(command);
  EXPECT_EQ(again.failure.code, errc::duplicate);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(positions("anna"), list{1});
  now_ += milliseconds{1}; // over, though nothing has been swept
  EXPECT_EQ(apply(command).failure.code, errc::ok);
  EXPECT_EQ(positions("anna"), (list{1, 2}));
  now_ += milliseconds{600'001};
  apply(sweep_expired{});
  EXPECT_FALSE(store_.deduplicated("berta/1"));
}

TEST_F(InboxMachine, AClientsIdOfAFailedPostIsFree) {
  auto command = letter({all_of("anna")});
  command.deduplication_key = "berta/1";
  EXPECT_EQ(apply(command).failures.size(), 1u);
  add("anna", 0);
  EXPECT_EQ(apply(command).failure.code, errc::ok);
  EXPECT_EQ(positions("anna"), list{1});
}

// ------------------------------------------------------- whole inboxes

TEST_F(InboxMachine, ADroppedInboxLeavesNothing) {
  add("anna", 0);
  add("anna", 1);
  auto brief = letter({all_of("anna"), one_of("anna"), own_copy("anna", 0)});
  brief.time_to_live = milliseconds{1000};
  apply(brief);
  ack("anna", 0, 1);
  apply(drop_inbox{inbox_of("anna")});
  memory_inbox_store empty;
  empty.put_next_inbox_number(2);
  EXPECT_TRUE(store_ == empty);
  EXPECT_EQ(seen_.dropped, std::vector<std::string>{"anna"});
  EXPECT_EQ(apply(drop_inbox{inbox_of("anna")}).failure.code,
            errc::user_unknown);
}

TEST_F(InboxMachine, ASuccessorStartsAnew) {
  add("anna", 0);
  for (int i = 0; i < 3; ++i)
    post({all_of("anna")});
  apply(drop_inbox{inbox_of("anna")});
  add("anna", 0);
  EXPECT_EQ(head("anna").number, 2u);
  EXPECT_EQ(store_.inbox_count(), 1u);
  post({all_of("anna")});
  EXPECT_EQ(queue("anna", 0), list{1});
}

TEST_F(InboxMachine, ImportsManyInboxes) {
  import_inboxes command;
  command.cursors = {{inbox_of("anna"), device(0), {}},
                     {inbox_of("anna"), device(7), {}},
                     {inbox_of("berta"), device(0), {}}};
  apply(command);
  EXPECT_EQ(store_.inbox_count(), 2u);
  EXPECT_EQ(head("anna").cursors.size(), 2u);
  EXPECT_EQ(head("anna").cursors[1].device, device(7));
  const auto before = store_;
  apply(command);
  EXPECT_TRUE(store_ == before) << "a repeated import changes nothing";
}

TEST_F(InboxMachine, APolicyCountsFromTheCommandThatSetsIt) {
  add("anna", 0);
  post({all_of("anna")});
  post({all_of("anna")});
  inbox_policy policy;
  policy.messages_max = 1;
  set_policy(policy);
  EXPECT_EQ(positions("anna"), (list{1, 2})) << "what is there stays";
  EXPECT_EQ(post({all_of("anna")}).failures.size(), 1u);
  const inbox_machine other{group, store_, nullptr};
  EXPECT_EQ(other.policy(), policy) << "and it survives a restart";
}

TEST_F(InboxMachine, CommandsForUnknownInboxesDoNoHarm) {
  const auto before = store_;
  ack("nobody", 0, 7);
  apply(sweep_expired{});
  EXPECT_TRUE(store_ == before);
  EXPECT_EQ(apply(remove_cursor{inbox_of("nobody"), device(0)}).failure.code,
            errc::user_unknown);
}

} // namespace
