// SPDX-License-Identifier: Apache-2.0
#include "net/mq/client_codec.hpp"
#include "net/mq/frame_codec.hpp"
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

std::string bytes_of(const client_packet& packet) {
  std::string bytes;
  EXPECT_TRUE(append_frame(bytes, packet));
  return bytes;
}
std::string bytes_of(const server_packet& packet) {
  std::string bytes;
  EXPECT_TRUE(append_frame(bytes, packet));
  return bytes;
}

TEST(MqClientCodec, RequestsHaveTheFieldOrderOfTheExamples) {
  EXPECT_EQ(bytes_of(register_request{"alice", "n0", "al ice  al"}),
            "\x85\x4c"
            R"(48  {"op":"register","userId":"alice","newNode":"n0",)"
            R"("aliases":"al ice  al"})");
  EXPECT_EQ(bytes_of(add_node_request{"bob", "n1", "n0"}),
            "\x85\x42"
            R"(3e  {"op":"addNode","userId":"bob","newNode":"n1",)"
            R"("prevNode":"n0"})");
  EXPECT_EQ(bytes_of(login_request{"alice", "n0"}),
            "\x85\x31"
            R"(2d  {"op":"login","userId":"alice","nodeId":"n0"})");
  const std::string etc = R"({"subject":"hi"})";
  EXPECT_EQ(
      bytes_of(post_request{"m1",
                            {{"bob", core::recipient_kind::all_devices}},
                            {core::as_bytes(etc), core::as_bytes("hello")}}),
      "\x85\x48"
      R"(2f  {"op":"post","id":"m1","to":{"bob":1},"etc":16})"
      R"({"subject":"hi"}hello)");
  EXPECT_EQ(
      bytes_of(ping_request{"p1", "bobby", {{}, core::as_bytes("short")}}),
      "\x85\x30"
      R"(27  {"op":"ping","id":"p1","alias":"bobby"}short)");
  EXPECT_EQ(bytes_of(list_edit_request{"L1", "thelist", "add", "carol"}),
            "\x85\x4c"
            R"(48  {"op":"listEdit","id":"L1","to":"thelist","type":"add",)"
            R"("member":"carol"})");
  EXPECT_EQ(bytes_of(client_packet{ack_packet{"1795221369872-0", "ok"}}),
            "\x85\x33"
            R"(2f  {"op":"ack","id":"1795221369872-0","type":"ok"})");
}

TEST(MqClientCodec, RequestsComeThroughWhole) {
  post_request post;
  post.id = "\xc3\xa9\n";
  post.to = {{"a\"b", core::recipient_kind::one_device},
             {"l", core::recipient_kind::list_with_sender}};
  post.body.data = core::as_bytes("data");
  post.no_nodes = true;
  post.time_to_live = core::milliseconds{1250};
  post.duplicates = {deduplication::choice::by_key, "k"};
  std::string message;
  ASSERT_TRUE(append_message(message, client_packet{post}));
  message_decoder decoder;
  const auto read = decoder.decode_request(core::as_bytes(message));
  ASSERT_TRUE(read);
  const auto& again = std::get<post_request>(*read);
  EXPECT_EQ(again.id, post.id);
  EXPECT_EQ(again.to, post.to);
  EXPECT_EQ(core::as_text(again.body.data), "data");
  EXPECT_TRUE(again.no_nodes);
  EXPECT_EQ(again.time_to_live, post.time_to_live);
  EXPECT_EQ(again.duplicates.key, "k");

  login_request login{"u", "n", 64, core::inbox_position{9}, true};
  message.clear();
  ASSERT_TRUE(append_message(message, client_packet{login}));
  const auto second = decoder.decode_request(core::as_bytes(message));
  ASSERT_TRUE(second);
  EXPECT_EQ(std::get<login_request>(*second).window, 64U);
  EXPECT_EQ(std::get<login_request>(*second).resume, core::inbox_position{9});
  EXPECT_TRUE(std::get<login_request>(*second).deduplicate);
}

TEST(MqClientCodec, RepliesComeThroughWhole) {
  message_decoder decoder;
  auto through = [&](const server_packet& packet) {
    static std::string bytes;
    bytes = bytes_of(packet);
    const auto frame = decode_frame(core::as_bytes(bytes), 1 << 20);
    auto read = decoder.decode_reply(frame.payload);
    EXPECT_TRUE(read.has_value());
    return *read;
  };
  const std::string etc = R"("al ice")";
  auto registered = std::get<registered_packet>(
      through(registered_packet{{}, {}, core::as_bytes(etc), "user exists"}));
  EXPECT_EQ(registered.id, "");
  EXPECT_EQ(core::as_text(registered.etc), etc);
  EXPECT_EQ(registered.error, "user exists");
  registered = std::get<registered_packet>(
      through(registered_packet{"1-0", "a", {}, {}, core::inbox_position{4}}));
  EXPECT_EQ(registered.id, "1-0");
  EXPECT_EQ(registered.sequence, core::inbox_position{4});
  const auto added = std::get<added_packet>(
      through(added_packet{core::device_offset{7}, "new nodename exists"}));
  EXPECT_EQ(added.offset, core::device_offset{7});
  EXPECT_EQ(added.error, "new nodename exists");
  const auto info = std::get<info_packet>(through(
      info_packet{"ok login", 12, core::inbox_position{5}, "recovered"}));
  EXPECT_EQ(info.info, "ok login");
  EXPECT_EQ(info.window, 12U);
  EXPECT_EQ(info.position, core::inbox_position{5});
  EXPECT_EQ(info.resume, "recovered");
  EXPECT_EQ(std::get<quit_packet>(through(quit_packet{"shutdown"})).info,
            "shutdown");
  const auto deliver = std::get<deliver_packet>(
      through(deliver_packet{"9-0",
                             "bob",
                             {core::as_bytes(etc), core::as_bytes("data")},
                             core::inbox_position{3},
                             core::from_millis(77)}));
  EXPECT_EQ(deliver.from, "bob");
  EXPECT_EQ(core::as_text(deliver.body.etc), etc);
  EXPECT_EQ(core::as_text(deliver.body.data), "data");
  EXPECT_EQ(deliver.sequence, core::inbox_position{3});
  EXPECT_EQ(deliver.expires, core::from_millis(77));
  const auto ack = std::get<ack_packet>(
      through(server_packet{ack_packet{"m", "error", "alias"}}));
  EXPECT_EQ(ack.error, "alias");
  const auto edited = std::get<list_edited_packet>(
      through(list_edited_packet{"9-0", "bob", core::as_bytes(etc)}));
  EXPECT_EQ(core::as_text(edited.etc), etc);
}

TEST(MqClientCodec, OriginalServersMaySendNullErrors) {
  message_decoder decoder;
  const auto message =
      packed(R"({"op":"ack","id":"p1","type":"ok","error":null})");
  const auto read = decoder.decode_reply(core::as_bytes(message));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<ack_packet>(*read).error, "");
}

TEST(MqClientCodec, HeadersBeyondTheirLengthAreNotWritten) {
  post_request post;
  post.id = "1";
  for (int i = 0; i < 10'000; ++i)
    post.to.push_back({"user" + std::to_string(i)});
  std::string bytes = "before";
  EXPECT_FALSE(append_frame(bytes, client_packet{post}));
  EXPECT_FALSE(append_message(bytes, client_packet{post}));
  EXPECT_EQ(bytes, "before");
}

} // namespace
} // namespace troupe::net::mq
