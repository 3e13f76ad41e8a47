// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/audit/audit_case.hpp"

namespace troupe::storage::audit {
namespace {

using test::at_second;
using test::audit_files;
using test::audit_lines;
using test::audit_segment;
using test::audit_verdict;
using test::post_of;
using test::recording_file_system;

/// Records of two users, ten seconds apart, over some segments.
class AuditReader : public testing::Test {
protected:
  AuditReader() {
    auto options = audit_files();
    options.segment_bytes = 600;
    options.key = "seal";
    auto made = writer::open(files_, options, at_second(0));
    EXPECT_TRUE(made);
    writer_ = std::move(*made);
    for (int i = 0; i < 20; ++i) {
      auto what = post_of(i % 2 == 0 ? "alice" : "bob", "carol\ndave", 10 * i);
      what.accepted = i != 7;
      EXPECT_TRUE(writer_->append(what));
    }
    EXPECT_TRUE(writer_->sync());
  }

  recording_file_system files_;
  std::unique_ptr<writer> writer_;
};

TEST_F(AuditReader, FindsByTimeOverSegments) {
  search_terms terms;
  terms.from = at_second(95);
  terms.until = at_second(130);
  EXPECT_EQ(audit_lines(files_, terms),
            (std::vector<std::string>{"11 post alice", "12 post bob",
                                      "13 post alice"}));
}

TEST_F(AuditReader, FindsByUserKindAndOutcome) {
  search_terms terms;
  terms.user = "bob";
  terms.accepted = false;
  EXPECT_EQ(audit_lines(files_, terms), std::vector<std::string>{"8 post bob"});
  terms.kinds = {core::audit_kind::login};
  EXPECT_TRUE(audit_lines(files_, terms).empty());
}

TEST_F(AuditReader, FindsAPostByEachOfItsRecipients) {
  search_terms terms;
  terms.target = "dave";
  EXPECT_EQ(audit_lines(files_, terms).size(), 20U);
  terms.target = "dav";
  EXPECT_TRUE(audit_lines(files_, terms).empty());
}

TEST_F(AuditReader, GoesOnBehindAPage) {
  search_terms terms;
  terms.user = "bob";
  std::vector<sequence_number> found;
  int pages = 0;
  do {
    std::size_t rows = 0;
    const auto end =
        search(files_, test::audit_folder, *look_at(files_, test::audit_folder),
               terms, [&](const record& what, const digest&) {
                 if (rows == 3)
                   return false;
                 ++rows;
                 found.push_back(what.sequence);
                 return true;
               });
    ASSERT_TRUE(end);
    terms.after = end->next;
    ++pages;
  } while (terms.after != 0);
  EXPECT_EQ(found,
            (std::vector<sequence_number>{2, 4, 6, 8, 10, 12, 14, 16, 18, 20}));
  EXPECT_EQ(pages, 4);
}

TEST_F(AuditReader, StopsASearchThatHasGoneThroughEnough) {
  search_terms terms;
  terms.user = "nobody";
  terms.scan_bytes_max = 500;
  int rounds = 0;
  do {
    const auto end =
        search(files_, test::audit_folder, *look_at(files_, test::audit_folder),
               terms, [](const auto&, const auto&) { return true; });
    ASSERT_TRUE(end);
    ASSERT_TRUE(end->next == 0 || end->next > terms.after);
    terms.after = end->next;
    ++rounds;
  } while (terms.after != 0);
  EXPECT_GT(rounds, 2);
}

TEST_F(AuditReader, KnowsTheKeyOfTheSeals) {
  verify_terms terms;
  terms.key = "seal";
  const auto found = audit_verdict(files_, terms);
  EXPECT_FALSE(found.broken);
  EXPECT_EQ(found.sealed, found.segments);
  terms.key = "another";
  EXPECT_TRUE(audit_verdict(files_, terms).broken);
}

TEST_F(AuditReader, FindsEveryBitThatWasChanged) {
  const auto path = audit_segment(2);
  const auto bits = 8 * files_.contents(path).size();
  for (std::uint64_t bit = 0; bit < bits; bit += 5) {
    files_.flip_bit(path, bit);
    const auto found = verify(files_, test::audit_folder, {});
    EXPECT_TRUE(!found || found->broken) << bit;
    if (found && found->broken) {
      EXPECT_TRUE(found->broken->file == segment_name(2) ||
                  found->broken->file == segment_name(3))
          << bit;
    }
    files_.flip_bit(path, bit);
  }
  EXPECT_FALSE(audit_verdict(files_).broken);
}

TEST_F(AuditReader, MissesASegmentThatWasTakenOut) {
  ASSERT_TRUE(files_.remove(audit_segment(2)));
  const auto found = audit_verdict(files_);
  ASSERT_TRUE(found.broken);
  EXPECT_EQ(found.broken->file, segment_name(3));
}

TEST_F(AuditReader, TakesAMissingBeginningForRetention) {
  ASSERT_TRUE(files_.remove(audit_segment(1)));
  const auto found = audit_verdict(files_);
  EXPECT_FALSE(found.broken);
  EXPECT_GT(found.first, 1U);
}

TEST_F(AuditReader, MissesAnEndOnlyByAnAnchor) {
  verify_terms terms;
  terms.anchor = anchor{writer_->last_sequence(), writer_->last_hash()};
  EXPECT_FALSE(audit_verdict(files_, terms).broken);
  ASSERT_TRUE(files_.remove(audit_segment(writer_->segments().back().number)));
  EXPECT_FALSE(audit_verdict(files_).broken);
  EXPECT_TRUE(audit_verdict(files_, terms).broken);
}

TEST_F(AuditReader, TakesANewestSegmentWithoutAHeadForOneThatIsBegun) {
  const auto next = writer_->segments().back().number + 1;
  test::put(files_, audit_segment(next), 0, "TRPA");
  const auto found = audit_verdict(files_);
  EXPECT_FALSE(found.broken);
  EXPECT_EQ(found.torn_bytes, 4U);
  test::put(files_, audit_segment(next), 0, std::string(200, 'x'));
  EXPECT_TRUE(audit_verdict(files_).broken);
}

TEST_F(AuditReader, TellsATornEndFromADamagedOne) {
  const auto last = audit_segment(writer_->segments().back().number);
  const auto size = files_.contents(last).size();
  test::put(files_, last, size, "\x20");
  auto found = audit_verdict(files_);
  EXPECT_FALSE(found.broken);
  EXPECT_EQ(found.torn_bytes, 1U);
  // The length of a frame with others behind it reaches beyond the file.
  const auto first = audit_segment(1);
  recording_file_system one;
  ASSERT_TRUE(one.create_folder(test::audit_folder));
  test::put(one, first, 0, core::as_text(files_.contents(first)));
  test::put(one, first, head_bytes + 2, "\x01");
  found = audit_verdict(one);
  EXPECT_TRUE(found.broken);
}

} // namespace
} // namespace troupe::storage::audit
