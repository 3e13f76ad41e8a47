// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/audit/audit_case.hpp"
#include "tests/support/manual_clock.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace troupe::storage::audit {
namespace {

using test::audit_lines;
using test::audit_verdict;
using test::recording_file_system;

core::audit_entry entry(std::string_view user) {
  core::audit_entry what;
  what.user = user;
  what.target = "bob";
  return what;
}

core::audit_entry with_payload(std::string_view text) {
  auto what = entry("alice");
  what.payload = core::shared_bytes::copy_of(text);
  what.size = text.size();
  return what;
}

class AuditRecorder : public testing::Test {
protected:
  static recorder_options options() {
    recorder_options made;
    made.files = test::audit_files();
    return made;
  }
  void open(recorder_options with = options()) {
    with.on_fatal = [this](std::string_view what) { fatal_ = what; };
    auto made = recorder::open(files_, clock_, std::move(with));
    ASSERT_TRUE(made) << made.error().detail;
    recorder_ = std::move(*made);
  }
  void wait_for(core::audit_ticket ticket) {
    std::promise<void> kept;
    recorder_->when_kept(ticket, [&] { kept.set_value(); });
    kept.get_future().wait();
  }
  /// The one record with a payload.
  record found_payload() {
    search_terms terms;
    terms.kinds = {core::audit_kind::post};
    record found;
    const auto done =
        search(files_, test::audit_folder, *look_at(files_, test::audit_folder),
               terms, [&](const record& what, const digest&) {
                 found = what;
                 if (what.payload)
                   kept_payload_ = core::as_text(*what.payload);
                 found.payload.reset();
                 return true;
               });
    EXPECT_TRUE(done);
    return found;
  }

  recording_file_system files_;
  core::system_clock clock_;
  std::string fatal_;
  std::string kept_payload_;
  std::unique_ptr<recorder> recorder_;
};

TEST_F(AuditRecorder, WritesWhatItWasGivenBetweenBeginAndEnd) {
  open();
  EXPECT_NE(recorder_->record(entry("alice")), 0U);
  recorder_->stop();
  EXPECT_EQ(audit_lines(files_),
            (std::vector<std::string>{"1 opened", "2 post alice", "3 closed"}));
  EXPECT_EQ(recorder_->record(entry("late")), 0U);
  EXPECT_EQ(recorder_->stats().dropped, 1U);
}

TEST_F(AuditRecorder, SaysThatItIsWrittenWhenItCanBeRead) {
  open();
  const auto ticket = recorder_->record(entry("alice"));
  wait_for(ticket);
  EXPECT_TRUE(recorder_->is_kept(ticket));
  EXPECT_EQ(audit_lines(files_).back(), "2 post alice");
}

TEST_F(AuditRecorder, SaysThatItIsSyncedWhenAPowerCutLeavesIt) {
  auto with = options();
  with.answers = answer_policy::synced;
  open(with);
  std::mt19937_64 random{3};
  for (int i = 0; i < 5; ++i) {
    wait_for(recorder_->record(entry("alice")));
    const auto disk =
        files_.after_power_cut(test::cut_style::keep_nothing, random);
    EXPECT_EQ(audit_verdict(*disk).records, static_cast<unsigned>(i) + 2U);
  }
}

TEST_F(AuditRecorder, NeedsNobodyToWaitIfAnswersDoNot) {
  auto with = options();
  with.answers = answer_policy::at_once;
  open(with);
  EXPECT_TRUE(recorder_->is_kept(recorder_->record(entry("alice"))));
}

TEST_F(AuditRecorder, KeepsTheOrderOfManyThreads) {
  open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([this, t] {
      const auto user = "user" + std::to_string(t);
      for (int i = 0; i < 500; ++i) {
        auto what = entry(user);
        what.session = static_cast<std::uint64_t>(i);
        EXPECT_NE(recorder_->record(what), 0U);
      }
    });
  for (auto& each : threads)
    each.join();
  recorder_->stop();
  EXPECT_EQ(audit_verdict(files_).records, 2002U);
  for (int t = 0; t < 4; ++t) {
    search_terms terms;
    terms.user = "user" + std::to_string(t);
    std::uint64_t next = 0;
    ASSERT_TRUE(search(files_, test::audit_folder,
                       *look_at(files_, test::audit_folder), terms,
                       [&](const record& what, const digest&) {
                         EXPECT_EQ(what.session, next++);
                         return true;
                       }));
    EXPECT_EQ(next, 500U);
  }
}

TEST_F(AuditRecorder, HashesPayloadsAndKeepsThemIfItShall) {
  open();
  recorder_->record(with_payload("hello"));
  recorder_->stop();
  auto found = found_payload();
  hasher with;
  EXPECT_EQ(found.hash, with.of(core::as_bytes("hello")));
  EXPECT_EQ(kept_payload_, "");
}

TEST_F(AuditRecorder, KeepsPayloadsUpToABound) {
  auto with = options();
  with.payload = payload_policy::full;
  with.payload_max = 5;
  open(with);
  recorder_->record(with_payload("hello"));
  recorder_->record(with_payload("hello!"));
  recorder_->stop();
  EXPECT_TRUE(found_payload().hash);
  EXPECT_EQ(kept_payload_, "hello");
}

TEST_F(AuditRecorder, RedactsPayloadsIfItShall) {
  auto with = options();
  with.payload = payload_policy::none;
  open(with);
  recorder_->record(with_payload("hello"));
  recorder_->stop();
  const auto found = found_payload();
  EXPECT_FALSE(found.hash);
  EXPECT_EQ(found.size, 5U);
}

TEST_F(AuditRecorder, LeavesOutMessagesIfItShall) {
  for (const auto which :
       {message_policy::all, message_policy::refused, message_policy::none}) {
    auto with = options();
    with.messages = which;
    with.files.folder =
        test::audit_folder / std::to_string(static_cast<int>(which));
    open(with);
    auto refused = entry("refused");
    refused.accepted = false;
    auto login = entry("login");
    login.kind = core::audit_kind::login;
    const auto good = recorder_->record(entry("good"));
    const auto bad = recorder_->record(refused);
    EXPECT_NE(recorder_->record(login), 0U);
    EXPECT_EQ(good != 0, which == message_policy::all);
    EXPECT_EQ(bad != 0, which != message_policy::none);
    EXPECT_TRUE(recorder_->is_kept(0)); // nobody waits for what is left out
    recorder_->stop();
    EXPECT_EQ(recorder_->stats().dropped, 0U);
    recorder_.reset();
  }
}

TEST_F(AuditRecorder, WritesDownHowManyItLost) {
  auto with = options();
  with.queue_bytes_max = 2000;
  open(with);
  files_.set_capacity(1); // nothing gets to the disk
  std::uint64_t lost = 0;
  for (int i = 0; i < 100; ++i)
    lost += recorder_->record(entry("alice")) == 0 ? 1U : 0U;
  EXPECT_GT(lost, 50U);
  EXPECT_TRUE(recorder_->has_room());
  files_.set_capacity(1U << 20U);
  recorder_->stop();
  search_terms terms;
  terms.kinds = {core::audit_kind::dropped};
  std::uint64_t said = 0;
  ASSERT_TRUE(search(files_, test::audit_folder,
                     *look_at(files_, test::audit_folder), terms,
                     [&](const record& what, const digest&) {
                       said += what.size;
                       return true;
                     }));
  EXPECT_EQ(said, lost);
  EXPECT_EQ(audit_verdict(files_).records,
            100U - lost + 2U + audit_lines(files_, terms).size());
}

TEST_F(AuditRecorder, RefusesNewWorkBeforeItLosesWhatIsUnderWay) {
  auto with = options();
  with.overflow = overflow_policy::refuse;
  with.queue_bytes_max = 2000;
  open(with);
  files_.set_capacity(1);
  while (recorder_->has_room())
    ASSERT_NE(recorder_->record(entry("alice")), 0U);
  EXPECT_NE(recorder_->record(entry("under way")), 0U);
  files_.set_capacity(1U << 20U);
  wait_for(recorder_->record(entry("last")));
  EXPECT_TRUE(recorder_->has_room());
}

TEST_F(AuditRecorder, LetsAnswersGoWhenTheDiskIsFullAndRecordsMayBeLost) {
  open();
  files_.set_capacity(1);
  wait_for(recorder_->record(entry("alice")));
  EXPECT_TRUE(recorder_->stats().stuck);
  EXPECT_EQ(audit_lines(files_), std::vector<std::string>{"1 opened"});
  files_.set_capacity(1U << 20U);
  recorder_->stop();
  EXPECT_EQ(audit_verdict(files_).records, 3U);
}

TEST_F(AuditRecorder, EndsTheNodeWhenAFlushFails) {
  auto with = options();
  with.answers = answer_policy::synced;
  open(with);
  files_.fail_syncs();
  recorder_->record(entry("alice"));
  recorder_->stop();
  EXPECT_NE(fatal_, "");
}

TEST_F(AuditRecorder, NotesThatTheLastOneDidNotEnd) {
  open();
  recorder_->record(entry("alice"));
  std::mt19937_64 random{1};
  const auto disk = files_.after_power_cut(test::cut_style::keep_all, random);
  auto again = recorder::open(*disk, clock_, options());
  ASSERT_TRUE(again);
  (*again)->stop();
  search_terms terms;
  terms.kinds = {core::audit_kind::opened};
  std::vector<std::string> types;
  ASSERT_TRUE(search(*disk, test::audit_folder,
                     *look_at(*disk, test::audit_folder), terms,
                     [&](const record& what, const digest&) {
                       types.emplace_back(what.type);
                       return true;
                     }));
  EXPECT_EQ(types, (std::vector<std::string>{"clean", "after-crash"}));
}

} // namespace
} // namespace troupe::storage::audit
