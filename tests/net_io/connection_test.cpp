// SPDX-License-Identifier: Apache-2.0
#include "net/connection.hpp"
#include "tests/net_io/echo_protocol.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/net_io/socket_client.hpp"

#include <gtest/gtest.h>

#include <mutex>

namespace troupe::net {
namespace {

using test::echo_protocol;
using test::eventually;
using test::socket_client;

std::string frame(std::string_view body) { return echo_protocol::frame(body); }

/// Answers logins at once, within send(), and delivers three messages.
class recording_gateway final : public session_gateway {
public:
  class port final : public session_port {
  public:
    port(recording_gateway& gateway, core::session_link& link)
        : gateway_(gateway), link_(link) {}
    void send(std::vector<core::session_command> commands) override {
      gateway_.commands += static_cast<int>(commands.size());
      core::logged_in welcome;
      welcome.request = 1;
      link_.on_event(welcome);
      for (int i = 0; i < 3; ++i) {
        auto m = std::make_shared<core::message>();
        m->payload = core::shared_bytes::copy_of("d" + std::to_string(i));
        link_.on_event(core::delivery{core::inbox_position{1}, m});
      }
    }
    void close() override {
      ++gateway_.closed;
      // What was on its way when the connection ended.
      link_.on_event(core::session_ended{});
    }

  private:
    recording_gateway& gateway_;
    core::session_link& link_;
  };

  std::unique_ptr<session_port> open(actors::runtime::loop&,
                                     core::session_link& link,
                                     const connection_info&) override {
    ++opened;
    return std::make_unique<port>(*this, link);
  }

  std::atomic<int> opened{0};
  std::atomic<int> closed{0};
  std::atomic<int> commands{0};
};

class Connection : public test::node_fixture {
protected:
  door echo_door() {
    door d;
    d.protocols[sniffed::mq] = test::make_echo(record_);
    return d;
  }
  std::shared_ptr<test::echo_record> record_ =
      std::make_shared<test::echo_record>();
};

TEST_F(Connection, EchoesFramesThatComeTogether) {
  socket_client client{serve(echo_door())};
  client.send(frame("one") + frame("") + frame("two"));
  EXPECT_EQ(client.receive(18), frame("one") + frame("") + frame("two"));
}

TEST_F(Connection, EchoesFramesThatComeByteByByte) {
  socket_client client{serve(echo_door())};
  for (char c : frame("slowly"))
    client.send({&c, 1});
  EXPECT_EQ(client.receive(10), frame("slowly"));
}

TEST_F(Connection, ReadsALargeFrameInPlace) {
  socket_client client{serve(echo_door())};
  std::string body(1 << 20, 'm');
  body.back() = '.';
  client.send(frame(body) + frame("after"));
  EXPECT_EQ(client.receive(body.size() + 4), frame(body));
  EXPECT_EQ(client.receive(9), frame("after"));
  EXPECT_EQ(record_->frames_in_place, 1);
}

TEST_F(Connection, EchoesManyMegabytesOnManyConnections) {
  auto at = serve(echo_door());
  std::vector<std::unique_ptr<socket_client>> clients;
  std::string body(300'000, 'p');
  for (int i = 0; i < 8; ++i)
    clients.push_back(std::make_unique<socket_client>(at));
  for (int round = 0; round < 4; ++round) {
    for (auto& c : clients)
      c->send(frame(body));
    for (auto& c : clients)
      ASSERT_EQ(c->receive(body.size() + 4), frame(body));
  }
  EXPECT_EQ(stats().open, 8U);
  EXPECT_EQ(stats().open_by_protocol["echo"], 8U);
}

TEST_F(Connection, CutsAnAnnouncedFrameAboveTheLimit) {
  socket_client client{serve(echo_door())};
  client.send(std::string{"\x7f\xff\xff\xff", 4});
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(stats().protocol_errors, 1U);
}

TEST_F(Connection, WritesTheLastBytesBeforeItCloses) {
  socket_client client{serve(echo_door())};
  client.send(frame("fill 500000") + frame("close") + frame("too late"));
  EXPECT_EQ(client.receive(500'004).size(), 500'004U);
  EXPECT_EQ(client.receive(7), frame("bye"));
  EXPECT_TRUE(client.ended());
  client.end_sending();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(record_->destroyed, 1);
}

TEST_F(Connection, AnswersAPeerThatHasEndedItsSide) {
  socket_client client{serve(echo_door())};
  client.send(frame("fill 3000000") + frame("x"));
  client.end_sending();
  auto all = client.receive_all();
  EXPECT_EQ(all.size(), 3'000'004U + 5 + 8);
  EXPECT_TRUE(all.ends_with(frame("half")));
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(record_->closed, 1);
}

TEST_F(Connection, SeesAReset) {
  socket_client client{serve(echo_door())};
  client.send(frame("x"));
  client.receive(5);
  client.reset();
  EXPECT_TRUE(all_closed());
  EXPECT_EQ(record_->closed, 1);
}

TEST_F(Connection, CutsAtOnceOnAbort) {
  socket_client client{serve(echo_door())};
  client.send(frame("abort"));
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(all_closed());
}

TEST_F(Connection, StopsReadingWhileThePeerDoesNot) {
  auto d = echo_door();
  d.limits.output_pause_bytes = 64 * 1024;
  socket_client client{serve(std::move(d)), 4096};
  // Far more answers than every buffer between us holds; the requests fit.
  constexpr int requests = 200;
  constexpr std::size_t answer = 100'004;
  std::string all;
  for (int i = 0; i < requests; ++i)
    all += frame("fill 100000");
  client.send(all);
  ASSERT_TRUE(eventually([&] { return record_->frames > 0; }));
  EXPECT_EQ(client.receive(answer).size(), answer);
  EXPECT_EQ(client.receive(answer * (requests - 1)).size(),
            answer * (requests - 1));
  EXPECT_EQ(record_->frames, requests);
  EXPECT_EQ(stats().dropped_slow, 0U);
}

TEST_F(Connection, CutsAPeerThatTakesNothing) {
  auto d = echo_door();
  d.limits.write_stall = std::chrono::milliseconds{50};
  socket_client client{serve(std::move(d)), 4096};
  client.send(frame("fill 20000000"));
  EXPECT_TRUE(eventually([&] { return stats().dropped_slow == 1; }));
  EXPECT_TRUE(all_closed());
}

TEST_F(Connection, CutsAPeerWhoseOutputOutgrowsTheBound) {
  auto d = echo_door();
  d.limits.output_bytes_max = 100'000;
  socket_client client{serve(std::move(d)), 4096};
  client.send(frame("fill 200000"));
  EXPECT_TRUE(eventually([&] { return stats().dropped_slow == 1; }));
  EXPECT_TRUE(all_closed());
}

TEST_F(Connection, TellsTheProtocolWhenItsTimeHasCome) {
  socket_client client{serve(echo_door())};
  client.send(frame("tick"));
  EXPECT_EQ(client.receive(10), frame("ticked"));
}

TEST_F(Connection, OffersHeldBytesWhenTheProtocolGoesOn) {
  socket_client client{serve(echo_door())};
  client.send(frame("pause") + frame("held"));
  EXPECT_EQ(client.receive(10), frame("ticked"));
  EXPECT_EQ(client.receive(8), frame("held"));
}

TEST_F(Connection, ReadsOnAfterAPauseWithMoreInTheSocket) {
  socket_client client{serve(echo_door())};
  std::string body(400'000, 'b');
  client.send(frame("pause") + frame(body));
  EXPECT_EQ(client.receive(10), frame("ticked"));
  EXPECT_EQ(client.receive(body.size() + 4), frame(body));
}

TEST_F(Connection, OpensASessionWithTheFirstCommand) {
  recording_gateway gateway;
  auto d = echo_door();
  d.sessions = &gateway;
  socket_client client{serve(std::move(d))};
  client.send(frame("x"));
  client.receive(5);
  EXPECT_EQ(gateway.opened, 0);
  client.send(frame("login"));
  auto answer = frame("welcome") + frame("d0") + frame("d1") + frame("d2");
  EXPECT_EQ(client.receive(answer.size()), answer);
  client.send(frame("close"));
  EXPECT_EQ(client.receive(7), frame("bye"));
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(eventually([&] { return gateway.closed == 1; }));
  EXPECT_EQ(gateway.opened, 1);
  network_->stop();
}

TEST_F(Connection, RefusesLoginsAboveTheRate) {
  recording_gateway gateway;
  auto d = echo_door();
  d.sessions = &gateway;
  address_limits_options limits;
  limits.exempt_loopback = false;
  limits.logins = {0.001, 1};
  d.addresses = address_limits::make(limits);
  socket_client client{serve(std::move(d))};
  client.send(frame("login"));
  auto answer = frame("welcome") + frame("d0") + frame("d1") + frame("d2");
  EXPECT_EQ(client.receive(answer.size()), answer);
  client.send(frame("login"));
  auto limited = frame(to_string(core::errc::rate_limited));
  EXPECT_EQ(client.receive(limited.size()), limited);
  EXPECT_EQ(gateway.commands, 1);
  EXPECT_TRUE(refused(refusal::login_rate));
  network_->stop();
}

TEST_F(Connection, SaysGoodbyeWhenTheNodeDrains) {
  auto at = serve(echo_door());
  socket_client client{at};
  client.send(frame("x"));
  client.receive(5);
  network_->drain();
  EXPECT_EQ(client.receive(9), frame("ended"));
  EXPECT_TRUE(client.ended());
  client.end_sending();
  EXPECT_TRUE(all_closed());
}

TEST_F(Connection, StopsWithConnectionsInEveryState) {
  auto at = serve(echo_door());
  socket_client silent{at};
  socket_client busy{at, 4096};
  busy.send(frame("fill 10000000"));
  ASSERT_TRUE(eventually([&] { return record_->frames == 1; }));
  network_->stop();
  EXPECT_EQ(stats().open, 0U);
}

} // namespace
} // namespace troupe::net
