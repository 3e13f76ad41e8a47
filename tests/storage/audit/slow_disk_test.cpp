// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/audit/audit_case.hpp"

#include <condition_variable>
#include <future>
#include <mutex>

namespace troupe::storage::audit {
namespace {

using test::recording_file_system;

/// Lets writes and flushes hang as long as the test wants.
class hanging_disk {
public:
  void hang() {
    const std::lock_guard lock{mutex_};
    hangs_ = true;
  }
  void go_on() {
    {
      const std::lock_guard lock{mutex_};
      hangs_ = false;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return !hangs_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
};

class hanging_file final : public file {
public:
  hanging_file(std::unique_ptr<file> inner, hanging_disk& disk)
      : inner_(std::move(inner)), disk_(disk) {}
  core::result<void> write_at(core::bytes_view bytes,
                              std::uint64_t offset) override {
    disk_.pass();
    return inner_->write_at(bytes, offset);
  }
  core::result<std::size_t> read_at(std::span<std::byte> to,
                                    std::uint64_t offset) const override {
    return inner_->read_at(to, offset);
  }
  core::result<void> sync() override {
    disk_.pass();
    return inner_->sync();
  }
  core::result<void> preallocate(std::uint64_t size) override {
    return inner_->preallocate(size);
  }
  core::result<std::uint64_t> size() const override { return inner_->size(); }
  core::result<void> truncate(std::uint64_t size) override {
    return inner_->truncate(size);
  }
  core::result<bool> try_lock() override { return inner_->try_lock(); }

private:
  std::unique_ptr<file> inner_;
  hanging_disk& disk_;
};

class hanging_files final : public file_system {
public:
  hanging_files(file_system& inner, hanging_disk& disk)
      : inner_(inner), disk_(disk) {}
  core::result<std::unique_ptr<file>> open(const std::filesystem::path& path,
                                           open_mode mode) override {
    auto opened = inner_.open(path, mode);
    if (!opened)
      return opened.error();
    return std::unique_ptr<file>{
        std::make_unique<hanging_file>(std::move(*opened), disk_)};
  }
  core::result<void> rename(const std::filesystem::path& from,
                            const std::filesystem::path& to) override {
    return inner_.rename(from, to);
  }
  core::result<void> remove(const std::filesystem::path& path) override {
    return inner_.remove(path);
  }
  core::result<void> sync_folder(const std::filesystem::path& path) override {
    return inner_.sync_folder(path);
  }
  core::result<void> create_folder(const std::filesystem::path& path) override {
    return inner_.create_folder(path);
  }
  core::result<std::vector<std::string>>
  list(const std::filesystem::path& path) override {
    return inner_.list(path);
  }
  [[nodiscard]] bool exists(const std::filesystem::path& path) override {
    return inner_.exists(path);
  }
  core::result<std::uint64_t>
  free_bytes(const std::filesystem::path& path) override {
    return inner_.free_bytes(path);
  }

private:
  file_system& inner_;
  hanging_disk& disk_;
};

class AuditOnASlowDisk : public testing::Test {
protected:
  static constexpr std::size_t queue_bytes_max = 4000;

  void open(overflow_policy overflow) {
    recorder_options with;
    with.files = test::audit_files();
    with.overflow = overflow;
    with.queue_bytes_max = queue_bytes_max;
    auto made = recorder::open(files_, clock_, std::move(with));
    ASSERT_TRUE(made) << made.error().detail;
    recorder_ = std::move(*made);
  }
  core::audit_ticket record() {
    core::audit_entry what;
    what.user = "alice";
    return recorder_->record(what);
  }

  recording_file_system kept_;
  hanging_disk disk_;
  hanging_files files_{kept_, disk_};
  core::system_clock clock_;
  std::unique_ptr<recorder> recorder_;
};

TEST_F(AuditOnASlowDisk, NobodyWhoRecordsWaitsAndTheQueueHasABound) {
  open(overflow_policy::drop);
  disk_.hang();
  std::uint64_t lost = 0;
  for (int i = 0; i < 1000; ++i)
    lost += record() == 0 ? 1U : 0U;
  EXPECT_GT(lost, 900U);
  const auto now = recorder_->stats();
  EXPECT_EQ(now.dropped, lost);
  EXPECT_LE(now.queued_bytes, queue_bytes_max);
  EXPECT_EQ(now.queued_records, 1000U - lost);
  EXPECT_TRUE(recorder_->has_room());
  disk_.go_on();
  recorder_->stop();
  EXPECT_FALSE(test::audit_verdict(kept_).broken);
  // The disk may have hung when the queue was full once or twice.
  search_terms gaps;
  gaps.kinds = {core::audit_kind::dropped};
  const auto told = test::audit_lines(kept_, gaps).size();
  EXPECT_GE(told, 1U);
  EXPECT_LE(told, 2U);
  EXPECT_EQ(test::audit_lines(kept_).size(),
            // opened, those that found room, how many did not, closed
            1000U - lost + 2U + told);
}

TEST_F(AuditOnASlowDisk, AnAnswerWaitsForItsRecordAndNothingElseDoes) {
  open(overflow_policy::drop);
  disk_.hang();
  std::promise<void> kept;
  auto told = kept.get_future();
  const auto ticket = record();
  recorder_->when_kept(ticket, [&] { kept.set_value(); });
  EXPECT_FALSE(recorder_->is_kept(ticket));
  // One whose record was lost has nothing to wait for.
  while (record() != 0) {
  }
  EXPECT_TRUE(recorder_->is_kept(0));
  disk_.go_on();
  told.wait();
  EXPECT_TRUE(recorder_->is_kept(ticket));
}

TEST_F(AuditOnASlowDisk, NewWorkIsRefusedUntilTheDiskHasCaughtUp) {
  open(overflow_policy::refuse);
  disk_.hang();
  std::size_t taken = 0;
  while (recorder_->has_room()) {
    ASSERT_NE(record(), 0U);
    ++taken;
  }
  // What is under way has as much room again.
  std::size_t late = 0;
  while (record() != 0)
    ++late;
  EXPECT_NEAR(static_cast<double>(late), static_cast<double>(taken), 2.0);
  EXPECT_LE(recorder_->stats().queued_bytes, 2 * queue_bytes_max);
  disk_.go_on();
  std::promise<void> kept;
  recorder_->when_kept(taken + late, [&] { kept.set_value(); });
  kept.get_future().wait();
  EXPECT_TRUE(recorder_->has_room());
}

} // namespace
} // namespace troupe::storage::audit
