// SPDX-License-Identifier: Apache-2.0

// Deliveries, acks, retries, the window and the extensions (A.9).
#include "tests/net/mq/mq_driver.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::net::mq {
namespace {

std::string ack(std::uint64_t position) {
  return packet(R"({"op":"ack","id":")" +
                core::to_string(core::message_id{
                    1795221369872 + static_cast<std::int64_t>(position), 0}) +
                R"(","type":"ok"})");
}

/// The payloads ("a", "b", …) in the deliver frames of some bytes.
std::string payloads(std::string_view bytes) {
  std::string letters;
  while (!bytes.empty()) {
    const auto next = decode_frame(core::as_bytes(bytes), 1 << 20);
    EXPECT_EQ(next.what, frame::status::message);
    if (next.what != frame::status::message)
      break;
    letters += core::as_text(next.payload).back();
    bytes.remove_prefix(next.bytes);
  }
  return letters;
}

TEST(MqGate, OneDeliveryIsInFlightByDefault) {
  mq_driver peer;
  peer.log_in();
  for (std::uint64_t i = 1; i <= 3; ++i)
    peer.event(delivery(i, std::string(1, static_cast<char>('a' + i))));
  EXPECT_EQ(payloads(peer.take_output()), "b");
  peer.receive(ack(2)); // not in flight yet
  EXPECT_EQ(peer.take_output(), "");
  EXPECT_TRUE(peer.commands.empty());
  peer.receive(ack(1));
  EXPECT_EQ(peer.take<core::acknowledge>().up_to, core::inbox_position{1});
  EXPECT_EQ(payloads(peer.take_output()), "c");
  peer.receive(ack(1)); // once is enough
  EXPECT_TRUE(peer.commands.empty());
}

TEST(MqGate, DeliveriesBeforeTheLoginAreLeftToTheInbox) {
  mq_driver peer;
  peer.event(delivery(1, "a"));
  EXPECT_EQ(peer.take_output(), "");
  peer.log_in();
  EXPECT_EQ(peer.take_output(), "");
}

TEST(MqGate, AckIdsMustBeExact) {
  mq_driver peer;
  peer.log_in();
  peer.event(delivery(1, "a"));
  for (const std::string id :
       {"1795221369873-00", "01795221369873-0", "1795221369873", "-0",
        "1795221369873-0 ", "+1795221369873-0", "1795221369873--0", "",
        "99999999999999999999-0"})
    peer.receive(packet(R"({"op":"ack","id":")" + id + R"(","type":"ok"})"));
  EXPECT_TRUE(peer.commands.empty());
  EXPECT_FALSE(peer.is_closed);
  peer.receive(ack(1));
  EXPECT_EQ(peer.commands.size(), 1U);
}

TEST(MqGate, RetryTimeStartsWithTheFlush) {
  mq_driver peer;
  peer.log_in();
  peer.event(delivery(1, "a"));
  peer.advance(core::milliseconds{100'000}); // the socket is blocked
  EXPECT_EQ(payloads(peer.take_output()), "a");
  peer.flush();
  peer.advance(core::milliseconds{9'999});
  EXPECT_EQ(peer.take_output(), "");
  peer.advance(core::milliseconds{1});
  EXPECT_EQ(payloads(peer.take_output()), "a");
  peer.advance(core::milliseconds{60'000}); // not flushed: no third one
  EXPECT_EQ(peer.take_output(), "");
  peer.flush();
  peer.advance(core::milliseconds{10'000});
  EXPECT_EQ(payloads(peer.take_output()), "a");
}

TEST(MqGate, RetriesGoOnForever) {
  mq_driver peer;
  peer.log_in();
  peer.event(delivery(1, "a"));
  const auto first = peer.take_output();
  for (int i = 0; i < 1000; ++i) {
    peer.flush();
    peer.advance(core::milliseconds{10'000});
    ASSERT_EQ(peer.take_output(), first);
  }
  EXPECT_FALSE(peer.is_closed);
}

TEST(MqGate, AckStopsTheRetries) {
  mq_driver peer;
  peer.log_in();
  peer.event(delivery(1, "a"));
  peer.flush();
  (void)peer.take_output();
  peer.receive(ack(1));
  EXPECT_FALSE(peer.subject().deadline());
  peer.advance(core::milliseconds{100'000});
  EXPECT_EQ(peer.take_output(), "");
}

TEST(MqGate, WindowIsGrantedUpToItsCap) {
  mq_driver peer;
  peer.log_in(R"(,"window":5000)", {});
  EXPECT_EQ(peer.info, packet(R"({"op":"info","info":"ok login",)"
                              R"("window":1024,"position":0})"));
  core::logged_in less;
  less.window = 3;
  less.acknowledged = core::inbox_position{41};
  mq_driver other;
  other.log_in(R"(,"window":10)", less);
  EXPECT_EQ(other.info, packet(R"({"op":"info","info":"ok login",)"
                               R"("window":3,"position":41})"));
}

TEST(MqGate, OldClientsKeepAWindowOfOneWhateverIsGranted) {
  mq_driver peer;
  core::logged_in generous;
  generous.window = 50;
  peer.log_in({}, generous);
  EXPECT_EQ(peer.info, packet(R"({"op":"info","info":"ok login"})"));
  peer.event(delivery(1, "a"));
  peer.event(delivery(2, "b"));
  EXPECT_EQ(payloads(peer.take_output()), "a");
}

TEST(MqGate, AcksInALargerWindowAreCumulative) {
  mq_driver peer;
  peer.log_in(R"(,"window":3)");
  for (std::uint64_t i = 1; i <= 6; ++i)
    peer.event(delivery(i, std::string(1, static_cast<char>('`' + i))));
  EXPECT_EQ(payloads(peer.take_output()), "abc");
  peer.receive(ack(2));
  EXPECT_EQ(peer.take<core::acknowledge>().up_to, core::inbox_position{2});
  EXPECT_EQ(payloads(peer.take_output()), "de");
  peer.receive(ack(1)); // covered already
  EXPECT_TRUE(peer.commands.empty());
  peer.receive(ack(6)); // not sent yet
  EXPECT_TRUE(peer.commands.empty());
  peer.receive(ack(5));
  EXPECT_EQ(peer.take<core::acknowledge>().up_to, core::inbox_position{5});
  EXPECT_EQ(payloads(peer.take_output()), "f");
}

TEST(MqGate, EachDeliveryOfAWindowIsRetriedInItsOwnTime) {
  mq_driver peer;
  peer.log_in(R"(,"window":3)");
  peer.event(delivery(1, "a"));
  peer.flush();
  peer.advance(core::milliseconds{4'000});
  peer.event(delivery(2, "b"));
  peer.flush();
  EXPECT_EQ(payloads(peer.take_output()), "ab");
  peer.advance(core::milliseconds{6'000});
  EXPECT_EQ(payloads(peer.take_output()), "a");
  peer.flush();
  peer.advance(core::milliseconds{4'000});
  EXPECT_EQ(payloads(peer.take_output()), "b");
  peer.flush();
  peer.receive(ack(1));
  peer.advance(core::milliseconds{6'000}); // the time of "a", which is acked
  EXPECT_EQ(peer.take_output(), "");
  peer.advance(core::milliseconds{4'000});
  EXPECT_EQ(payloads(peer.take_output()), "b");
}

TEST(MqGate, SlowSocketsHoldDeliveriesBack) {
  gate_options options;
  options.output_bytes_max = 1000;
  mq_driver peer{options};
  peer.log_in(R"(,"window":100)");
  for (std::uint64_t i = 1; i <= 100; ++i)
    peer.event(delivery(i, std::string(100, 'x')));
  EXPECT_LT(peer.output.size(), 1300U);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    peer.flush();
    all += peer.take_output();
  }
  EXPECT_EQ(payloads(all).size(), 100U);
}

TEST(MqGate, ResumeIsAnswered) {
  core::logged_in answer;
  answer.acknowledged = core::inbox_position{17};
  answer.resume = core::resume_outcome::recovered;
  mq_driver peer;
  peer.receive(packet(R"({"op":"login","userId":"alice","nodeId":"n0",)"
                      R"("window":8,"resume":17})"));
  const auto command = peer.take<core::login>();
  EXPECT_EQ(command.resume_from, core::inbox_position{17});
  answer.request = command.request;
  answer.window = command.window;
  peer.event(answer);
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"info","info":"ok login","window":8,)"
                   R"("position":17,"resume":"recovered"})"));
  mq_driver other;
  answer.resume = core::resume_outcome::gap;
  other.log_in(R"(,"resume":3)", answer);
  EXPECT_NE(other.info.find(R"("resume":"gap")"), std::string::npos);
}

TEST(MqGate, ExtendedDeliveriesShowPositionAndExpiry) {
  mq_driver peer;
  peer.log_in(R"(,"window":9)");
  auto what = delivery(7, "x", "{}");
  auto timed = *what.message;
  timed.expires = core::from_millis(1795221400000);
  what.message = std::make_shared<const core::message>(timed);
  peer.event(what);
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"deliver","id":"1795221369879-0","from":"alice",)"
                   R"("etc":2,"seq":7,"expires":1795221400000})",
                   "{}x"));
  timed.kind = core::message_kind::list_changed;
  timed.id.millis = 8;
  what = {core::inbox_position{8},
          std::make_shared<const core::message>(timed)};
  peer.event(what);
  EXPECT_EQ(peer.take_output(),
            packet(R"({"op":"listEdited","id":"8-0","from":"alice",)"
                   R"("etc":2,"seq":8})",
                   "{}"));
}

TEST(MqGate, OldClientsSeeNoExtensions) {
  mq_driver peer;
  peer.log_in(R"(,"dedup":true)");
  EXPECT_EQ(peer.info, packet(R"({"op":"info","info":"ok login"})"));
  auto what = delivery(7, "x");
  auto timed = *what.message;
  timed.expires = core::from_millis(1795221400000);
  what.message = std::make_shared<const core::message>(timed);
  peer.event(what);
  EXPECT_EQ(
      peer.take_output(),
      packet(R"({"op":"deliver","id":"1795221369879-0","from":"alice"})", "x"));
}

TEST(MqGate, DeduplicationIsChosenAtLoginAndPerPost) {
  mq_driver peer;
  peer.log_in(R"(,"dedup":true)");
  auto id_of = [&](const std::string& extra) {
    peer.receive(packet(R"({"op":"post","id":"i","to":{})" + extra + "}"));
    return peer.take<core::post>().deduplication_id;
  };
  EXPECT_EQ(id_of(""), "i");
  EXPECT_EQ(id_of(R"(,"dedup":false)"), std::nullopt);
  EXPECT_EQ(id_of(R"(,"dedup":"key")"), "key");
  peer.receive(packet(R"({"op":"ping","id":"j","alias":"b"})"));
  EXPECT_EQ(peer.take<core::post_to_alias>().deduplication_id, "j");
}

TEST(MqGate, TimeToLiveGoesWithThePost) {
  mq_driver peer;
  peer.log_in();
  peer.receive(packet(R"({"op":"post","id":"1","to":{},"ttl":0.25})"));
  EXPECT_EQ(peer.take<core::post>().message.time_to_live,
            core::milliseconds{250});
  peer.receive(packet(R"({"op":"ping","id":"1","alias":"b","ttl":60})"));
  EXPECT_EQ(peer.take<core::post_to_alias>().message.time_to_live,
            core::milliseconds{60'000});
}

} // namespace
} // namespace troupe::net::mq
