// SPDX-License-Identifier: Apache-2.0

// post, ping, listEdit and their answers (A.8, A.10).
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

struct logged_in_peer : mq_driver {
  explicit logged_in_peer(const gate_options& options = default_options())
      : mq_driver(options) {
    log_in();
  }
};

std::string ack_error(std::string_view id, std::string_view text) {
  return packet(R"({"op":"ack","id":")" + std::string{id} +
                R"(","type":"error","error":")" + std::string{text} + "\"}");
}

TEST(MqGate, PostFailuresAreJoinedByLineFeeds) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"post","id":"1","to":{"a":1,"l":2,"m":3}})"));
  peer.event(core::posted{peer.take<core::post>().request,
                          true,
                          {{core::errc::user_unknown, "a"},
                           {core::errc::list_unknown, "l"},
                           {core::errc::not_a_member, "m"}},
                          {}});
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"ack","id":"1","type":"ok",)"
                   R"("error":"userId unknown\nlist l not found\n)"
                   R"(uid alice not found"})"));
}

TEST(MqGate, PostWithNothingLeftLacksRecipients) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"post","id":"1","to":{},"noNodes":1})"));
  const auto command = peer.take<core::post>();
  EXPECT_TRUE(command.to.empty());
  EXPECT_FALSE(command.copy_to_own_devices);
  peer.event(core::posted{
      command.request, false, {{core::errc::no_recipients, {}}}, {}});
  EXPECT_EQ(peer.take_output(), ack_error("1", "msg lacks recipients"));
}

TEST(MqGate, PostWithoutAReasonIsUnavailable) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"post","id":"1","to":{}})"));
  peer.event(core::posted{peer.take<core::post>().request, false, {}, {}});
  EXPECT_EQ(peer.take_output(), ack_error("1", "service unavailable"));
}

TEST(MqGate, RepeatedPostIsAnAckLikeTheFirst) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"post","id":"1","to":{"b":1},"dedup":true})"));
  const auto command = peer.take<core::post>();
  EXPECT_EQ(command.deduplication_id, "1");
  peer.event(
      core::posted{command.request, false, {{core::errc::duplicate, {}}}, {}});
  EXPECT_EQ(peer.take_output(), packet(R"({"op":"ack","id":"1","type":"ok"})"));
}

TEST(MqGate, IdsMayRepeatAndAnswersComeInAnyOrder) {
  logged_in_peer peer;
  for (const std::string id : {"0", "0", "x"})
    peer.receive(packet(R"({"op":"post","id":")" + id + R"(","to":{}})"));
  const auto first = peer.take<core::post>().request;
  const auto second = peer.take<core::post>().request;
  const auto third = peer.take<core::post>().request;
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  peer.event(core::posted{third, true, {}, {}});
  EXPECT_EQ(peer.take_output(), packet(R"({"op":"ack","id":"x","type":"ok"})"));
  peer.event(core::posted{first, true, {}, {}});
  peer.event(core::posted{second, true, {}, {}});
  const auto one = packet(R"({"op":"ack","id":"0","type":"ok"})");
  EXPECT_EQ(peer.take_output(), one + one);
}

TEST(MqGate, StrangeIdsComeBackEscaped) {
  logged_in_peer peer;
  peer.receive(packet("{\"op\":\"post\",\"id\":\"\\u0000\xc3\xa9\\\"\","
                      "\"to\":{}}"));
  peer.event(core::posted{peer.take<core::post>().request, true, {}, {}});
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"ack","id":"\u0000\u00e9\"","type":"ok"})"));
}

TEST(MqGate, LongErrorTextsAreCutToFitTheHeader) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"post","id":")" + std::string(4096, '\1' + 31) +
                      R"(","to":{}})"));
  std::vector<core::error> failures(3000,
                                    {core::errc::list_unknown, "\xc3\xa9"});
  peer.event(core::posted{
      peer.take<core::post>().request, true, std::move(failures), {}});
  const auto bytes = peer.take_output();
  const auto read = decode_frame(core::as_bytes(bytes), 1 << 20);
  ASSERT_EQ(read.what, frame::status::message);
  EXPECT_LE(read.payload.size(), 4U + 0xffffU);
}

TEST(MqGate, PingsAboveTheirLimitAreRefused) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"ping","id":"1","alias":"b","etc":2})",
                      "{}" + std::string(4095, 'x')));
  EXPECT_EQ(peer.take_output(), ack_error("1", "ping too large"));
  EXPECT_TRUE(peer.commands.empty());
  peer.receive(packet(R"({"op":"ping","id":"1","alias":"b","etc":2})",
                      "{}" + std::string(4094, 'x')));
  EXPECT_EQ(peer.take<core::post_to_alias>().message.payload.size(), 4094U);
}

TEST(MqGate, ListEditTypesAreThree) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"listEdit","id":"1","to":"l","type":"drop",)"
                      R"("member":"m"})"));
  EXPECT_EQ(peer.take_output(), ack_error("1", "invalid listEdit type: drop"));
  EXPECT_TRUE(peer.commands.empty());
}

TEST(MqGate, ListEditErrorsSpeakOfTheRequest) {
  struct row {
    std::string type;
    core::errc code;
    std::string text;
  };
  using enum core::errc;
  const std::vector<row> rows{
      {"add", list_unknown, "listAdd list L by alice not found"},
      {"add", not_a_member, "listAdd list L by alice not found"},
      {"add", user_unknown, "listAdd list L member M not found"},
      {"invite", not_a_member, "listAdd list L by alice not found"},
      {"invite", alias_unknown, "listInvite list L member M not found"},
      {"remove", list_unknown, "listRemove list L not found"},
      {"remove", not_a_member, "listRemove list L not found"},
      {"remove", user_unknown, "listRemove list L not found"},
      {"remove", unavailable, "service unavailable"},
  };
  for (const auto& [type, code, text] : rows) {
    logged_in_peer peer;
    peer.receive(packet(R"({"op":"listEdit","id":"1","to":"L","type":")" +
                        type + R"(","member":"M"})"));
    peer.event(
        core::list_edited{peer.take<core::edit_list>().request, {code, {}}});
    EXPECT_EQ(peer.take_output(), ack_error("1", text));
  }
}

TEST(MqGate, OnlyInvitationsCarryABody) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"listEdit","id":"1","to":"L","type":"add",)"
                      R"("member":"M"})",
                      "unused"));
  EXPECT_TRUE(peer.take<core::edit_list>().invitation.payload.empty());
}

TEST(MqGate, RequestsBehindAListEditWaitForItsAnswer) {
  logged_in_peer peer;
  peer.receive(packet(R"({"op":"listEdit","id":"1","to":"L","type":"add",)"
                      R"("member":"M"})") +
               packet(R"({"op":"post","id":"2","to":{"L":2}})"));
  const auto edit = peer.take<core::edit_list>();
  EXPECT_TRUE(peer.commands.empty());
  peer.event(core::list_edited{edit.request, {}});
  peer.take<core::post>();
}

TEST(MqGate, UnansweredPostsAreBounded) {
  gate_options options;
  options.requests_max = 3;
  logged_in_peer peer{options};
  for (int i = 0; i < 5; ++i)
    peer.receive(packet(R"({"op":"post","id":"1","to":{}})"));
  EXPECT_EQ(peer.commands.size(), 3U);
  EXPECT_TRUE(peer.subject().paused());
  peer.event(core::posted{peer.take<core::post>().request, true, {}, {}});
  EXPECT_EQ(peer.commands.size(), 3U);
}

TEST(MqGate, BytesOfUnansweredPostsAreBounded) {
  gate_options options;
  options.request_bytes_max = 1000;
  logged_in_peer peer{options};
  for (int i = 0; i < 5; ++i)
    peer.receive(
        packet(R"({"op":"post","id":"1","to":{}})", std::string(600, 'x')));
  EXPECT_EQ(peer.commands.size(), 2U);
  peer.event(core::posted{peer.take<core::post>().request, true, {}, {}});
  EXPECT_EQ(peer.commands.size(), 2U);
}

TEST(MqGate, PeersThatDoNotReadAreNotReadEither) {
  gate_options options;
  options.output_bytes_max = 200;
  logged_in_peer peer{options};
  for (int i = 0; i < 100; ++i)
    peer.receive(packet(R"({"op":"listEdit","id":"1","to":"L","type":"?",)"
                        R"("member":"M"})"));
  EXPECT_LT(peer.output.size(), 400U);
  EXPECT_TRUE(peer.subject().paused());
  for (int i = 0; i < 100; ++i)
    peer.flush();
  EXPECT_FALSE(peer.subject().paused());
}

TEST(MqGate, LargePayloadsAreSharedAndSmallOnesCopied) {
  const std::string body(100'000, 'b');
  const auto owner = core::shared_bytes::copy_of(
      packet(R"({"op":"post","id":"1","to":{}})", body) +
      packet(R"({"op":"post","id":"2","to":{}})", "small"));
  logged_in_peer peer;
  effects out{peer.output};
  const auto used =
      peer.subject().on_bytes({owner.view(), &owner}, peer.now, out);
  EXPECT_EQ(used, owner.size());
  const auto& large = std::get<core::post>(out.commands.at(0)).message.payload;
  const auto& small = std::get<core::post>(out.commands.at(1)).message.payload;
  EXPECT_EQ(large.text(), body);
  EXPECT_EQ(large.owner_size(), owner.size());
  EXPECT_EQ(small.text(), "small");
  EXPECT_EQ(small.owner_size(), 5U);
}

} // namespace
} // namespace troupe::net::mq
