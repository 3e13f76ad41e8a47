// SPDX-License-Identifier: Apache-2.0
#include "core/origin_window.hpp"
#include "tests/core/inbox_machine_case.hpp"

namespace troupe::test {
namespace {

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
  for (std::uint64_t origin = 1000; origin < 1000 + origins_kept; ++origin)
    apply(add_cursor{inbox_of("anna"), device(0), {}}, {origin, 1});
  now_ += std::chrono::hours{1};
  apply(sweep_expired{});
  EXPECT_TRUE(store_.origin(77));
  now_ += milliseconds{1};
  apply(sweep_expired{});
  EXPECT_FALSE(store_.origin(77));
  EXPECT_TRUE(store_.origin(1000));
}

TEST_F(InboxMachine, ACommandAppliesOnceThoughTheClockJumps) {
  add("anna", 0);
  apply(letter({all_of("anna")}), {77, 1});
  now_ += std::chrono::hours{24 * 400};
  apply(sweep_expired{});
  EXPECT_EQ(apply(letter({all_of("anna")}), {77, 1}).failure.code,
            errc::duplicate);
  EXPECT_EQ(positions("anna"), list{1});
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
} // namespace troupe::test
