// SPDX-License-Identifier: Apache-2.0
// WebSockets beside other targets.
#include "tests/net_io/http_case.hpp"

namespace troupe::net {
namespace {

using test::echo_protocol;
using test::HttpFront;
using test::socket_client;

TEST_F(HttpFront, UpgradesToWebSocket) {
  socket_client client{serve_http()};
  // The first frame comes with the handshake.
  client.send(get("/ws", upgrade_) + echo_protocol::frame("early"));
  auto head = client.receive_until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_NE(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
  EXPECT_EQ(client.receive(9), echo_protocol::frame("early"));
  client.send(echo_protocol::frame("later"));
  EXPECT_EQ(client.receive(9), echo_protocol::frame("later"));
  EXPECT_EQ(stats().open_by_protocol["echo"], 1U);
  EXPECT_EQ(stats().open_by_protocol.count("http"), 0U);
}

TEST_F(HttpFront, ChoosesASubprotocol) {
  socket_client client{serve_http()};
  client.send(get("/named", std::string{upgrade_} +
                                "Origin: https://good.example\r\n"
                                "Sec-WebSocket-Protocol: x, v1.echo\r\n"));
  auto head = client.receive_until("\r\n\r\n");
  EXPECT_NE(head.find("Sec-WebSocket-Protocol: v1.echo\r\n"),
            std::string::npos);
}

TEST_F(HttpFront, AgreesOnCompressionWhereItIsServed) {
  std::string asks{upgrade_};
  asks += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  socket_client plain{serve_http()};
  plain.send(get("/ws", asks));
  EXPECT_EQ(plain.receive_until("\r\n\r\n").find("Extensions"),
            std::string::npos);
  socket_client packed{serve_http()};
  packed.send(get("/packed", asks));
  EXPECT_NE(packed.receive_until("\r\n\r\n")
                .find("Sec-WebSocket-Extensions: permessage-deflate"),
            std::string::npos);
  EXPECT_TRUE(deflate_agreed_);
}

TEST_F(HttpFront, RefusesAnUpgradeThatDoesNotFit) {
  auto bad = [](std::string from, std::string_view what,
                std::string_view with) {
    return get("/ws", from.replace(from.find(what), what.size(), with));
  };
  std::string good{upgrade_};
  EXPECT_EQ(status_of(bad(good, ": 13", ": 8")), 426U);
  EXPECT_EQ(status_of(bad(good, "dGhl", "d")), 400U);
  EXPECT_EQ(status_of(bad(good, "keep-alive, Upgrade", "close")), 400U);
  EXPECT_EQ(status_of(get("/named", upgrade_)), 400U);
  EXPECT_EQ(status_of(get("/named", good + "Sec-WebSocket-Protocol: v2.echo\r\n"
                                           "Origin: https://bad.example\r\n")),
            403U);
}

TEST_F(HttpFront, ACatchAllDoesNotHideAWebSocket) {
  router_->add("", "/*", make_handler([](const http_request&, responder a) {
                 a.send({200, "text/plain", "file", {}});
               }));
  EXPECT_EQ(status_of(get("/ws")), 426U);
  EXPECT_EQ(status_of(get("/other")), 200U);
  socket_client client{serve_http()};
  client.send(get("/ws", upgrade_));
  EXPECT_TRUE(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
}

TEST_F(HttpFront, AWebSocketBesideOthersLeavesThemTheirRequests) {
  websocket_options beside;
  beside.beside_others = true;
  const auto echo = [this](const websocket_terms&, protocol_host&) {
    return std::make_unique<echo_protocol>(record_);
  };
  router_->add_websocket("/", beside, echo);
  EXPECT_EQ(status_of(get("/")), 426U) << "there is nothing else";
  router_->add("", "/*", make_handler([](const http_request&, responder a) {
                 a.send({200, "text/plain", "page", {}});
               }));
  EXPECT_EQ(status_of(get("/")), 200U);
  socket_client client{serve_http()};
  client.send(get("/", upgrade_));
  EXPECT_TRUE(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
}

TEST_F(HttpFront, AnUpgradeIsDecidedLater) {
  router_->add_websocket(
      "/maybe", {},
      [this](const websocket_terms& terms, std::string head, responder answer) {
        const bool welcome = terms.request->header("X-Word") == "friend";
        auto& home = answer.home();
        home.post([this, welcome, head = std::move(head), answer] {
          if (!welcome)
            return answer.send(http_error(401, "who are you?"));
          answer.hand_over(std::make_unique<echo_protocol>(record_), head);
        });
      });
  EXPECT_EQ(status_of(get("/maybe", upgrade_)), 401U);
  socket_client client{serve_http()};
  const auto frame = echo_protocol::frame("early");
  client.send(get("/maybe", std::string{upgrade_} + "X-Word: friend\r\n") +
              frame);
  const auto head = client.receive_until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_EQ(client.receive(frame.size()), frame);
}

} // namespace
} // namespace troupe::net
