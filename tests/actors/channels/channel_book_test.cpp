// SPDX-License-Identifier: Apache-2.0
#include "actors/channels/channel_book.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::actors::channels {
namespace {

using namespace std::chrono_literals;

core::listener_about somebody(std::uint64_t session, std::string uid) {
  core::listener_about who;
  who.door = "msgbus";
  who.session = session;
  who.uid = std::move(uid);
  return who;
}

class ChannelBook : public testing::Test {
protected:
  ChannelBook() { book_.name_at_most(3); }

  void apply(const channel_report& report) {
    book_.apply(report, now_, core::from_millis(1'700'000'000'000));
  }
  void came(std::uint64_t session, std::string uid) {
    channel_report report;
    report.came.push_back(somebody(session, std::move(uid)));
    apply(report);
  }
  void went(std::uint64_t session) {
    channel_report report;
    report.went.push_back(session);
    apply(report);
  }
  void published(std::uint64_t here, std::uint64_t elsewhere) {
    channel_report report;
    report.counts.published = here;
    report.counts.received = elsewhere;
    apply(report);
  }
  [[nodiscard]] std::string described() const {
    core::json_writer out;
    out.begin_object();
    book_.describe(out, now_);
    out.end_object();
    return std::move(out).text();
  }

  channel_book book_;
  core::steady_time now_{1h};
};

TEST_F(ChannelBook, AUserIsPresentAsLongAsOneOfHisConnectionsIs) {
  came(1, "anna");
  came(2, "anna");
  came(3, "");
  EXPECT_EQ(book_.listeners(), 3U);
  EXPECT_EQ(book_.users(), 1U);
  EXPECT_NE(described().find(R"("presence":[{"uid":"anna","connections":2,)"),
            std::string::npos);
  went(1);
  EXPECT_EQ(book_.users(), 1U);
  went(2);
  EXPECT_EQ(book_.users(), 0U);
  EXPECT_EQ(book_.listeners(), 1U);
}

TEST_F(ChannelBook, WhoComesAboveTheBoundIsCountedOnly) {
  for (const auto session : {1U, 2U, 3U, 4U, 5U})
    came(session, "user" + std::to_string(session));
  came(0, "without a number");
  EXPECT_EQ(book_.listeners(), 6U);
  EXPECT_EQ(book_.users(), 3U);
  EXPECT_NE(described().find(R"("listeners_unnamed":3)"), std::string::npos);
  went(4);
  went(1);
  went(0);
  EXPECT_EQ(book_.listeners(), 3U);
  EXPECT_EQ(book_.users(), 2U);
  EXPECT_NE(described().find(R"("listeners_unnamed":1)"), std::string::npos);
  came(6, "late");
  EXPECT_EQ(book_.users(), 3U);
}

TEST_F(ChannelBook, OneSessionMayListenTwice) {
  came(1, "anna");
  came(1, "anna");
  EXPECT_EQ(book_.listeners(), 2U);
  EXPECT_NE(described().find(R"("subscriptions":2)"), std::string::npos);
  went(1);
  EXPECT_EQ(book_.users(), 1U);
  went(1);
  EXPECT_EQ(book_.users(), 0U);
  EXPECT_EQ(book_.listeners(), 0U);
}

TEST_F(ChannelBook, WhoGoesAndComesWithinAReportIsThere) {
  came(1, "anna");
  channel_report both;
  both.came.push_back(somebody(1, "anna"));
  both.went.push_back(1);
  apply(both);
  EXPECT_EQ(book_.listeners(), 1U);
  EXPECT_EQ(book_.users(), 1U);
}

TEST_F(ChannelBook, ItIsAttachedUntilEveryBeginningHasEnded) {
  channel_report begins;
  begins.begins = true;
  channel_report ends;
  ends.ends = true;
  apply(begins);
  apply(begins);
  EXPECT_EQ(book_.attachments(), 2U);
  apply(ends);
  EXPECT_EQ(book_.attachments(), 1U);
  // The next beginning may be heard of before the end of the one before.
  apply(begins);
  apply(ends);
  apply(ends);
  EXPECT_EQ(book_.attachments(), 0U);
  EXPECT_EQ(book_.begun(), 3U);
}

TEST_F(ChannelBook, CountsAddUpAndTheLastTimeIsTheLatest) {
  channel_report one;
  one.counts = {2, 1, 30, 9, 1, 5'000'000};
  channel_report two;
  two.counts = {1, 0, 10, 3, 0, 4'000'000};
  apply(one);
  apply(two);
  EXPECT_EQ(book_.counts().published, 3U);
  EXPECT_EQ(book_.counts().received, 1U);
  EXPECT_EQ(book_.counts().bytes, 40U);
  EXPECT_EQ(book_.counts().delivered, 12U);
  EXPECT_EQ(book_.counts().dropped, 1U);
  EXPECT_NE(described().find(R"("last_published_ms":5000,)"),
            std::string::npos);
}

TEST_F(ChannelBook, ASteadyStreamIsToldAsItsRate) {
  for (int i = 0; i < 600; ++i) {
    now_ += 100ms;
    published(3, 2); // 50 a second
  }
  EXPECT_NEAR(book_.rate(now_), 50.0, 1.0);
  now_ += event_rate::memory;
  EXPECT_NEAR(book_.rate(now_), 50.0 / 2.718, 1.0);
  now_ += 10min;
  EXPECT_LT(book_.rate(now_), 0.001);
}

TEST_F(ChannelBook, RatesHaveThreeDecimals) {
  EXPECT_EQ(rate_text(0), "0.000");
  EXPECT_EQ(rate_text(0.0126), "0.013");
  EXPECT_EQ(rate_text(12.5), "12.500");
}

} // namespace
} // namespace troupe::actors::channels
