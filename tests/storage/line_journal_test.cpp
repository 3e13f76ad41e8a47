// SPDX-License-Identifier: Apache-2.0
#include "storage/line_journal.hpp"
#include "tests/support/recording_file_system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace troupe::storage {
namespace {

using lines = std::vector<std::string>;
using test::recording_file_system;

const std::filesystem::path folder = "/records";
const std::filesystem::path first = folder / "000000000001.lines";

struct opened {
  std::unique_ptr<line_journal> journal;
  lines found;
};

opened open(file_system& files, std::uint64_t segment_bytes = 1U << 20U,
            std::uint64_t keep_bytes = 1U << 24U) {
  opened to;
  auto made = line_journal::open(
      files, {folder, segment_bytes, keep_bytes},
      [&](std::string_view line) { to.found.emplace_back(line); });
  EXPECT_TRUE(made);
  if (made)
    to.journal = std::move(*made);
  return to;
}

void write(line_journal& to, const lines& what) {
  for (const auto& each : what)
    to.append(each);
  ASSERT_TRUE(to.sync());
}

TEST(LineJournal, GivesBackWhatWasWrittenInOrder) {
  recording_file_system files;
  write(*open(files).journal, {"one", "", "three"});
  auto again = open(files);
  EXPECT_EQ(again.found, (lines{"one", "", "three"}));
  write(*again.journal, {"four"});
  EXPECT_EQ(open(files).found, (lines{"one", "", "three", "four"}));
}

TEST(LineJournal, KeepsWhatWasSyncedThroughAPowerCut) {
  std::mt19937_64 random{7};
  for (const auto style :
       {test::cut_style::keep_nothing, test::cut_style::keep_all}) {
    recording_file_system files;
    auto begun = open(files);
    write(*begun.journal, {"kept"});
    begun.journal->append("perhaps");
    files.power_off_at(files.operations() + 2); // the flush
    EXPECT_FALSE(begun.journal->sync());
    auto after = files.after_power_cut(style, random);
    auto again = open(*after);
    ASSERT_GE(again.found.size(), 1U);
    EXPECT_EQ(again.found.front(), "kept");
    write(*again.journal, {"later"});
    EXPECT_EQ(open(*after).found.back(), "later");
  }
}

TEST(LineJournal, CutsALineThatACrashLeftUnfinished) {
  recording_file_system files;
  write(*open(files).journal, {"whole"});
  const auto torn = std::as_bytes(std::span{"00000000 tor", 12});
  {
    auto file = files.open(first, open_mode::read_write);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(torn, files.contents(first).size()));
  }
  auto again = open(files);
  EXPECT_EQ(again.found, (lines{"whole"}));
  EXPECT_EQ(again.journal->cut_bytes(), torn.size());
  write(*again.journal, {"next"});
  EXPECT_EQ(open(files).found, (lines{"whole", "next"}));
}

TEST(LineJournal, PassesOverADamagedLineAndCountsIt) {
  recording_file_system files;
  write(*open(files).journal, {"aaaa", "bbbb", "cccc"});
  files.flip_bit(first, 8ULL * (14 + 10)); // in "bbbb"
  const auto again = open(files);
  EXPECT_EQ(again.found, (lines{"aaaa", "cccc"}));
  EXPECT_EQ(again.journal->damaged(), 1U);
}

TEST(LineJournal, WritesAgainWhatTheDiskHadNoRoomFor) {
  recording_file_system files;
  auto begun = open(files);
  write(*begun.journal, {"one"});
  files.set_capacity(files.contents(first).size());
  begun.journal->append("two");
  EXPECT_FALSE(begun.journal->sync());
  EXPECT_TRUE(begun.journal->waits());
  files.set_capacity(1U << 20U);
  EXPECT_TRUE(begun.journal->sync());
  EXPECT_FALSE(begun.journal->waits());
  EXPECT_EQ(open(files).found, (lines{"one", "two"}));
}

TEST(LineJournal, RollsWithWhatIsCarriedAndRemovesTheOldest) {
  recording_file_system files;
  auto begun = open(files, 40, 120);
  auto& journal = *begun.journal;
  for (int i = 0; i < 20; ++i) {
    write(journal, {"line number " + std::to_string(10 + i)});
    if (journal.is_full()) {
      ASSERT_TRUE(journal.roll([&] { journal.append("carried"); }));
    }
  }
  EXPECT_LE(journal.bytes(), 120U);
  const auto found = open(files, 40, 120).found;
  EXPECT_NE(std::find(found.begin(), found.end(), "line number 29"),
            found.end());
  EXPECT_EQ(std::find(found.begin(), found.end(), "line number 10"),
            found.end());
  EXPECT_NE(std::find(found.begin(), found.end(), "carried"), found.end());
}

TEST(LineJournal, WhatIsCarriedFillsNoSegment) {
  recording_file_system files;
  auto begun = open(files, 40, 10'000);
  auto& journal = *begun.journal;
  write(journal, {std::string(40, 'x')});
  ASSERT_TRUE(journal.is_full());
  ASSERT_TRUE(journal.roll([&] { journal.append(std::string(100, 'c')); }));
  EXPECT_FALSE(journal.is_full());
}

TEST(LineJournal, ARollThatFailsLeavesNothingBehind) {
  recording_file_system files;
  auto begun = open(files, 10);
  auto& journal = *begun.journal;
  write(journal, {"a session begins"});
  files.set_capacity(files.contents(first).size() + 5);
  EXPECT_FALSE(journal.roll([&] { journal.append("carried over"); }));
  files.set_capacity(1U << 20U);
  write(journal, {"a session ends"});
  EXPECT_EQ(open(files).found, (lines{"a session begins", "a session ends"}));
}

TEST(LineJournal, IsReadInPagesWhileItIsWritten) {
  recording_file_system files;
  auto begun = open(files, 30, 10'000);
  auto& journal = *begun.journal;
  lines all;
  std::string next;
  lines found;
  const auto read = [&](std::size_t most) {
    std::size_t got = 0;
    const auto end =
        read_lines(files, folder, next, [&](std::string_view line) {
          found.emplace_back(line);
          return ++got < most;
        });
    ASSERT_TRUE(end);
    next = *end;
  };
  for (int i = 0; i < 10; ++i) {
    all.push_back("line " + std::to_string(i));
    write(journal, {all.back()});
    if (journal.is_full()) {
      ASSERT_TRUE(journal.roll([] {}));
    }
    if (i == 4)
      read(3);
  }
  EXPECT_EQ(found.size(), 3U);
  read(4);
  read(100);
  EXPECT_EQ(found, all);
  read(100);
  EXPECT_EQ(found, all);
  for (const auto* bad : {"x", "1", "1.x", ".", "1.2.3"})
    EXPECT_FALSE(read_lines(files, folder, bad, [](std::string_view) {
      return true;
    })) << bad;
}

} // namespace
} // namespace troupe::storage
