// SPDX-License-Identifier: Apache-2.0
#include "net/mq/mq_over_ws.hpp"
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace troupe::net::mq {
namespace {

using namespace std::string_literals;

constexpr ws::mask_key key{std::byte{1}, std::byte{2}, std::byte{3},
                           std::byte{4}};

/// The protocol behind its upgrade, and the browser's end of the WebSocket.
class ws_driver : public protocol_driver {
public:
  explicit ws_driver(std::optional<ws::deflate_agreement> deflate = {})
      : protocol_driver(std::make_unique<mq_over_ws>(
            mq_driver::default_options(), settings(), deflate)),
        browser_(ws::role::client, deflate) {}

  static const ws_options& settings() {
    static const ws_options options;
    return options;
  }

  void say(std::string_view header, std::string_view body = {},
           ws::opcode op = ws::opcode::binary) {
    output_queue bytes;
    const std::array pieces{
        core::shared_bytes::copy_of(std::string_view{packed(header, body)})};
    browser_.send(op, pieces, bytes, key);
    receive(drain(bytes));
  }
  void log_in() {
    say(R"({"op":"login","userId":"alice","nodeId":"n0"})");
    core::logged_in answer;
    answer.request = take<core::login>().request;
    event(answer);
    ASSERT_EQ(heard().size(), 1U);
  }
  /// What the browser has received: messages, "ping", or "close <code> …".
  std::vector<std::string> heard() {
    inbound_ += take_output();
    std::vector<std::string> events;
    output_queue replies;
    for (;;) {
      const auto next =
          browser_.read(core::as_bytes(inbound_), 1 << 20, replies);
      if (next.what == ws::event::kind::need_more)
        break;
      inbound_.erase(0, next.bytes);
      if (next.what == ws::event::kind::message)
        events.emplace_back(next.payload.text());
      else if (next.what == ws::event::kind::closed)
        events.push_back("close " +
                         std::to_string(static_cast<int>(next.code)) + " " +
                         next.reason);
      else
        events.emplace_back(
            next.what == ws::event::kind::progress ? "ping" : "violation");
    }
    return events;
  }

  static std::string drain(output_queue& queue) {
    std::string bytes;
    while (!queue.empty()) {
      iovec piece;
      queue.gather(&piece, 1);
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
      queue.consume(piece.iov_len);
    }
    return bytes;
  }

private:
  ws::endpoint browser_;
  std::string inbound_;
};

using lines = std::vector<std::string>;

TEST(MqOverWs, MessagesAreTheSameInsideOfWebSocketFrames) {
  ws_driver peer;
  peer.log_in();
  peer.say(R"({"op":"post","id":"m1","to":{"bob":1},"etc":2})", "{}hello");
  const auto post = peer.take<core::post>();
  EXPECT_EQ(post.message.meta.text(), "{}");
  EXPECT_EQ(post.message.payload.text(), "hello");
  peer.event(core::posted{post.request, true, {}, {}});
  peer.event(delivery(1, "data", "{}"));
  EXPECT_EQ(peer.heard(),
            (lines{packed(R"({"op":"ack","id":"m1","type":"ok"})"),
                   packed(R"({"op":"deliver","id":"1795221369873-0",)"
                          R"("from":"alice","etc":2})",
                          "{}data")}));
}

TEST(MqOverWs, TextMessagesWorkToo) {
  ws_driver peer;
  peer.say(R"({"op":"login","userId":"alice","nodeId":"n0"})", {},
           ws::opcode::text);
  EXPECT_EQ(peer.take<core::login>().uid, "alice");
}

TEST(MqOverWs, QuitIsAMessageAndAPolicyViolation) {
  ws_driver peer;
  peer.say(R"({"op":"nope"})");
  EXPECT_EQ(peer.heard(),
            (lines{packed(R"({"op":"quit","info":"invalid request op"})"),
                   "close 1008 invalid request op"}));
  EXPECT_TRUE(peer.is_closed);
}

TEST(MqOverWs, ServerStopIsGoingAway) {
  ws_driver peer;
  peer.log_in();
  peer.event(core::session_ended{{core::errc::shutting_down, {}}});
  EXPECT_EQ(peer.heard(), (lines{"close 1001 shutdown"}));
}

TEST(MqOverWs, ADrainingNodeAsksToConnectAgainWithoutAQuit) {
  ws_driver peer;
  peer.log_in();
  peer.event(core::session_ended{{core::errc::draining, {}}});
  EXPECT_EQ(peer.heard(), (lines{"close 1012 connect to another node"}));
  EXPECT_TRUE(peer.is_closed);
}

TEST(MqOverWs, CloseIsAnsweredWithItsCode) {
  ws_driver peer;
  peer.log_in();
  peer.receive("\x88\x82\x00\x00\x00\x00\x03\xe8"s);
  EXPECT_EQ(peer.heard(), (lines{"close 1000 "}));
  peer.take<core::close_session>();
  ws_driver silent;
  silent.receive("\x88\x80\x00\x00\x00\x00"s);
  EXPECT_EQ(silent.heard(), (lines{"close 1005 "}));
}

TEST(MqOverWs, BrokenFramesGetTheirCloseCode) {
  ws_driver unmasked;
  unmasked.receive("\x82\x01x");
  EXPECT_EQ(unmasked.heard(), (lines{"close 1002 frame not masked"}));
  ws_driver text;
  text.receive("\x81\x81\x00\x00\x00\x00\xff"s);
  EXPECT_EQ(text.heard(), (lines{"close 1007 text not UTF-8"}));
  text.take<core::close_session>();
}

TEST(MqOverWs, TooLargeMessagesAreToldTwice) {
  ws_driver peer;
  peer.receive("\x82\xff\x00\x00\x00\x00\x00\x02\x00\x00zzzz"s);
  EXPECT_EQ(peer.heard(),
            (lines{packed(R"({"op":"quit","info":"message too large"})"),
                   "close 1009 message too large"}));
}

TEST(MqOverWs, CompressedMessagesGoBothWays) {
  ws_driver peer{ws::deflate_agreement{}};
  peer.log_in();
  const std::string body(10'000, 'b');
  peer.say(R"({"op":"post","id":"m1","to":{"bob":1}})", body);
  EXPECT_EQ(peer.take<core::post>().message.payload.text(), body);
  peer.event(delivery(1, body));
  EXPECT_LT(peer.output.size(), 500U);
  const auto heard = peer.heard();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].substr(heard[0].size() - body.size()), body);
}

TEST(MqOverWs, SilentPeersArePingedThenDropped) {
  ws_driver peer;
  peer.log_in();
  peer.advance(core::milliseconds{29'999});
  EXPECT_TRUE(peer.heard().empty());
  peer.advance(core::milliseconds{1});
  EXPECT_EQ(peer.heard(), (lines{"ping"}));
  peer.receive("\x8a\x80\x00\x00\x00\x00"s); // pong
  peer.advance(core::milliseconds{30'000});
  EXPECT_EQ(peer.heard(), (lines{"ping"}));
  peer.advance(core::milliseconds{29'999});
  EXPECT_FALSE(peer.is_closed);
  peer.advance(core::milliseconds{1});
  EXPECT_TRUE(peer.is_closed);
  EXPECT_TRUE(peer.aborted);
  peer.take<core::close_session>();
}

TEST(MqOverWs, LoginTimerRunsHereToo) {
  ws_driver peer;
  peer.advance(core::milliseconds{6'000});
  EXPECT_EQ(peer.heard(),
            (lines{packed(R"({"op":"quit","info":"close timeout"})"),
                   "close 1008 close timeout"}));
}

TEST(MqOverWs, IdleObjectsAreSmall) { EXPECT_LE(sizeof(mq_over_ws), 600U); }

} // namespace
} // namespace troupe::net::mq
