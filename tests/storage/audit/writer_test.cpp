// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/audit/audit_case.hpp"

#include <random>

namespace troupe::storage::audit {
namespace {

using test::at_second;
using test::audit_files;
using test::audit_lines;
using test::audit_segment;
using test::audit_verdict;
using test::post_of;
using test::recording_file_system;

std::unique_ptr<writer> open(recording_file_system& files,
                             writer_options options = audit_files()) {
  auto made = writer::open(files, std::move(options), at_second(0));
  EXPECT_TRUE(made) << (made ? "" : made.error().detail);
  return made ? std::move(*made) : nullptr;
}

void write(writer& to, int count, std::int64_t second = 0) {
  for (int i = 0; i < count; ++i)
    ASSERT_TRUE(to.append(post_of("alice", "bob", second)));
  ASSERT_TRUE(to.sync());
}

/// A few segments of a few records each.
writer_options small_segments() {
  auto options = audit_files();
  options.segment_bytes = 600;
  return options;
}

TEST(AuditWriter, GoesOnWhereTheLastOneEnded) {
  recording_file_system files;
  write(*open(files), 3);
  auto again = open(files);
  EXPECT_EQ(again->last_sequence(), 3U);
  write(*again, 2);
  EXPECT_EQ(audit_lines(files).back(), "5 post alice");
  const auto found = audit_verdict(files);
  EXPECT_FALSE(found.broken);
  EXPECT_EQ(found.records, 5U);
  EXPECT_EQ(found.last_hash, again->last_hash());
}

TEST(AuditWriter, ChainsSegmentsByTheirHeads) {
  recording_file_system files;
  write(*open(files, small_segments()), 20);
  const auto found = audit_verdict(files);
  EXPECT_FALSE(found.broken);
  EXPECT_GT(found.segments, 3U);
  EXPECT_EQ(found.first, 1U);
  EXPECT_EQ(found.last, 20U);
}

TEST(AuditWriter, KeepsTimesFromGoingBack) {
  recording_file_system files;
  auto to = open(files);
  write(*to, 1, 100);
  write(*to, 1, 50);
  search_terms late;
  late.from = at_second(100);
  EXPECT_EQ(audit_lines(files, late).size(), 2U);
}

TEST(AuditWriter, RemovesOldestSegmentsAboveTheBytesToKeep) {
  recording_file_system files;
  auto options = small_segments();
  options.keep_bytes = 1500;
  auto to = open(files, options);
  write(*to, 30);
  const auto removed = to->trim(at_second(1));
  ASSERT_TRUE(removed);
  EXPECT_GT(*removed, 2U);
  ASSERT_TRUE(to->sync());
  EXPECT_LE(to->bytes(), 1500U + 600U);
  const auto found = audit_verdict(files);
  EXPECT_FALSE(found.broken);
  EXPECT_GT(found.first, 1U);
  EXPECT_EQ(audit_lines(files).back(), "31 trimmed");
}

TEST(AuditWriter, RemovesSegmentsInWhichAllIsTooOld) {
  recording_file_system files;
  auto options = audit_files();
  options.keep_time = std::chrono::seconds{80};
  auto to = open(files, options);
  write(*to, 2, 1);
  write(*to, 2, 20); // a segment of its own: an eighth of the time has passed
  ASSERT_EQ(to->segments().size(), 2U);
  EXPECT_EQ(*to->trim(at_second(99)), 0U);
  EXPECT_EQ(*to->trim(at_second(100)), 1U);
  ASSERT_TRUE(to->sync());
  const auto found = audit_verdict(files);
  EXPECT_FALSE(found.broken);
  EXPECT_EQ(found.first, 3U);
}

TEST(AuditWriter, GoesOnWhenThereIsRoomOnTheDiskAgain) {
  recording_file_system files;
  auto to = open(files, small_segments());
  write(*to, 3);
  files.set_capacity(700);
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    auto done = to->append(post_of("bob", "alice"));
    if (done)
      done = to->flush();
    if (!done) {
      EXPECT_EQ(done.error().code, core::errc::storage_full);
      ++refused;
      files.set_capacity(1U << 20U);
      --i; // an append that was refused is made again
      if (to->flush())
        continue;
    }
  }
  EXPECT_GT(refused, 0);
  ASSERT_TRUE(to->sync());
  EXPECT_FALSE(audit_verdict(files).broken);
}

TEST(AuditWriter, RefusesTheFolderOfAnotherNode) {
  recording_file_system files;
  write(*open(files), 1);
  auto other = audit_files();
  other.node = core::node_id{4};
  const auto made = writer::open(files, other, at_second(0));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, core::errc::wrong_cluster);
}

TEST(AuditWriter, PutsATornEndAside) {
  recording_file_system files;
  std::uint64_t whole = 0;
  {
    auto to = open(files);
    write(*to, 3);
    whole = to->segments().back().bytes;
  }
  test::put(files, audit_segment(1), whole, "half a frame");
  auto again = open(files);
  EXPECT_FALSE(again->ending().clean);
  EXPECT_EQ(again->ending().cut_bytes, 12U);
  const auto aside = test::audit_folder /
                     (segment_name(1) + "-" + std::to_string(whole) + ".cut");
  EXPECT_EQ(core::as_text(files.contents(aside)), "half a frame");
  write(*again, 1);
  EXPECT_FALSE(audit_verdict(files).broken);
  EXPECT_EQ(audit_lines(files).back(), "4 post alice");
}

TEST(AuditWriter, PutsASegmentWithoutAHeadAside) {
  recording_file_system files;
  write(*open(files, small_segments()), 4);
  const auto before = audit_verdict(files);
  test::put(files, audit_segment(before.segments + 1), 0, "TRPA");
  auto again = open(files, small_segments());
  EXPECT_EQ(again->ending().cut_bytes, 4U);
  write(*again, 4);
  EXPECT_FALSE(audit_verdict(files).broken);
}

/// Cuts the power at every operation, in every way, and looks for every record
/// that was said to be on the disk.
TEST(AuditWriter, LosesNothingThatWasFlushedWhenThePowerIsCut) {
  const auto run = [](recording_file_system& files) {
    sequence_number safe = 0;
    auto options = small_segments();
    options.keep_bytes = 2500;
    auto made = writer::open(files, options, at_second(0));
    if (!made)
      return safe;
    auto& to = **made;
    for (int i = 0; i < 24; ++i) {
      if (!to.append(post_of("alice", std::string(i * 7, 'x'), i)))
        return safe;
      if (i % 3 == 2) {
        if (!to.sync())
          return safe;
        safe = to.last_sequence();
      }
      if (i % 8 == 7 && !to.trim(at_second(i)))
        return safe;
    }
    return safe;
  };
  recording_file_system whole;
  run(whole);
  std::mt19937_64 random{5};
  for (std::size_t n = 1; n <= whole.operations(); ++n)
    for (const auto style :
         {test::cut_style::keep_nothing, test::cut_style::keep_all,
          test::cut_style::some_pages, test::cut_style::some_sectors}) {
      recording_file_system files;
      files.power_off_at(n);
      const auto safe = run(files);
      const auto disk = files.after_power_cut(style, random);
      auto again = writer::open(*disk, small_segments(), at_second(60));
      ASSERT_TRUE(again) << n << ": " << again.error().detail;
      EXPECT_GE((*again)->last_sequence(), safe) << n;
      write(**again, 1, 60);
      const auto found = audit_verdict(*disk);
      EXPECT_FALSE(found.broken)
          << n << ": " << found.broken->file << " " << found.broken->why;
      EXPECT_EQ(found.last, (*again)->last_sequence());
    }
}

} // namespace
} // namespace troupe::storage::audit
