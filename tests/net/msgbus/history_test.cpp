// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/history.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::msgbus {
namespace {

class History : public ::testing::Test {
protected:
  bool record(history& to, std::string_view channel, std::uint64_t number,
              std::string_view body, std::uint32_t node = 1) {
    core::publication p;
    p.topic = *topic_of(channel);
    p.node = core::node_id{node};
    p.number = number;
    p.payload = core::shared_bytes::copy_of(body);
    return to.record(std::make_shared<const core::publication>(std::move(p)));
  }
  /// Bodies, with blanks between.
  static std::string since(history& of, std::optional<std::string> topic,
                           std::string_view mark,
                           std::size_t bytes_max = 1'000'000) {
    std::string all;
    for (const auto& what :
         of.since(topic, *message_mark::parse(mark), bytes_max))
      all.append(all.empty() ? "" : " ").append(what->payload.text());
    return all;
  }

  test_support::manual_clock clock_;
};

TEST_F(History, GivesWhatCameBehindAMark) {
  history kept{{}, clock_};
  record(kept, "a", 1, "one");
  record(kept, "b", 2, "two");
  record(kept, "a", 3, "three");
  EXPECT_EQ(since(kept, "a", "0"), "one three");
  EXPECT_EQ(since(kept, "a", "1-1"), "three");
  EXPECT_EQ(since(kept, "a", "1-3"), "");
  EXPECT_EQ(since(kept, std::nullopt, "1-1"), "two three");
  EXPECT_EQ(since(kept, "none", "0"), "");
}

TEST_F(History, AMarkThatIsNotHereCountsByItsNumber) {
  history kept{{}, clock_};
  record(kept, "a", 10, "ten");
  record(kept, "a", 20, "twenty", 2);
  EXPECT_EQ(since(kept, "a", "7-15"), "twenty");
  EXPECT_EQ(since(kept, "a", "7-5"), "ten twenty");
}

TEST_F(History, SaysWhenAChannelBeginsAndWhatItHas) {
  history_options options;
  options.messages_max = 2;
  history kept{options, clock_};
  EXPECT_TRUE(record(kept, "a", 1, "one"));
  EXPECT_FALSE(record(kept, "a", 2, "two"));
  EXPECT_FALSE(record(kept, "a", 3, "three", 2));
  EXPECT_TRUE(record(kept, "b", 4, "four"));
  const auto found = kept.look("default", "a");
  EXPECT_EQ(found.messages, 2U);
  EXPECT_GT(found.bytes, 8U);
  EXPECT_EQ(found.oldest.text(), "1-2");
  EXPECT_EQ(found.newest.text(), "2-3");
  EXPECT_EQ(kept.look("other", "a").messages, 0U);
  EXPECT_EQ(kept.look("default", "none").messages, 0U);
  clock_.advance(options.time + core::milliseconds{1});
  EXPECT_EQ(kept.look("default", "a").messages, 0U);
  EXPECT_TRUE(record(kept, "a", 6, "anew"));
}

TEST_F(History, KeepsSoManyOfAChannel) {
  history_options options;
  options.messages_max = 2;
  history kept{options, clock_};
  for (std::uint64_t i = 1; i <= 5; ++i)
    record(kept, "a", i, std::to_string(i));
  record(kept, "b", 6, "b");
  EXPECT_EQ(since(kept, "a", "0"), "4 5");
  EXPECT_EQ(since(kept, std::nullopt, "0"), "4 5 b");
  EXPECT_EQ(kept.messages(), 3U);
}

TEST_F(History, KeepsSoManyBytesAndSoLong) {
  history_options options;
  options.bytes_max = 2 * (1000 + 257);
  history kept{options, clock_};
  for (std::uint64_t i = 1; i <= 4; ++i)
    record(kept, std::string(1, static_cast<char>('a' + i)), i,
           std::string(1000, 'x'));
  EXPECT_EQ(kept.messages(), 2U);
  EXPECT_LE(kept.bytes(), options.bytes_max);
  clock_.advance(options.time + core::milliseconds{1});
  EXPECT_EQ(since(kept, std::nullopt, "0"), "");
  EXPECT_EQ(kept.messages(), 0U);
  EXPECT_EQ(kept.bytes(), 0U);
}

TEST_F(History, AReplayIsBoundedAndKeepsTheNewest) {
  history kept{{}, clock_};
  for (std::uint64_t i = 1; i <= 9; ++i)
    record(kept, "a", i, std::to_string(i));
  EXPECT_EQ(since(kept, "a", "0", 2 * 258), "8 9");
  EXPECT_EQ(since(kept, "a", "0", 1), "9");
}

TEST_F(History, PassesOverOtherRealmsAndTheBrokersOwnTopics) {
  history kept{{}, clock_};
  core::publication p;
  p.topic = *core::topic::parse("$SYS/load");
  kept.record(std::make_shared<const core::publication>(p));
  p.topic = *core::topic::parse("a");
  p.realm = "other";
  kept.record(std::make_shared<const core::publication>(p));
  EXPECT_EQ(kept.messages(), 0U);
}

TEST(MessageMark, IsReadAsItIsWritten) {
  EXPECT_EQ((message_mark{7, 1234}.text()), "7-1234");
  EXPECT_EQ(message_mark::parse("7-1234"), (message_mark{7, 1234}));
  EXPECT_EQ(message_mark::parse(""), message_mark{});
  EXPECT_EQ(message_mark::parse("0"), message_mark{});
  for (const auto* text :
       {"7", "-", "7-", "-7", "a-1", "1-a", "1-2-3", " 1-2", "99999999999-1"})
    EXPECT_FALSE(message_mark::parse(text)) << text;
}

} // namespace
} // namespace troupe::net::msgbus
