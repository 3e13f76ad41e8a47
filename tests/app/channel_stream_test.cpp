// SPDX-License-Identifier: Apache-2.0
#include "app/channel_stream.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

using messages = std::vector<channel_message>;

/// What comes out of a stream, the same wherever it is cut.
template <class Reader>
messages read_everywhere_cut(std::string_view whole) {
  messages first;
  for (std::size_t at = 0; at <= whole.size(); ++at) {
    Reader reader;
    messages came;
    EXPECT_TRUE(reader.feed(whole.substr(0, at), came));
    EXPECT_TRUE(reader.feed(whole.substr(at), came));
    if (at == 0)
      first = came;
    else
      EXPECT_EQ(came, first) << "cut at " << at;
  }
  return first;
}

template <class Reader>
core::errc refused_with(std::string_view whole) {
  Reader reader;
  messages came;
  const auto read = reader.feed(whole, came);
  return read ? core::errc::ok : read.error().code;
}

TEST(MultipartReader, ReadsPartsWhereverTheyAreCut) {
  EXPECT_EQ(read_everywhere_cut<multipart_reader>(
                "--00MsgBus00\nFrom: anna\nContent-Location: /msgbus/a/b\n"
                "Content-Type: text/plain\n\nhe\n\nllo--00MsgBus00\n"
                "Content-Type: x\n\n--00MsgBus00\n"),
            (messages{{"a/b", "anna", "text/plain", "", "he\n\nllo"},
                      {"", "", "x", "", ""}}));
}

TEST(MultipartReader, RefusesWhatIsNoSuchStream) {
  EXPECT_EQ(refused_with<multipart_reader>("<h1>--00MsgBus00\n"),
            core::errc::malformed);
  EXPECT_EQ(refused_with<multipart_reader>("--00MsgBus00\nx--00MsgBus00\n"),
            core::errc::malformed);
}

TEST(EventReader, ReadsEventsWhereverTheyAreCut) {
  EXPECT_EQ(
      read_everywhere_cut<event_reader>(
          ":\n\nid: 1-5\nevent: message\ndata: {\"channel\":\"c\","
          "\"sender\":\"s\",\"type\":\"t\",\"id\":\"1-5\",\"data\":\"a\\nb\"}"
          "\n\n:\n\ndata: {\"id\":\"1-6\",\"base64\":\"/wA=\"}\n\n"),
      (messages{{"c", "s", "t", "1-5", "a\nb"},
                {"", "", "", "1-6", std::string{"\xff\0", 2}}}));
}

TEST(EventReader, RefusesWhatIsNoSuchEvent) {
  EXPECT_EQ(refused_with<event_reader>("data: {\n\n"), core::errc::malformed);
  EXPECT_EQ(refused_with<event_reader>("data: []\n\n"), core::errc::malformed);
  EXPECT_EQ(refused_with<event_reader>("data: {\"base64\":\"?\"}\n\n"),
            core::errc::malformed);
}

TEST(ChannelMessage, IsALineThatCannotTakeOverATerminal) {
  EXPECT_EQ(text_line({"a/b", "anna", "t", "1-1", "hi\x1b[2J"}),
            "anna at a/b: hi\\x1b[2J");
  EXPECT_EQ(text_line({"a", "", "", "", "x"}), "at a: x");
}

TEST(ChannelMessage, IsOneJsonObject) {
  EXPECT_EQ(json_line({"a", "anna", "t", "1-1", "x\"y"}),
            R"({"channel":"a","sender":"anna","type":"t","id":"1-1",)"
            R"("data":"x\"y"})");
  EXPECT_EQ(json_line({"a", "", "", "", "\xff"}),
            R"({"channel":"a","data_base64":"/w=="})");
}

} // namespace
} // namespace troupe::app
