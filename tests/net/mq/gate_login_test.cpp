// SPDX-License-Identifier: Apache-2.0

// Connections, logins, registrations and ends (A.6, A.7).
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

using namespace std::string_literals;

const std::string login_bytes =
    packet(R"({"op":"login","userId":"alice","nodeId":"n0"})");
const std::string register_bytes =
    packet(R"({"op":"register","userId":"alice","newNode":"n0","aliases":""})");

TEST(MqGate, AnyLoginAttemptStopsTheLoginTimer) {
  mq_driver peer;
  peer.advance(core::milliseconds{5'000});
  peer.receive(login_bytes);
  peer.advance(core::milliseconds{60'000});
  EXPECT_FALSE(peer.is_closed);
}

TEST(MqGate, RegisterDoesNotStopTheLoginTimer) {
  mq_driver peer;
  peer.receive(register_bytes);
  peer.event(
      core::user_registered{peer.take<core::register_user>().request, {}, {}});
  EXPECT_EQ(peer.take_output(), packet(R"({"op":"registered"})"));
  peer.advance(core::milliseconds{6'000});
  EXPECT_EQ(peer.take_output(), quit_bytes("close timeout"));
}

TEST(MqGate, SilenceAfterTheLoginIsAllowed) {
  mq_driver peer;
  peer.log_in();
  peer.advance(core::milliseconds{1'000'000'000});
  EXPECT_FALSE(peer.is_closed);
  EXPECT_FALSE(peer.subject().deadline());
}

TEST(MqGate, OtherOpsNeedALogin) {
  for (const std::string header :
       {R"({"op":"post","id":"1","to":{}})",
        R"({"op":"ping","id":"1","alias":"a"})",
        R"({"op":"listEdit","id":"1","to":"l","type":"add","member":"m"})",
        R"({"op":"ack","id":"1","type":"ok"})"}) {
    mq_driver peer;
    peer.receive(packet(header));
    EXPECT_EQ(peer.take_output(),
              quit_bytes("illegal op on unauthenticated socket"));
    peer.take<core::close_session>();
    EXPECT_TRUE(peer.commands.empty());
  }
}

TEST(MqGate, RefusedLoginsEndTheConnection) {
  const std::vector<std::pair<core::errc, std::string>> rows{
      {core::errc::user_unknown, "userId unknown"},
      {core::errc::device_unknown, "nodeId unknown"},
      {core::errc::device_busy, "node already active"},
      {core::errc::shutting_down, "shutdown"},
      {core::errc::user_inactive, "userId inactive"},
  };
  for (const auto& [code, text] : rows) {
    mq_driver peer;
    peer.receive(login_bytes);
    core::logged_in answer;
    answer.request = peer.take<core::login>().request;
    answer.failure = {code, "detail"};
    peer.event(answer);
    EXPECT_EQ(peer.take_output(), quit_bytes(text));
    peer.take<core::close_session>();
  }
}

TEST(MqGate, SecondLoginIsRefusedWhateverItNames) {
  for (const std::string node : {"n0", "other"}) {
    mq_driver peer;
    peer.log_in();
    peer.receive(
        packet(R"({"op":"login","userId":"alice","nodeId":")" + node + "\"}"));
    EXPECT_EQ(peer.take_output(), quit_bytes("node already active"));
    peer.take<core::close_session>();
    EXPECT_TRUE(peer.commands.empty());
  }
}

TEST(MqGate, RequestsBehindALoginWaitForItsAnswer) {
  mq_driver peer;
  peer.receive(login_bytes + packet(R"({"op":"post","id":"1","to":{}})"));
  const auto login = peer.take<core::login>();
  EXPECT_TRUE(peer.commands.empty());
  EXPECT_TRUE(peer.subject().paused());
  core::logged_in answer;
  answer.request = login.request;
  peer.event(answer);
  EXPECT_FALSE(peer.subject().paused());
  EXPECT_EQ(peer.take<core::post>().to.size(), 0U);
}

TEST(MqGate, RequestsBehindARefusedLoginAreNotLookedAt) {
  mq_driver peer;
  peer.receive(login_bytes + packet(R"({"op":"post","id":"1","to":{}})"));
  core::logged_in answer;
  answer.request = peer.take<core::login>().request;
  answer.failure = {core::errc::user_unknown, {}};
  peer.event(answer);
  peer.take<core::close_session>();
  EXPECT_TRUE(peer.commands.empty());
  EXPECT_EQ(peer.take_output(), quit_bytes("userId unknown"));
}

TEST(MqGate, RegisterAndLoginMayBeSentTogether) {
  mq_driver peer;
  peer.receive(register_bytes + login_bytes);
  const auto registration = peer.take<core::register_user>();
  EXPECT_TRUE(peer.commands.empty());
  peer.event(core::user_registered{registration.request, {}, {}});
  EXPECT_EQ(peer.take<core::login>().uid, "alice");
}

TEST(MqGate, NothingIsLookedAtBehindAQuit) {
  mq_driver peer;
  peer.receive(packet(R"({"op":"nope"})") + login_bytes + "\x85");
  peer.receive(login_bytes);
  EXPECT_EQ(peer.take_output(), quit_bytes("invalid request op"));
  peer.take<core::close_session>();
  EXPECT_TRUE(peer.commands.empty());
}

TEST(MqGate, EmptyFrameIsAProtocolError) {
  mq_driver peer;
  peer.receive("\x85\x00"s);
  EXPECT_EQ(peer.take_output(), quit_bytes("invalid length header"));
}

TEST(MqGate, StrangersMayNotSendLargeMessages) {
  mq_driver peer;
  peer.receive("\x85\x7f\x00\x00\x00\x00\x00\x01\x00\x04"s);
  EXPECT_EQ(peer.take_output(), quit_bytes("message too large"));
  mq_driver friendly;
  friendly.log_in();
  friendly.receive("\x85\x7f\x00\x00\x00\x00\x04\x00\x00\x00"s);
  EXPECT_FALSE(friendly.is_closed);
  EXPECT_EQ(friendly.subject().frame_bytes(), (std::size_t{64} << 20) + 10);
}

TEST(MqGate, MessagesAboveTheLimitQuitAtOnce) {
  mq_driver peer;
  peer.log_in();
  peer.receive("\x85\x7f\x00\x00\x00\x00\x04\x00\x00\x01"s);
  EXPECT_EQ(peer.take_output(), quit_bytes("message too large"));
}

TEST(MqGate, StrangersMayNotRegisterForever) {
  gate_options options;
  options.requests_before_login_max = 2;
  mq_driver peer{options};
  for (int i = 0; i < 2; ++i) {
    peer.receive(register_bytes);
    peer.event(core::user_registered{peer.take<core::register_user>().request,
                                     {core::errc::user_exists, {}},
                                     {}});
  }
  (void)peer.take_output();
  peer.receive(register_bytes);
  EXPECT_EQ(peer.take_output(), quit_bytes("too many requests before login"));
}

TEST(MqGate, RegisterErrorsHaveTheirTexts) {
  const std::vector<std::pair<core::errc, std::string>> rows{
      {core::errc::user_exists, "user exists"},
      {core::errc::device_name_required, "new nodename required"},
      {core::errc::name_invalid, "invalid name"},
      {core::errc::unavailable, "service unavailable"},
  };
  for (const auto& [code, text] : rows) {
    mq_driver peer;
    peer.receive(register_bytes);
    peer.event(core::user_registered{
        peer.take<core::register_user>().request, {code, "x"}, {}});
    EXPECT_EQ(peer.take_output(),
              packet(R"({"op":"registered","error":")" + text + "\"}"));
    EXPECT_FALSE(peer.is_closed);
  }
}

TEST(MqGate, AddNodeErrorsHaveTheirTexts) {
  struct row {
    core::errc code;
    std::optional<core::device_offset> offset;
    std::string header;
  };
  const std::vector<row> rows{
      {core::errc::device_name_required,
       {},
       R"({"op":"added","error":"new nodename required"})"},
      {core::errc::user_unknown,
       {},
       R"({"op":"added","error":"userId unknown"})"},
      {core::errc::device_unknown,
       {},
       R"({"op":"added","error":"nodeId unknown"})"},
      {core::errc::previous_device_invalid,
       {},
       R"({"op":"added","error":"prev nodename invalid"})"},
      {core::errc::device_exists, core::device_offset{0},
       R"({"op":"added","offset":0,"error":"new nodename exists"})"},
      {core::errc::no_device_offset,
       {},
       R"({"op":"added","error":"no offsets available"})"},
  };
  for (const auto& [code, offset, header] : rows) {
    mq_driver peer;
    peer.receive(packet(
        R"({"op":"addNode","userId":"b","newNode":"n1","prevNode":"n0"})"));
    peer.event(core::device_added{
        peer.take<core::add_device>().request, {code, {}}, offset});
    EXPECT_EQ(peer.take_output(), packet(header));
  }
}

TEST(MqGate, AddNodeAfterTheLoginIsForTheOwnUser) {
  mq_driver peer;
  peer.log_in();
  peer.receive(packet(
      R"({"op":"addNode","userId":"bob","newNode":"n1","prevNode":""})"));
  const auto command = peer.take<core::add_device>();
  EXPECT_EQ(command.uid, "alice");
  EXPECT_EQ(command.previous_device, "");
}

TEST(MqGate, RegisterAgainIsForTheOwnUserAndWithoutANode) {
  mq_driver peer;
  peer.log_in();
  peer.receive(
      packet(R"({"op":"register","userId":"bob","newNode":"","aliases":"x"})"));
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"registered","error":"not permitted"})"));
  peer.receive(packet(
      R"({"op":"register","userId":"alice","newNode":"n9","aliases":"x"})"));
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"registered","error":"prev nodename invalid"})"));
  EXPECT_TRUE(peer.commands.empty());
  peer.receive(packet(
      R"({"op":"register","userId":"alice","newNode":"","aliases":""})"));
  const auto command = peer.take<core::change_aliases>();
  EXPECT_TRUE(command.aliases.empty());
  peer.event(core::user_registered{
      command.request, {core::errc::user_unknown, {}}, {"old"}});
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"registered","error":"no such user"})"));
}

TEST(MqGate, AliasesAreSplitAtWhiteSpaceAndCountOnce) {
  mq_driver peer;
  peer.receive(packet(R"({"op":"register","userId":"u","newNode":"n",)"
                      R"("aliases":"  a b\ta \n c\r\nb "})"));
  EXPECT_EQ(peer.take<core::register_user>().aliases,
            (std::vector<std::string>{"a", "c", "b"}));
}

TEST(MqGate, ServerStopIsACloseFrameWithoutAQuit) {
  mq_driver peer;
  peer.log_in();
  peer.event(core::session_ended{{core::errc::shutting_down, {}}});
  EXPECT_EQ(peer.take_output(), std::string{close_frame});
  EXPECT_TRUE(peer.is_closed);
  EXPECT_TRUE(peer.commands.empty()); // the session is over already
}

TEST(MqGate, KickedSessionsHearWhy) {
  mq_driver peer;
  peer.log_in();
  peer.event(core::session_ended{
      {core::errc::not_permitted, "removed by the administrator"}});
  EXPECT_EQ(peer.take_output(), quit_bytes("removed by the administrator"));
  mq_driver other;
  other.log_in();
  other.event(core::session_ended{{core::errc::overloaded, {}}});
  EXPECT_EQ(other.take_output(), quit_bytes("server busy"));
}

TEST(MqGate, LostPeersCloseTheirSessionOnce) {
  mq_driver peer;
  peer.log_in();
  peer.peer_gone();
  peer.take<core::close_session>();
  peer.peer_gone();
  peer.event(delivery(1));
  EXPECT_TRUE(peer.commands.empty());
  EXPECT_EQ(peer.take_output(), "");
}

TEST(MqGate, LateAndStrangeAnswersAreIgnored) {
  mq_driver peer;
  peer.log_in();
  peer.event(core::posted{99, true, {}, {}});
  peer.event(core::list_edited{99, {}});
  peer.event(core::user_registered{99, {}, {}});
  peer.event(core::device_added{99, {}, {}});
  peer.event(core::logged_in{});
  EXPECT_EQ(peer.take_output(), "");
  EXPECT_FALSE(peer.is_closed);
}

TEST(MqGate, IdleObjectsAreSmall) { EXPECT_LE(sizeof(mq_over_draft), 600U); }

} // namespace
} // namespace troupe::net::mq
