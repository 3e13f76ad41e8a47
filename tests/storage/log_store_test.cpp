// SPDX-License-Identifier: Apache-2.0
#include "storage/log_recovery.hpp"
#include "storage/log_store.hpp"
#include "tests/storage/log_probe.hpp"
#include "tests/support/recording_file_system.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace troupe::storage {
namespace {

using core::errc;
using core::group_id;
using core::log_index;
using test::entries_of;
using test::log_probe;
using test::recording_file_system;

std::filesystem::path segment(segment_number number) {
  return log_probe::defaults().folder / segment_name(number);
}

TEST(LogStore, FreshFolderHoldsNothing) {
  recording_file_system files;
  log_probe log{files};
  ASSERT_TRUE(log.open()) << to_string(log.error());
  EXPECT_EQ(log.group_count(), 0U);
}

TEST(LogStore, WhatWasReportedIsThereAfterARestart) {
  recording_file_system files;
  {
    log_probe log{files};
    auto write = entries_of(3, 1, 5, 1);
    write.hard_state = hard_state{core::term{7}, core::node_id{2}};
    write.snapshot_meta = core::shared_bytes::copy_of("snapshot");
    ASSERT_TRUE(log.write(write));
    ASSERT_TRUE(log.write(entries_of(4, 10, 2, 2)));
  }
  log_probe log{files};
  ASSERT_TRUE(log.open()) << to_string(log.error());
  const auto& three = log.group(3);
  EXPECT_EQ(three.hard_state, (hard_state{core::term{7}, core::node_id{2}}));
  EXPECT_EQ(three.snapshot_meta->text(), "snapshot");
  EXPECT_EQ(three.first, log_index{1});
  EXPECT_EQ(three.entries, entries_of(3, 1, 5, 0).entries);
  EXPECT_EQ(log.group(4).first, log_index{10});
  EXPECT_EQ(log.group(4).entries, entries_of(4, 10, 2, 0).entries);
}

TEST(LogStore, TruncationReplacesTheTail) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 9, 1)));
    auto write = entries_of(1, 4, 2, 2, 100, 8);
    write.truncate_from = log_index{4};
    ASSERT_TRUE(log.write(write));
  }
  log_probe log{files};
  auto expected = entries_of(1, 1, 3, 0).entries;
  for (auto& entry : entries_of(1, 4, 2, 0, 100, 8).entries)
    expected.push_back(entry);
  EXPECT_EQ(log.group(1).entries, expected);
}

TEST(LogStore, ReplacingTheLogForgetsEveryEntry) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 9, 1)));
    log_write write;
    write.group = group_id{1};
    write.snapshot_meta = core::shared_bytes::copy_of("at 100");
    write.replace_log = true;
    write.token = 2;
    ASSERT_TRUE(log.write(write));
    ASSERT_TRUE(log.write(entries_of(1, 101, 1, 3)));
  }
  log_probe log{files};
  EXPECT_EQ(log.group(1).first, log_index{101});
  EXPECT_EQ(log.group(1).entries.size(), 1U);
  EXPECT_EQ(log.group(1).snapshot_meta->text(), "at 100");
}

TEST(LogStore, EntriesTheStateHasAreNotReturned) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 9, 1)));
  }
  auto options = log_probe::defaults();
  options.keep_above = [](group_id) { return log_index{6}; };
  log_probe log{files, options};
  EXPECT_EQ(log.group(1).first, log_index{7});
  EXPECT_EQ(log.group(1).entries, entries_of(1, 7, 3, 0).entries);
}

TEST(LogStore, WritesThatWaitShareOneFlush) {
  recording_file_system files;
  auto options = log_probe::defaults();
  options.segment_bytes = std::size_t{4} << 20;
  log_probe log{files, options};
  for (std::uint64_t i = 1; i <= 200; ++i)
    ASSERT_TRUE(log->submit(entries_of(1, i, 1, i, 10)));
  ASSERT_TRUE(log.write(entries_of(1, 201, 1, 201)));
  const auto tokens = log.tokens();
  EXPECT_EQ(tokens.size(), 201U);
  EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end()));
  EXPECT_LE(log.batches(), 201U);
  EXPECT_EQ(log->queued_bytes(), 0U);
}

TEST(LogStore, LogGoesOnOverManySegmentsAndAfterEachRestart) {
  recording_file_system files;
  std::uint64_t next = 1;
  for (int start = 0; start < 4; ++start) {
    log_probe log{files};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    ASSERT_EQ(log.group(1).entries.size(), next - 1);
    for (int i = 0; i < 60; ++i, ++next)
      ASSERT_TRUE(log.write(entries_of(1, next, 1, next, 4000)));
    EXPECT_GT(log->stats().last_segment, log->stats().first_segment);
  }
}

TEST(LogStore, ReleasedSegmentsAreWrittenAgain) {
  recording_file_system files;
  log_probe log{files};
  for (std::uint64_t i = 1; i <= 400; ++i) {
    ASSERT_TRUE(log.write(entries_of(1, i, 1, i, 4000)));
    log->release(group_id{1}, log_index{i});
    log->refresh_health();
  }
  EXPECT_GT(log->stats().segments_recycled, 10U);
  EXPECT_LE(log->stats().segments_prepared, 6U);
  EXPECT_LE(files.files().size(), 7U);
}

TEST(LogStore, StaleRecordsOfRecycledSegmentsAreNotReadAgain) {
  recording_file_system files;
  std::uint64_t next = 1;
  for (int start = 0; start < 30; ++start) {
    log_probe log{files};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    const auto& found = log.group(1);
    if (next > 1) {
      ASSERT_EQ(found.first.value() + found.entries.size(), next);
      ASSERT_EQ(found.entries.back(),
                entries_of(1, next - 1, 1, 0, 4000).entries.back());
    }
    for (int i = 0; i < 17; ++i, ++next) {
      ASSERT_TRUE(log.write(entries_of(1, next, 1, next, 4000)));
      log->release(group_id{1}, log_index{next});
    }
  }
}

TEST(LogStore, VotesAndSnapshotRecordsSurviveRecycling) {
  recording_file_system files;
  {
    log_probe log{files};
    log_write vote;
    vote.group = group_id{9};
    vote.hard_state = hard_state{core::term{3}, core::node_id{4}};
    vote.snapshot_meta = core::shared_bytes::copy_of("kept");
    vote.token = 1;
    ASSERT_TRUE(log.write(vote));
    for (std::uint64_t i = 1; i <= 100; ++i) {
      ASSERT_TRUE(log.write(entries_of(1, i, 1, i + 1, 4000)));
      log->release(group_id{1}, log_index{i});
      log->refresh_health();
    }
    ASSERT_GT(log->stats().first_segment, 2U);
  }
  log_probe log{files};
  EXPECT_EQ(log.group(9).hard_state,
            (hard_state{core::term{3}, core::node_id{4}}));
  EXPECT_EQ(log.group(9).snapshot_meta->text(), "kept");
}

TEST(LogStore, LaggingGroupsAreNamed) {
  recording_file_system files;
  log_probe log{files};
  ASSERT_TRUE(log.write(entries_of(5, 1, 1, 1)));
  for (std::uint64_t i = 1; i <= 100; ++i) {
    ASSERT_TRUE(log.write(entries_of(1, i, 1, i + 1, 4000)));
    log->release(group_id{1}, log_index{i});
    log->refresh_health();
  }
  const auto lagging = log->lagging_groups();
  ASSERT_EQ(lagging.size(), 1U);
  EXPECT_EQ(lagging[0].group, group_id{5});
  EXPECT_EQ(lagging[0].needed, log_index{1});
  EXPECT_EQ(log->stats().first_segment, 1U);
  log->release(group_id{5}, log_index{1});
  EXPECT_TRUE(log->lagging_groups().empty());
}

TEST(LogStore, FailedFlushStopsEverythingAndReportsNothing) {
  recording_file_system files;
  log_probe log{files};
  ASSERT_TRUE(log.write(entries_of(1, 1, 1, 1)));
  files.fail_syncs();
  EXPECT_FALSE(log.write(entries_of(1, 2, 1, 2)));
  EXPECT_NE(log.fatal().find("fdatasync failed"), std::string::npos)
      << log.fatal();
  EXPECT_EQ(log.tokens(), std::vector<std::uint64_t>{1});
  EXPECT_EQ(log->submit(entries_of(1, 2, 1, 3)).error().code, errc::io_error);
}

TEST(LogStoreDeathTest, FailedFlushEndsTheProcess) {
  EXPECT_EXIT(
      {
        recording_file_system files;
        auto options = log_probe::defaults();
        auto opened = log_store::open(files, options);
        (void)opened->store->refresh_health();
        files.fail_syncs();
        (void)opened->store->submit(entries_of(1, 1, 1, 1));
        opened->store.reset();
      },
      ::testing::ExitedWithCode(70),
      "log: fdatasync failed: Input/output error; the node stops now");
}

TEST(LogStore, FullDiskRefusesBeforeAcceptingAndRecovers) {
  recording_file_system files;
  files.set_capacity(4 * test::small_segment);
  std::uint64_t written = 0;
  log_probe log{files};
  ASSERT_TRUE(log.open()) << to_string(log.error());
  for (;;) {
    log->refresh_health();
    if (!log.write(entries_of(1, written + 1, 1, written + 1, 4000)))
      break;
    ++written;
  }
  EXPECT_EQ(log.fatal(), "");
  EXPECT_GT(written, 10U);
  const auto refused =
      log->submit(entries_of(1, written + 1, 1, written + 1, 4000));
  EXPECT_EQ(refused.error().code, errc::storage_full);
  EXPECT_FALSE(log->has_room());
  EXPECT_NE(log->refresh_health().level, space_level::ok);

  files.set_capacity(64 * test::small_segment);
  EXPECT_EQ(log->refresh_health().level, space_level::ok);
  EXPECT_TRUE(log.write(entries_of(1, written + 1, 1, written + 1, 4000)));
}

TEST(LogStore, ReleasedSegmentsMakeRoomOnAFullDisk) {
  recording_file_system files;
  files.set_capacity(4 * test::small_segment);
  log_probe log{files};
  for (std::uint64_t i = 1; i <= 300; ++i) {
    log->refresh_health();
    ASSERT_TRUE(log.write(entries_of(1, i, 1, i, 4000)));
    log->release(group_id{1}, log_index{i});
  }
}

TEST(LogStore, HealthIsLowBelowTheReserve) {
  recording_file_system files;
  auto options = log_probe::defaults();
  options.reserve_bytes = 10 * test::small_segment;
  log_probe log{files, options};
  EXPECT_EQ(log->refresh_health().level, space_level::ok);
  files.set_capacity(8 * test::small_segment);
  EXPECT_EQ(log->refresh_health().level, space_level::low);
  files.set_capacity(64 * test::small_segment);
  EXPECT_EQ(log->refresh_health().level, space_level::ok);
}

TEST(LogStore, WriteLargerThanAThirdOfASegmentIsRefused) {
  recording_file_system files;
  log_probe log{files};
  EXPECT_EQ(
      log->submit(entries_of(1, 1, 1, 1, test::small_segment / 3)).error().code,
      errc::too_large);
  EXPECT_TRUE(
      log.write(entries_of(1, 1, 1, 1, test::small_segment / 3 - 4000)));
}

TEST(LogStore, FullQueueIsOverloadedButVotesPass) {
  recording_file_system files;
  auto options = log_probe::defaults();
  options.segment_bytes = std::size_t{1} << 20;
  options.queue_bytes_max = 1000;
  std::mutex gate;
  gate.lock();
  options.on_durable = [&](auto) { const std::lock_guard wait{gate}; };
  auto opened = log_store::open(files, options);
  ASSERT_TRUE(opened);
  auto& log = *opened->store;
  bool refused = false;
  for (std::uint64_t i = 1; i < 100 && !refused; ++i) {
    const auto done = log.submit(entries_of(1, i, 1, i, 10'000));
    refused = !done;
    if (refused) {
      EXPECT_EQ(done.error().code, errc::overloaded);
    }
  }
  EXPECT_TRUE(refused);
  EXPECT_FALSE(log.has_room());
  log_write vote;
  vote.group = group_id{1};
  vote.hard_state = hard_state{core::term{9}, core::node_id{1}};
  const auto voted = log.submit(vote);
  EXPECT_TRUE(voted) << to_string(voted.error());
  gate.unlock();
  opened->store.reset();
}

TEST(LogStore, ForeignLogIsRefused) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 1, 1)));
  }
  auto options = log_probe::defaults();
  options.cluster.bytes[0] = 1;
  log_probe log{files, options};
  EXPECT_EQ(log.error().code, errc::wrong_cluster);
}

TEST(LogStore, NewerFormatIsRefused) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 1, 1)));
  }
  const std::byte newer[] = {std::byte{log_format_version + 1}};
  files.overwrite(segment(1), 8, newer);
  log_probe log{files};
  EXPECT_EQ(log.error().code, errc::newer_format);
}

TEST(LogStore, DamagedRecordWithLaterBatchesBehindItStopsTheNode) {
  recording_file_system files;
  {
    log_probe log{files};
    for (std::uint64_t i = 1; i <= 5; ++i)
      ASSERT_TRUE(log.write(entries_of(1, i, 1, i)));
  }
  files.flip_bit(segment(1), (2 * page_bytes + 100) * 8);
  log_probe log{files};
  EXPECT_EQ(log.error().code, errc::corrupt);
  EXPECT_NE(log.error().detail.find(segment(1).string() + " at offset 82"),
            std::string::npos)
      << log.error().detail;
}

TEST(LogStore, DamageInTheLastBatchStopsTheNodeToo) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 1, 1, 2000)));
  }
  files.flip_bit(segment(1), (page_bytes + 1500) * 8);
  log_probe log{files};
  EXPECT_EQ(log.error().code, errc::corrupt);
}

TEST(LogStore, BatchThatLacksASectorIsCutAndItsPlaceUsedAgain) {
  recording_file_system files;
  {
    log_probe log{files};
    ASSERT_TRUE(log.write(entries_of(1, 1, 1, 1)));
    ASSERT_TRUE(log.write(entries_of(1, 2, 1, 2, 2000)));
  }
  // As if the second batch had not been flushed and its third sector lost.
  files.overwrite(segment(1), 2 * page_bytes + 2 * sector_bytes,
                  std::vector<std::byte>(sector_bytes));
  {
    log_probe log{files};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    EXPECT_EQ(log.group(1).entries.size(), 1U);
    ASSERT_TRUE(log.write(entries_of(1, 2, 1, 1, 50, 9)));
  }
  log_probe log{files};
  EXPECT_EQ(log.group(1).entries.back(),
            entries_of(1, 2, 1, 0, 50, 9).entries.back());
}

TEST(LogStore, LostBatchWithALaterOneBehindItStopsTheNode) {
  recording_file_system files;
  {
    log_probe log{files};
    for (std::uint64_t i = 1; i <= 3; ++i)
      ASSERT_TRUE(log.write(entries_of(1, i, 1, i)));
  }
  files.overwrite(segment(1), 2 * page_bytes,
                  std::vector<std::byte>(page_bytes));
  log_probe log{files};
  EXPECT_EQ(log.error().code, errc::corrupt);
}

TEST(LogStore, MissingSegmentStopsTheNode) {
  recording_file_system files;
  {
    log_probe log{files};
    for (std::uint64_t i = 1; i <= 60; ++i)
      ASSERT_TRUE(log.write(entries_of(1, i, 1, i, 4000)));
  }
  ASSERT_TRUE(files.remove(segment(2)));
  log_probe log{files};
  EXPECT_EQ(log.error().code, errc::corrupt);
  EXPECT_NE(log.error().detail.find("is missing"), std::string::npos);
}

TEST(LogStore, AnotherSegmentSizeTakesOverTheOldLog) {
  recording_file_system files;
  {
    log_probe log{files};
    for (std::uint64_t i = 1; i <= 40; ++i)
      ASSERT_TRUE(log.write(entries_of(1, i, 1, i, 4000)));
  }
  auto options = log_probe::defaults();
  options.segment_bytes = 2 * test::small_segment;
  {
    log_probe log{files, options};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    for (std::uint64_t i = 41; i <= 80; ++i)
      ASSERT_TRUE(log.write(entries_of(1, i, 1, i, 4000)));
    log->release(group_id{1}, log_index{80});
    log->refresh_health();
  }
  log_probe log{files, options};
  ASSERT_TRUE(log.open()) << to_string(log.error());
  EXPECT_EQ(log.group(1).first.value() + log.group(1).entries.size(), 81U);
}

} // namespace
} // namespace troupe::storage
