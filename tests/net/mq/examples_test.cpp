// SPDX-License-Identifier: Apache-2.0

// The exchanges of docs/protocols/mq.md, "Examples", byte for byte (A.14 of
// the original protocol's description).
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

using namespace std::string_literals;

core::message_ptr message(core::message_kind kind, std::int64_t millis,
                          std::string sender, std::string_view meta,
                          std::string_view payload) {
  core::message made;
  made.kind = kind;
  made.id = {millis, 0};
  made.sender = std::move(sender);
  made.meta = core::shared_bytes::copy_of(meta);
  made.payload = core::shared_bytes::copy_of(payload);
  return std::make_shared<const core::message>(std::move(made));
}

core::message_ptr posted_message(std::int64_t millis, std::string sender,
                                 std::string_view meta,
                                 std::string_view payload) {
  return message(core::message_kind::post, millis, std::move(sender), meta,
                 payload);
}

void log_in(mq_driver& peer, std::string user) {
  peer.receive(
      packet(R"({"op":"login","userId":")" + user + R"(","nodeId":"n0"})"));
  core::logged_in answer;
  answer.request = peer.take<core::login>().request;
  peer.event(answer);
  (void)peer.take_output();
}

TEST(MqExamples, RegisterThenLogInOnTheSameConnection) {
  mq_driver peer;
  peer.receive(
      "\x85\x4c"
      R"(48  {"op":"register","userId":"alice","newNode":"n0","aliases":"al ice  al"})");
  const auto command = peer.take<core::register_user>();
  EXPECT_EQ(command.uid, "alice");
  EXPECT_EQ(command.device, "n0");
  EXPECT_EQ(command.aliases, (std::vector<std::string>{"ice", "al"}));
  peer.event(core::user_registered{command.request, {}, command.aliases});
  EXPECT_EQ(peer.take_output(), "\x85\x27"
                                R"(1b  {"op":"registered","etc":8}"ice al")");

  const auto login =
      "\x85\x31\x32\x64\x20\x20\x7b\x22\x6f\x70\x22\x3a\x22\x6c\x6f\x67\x69\x6e"
      "\x22\x2c\x22\x75\x73\x65\x72\x49\x64\x22\x3a\x22\x61\x6c\x69\x63\x65\x22"
      "\x2c\x22\x6e\x6f\x64\x65\x49\x64\x22\x3a\x22\x6e\x30\x22\x7d"s;
  EXPECT_EQ(login, "\x85\x31"
                   R"(2d  {"op":"login","userId":"alice","nodeId":"n0"})");
  peer.receive(login);
  const auto asked = peer.take<core::login>();
  EXPECT_EQ(asked.uid, "alice");
  EXPECT_EQ(asked.device, "n0");
  EXPECT_EQ(asked.window, 1U);
  EXPECT_FALSE(asked.resume_from);
  core::logged_in answer;
  answer.request = asked.request;
  peer.event(answer);
  EXPECT_EQ(peer.take_output(), "\x85\x23"
                                R"(1f  {"op":"info","info":"ok login"})");
}

TEST(MqExamples, UserExistsAndNoNodeName) {
  mq_driver peer;
  peer.receive(
      "\x85\x45"
      R"(41  {"op":"register","userId":"alice","newNode":"n0","aliases":"zzz"})");
  auto command = peer.take<core::register_user>();
  peer.event(core::user_registered{
      command.request, {core::errc::user_exists, {}}, {"ice", "al"}});
  EXPECT_EQ(peer.take_output(),
            "\x85\x3d"
            R"(31  {"op":"registered","etc":8,"error":"user exists"}"ice al")");
  peer.receive(
      "\x85\x43"
      R"(3f  {"op":"register","userId":"bob","newNode":"","aliases":"bobby"})");
  command = peer.take<core::register_user>();
  EXPECT_EQ(command.device, "");
  peer.event(core::user_registered{
      command.request, {core::errc::device_name_required, {}}, {}});
  EXPECT_EQ(peer.take_output(),
            "\x85\x37"
            R"(33  {"op":"registered","error":"new nodename required"})");
}

TEST(MqExamples, DuplicateLogin) {
  mq_driver peer;
  peer.receive("\x85\x2f"
               R"(2b  {"op":"login","userId":"bob","nodeId":"n0"})");
  core::logged_in answer;
  answer.request = peer.take<core::login>().request;
  answer.failure = {core::errc::device_busy, {}};
  peer.event(answer);
  EXPECT_EQ(peer.take_output(),
            "\x85\x2e"
            R"(2a  {"op":"quit","info":"node already active"})"
            "\x81\x00"s);
  EXPECT_TRUE(peer.is_closed);
}

TEST(MqExamples, PostWithEtcAndDataAndItsDelivery) {
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive("\x85\x48"
                R"(2f  {"op":"post","id":"m1","to":{"bob":1},"etc":16})"
                R"({"subject":"hi"}hello)");
  const auto post = alice.take<core::post>();
  EXPECT_EQ(post.to, (std::vector<core::recipient>{
                         {"bob", core::recipient_kind::all_devices}}));
  EXPECT_EQ(post.message.meta.text(), R"({"subject":"hi"})");
  EXPECT_EQ(post.message.payload.text(), "hello");
  EXPECT_TRUE(post.copy_to_own_devices);
  EXPECT_FALSE(post.deduplication_id);
  alice.event(core::posted{post.request, true, {}, core::message_id{1, 0}});
  EXPECT_EQ(alice.take_output(), "\x85\x26"
                                 R"(22  {"op":"ack","id":"m1","type":"ok"})");

  mq_driver bob;
  log_in(bob, "bob");
  bob.event(core::delivery{
      core::inbox_position{5},
      posted_message(1795221369872, "alice", R"({"subject":"hi"})", "hello")});
  EXPECT_EQ(
      bob.take_output(),
      "\x85\x58"
      R"(3f  {"op":"deliver","id":"1795221369872-0","from":"alice","etc":16})"
      R"({"subject":"hi"}hello)");
  bob.receive("\x85\x33"
              R"(2f  {"op":"ack","id":"1795221369872-0","type":"ok"})");
  EXPECT_EQ(bob.take<core::acknowledge>().up_to, core::inbox_position{5});
}

TEST(MqExamples, OneKnownAndOneUnknownRecipient) {
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive("\x85\x35"
                R"(30  {"op":"post","id":"m2","to":{"bob":1,"ghost":1}}x)");
  const auto post = alice.take<core::post>();
  alice.event(core::posted{post.request,
                           true,
                           {{core::errc::user_unknown, "ghost"}},
                           core::message_id{1, 0}});
  EXPECT_EQ(
      alice.take_output(),
      "\x85\x3f"
      R"(3b  {"op":"ack","id":"m2","type":"ok","error":"userId unknown"})");

  mq_driver bob;
  log_in(bob, "bob");
  bob.event(core::delivery{core::inbox_position{6},
                           posted_message(1795221370674, "alice", {}, "x")});
  EXPECT_EQ(bob.take_output(),
            "\x85\x3b"
            R"(36  {"op":"deliver","id":"1795221370674-0","from":"alice"}x)");
}

TEST(MqExamples, PingAndFailingPing) {
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive("\x85\x30"
                R"(27  {"op":"ping","id":"p1","alias":"bobby"}short)");
  auto ping = alice.take<core::post_to_alias>();
  EXPECT_EQ(ping.alias, "bobby");
  EXPECT_EQ(ping.message.payload.text(), "short");
  alice.event(core::posted{ping.request, true, {}, core::message_id{1, 0}});
  // Without the original's "error":null.
  EXPECT_EQ(alice.take_output(), "\x85\x26"
                                 R"(22  {"op":"ack","id":"p1","type":"ok"})");
  alice.receive("\x85\x2c"
                R"(28  {"op":"ping","id":"p2","alias":"nobody"})");
  ping = alice.take<core::post_to_alias>();
  alice.event(core::posted{
      ping.request, false, {{core::errc::alias_unknown, "nobody"}}, {}});
  EXPECT_EQ(
      alice.take_output(),
      "\x85\x45"
      R"(41  {"op":"ack","id":"p2","type":"error","error":"alias not defined"})");
}

TEST(MqExamples, NoAckThenTheSameBytesAgain) {
  mq_driver bob;
  log_in(bob, "bob");
  bob.event(delivery(1, "one"));
  bob.event(delivery(2, "two"));
  const auto first = bob.take_output();
  EXPECT_EQ(first.substr(first.size() - 3), "one");
  bob.flush();
  bob.advance(core::milliseconds{9'999});
  EXPECT_EQ(bob.take_output(), "");
  bob.advance(core::milliseconds{1});
  EXPECT_EQ(bob.take_output(), first);
  bob.receive(packet(R"({"op":"ack","id":"1795221369873-1","type":"ok"})"));
  bob.receive(packet(R"({"op":"ack","id":"1795221369873-0","type":"fail"})"));
  EXPECT_EQ(bob.take_output(), "");
  EXPECT_TRUE(bob.commands.empty());
  bob.receive(packet(R"({"op":"ack","id":"1795221369873-0","type":"ok"})"));
  const auto second = bob.take_output();
  EXPECT_EQ(second.substr(second.size() - 3), "two");
}

TEST(MqExamples, NewDevice) {
  mq_driver peer;
  peer.receive(
      "\x85\x42"
      R"(3e  {"op":"addNode","userId":"bob","newNode":"n1","prevNode":"n0"})");
  const auto command = peer.take<core::add_device>();
  EXPECT_EQ(command.uid, "bob");
  EXPECT_EQ(command.device, "n1");
  EXPECT_EQ(command.previous_device, "n0");
  peer.event(core::device_added{command.request, {}, core::device_offset{1}});
  EXPECT_EQ(peer.take_output(), "\x85\x1d"
                                R"(19  {"op":"added","offset":1})");
  peer.receive("\x85\x2f"
               R"(2b  {"op":"login","userId":"bob","nodeId":"n1"})");
  core::logged_in answer;
  answer.request = peer.take<core::login>().request;
  peer.event(answer);
  peer.event(
      core::delivery{core::inbox_position{1},
                     posted_message(1795221441269, "alice", {}, "multi")});
  EXPECT_EQ(peer.take_output(),
            "\x85\x23"
            R"(1f  {"op":"info","info":"ok login"})"
            "\x85\x3f"
            R"(36  {"op":"deliver","id":"1795221441269-0","from":"alice"})"
            "multi");
}

TEST(MqExamples, RegisterAgainWhenLoggedIn) {
  mq_driver peer;
  log_in(peer, "alice");
  peer.receive(
      "\x85\x4e"
      R"(4a  {"op":"register","userId":"alice","newNode":"","aliases":"newalias bobby"})");
  const auto command = peer.take<core::change_aliases>();
  EXPECT_EQ(command.aliases, (std::vector<std::string>{"newalias", "bobby"}));
  peer.event(core::user_registered{command.request, {}, {"newalias"}});
  EXPECT_EQ(peer.take_output(), "");
  peer.event(
      core::delivery{core::inbox_position{1},
                     message(core::message_kind::aliases_changed, 1795221448612,
                             "alice", "\"newalias\"", {})});
  EXPECT_EQ(
      peer.take_output(),
      "\x85\x50"
      R"(42  {"op":"registered","id":"1795221448612-0","from":"alice","etc":10})"
      R"("newalias")");
  peer.receive(packet(R"({"op":"ack","id":"1795221448612-0","type":"ok"})"));
  EXPECT_EQ(peer.take<core::acknowledge>().up_to, core::inbox_position{1});
}

TEST(MqExamples, ListIsCreatedAndAnnounced) {
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive(
      "\x85\x4c"
      R"(48  {"op":"listEdit","id":"L1","to":"thelist","type":"add","member":"carol"})");
  const auto command = alice.take<core::edit_list>();
  EXPECT_EQ(command.list, "thelist");
  EXPECT_EQ(command.kind, core::list_edit_kind::add);
  EXPECT_EQ(command.member, "carol");
  const std::string etc =
      R"({"list":"thelist","op":"add","date":"2026-11-21T00:37:32.123Z",)"
      R"("uid":"carol"})";
  ASSERT_EQ(etc.size(), 77U);
  alice.event(core::delivery{core::inbox_position{1},
                             message(core::message_kind::list_changed,
                                     1795221452124, "alice", etc, {})});
  alice.event(core::list_edited{command.request, {}});
  EXPECT_EQ(
      alice.take_output(),
      "\x85\x7e\x00\x93"
      R"(42  {"op":"listEdited","id":"1795221452124-0","from":"alice","etc":77})"s +
          etc +
          "\x85\x26"
          R"(22  {"op":"ack","id":"L1","type":"ok"})");
}

TEST(MqExamples, InvitationWithAMessage) {
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive(
      "\x85\x74"
      R"(55  {"op":"listEdit","id":"L4","to":"thelist","type":"invite","member":"hijack","etc":21})"
      R"({"subject":"join us"}please)");
  const auto command = alice.take<core::edit_list>();
  EXPECT_EQ(command.kind, core::list_edit_kind::invite);
  EXPECT_EQ(command.invitation.meta.text(), R"({"subject":"join us"})");
  EXPECT_EQ(command.invitation.payload.text(), "please");

  mq_driver bob;
  log_in(bob, "bob");
  bob.event(
      core::delivery{core::inbox_position{1},
                     posted_message(1795221454242, "alice",
                                    R"({"subject":"join us"})", "please")});
  EXPECT_EQ(
      bob.take_output(),
      "\x85\x5e"
      R"(3f  {"op":"deliver","id":"1795221454242-0","from":"alice","etc":21})"
      R"({"subject":"join us"}please)");
  bob.receive(
      "\x85\x4a"
      R"(46  {"op":"listEdit","id":"L5","to":"thelist","type":"add","member":"bob"})");
  EXPECT_EQ(bob.take<core::edit_list>().member, "bob");
}

TEST(MqExamples, ListPosts) {
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive("\x85\x30"
                R"(2a  {"op":"post","id":"P1","to":{"thelist":2}}l2)"
                "\x85\x30"
                R"(2a  {"op":"post","id":"P2","to":{"thelist":3}}l3)");
  EXPECT_EQ(alice.take<core::post>().to[0].kind,
            core::recipient_kind::list_without_sender);
  EXPECT_EQ(alice.take<core::post>().to[0].kind,
            core::recipient_kind::list_with_sender);
}

TEST(MqExamples, NotAMember) {
  mq_driver bob;
  log_in(bob, "bob");
  bob.receive(packet(R"({"op":"listEdit","id":"L2","to":"thelist",)"
                     R"("type":"add","member":"x"})"));
  bob.event(core::list_edited{bob.take<core::edit_list>().request,
                              {core::errc::not_a_member, {}}});
  EXPECT_EQ(bob.take_output(),
            packet(R"({"op":"ack","id":"L2","type":"error",)"
                   R"("error":"listAdd list thelist by bob not found"})"));
  mq_driver alice;
  log_in(alice, "alice");
  alice.receive(packet(R"({"op":"post","id":"P4","to":{"thelist":2}})"));
  alice.event(core::posted{alice.take<core::post>().request,
                           true,
                           {{core::errc::not_a_member, "thelist"}},
                           core::message_id{1, 0}});
  EXPECT_EQ(alice.take_output(), packet(R"({"op":"ack","id":"P4","type":"ok",)"
                                        R"("error":"uid alice not found"})"));
}

TEST(MqExamples, ProtocolErrors) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"\x85\x06"
       "ffff{}",
       "invalid length header"},
      {packet(R"({"op":"nope"})"), "invalid request op"},
      {packet(R"({"op":"login","userId":"a"})"),
       "login request missing param nodeId"},
      {packet(R"({"op":"login","userId":"a","nodeId":"n"})", "tail"),
       "message body disallowed for login"},
  };
  for (const auto& [bytes, text] : rows) {
    mq_driver peer;
    peer.receive(bytes);
    EXPECT_EQ(peer.take_output(), quit_bytes(text));
    EXPECT_EQ(peer.closed, text);
  }
}

TEST(MqExamples, SilenceForSixSeconds) {
  mq_driver peer;
  peer.advance(core::milliseconds{5'999});
  EXPECT_EQ(peer.take_output(), "");
  peer.advance(core::milliseconds{1});
  EXPECT_EQ(peer.take_output(), "\x85\x28"
                                R"(24  {"op":"quit","info":"close timeout"})"
                                "\x81\x00"s);
}

TEST(MqExamples, CleanClose) {
  mq_driver peer;
  peer.receive("\x81\x00"s);
  EXPECT_EQ(peer.take_output(), "\x81\x00"s);
  EXPECT_TRUE(peer.is_closed);
}

} // namespace
} // namespace troupe::net::mq
