// SPDX-License-Identifier: Apache-2.0
#include "core/message_number.hpp"
#include "tests/core/shard_machine_case.hpp"

namespace troupe::test {
namespace {

class SessionMachine : public ShardMachine {
protected:
  errc code_of(const shard_outcome& outcome) const {
    if (!outcome.failures.empty())
      return outcome.failures.front().code;
    return outcome.failure.code;
  }
  std::vector<std::uint16_t> awaiting(const std::string& name) const {
    return sessions_.packets(session_of(name)).awaiting;
  }
};

TEST_F(SessionMachine, TheFirstOpeningMakesASessionWithAnInbox) {
  auto command = opening("c", milliseconds{60'000});
  command.protocol = "mqtt5";
  command.receive_max = 20;
  const auto outcome = apply(command);
  EXPECT_FALSE(outcome.present);
  EXPECT_FALSE(outcome.replaced);
  EXPECT_EQ(outcome.generation, outcome.number);
  const auto made = record("c");
  EXPECT_EQ(made.uid, "alice");
  EXPECT_EQ(made.protocol, "mqtt5");
  EXPECT_EQ(made.receive_max, 20);
  EXPECT_EQ(made.created, now_);
  EXPECT_FALSE(made.closed);
  const auto head = store_.head(session_of("c"));
  ASSERT_TRUE(head);
  ASSERT_EQ(head->cursors.size(), 1U);
  EXPECT_EQ(head->cursors.front().device, session_device);
  EXPECT_EQ(sessions_.session_count(), 1U);
}

TEST_F(SessionMachine, WhoComesBackFindsTheSession) {
  const auto first = open("c", milliseconds{1000});
  publish({"c"});
  const auto number = receive(first, 9).number;
  close(first);
  now_ += milliseconds{999};
  const auto outcome = apply(opening("c"));
  EXPECT_TRUE(outcome.present);
  EXPECT_GT(outcome.number, first.epoch);
  EXPECT_EQ(outcome.generation, first.epoch);
  EXPECT_EQ(queue("c"), (numbers{1}));
  const auto again = receive({"default", "c", outcome.number}, 9);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.number, number);
  EXPECT_FALSE(record("c").closed);
  EXPECT_EQ(sessions_.due_count(), 0U);
}

TEST_F(SessionMachine, ACleanStartKeepsNothing) {
  const auto first = open("c");
  publish({"c"});
  const auto number = receive(first, 9).number;
  apply(delivered{{{first, inbox_position{0}, {5}}}});
  auto command = opening("c");
  command.clean_start = true;
  const auto outcome = apply(command);
  EXPECT_FALSE(outcome.present);
  EXPECT_TRUE(outcome.replaced);
  EXPECT_EQ(queue("c"), numbers{});
  EXPECT_EQ(awaiting("c"), (std::vector<std::uint16_t>{}));
  const auto fresh = receive({"default", "c", outcome.number}, 9);
  EXPECT_FALSE(fresh.repeated);
  EXPECT_NE(fresh.number, number);
  EXPECT_EQ(store_.body_count(), 0U);
  EXPECT_EQ(sessions_.session_count(), 1U);
  EXPECT_EQ(seen_.told, (texts{"dropped c"}));
}

TEST_F(SessionMachine, AnExpiredSessionIsNotResumedAlsoBeforeTheSweep) {
  const auto first = open("c", milliseconds{1000});
  publish({"c"});
  close(first);
  now_ += milliseconds{1000};
  const auto outcome = apply(opening("c"));
  EXPECT_FALSE(outcome.present);
  EXPECT_TRUE(outcome.replaced);
  EXPECT_EQ(outcome.generation, outcome.number);
  EXPECT_EQ(queue("c"), numbers{});
}

TEST_F(SessionMachine, ANameBelongsToItsUser) {
  const auto first = open("c", milliseconds{1000});
  auto command = opening("c");
  command.uid = "mallory";
  command.clean_start = true;
  EXPECT_EQ(apply(command).failure.code, errc::not_permitted);
  EXPECT_EQ(record("c").uid, "alice");
  close(first);
  now_ += milliseconds{1000};
  EXPECT_EQ(apply(command).failure.code, errc::ok) << "it is free again";
  EXPECT_EQ(record("c").uid, "mallory");
}

TEST_F(SessionMachine, WhatIsTooBigOrNoNameIsRefused) {
  EXPECT_EQ(apply(opening("")).failure.code, errc::name_invalid);
  EXPECT_EQ(apply(opening(std::string(201, 'x'))).failure.code,
            errc::name_invalid);
  auto command = opening("c");
  command.receive_max = 0;
  EXPECT_EQ(apply(command).failure.code, errc::malformed);
  command = opening("c");
  command.protocol = std::string(session_protocol_bytes_max + 1, 'x');
  EXPECT_EQ(apply(command).failure.code, errc::too_large);
  command = opening("c");
  command.will = will_of(std::string(session_will_bytes_max, 'x'));
  EXPECT_EQ(apply(command).failure.code, errc::too_large);
  command.will = will_of("x");
  command.will->topic = "a/#";
  EXPECT_EQ(apply(command).failure.code, errc::name_invalid);
  EXPECT_EQ(sessions_.record_count(), 0U);
}

TEST_F(SessionMachine, AShardRefusesMoreSessionsThanItsPolicyAllows) {
  apply(set_session_policy{{1}});
  open("a");
  EXPECT_EQ(apply(opening("b")).failure.code, errc::storage_full);
  EXPECT_EQ(apply(opening("a")).failure.code, errc::ok);
  auto clean = opening("a");
  clean.clean_start = true;
  EXPECT_EQ(apply(clean).failure.code, errc::ok) << "in the place of the old";
  const shard_machine again{group_id{3}, {store_, keys_, sessions_}};
  EXPECT_EQ(again.policy_of_sessions().sessions_max, 1U);
}

TEST_F(SessionMachine, WhatAnOlderConnectionSaysIsRefused) {
  const auto first = open("c");
  const auto second = open("c");
  EXPECT_EQ(receive(first, 1).code, errc::not_logged_in);
  EXPECT_EQ(code_of(close(first)), errc::not_logged_in);
  EXPECT_EQ(code_of(apply(end_receive{{{first, {1}}}})), errc::not_logged_in);
  EXPECT_EQ(code_of(apply(delivered{{{first, inbox_position{1}, {}}}})),
            errc::not_logged_in);
  EXPECT_EQ(code_of(apply(completed{{{first, {1}}}})), errc::not_logged_in);
  EXPECT_EQ(code_of(apply(set_session_expiry{first, milliseconds{1}})),
            errc::not_logged_in);
  EXPECT_EQ(code_of(apply(drop_session{first, false})), errc::not_logged_in);
  EXPECT_FALSE(record("c").closed);
  EXPECT_EQ(receive(second, 1).code, errc::ok);
  EXPECT_EQ(receive({"default", "c", 0}, 1).code, errc::ok)
      << "without an epoch it is about any";
}

TEST_F(SessionMachine, NobodysSessionIsNotFound) {
  const session_ref none{"default", "none", 0};
  EXPECT_EQ(receive(none, 1).code, errc::not_found);
  EXPECT_EQ(code_of(close(none)), errc::not_found);
  EXPECT_EQ(code_of(apply(drop_session{none, false})), errc::not_found);
  EXPECT_EQ(code_of(apply(drop_will{none})), errc::not_found);
  EXPECT_EQ(code_of(apply(completed{{{none, {1}}}})), errc::not_found);
}

// ------------------------------------------------------------- packet ids

TEST_F(SessionMachine, ARepeatedPacketIdHasTheSameNumberUntilItIsReleased) {
  const auto c = open("c");
  const auto first = receive(c, 7);
  EXPECT_EQ(first.code, errc::ok);
  EXPECT_FALSE(first.repeated);
  EXPECT_EQ(first.number, message_number(group_id{3}, log_index{index_}, 0));
  const auto again = receive(c, 7);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.number, first.number);
  apply(end_receive{{{c, {7}}}});
  apply(end_receive{{{c, {7}}}});
  const auto fresh = receive(c, 7);
  EXPECT_FALSE(fresh.repeated);
  EXPECT_NE(fresh.number, first.number);
}

TEST_F(SessionMachine, OneCommandIsForManySessions) {
  const auto a = open("a");
  const auto b = open("b");
  const auto outcome =
      apply(begin_receive{{{a, 1}, {b, 1}, {a, 2}, {a, 1}, {a, 0}}});
  ASSERT_EQ(outcome.receipts.size(), 5U);
  EXPECT_NE(outcome.receipts[0].number, outcome.receipts[1].number);
  EXPECT_NE(outcome.receipts[0].number, outcome.receipts[2].number);
  EXPECT_EQ(outcome.receipts[3],
            (receipt{errc::ok, outcome.receipts[0].number, true}));
  EXPECT_EQ(outcome.receipts[4].code, errc::malformed);
  const session_ref none{"default", "none", 0};
  const auto ended = apply(end_receive{{{a, {1, 2}}, {none, {1}}, {b, {1}}}});
  ASSERT_EQ(ended.failures.size(), 1U);
  EXPECT_EQ(ended.failures.front().detail, "none");
  EXPECT_EQ(sessions_.packets_count(), 0U);
}

TEST_F(SessionMachine, NoMorePacketIdsAreReceivedThanTheMaximum) {
  auto command = opening("c");
  command.receive_max = 2;
  const session_ref c{"default", "c", apply(command).number};
  receive(c, 1);
  receive(c, 2);
  EXPECT_EQ(receive(c, 3).code, errc::too_many);
  EXPECT_EQ(receive(c, 2).code, errc::ok);
  apply(end_receive{{{c, {1}}}});
  EXPECT_EQ(receive(c, 3).code, errc::ok);
}

TEST_F(SessionMachine, ACommandForTooManySessionsIsRefused) {
  begin_receive command;
  command.items.resize(session_items_max + 1);
  const auto outcome = apply(command);
  EXPECT_EQ(outcome.failure.code, errc::too_many);
  EXPECT_TRUE(outcome.receipts.empty());
}

TEST_F(SessionMachine, DeliveredMovesTheCursorAndKeepsPacketIdsInOneCommand) {
  const auto c = open("c");
  for (int i = 0; i < 3; ++i)
    publish({"c"});
  EXPECT_EQ(queue("c"), (numbers{1, 2, 3}));
  apply(delivered{{{c, inbox_position{2}, {3, 2, 0}}}});
  EXPECT_EQ(queue("c"), (numbers{3}));
  EXPECT_EQ(awaiting("c"), (std::vector<std::uint16_t>{3, 2}))
      << "in the order of PUBREC";
  apply(delivered{{{c, inbox_position{3}, {2, 4}}}});
  EXPECT_EQ(awaiting("c"), (std::vector<std::uint16_t>{3, 2, 4}));
  apply(completed{{{c, {3, 4, 9}}}});
  EXPECT_EQ(awaiting("c"), (std::vector<std::uint16_t>{2}));
  apply(completed{{{c, {2}}}});
  EXPECT_EQ(sessions_.packets_count(), 0U);
  EXPECT_EQ(store_.body_count(), 0U);
}

// ------------------------------------------------------------ end of a session

TEST_F(SessionMachine, ASessionExpiresInTwoHalves) {
  const auto c = open("c", milliseconds{1000});
  publish({"c"});
  receive(c, 1);
  close(c);
  now_ += milliseconds{999};
  apply(sweep_expired{10});
  EXPECT_FALSE(record("c").expired);
  now_ += milliseconds{1};
  apply(sweep_expired{10});
  EXPECT_TRUE(record("c").expired);
  EXPECT_FALSE(store_.head(session_of("c")));
  EXPECT_EQ(store_.body_count() + sessions_.packets_count(), 0U);
  EXPECT_EQ(sessions_.pending_sessions({}, 10),
            (std::vector<owner>{session_of("c")}));
  EXPECT_EQ(seen_.told, (texts{"pending c expired"}));
  EXPECT_EQ(receive(c, 1).code, errc::not_found);
  EXPECT_EQ(publish({"c"}).failures.front().code, errc::user_unknown);
  apply(sweep_expired{10});
  EXPECT_EQ(seen_.told.size(), 1U) << "told once";
  EXPECT_EQ(apply(drop_session{{"default", "c", 0}, true}).failure.code,
            errc::ok);
  EXPECT_FALSE(has("c"));
  EXPECT_EQ(sessions_.pending_count() + sessions_.due_count(), 0U);
  EXPECT_EQ(sessions_.session_count(), 0U);
}

TEST_F(SessionMachine, WhoComesBackBetweenTheHalvesHasANewSession) {
  const auto c = open("c", milliseconds{0});
  close(c);
  apply(sweep_expired{10});
  const auto outcome = apply(opening("c"));
  EXPECT_FALSE(outcome.present);
  EXPECT_TRUE(outcome.replaced);
  EXPECT_EQ(apply(drop_session{{"default", "c", 0}, true}).failure.code,
            errc::conflict)
      << "the second half came late";
  EXPECT_TRUE(has("c"));
  EXPECT_EQ(sessions_.pending_count(), 0U);
}

TEST_F(SessionMachine, OnlyTheEndOfTheConnectionStartsTheClock) {
  const auto c = open("c", milliseconds{1000});
  now_ += milliseconds{5000};
  apply(sweep_expired{10});
  EXPECT_FALSE(record("c").expired);
  close(c);
  close(c); // said twice
  EXPECT_EQ(record("c").closed, now_);
  now_ += milliseconds{999};
  apply(close_session_record{c, {}, false});
  apply(sweep_expired{10});
  EXPECT_FALSE(record("c").expired);
  now_ += milliseconds{1};
  apply(sweep_expired{10});
  EXPECT_TRUE(record("c").expired);
}

TEST_F(SessionMachine, AConnectionThatWasLostEarlierWasClosedThen) {
  const auto c = open("c", milliseconds{1000});
  apply(close_session_record{c, now_ - milliseconds{400}, false});
  now_ += milliseconds{600};
  apply(sweep_expired{10});
  EXPECT_TRUE(record("c").expired);
  const auto d = open("d");
  apply(close_session_record{d, now_ + milliseconds{400}, false});
  EXPECT_EQ(record("d").closed, now_) << "not later than now";
}

TEST_F(SessionMachine, ANewExpiryCountsFromTheEndOfTheConnection) {
  const auto c = open("c");
  close(c);
  now_ += milliseconds{100'000};
  apply(sweep_expired{10});
  EXPECT_FALSE(record("c").expired) << "never";
  apply(set_session_expiry{c, milliseconds{100'001}});
  apply(sweep_expired{10});
  EXPECT_FALSE(record("c").expired);
  apply(set_session_expiry{c, milliseconds{99'999}});
  apply(sweep_expired{10});
  EXPECT_TRUE(record("c").expired);
}

TEST_F(SessionMachine, ASweepIsBoundedByTheSizeOfTheInboxes) {
  for (const auto* name : {"a", "b", "c"}) {
    const auto session = open(name, milliseconds{1});
    for (int i = 0; i < 5; ++i)
      publish({name});
    close(session);
  }
  now_ += milliseconds{2};
  EXPECT_TRUE(apply(sweep_expired{4}).more);
  EXPECT_EQ(sessions_.pending_count(), 1U);
  EXPECT_TRUE(apply(sweep_expired{4}).more);
  EXPECT_FALSE(apply(sweep_expired{4}).more);
  EXPECT_EQ(sessions_.pending_count(), 3U);
}

// -------------------------------------------------------------------- wills

TEST_F(SessionMachine, AWillIsDueWhenItsDelayIsOver) {
  auto command = opening("c", milliseconds{10'000});
  command.will = will_of("bye", milliseconds{500});
  const session_ref c{"default", "c", apply(command).number};
  close(c);
  now_ += milliseconds{499};
  apply(sweep_expired{10});
  EXPECT_FALSE(record("c").will_due);
  now_ += milliseconds{1};
  apply(sweep_expired{10});
  EXPECT_TRUE(record("c").will_due);
  EXPECT_EQ(seen_.told, (texts{"pending c will"}));
  EXPECT_EQ(sessions_.pending_count(), 1U) << "for the next leader, too";
  EXPECT_EQ(apply(drop_will{c}).failure.code, errc::ok);
  EXPECT_EQ(apply(drop_will{c}).failure.code, errc::not_found);
  EXPECT_EQ(sessions_.pending_count(), 0U);
  now_ += milliseconds{10'000};
  apply(sweep_expired{10});
  EXPECT_TRUE(record("c").expired);
}

TEST_F(SessionMachine, TheEndOfTheSessionMakesTheWillDue) {
  auto command = opening("c", milliseconds{100});
  command.will = will_of("bye", milliseconds{500});
  const session_ref c{"default", "c", apply(command).number};
  close(c);
  now_ += milliseconds{100};
  apply(sweep_expired{10});
  EXPECT_EQ(seen_.told, (texts{"pending c will expired"}));
  EXPECT_EQ(apply(drop_session{{"default", "c", 0}, true}).failure.code,
            errc::conflict)
      << "the will is not published yet";
  apply(drop_will{c});
  EXPECT_EQ(sessions_.pending_count(), 1U);
  EXPECT_EQ(apply(drop_session{{"default", "c", 0}, true}).failure.code,
            errc::ok);
  EXPECT_EQ(sessions_.pending_count(), 0U);
}

TEST_F(SessionMachine, WhoSaysGoodByeOrComesBackInTimeLeavesNoWill) {
  auto command = opening("c");
  command.will = will_of("bye", milliseconds{500});
  session_ref c{"default", "c", apply(command).number};
  close(c, true);
  EXPECT_FALSE(record("c").will);
  c.epoch = apply(command).number;
  close(c);
  command.will.reset();
  apply(command);
  EXPECT_FALSE(record("c").will);
  now_ += milliseconds{1000};
  apply(sweep_expired{10});
  EXPECT_EQ(seen_.told, texts{});
  EXPECT_EQ(sessions_.due_count(), 0U);
}

TEST_F(SessionMachine, ACommandAppliesOnce) {
  const auto c = open("c");
  const begin_receive command{{{c, 1}}};
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::ok);
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::duplicate);
}

// -------------------------------------------------------------- publications

TEST_F(SessionMachine, AnEntryOfASessionKnowsItsRecipient) {
  open("a");
  open("b");
  publish({"none", "a", "b"});
  const auto entry = [&](const std::string& name) {
    return store_.entry(store_.head(session_of(name))->number,
                        inbox_position{1});
  };
  EXPECT_EQ(entry("a")->recipient, 1U);
  EXPECT_EQ(entry("b")->recipient, 2U);
  EXPECT_EQ(entry("a")->source, entry("b")->source);
  EXPECT_EQ(store_.references(entry("a")->source), 2U);
}

TEST_F(SessionMachine, WhoComesBackLearnsWhatWaitsAndSinceWhen) {
  const auto first = open("c");
  apply(delivered{{{first, inbox_position{0}, {5, 3}}}});
  close(first);
  const auto closed = now_;
  now_ += milliseconds{1000};
  const auto outcome = apply(opening("c"));
  EXPECT_EQ(outcome.awaiting, (std::vector<std::uint16_t>{5, 3}));
  EXPECT_EQ(outcome.closed, closed);
  now_ += milliseconds{1000};
  EXPECT_EQ(apply(opening("c")).closed, now_) << "it is taken over";
}

TEST_F(SessionMachine, AWillThatMayNotWaitIsNotLostToTheNextConnection) {
  auto command = opening("c");
  command.will = will_of("bye", milliseconds{0});
  apply(command);
  apply(opening("c"));
  EXPECT_EQ(seen_.told, (texts{"will replaced c"}));
  command.will = will_of("bye", milliseconds{500});
  apply(command);
  apply(opening("c"));
  EXPECT_EQ(seen_.told.size(), 1U) << "that one may wait";
}

TEST_F(SessionMachine, AQueueHasTheBoundsOfSessions) {
  inbox_policy others;
  others.messages_max = 1;
  apply(set_inbox_policy{others});
  session_policy policy;
  policy.messages_max = 2;
  apply(set_session_policy{policy});
  open("c");
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(publish({"c"}).failures.empty());
  EXPECT_EQ(queue("c"), (numbers{2, 3}));
  policy.drop_oldest = false;
  apply(set_session_policy{policy});
  EXPECT_EQ(code_of(publish({"c"})), errc::inbox_full);
  EXPECT_EQ(queue("c"), (numbers{2, 3}));
}

TEST_F(SessionMachine, UsersAndSessionsOfOneNameAreTwo) {
  apply(add_cursor{{"default", owner_kind::user, "c"}, device_offset{0}, {}});
  open("c");
  publish({"c"});
  EXPECT_EQ(store_.head({"default", owner_kind::user, "c"})->count, 0U);
  EXPECT_EQ(store_.head(session_of("c"))->count, 1U);
}

TEST_F(SessionMachine, ASilentSessionIsKeptAsLongAsItsRecordSays) {
  inbox_policy policy;
  policy.device_inactive_after = milliseconds{10};
  policy.user_inactive_after = milliseconds{10};
  apply(set_inbox_policy{policy});
  open("c");
  now_ += milliseconds{1000};
  EXPECT_TRUE(publish({"c"}).failures.empty());
  EXPECT_EQ(queue("c"), (numbers{1}));
}

/// Sees what the recipients get.
struct message_recorder final : inbox_observer {
  bool observes(const owner&) override { return true; }
  void on_appended(const owner&, const inbox_entry&,
                   message_ptr message) override {
    messages.push_back(std::move(message));
  }
  void on_removed(const owner&, inbox_position) override {}
  void on_devices_changed(const owner&, const inbox_head&) override {}
  void on_inbox_dropped(const owner&) override {}

  std::vector<message_ptr> messages;
};

TEST_F(SessionMachine, EachRecipientGetsAPublicationAsItWantsIt) {
  message_recorder seen;
  shard_machine machine{group_id{3}, {store_, keys_, sessions_}, {&seen}};
  const auto run = [&](shard_command command) {
    machine.apply(log_index{++index_}, {{}, now_, std::move(command)}, {});
  };
  run(opening("a"));
  run(opening("b"));
  append_message command;
  command.message.kind = message_kind::publication;
  command.message.topic = "a/b";
  command.message.qos = 1;
  command.message.retain = true;
  command.to.resize(2);
  command.to[0].name = "a";
  command.to[0].kind = owner_kind::session;
  command.to[0].qos = 2;
  command.to[0].subscription_ids = {3, 9};
  command.to[1].name = "b";
  command.to[1].kind = owner_kind::session;
  command.to[1].qos = 0;
  command.to[1].retain_as_published = true;
  run(command);
  ASSERT_EQ(seen.messages.size(), 2U);
  EXPECT_EQ(seen.messages[0]->qos, 1);
  EXPECT_FALSE(seen.messages[0]->retain);
  EXPECT_EQ(seen.messages[0]->subscription_ids,
            (std::vector<std::uint32_t>{3, 9}));
  EXPECT_EQ(seen.messages[1]->qos, 0);
  EXPECT_TRUE(seen.messages[1]->retain);
  EXPECT_EQ(seen.messages[1]->topic, "a/b");
}

} // namespace
} // namespace troupe::test
