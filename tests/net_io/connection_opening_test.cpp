// SPDX-License-Identifier: Apache-2.0
#include "net/http_front.hpp"
#include "net/tls_context.hpp"
#include "tests/net_io/echo_protocol.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/net_io/socket_client.hpp"

#include <gtest/gtest.h>

namespace troupe::net {
namespace {

using test::echo_protocol;
using test::eventually;
using test::socket_client;

// A frame of the test protocol that looks like websocket.MQ to the sniffer:
// nothing of length 0x8… exists, so a wrapper skips the first byte.
class marked_echo final : public protocol {
public:
  explicit marked_echo(std::shared_ptr<test::echo_record> record)
      : inner_(std::move(record)) {}
  void on_open(core::steady_time now, effects& out) override {
    inner_.on_open(now, out);
  }
  std::size_t on_bytes(const input& in, core::steady_time now,
                       effects& out) override {
    std::size_t skipped = 0;
    if (!std::exchange(marked_, true))
      skipped = 1;
    return skipped +
           inner_.on_bytes({in.bytes.subspan(skipped), nullptr}, now, out);
  }
  [[nodiscard]] std::size_t frame_bytes() const override {
    return inner_.frame_bytes();
  }
  void on_event(core::session_event e, core::steady_time now,
                effects& out) override {
    inner_.on_event(std::move(e), now, out);
  }
  void on_flushed(core::steady_time, effects&) override {}
  void on_tick(core::steady_time, effects&) override {}
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return std::nullopt;
  }
  void on_closed(effects&) override {}
  [[nodiscard]] std::string_view name() const override { return "marked"; }

private:
  test::echo_protocol inner_;
  bool marked_ = false;
};

std::string frame(std::string_view body) { return echo_protocol::frame(body); }

class Opening : public test::node_fixture {
protected:
  /// Serves HTTP and (marked) frames; GET /who answers the peer's address.
  door full_door() {
    auto router = std::make_shared<http_router>();
    router->add("GET", "/who",
                make_handler([](const http_request&, responder answer) {
                  answer.send({200, "text/plain", "here", {}});
                }));
    door d;
    d.protocols[sniffed::http] = make_http(router);
    d.protocols[sniffed::mq] = [this](protocol_host& host) {
      last_peer_ = to_string(host.info().peer);
      return std::make_unique<marked_echo>(record_);
    };
    return d;
  }
  static constexpr std::string_view get_ =
      "GET /who HTTP/1.1\r\nHost: h\r\n\r\n";
  static std::string mark() { return "\x85"; }

  std::shared_ptr<test::echo_record> record_ =
      std::make_shared<test::echo_record>();
  std::string last_peer_; // read after an answer came
};

TEST_F(Opening, TellsHttpAndFramesApart) {
  auto at = serve(full_door());
  socket_client http{at};
  http.send(get_);
  EXPECT_TRUE(http.receive_until("here").starts_with("HTTP/1.1 200"));
  socket_client frames{at};
  frames.send(mark() + frame("f"));
  EXPECT_EQ(frames.receive(5), frame("f"));
  EXPECT_EQ(stats().open_by_protocol["http"], 1U);
  EXPECT_EQ(stats().open_by_protocol["marked"], 1U);
}

TEST_F(Opening, RefusesUnknownFirstBytes) {
  socket_client client{serve(full_door())};
  client.send(std::string{"\0\0", 2});
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::unknown_protocol));
}

TEST_F(Opening, RefusesTlsWithoutACertificate) {
  socket_client client{serve(full_door())};
  client.send("\x16\x03\x01");
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::tls_not_served));
}

TEST_F(Opening, CutsAClientThatSaysNothing) {
  auto d = full_door();
  d.limits.opening = std::chrono::milliseconds{30};
  socket_client client{serve(std::move(d))};
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::opening_timeout));
}

TEST_F(Opening, BeginsTheOnlyProtocolWithoutAByte) {
  door d;
  d.protocols[sniffed::mq] = test::make_echo(record_);
  socket_client client{serve(std::move(d))};
  EXPECT_TRUE(eventually([&] { return record_->opened == 1; }));
}

TEST_F(Opening, TakesTheClientFromAProxyHeaderOfVersionOne) {
  auto d = full_door();
  d.proxy = proxy_policy::required;
  socket_client client{serve(std::move(d))};
  client.send("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n" + mark() +
              frame("f"));
  EXPECT_EQ(client.receive(5), frame("f"));
  EXPECT_EQ(last_peer_, "192.0.2.7:4711");
}

TEST_F(Opening, TakesTheClientFromAProxyHeaderInPieces) {
  auto d = full_door();
  d.proxy = proxy_policy::optional;
  socket_client client{serve(std::move(d))};
  for (char c : std::string{"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n"})
    client.send({&c, 1});
  client.send(mark() + frame("f"));
  EXPECT_EQ(client.receive(5), frame("f"));
  EXPECT_EQ(last_peer_, "[2001:db8::1]:1");
}

TEST_F(Opening, TakesTheClientFromAProxyHeaderOfVersionTwo) {
  auto d = full_door();
  d.proxy = proxy_policy::required;
  socket_client client{serve(std::move(d))};
  std::string header{"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 16};
  header += std::string{"\xc0\0\2\x09\xc6\x33\x64\1\x12\x67\1\xbb", 12};
  client.send(header + mark() + frame("f"));
  EXPECT_EQ(client.receive(5), frame("f"));
  EXPECT_EQ(last_peer_, "192.0.2.9:4711");
}

TEST_F(Opening, NeedsAProxyHeaderWhereItIsRequired) {
  auto d = full_door();
  d.proxy = proxy_policy::required;
  socket_client client{serve(std::move(d))};
  client.send(get_);
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::proxy_header));
}

TEST_F(Opening, RefusesAProxyThatIsNotTrusted) {
  auto d = full_door();
  d.proxy = proxy_policy::required;
  d.trusted_proxies = {*ip_network::parse("10.0.0.0/8")};
  socket_client client{serve(std::move(d))};
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::proxy_header));
}

TEST_F(Opening, ServesClientsWithoutAHeaderWhereItIsOptional) {
  auto d = full_door();
  d.proxy = proxy_policy::optional;
  socket_client client{serve(std::move(d))};
  client.send(get_);
  EXPECT_TRUE(client.receive_until("here").starts_with("HTTP/1.1 200"));
}

TEST_F(Opening, TakesAProxyHeaderForAnUnknownProtocolWhereItIsOff) {
  socket_client client{serve(full_door())};
  client.send("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n");
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::unknown_protocol));
}

TEST_F(Opening, LimitsConnectionsOfTheAddressInTheProxyHeader) {
  auto d = full_door();
  d.proxy = proxy_policy::required;
  address_limits_options limits;
  limits.address_connections_max = 1;
  d.addresses = address_limits::make(limits);
  auto at = serve(std::move(d));
  auto header = [](std::string_view address) {
    return "PROXY TCP4 " + std::string{address} + " 198.51.100.1 1 2\r\n";
  };
  socket_client first{at};
  first.send(header("192.0.2.1") + mark() + frame("f"));
  EXPECT_EQ(first.receive(5), frame("f"));
  socket_client second{at};
  second.send(header("192.0.2.1") + mark() + frame("f"));
  EXPECT_TRUE(second.ended());
  socket_client other{at};
  other.send(header("192.0.2.2") + mark() + frame("f"));
  EXPECT_EQ(other.receive(5), frame("f"));
  EXPECT_TRUE(refused(refusal::address_connections));
}

TEST_F(Opening, GivesAPlaceBackWhenAConnectionEnds) {
  auto d = full_door();
  address_limits_options limits;
  limits.total_connections_max = 1;
  d.addresses = address_limits::make(limits);
  auto at = serve(std::move(d));
  {
    socket_client first{at};
    first.send(mark() + frame("f"));
    EXPECT_EQ(first.receive(5), frame("f"));
    socket_client second{at};
    EXPECT_TRUE(second.ended());
    EXPECT_TRUE(refused(refusal::total_connections));
  }
  EXPECT_TRUE(all_closed());
  socket_client third{at};
  third.send(mark() + frame("f"));
  EXPECT_EQ(third.receive(5), frame("f"));
}

} // namespace
} // namespace troupe::net
