// SPDX-License-Identifier: Apache-2.0
#include "net/admin_server.hpp"
#include "net/http_front.hpp"
#include "net/websocket_handshake.hpp"
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

class HttpFront : public test::node_fixture {
protected:
  HttpFront() {
    router_->add("GET", "/hello",
                 make_handler([](const http_request& r, responder answer) {
                   auto name = r.query_value("name").value_or("world");
                   answer.send({200, "text/plain", std::string{name}, {}});
                 }));
    router_->add("POST", "/echo",
                 make_handler([](const http_request& r, responder answer) {
                   answer.send({200, "text/plain", r.body, {}});
                 }));
    router_->add("GET", "/later",
                 make_handler([](const http_request&, responder answer) {
                   auto& home = answer.home();
                   home.post([answer] {
                     answer.send({200, "text/plain", "later", {}});
                     answer.send({200, "text/plain", "twice", {}});
                   });
                 }));
    router_->add("GET", "/never",
                 make_handler([this](const http_request&, responder answer) {
                   std::lock_guard lock{mutex_};
                   kept_.push_back(std::move(answer));
                 }));
    router_->add("GET", "/tail",
                 make_handler([this](const http_request&, responder answer) {
                   auto stream = answer.stream();
                   stream.write_event("one\ntwo", "line");
                   std::lock_guard lock{mutex_};
                   stream_ = stream;
                   stream_home_ = &answer.home();
                 }));
    router_->add_websocket("/ws", {},
                           [this](const websocket_terms&, protocol_host&) {
                             return std::make_unique<echo_protocol>(record_);
                           });
    websocket_options packed;
    packed.deflate = true;
    router_->add_websocket(
        "/packed", packed,
        [this](const websocket_terms& terms, protocol_host&) {
          deflate_agreed_ = terms.deflate.has_value();
          return std::make_unique<echo_protocol>(record_);
        });
    websocket_options named;
    named.subprotocols = {"v2.echo", "v1.echo"};
    named.origins = {"https://good.example"};
    router_->add_websocket("/named", named,
                           [this](const websocket_terms&, protocol_host&) {
                             return std::make_unique<echo_protocol>(record_);
                           });
  }
  ~HttpFront() override {
    network_->stop();
    kept_.clear();
    stream_ = {};
  }

  ip_endpoint serve_http(http_options options = {}) {
    door d;
    d.protocols[sniffed::http] = make_http(router_, std::move(options));
    return serve(std::move(d));
  }

  static std::string get(std::string_view target,
                         std::string_view fields = "") {
    return "GET " + std::string{target} + " HTTP/1.1\r\nHost: h\r\n" +
           std::string{fields} + "\r\n";
  }
  /// Head and body of the next response.
  static std::pair<std::string, std::string> response(socket_client& from) {
    auto head = from.receive_until("\r\n\r\n");
    auto at = head.find("Content-Length: ");
    auto length =
        at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    return {head, from.receive(length)};
  }
  /// The status of the only response to `request`.
  unsigned status_of(const std::string& request) {
    socket_client client{serve_http()};
    client.send(request);
    auto head = response(client).first;
    return head.size() < 12
               ? 0
               : static_cast<unsigned>(std::stoul(head.substr(9, 3)));
  }

  static constexpr std::string_view upgrade_ =
      "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

  std::shared_ptr<http_router> router_ = std::make_shared<http_router>();
  std::shared_ptr<test::echo_record> record_ =
      std::make_shared<test::echo_record>();
  std::atomic<bool> deflate_agreed_{false};
  std::mutex mutex_;
  std::vector<responder> kept_;
  http_stream stream_;
  actors::runtime::loop* stream_home_ = nullptr;
};

TEST_F(HttpFront, AnswersAndKeepsTheConnection) {
  socket_client client{serve_http()};
  for (int i = 0; i < 3; ++i) {
    client.send(get("/hello?name=a%20b+c"));
    auto [head, body] = response(client);
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_NE(head.find("\r\nDate: "), std::string::npos);
    EXPECT_EQ(head.find("Connection:"), std::string::npos);
    EXPECT_EQ(body, "a b c");
  }
}

TEST_F(HttpFront, AnswersPipelinedRequestsInOrder) {
  socket_client client{serve_http()};
  client.send(get("/later") + get("/hello") +
              "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
              get("/later") + get("/hello?name=last"));
  for (auto want : {"later", "world", "abc", "later", "last"})
    EXPECT_EQ(response(client).second, want);
}

TEST_F(HttpFront, AnswersPipelinedRequestsOfAPeerThatHasEndedItsSide) {
  socket_client client{serve_http()};
  client.send(get("/later") + get("/hello"));
  client.end_sending();
  EXPECT_EQ(response(client).second, "later");
  EXPECT_EQ(response(client).second, "world");
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpFront, ClosesWhenTheClientAsks) {
  socket_client client{serve_http()};
  client.send(get("/hello", "Connection: close\r\n"));
  auto [head, body] = response(client);
  EXPECT_NE(head.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpFront, ClosesAfterHttpOneZero) {
  socket_client client{serve_http()};
  client.send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(response(client).second, "world");
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpFront, KeepsHttpOneZeroThatAsks) {
  socket_client client{serve_http()};
  for (int i = 0; i < 2; ++i) {
    client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    auto [head, body] = response(client);
    EXPECT_NE(head.find("Connection: keep-alive"), std::string::npos);
    EXPECT_EQ(body, "world");
  }
}

TEST_F(HttpFront, LeavesTheBodyOutForHead) {
  socket_client client{serve_http()};
  client.send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n" + get("/hello"));
  auto head = client.receive_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 5"), std::string::npos);
  EXPECT_EQ(response(client).second, "world");
}

TEST_F(HttpFront, TakesChunkedBodies) {
  socket_client client{serve_http()};
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
              "\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(response(client).second, "abcde");
}

TEST_F(HttpFront, TakesBodiesByteByByte) {
  socket_client client{serve_http()};
  for (char c :
       std::string{"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                   "\r\nbytes"})
    client.send({&c, 1});
  EXPECT_EQ(response(client).second, "bytes");
}

TEST_F(HttpFront, TakesALargeBody) {
  socket_client client{serve_http()};
  std::string body(900'000, 'l');
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n"
              "\r\n" +
              body);
  EXPECT_EQ(response(client).second, body);
}

TEST_F(HttpFront, InvitesABodyThatWaits) {
  socket_client client{serve_http()};
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
              "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(response(client).second, "abc");
}

TEST_F(HttpFront, RefusesWithTheRightStatus) {
  EXPECT_EQ(status_of(get("/nowhere")), 404U);
  EXPECT_EQ(status_of("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n"), 405U);
  EXPECT_EQ(status_of("GET nonsense\r\n\r\n"), 400U);
  EXPECT_EQ(status_of(get("/a/../b")), 400U);
  EXPECT_EQ(status_of(get("/a/%2e%2e/b")), 400U);
  EXPECT_EQ(status_of("GET /hello HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of(get("/hello", "Host: two\r\n")), 400U);
  EXPECT_EQ(status_of(get("/hello", "Expect: tea\r\n")), 417U);
  EXPECT_EQ(status_of(get("/ws")), 426U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\n"
                      "Content-Length: 2000000\r\n\r\n"),
            413U);
}

TEST_F(HttpFront, RefusesAmbiguousLengths) {
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\n"
                      "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"
                      "\r\n0\r\n\r\n"),
            400U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                      "Content-Length: 3\r\n\r\nabc"),
            400U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\n"
                      "Content-Length: 3, 3\r\n\r\nabc"),
            400U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n"
                      "\r\n"),
            400U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\n"
                      "Transfer-Encoding: gzip\r\n\r\n"),
            501U);
  EXPECT_EQ(status_of("POST /echo HTTP/1.0\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400U);
}

TEST_F(HttpFront, RefusesWhatIsToldTwice) {
  EXPECT_EQ(status_of("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n"
                      "content-type: c/d\r\nContent-Length: 0\r\n\r\n"),
            400U);
  EXPECT_EQ(status_of(get("/hello", "Authorization: Bearer a\r\n"
                                    "Authorization: Bearer b\r\n")),
            400U);
}

TEST_F(HttpFront, RefusesAHeadAboveTheLimit) {
  EXPECT_EQ(status_of(get("/hello", "X: " + std::string(20'000, 'x') + "\r\n")),
            431U);
}

TEST_F(HttpFront, CutsAHeadThatDrips) {
  http_options options;
  options.head_time = std::chrono::milliseconds{50};
  socket_client client{serve_http(options)};
  client.send("GET /hello HT");
  EXPECT_TRUE(response(client).first.starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(stats().refused_for(refusal::request_timeout), 1U);
}

TEST_F(HttpFront, CutsABodyThatDrips) {
  http_options options;
  options.body_time = std::chrono::milliseconds{50};
  socket_client client{serve_http(options)};
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx");
  EXPECT_TRUE(response(client).first.starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(stats().refused_for(refusal::request_timeout), 1U);
}

TEST_F(HttpFront, ClosesAnIdleConnection) {
  http_options options;
  options.idle_time = std::chrono::milliseconds{30};
  socket_client client{serve_http(options)};
  client.send(get("/hello"));
  EXPECT_EQ(response(client).second, "world");
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpFront, AnswersForAHandlerThatDoesNot) {
  http_options options;
  options.handler_time = std::chrono::milliseconds{30};
  socket_client client{serve_http(options)};
  client.send(get("/never") + get("/hello"));
  EXPECT_TRUE(response(client).first.starts_with("HTTP/1.1 503"));
  EXPECT_EQ(response(client).second, "world");
}

TEST_F(HttpFront, SurvivesAnAnswerToAClientThatIsGone) {
  socket_client client{serve_http()};
  client.send(get("/never"));
  ASSERT_TRUE(eventually([&] {
    std::lock_guard lock{mutex_};
    return !kept_.empty();
  }));
  client.reset();
  EXPECT_TRUE(all_closed());
  auto& home = kept_.front().home();
  std::atomic<bool> done{false};
  home.post([&] {
    EXPECT_FALSE(kept_.front().open());
    kept_.front().send({200, "text/plain", "nobody", {}});
    done = true;
  });
  EXPECT_TRUE(eventually([&] { return done.load(); }));
}

TEST_F(HttpFront, StreamsUntilTheClientGoes) {
  socket_client client{serve_http()};
  client.send(get("/tail"));
  auto head = client.receive_until("\r\n\r\n");
  EXPECT_NE(head.find("text/event-stream"), std::string::npos);
  EXPECT_EQ(client.receive(33), "event: line\ndata: one\ndata: two\n\n");
  stream_home_->post([this] { EXPECT_TRUE(stream_.write("more")); });
  EXPECT_EQ(client.receive(4), "more");
  client.reset();
  EXPECT_TRUE(all_closed());
  std::atomic<bool> open{true};
  stream_home_->post([&] { open = stream_.open(); });
  EXPECT_TRUE(eventually([&] { return !open; }));
}

TEST_F(HttpFront, CutsAStreamThatIsNotRead) {
  http_options options;
  options.stream_bytes_max = 100'000;
  socket_client client{serve_http(options), 4096};
  client.send(get("/tail"));
  client.receive_until("two\n\n");
  stream_home_->post([this] {
    std::string bytes(100'001, 's');
    EXPECT_FALSE(stream_.write(bytes));
  });
  EXPECT_TRUE(all_closed());
}

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

TEST_F(HttpFront, LeavesTargetsAloneThatAreNotItsOwn) {
  router_->add("GET", "/raw/*",
               make_handler([](const http_request& r, responder answer) {
                 answer.send({200, "text/plain", r.path + " " + r.target, {}});
               }));
  http_options options;
  options.limits.raw_prefix = "/raw/";
  socket_client client{serve_http(options)};
  for (const auto* target : {"/raw/../%2e%zz//?a=%20", "/raw/", "/raw/\xff"}) {
    const std::string text{target};
    client.send(get(text));
    EXPECT_EQ(response(client).second,
              text.substr(0, text.find('?')) + " " + text);
  }
  client.send("GET http://h:1/raw/a%20b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(response(client).second, "/raw/a%20b /raw/a%20b");
  client.send(get("/raw")); // decoded as all others
  EXPECT_EQ(response(client).second, "/raw ");
}

TEST_F(HttpFront, LetsAHandlerAnswerInItsOwnBytes) {
  router_->add("GET", "/own",
               make_handler([](const http_request& r, responder answer) {
                 answer.send_verbatim(
                     "HTTP/1.1 299 Own\r\nContent-Length: 2\r\n\r\nok",
                     r.keep_alive ? http_after::keep_alive : http_after::close);
                 answer.send({200, "text/plain", "twice", {}});
               }));
  socket_client client{serve_http()};
  for (int i = 0; i < 2; ++i) {
    client.send(get("/own"));
    EXPECT_EQ(client.receive_until("ok"),
              "HTTP/1.1 299 Own\r\nContent-Length: 2\r\n\r\nok");
  }
  client.send(get("/own", "Connection: close\r\n"));
  client.receive_until("ok");
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpFront, HandsAConnectionOver) {
  router_->add("GET", "/over",
               make_handler([this](const http_request&, responder answer) {
                 answer.hand_over(std::make_unique<echo_protocol>(record_),
                                  "HTTP/1.1 200 OK\r\n\r\n");
                 EXPECT_FALSE(answer.open());
               }));
  socket_client client{serve_http()};
  const auto frame = echo_protocol::frame("hello");
  client.send(get("/over") + frame);
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(client.receive(frame.size()), frame);
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

TEST_F(HttpFront, LogsEachRequestAndAStreamWhenItEnds) {
  struct recorder final : access_log {
    void write(const access_entry& entry) override {
      const std::lock_guard lock{mutex};
      lines.push_back(entry.request + " " + std::to_string(entry.status) + " " +
                      std::to_string(entry.bytes));
    }
    std::vector<std::string> take() {
      const std::lock_guard lock{mutex};
      return std::exchange(lines, {});
    }
    std::mutex mutex;
    std::vector<std::string> lines;
  } log;
  http_options options;
  options.access = &log;
  options.limits.keep_line = true;
  const auto at = serve_http(options);
  using lines = std::vector<std::string>;
  {
    socket_client client{at};
    client.send(get("/hello?name=you") + get("/nowhere"));
    response(client);
    response(client);
    EXPECT_EQ(log.take().front(), "GET /hello?name=you HTTP/1.1 200 3");
    client.send("nonsense\r\n\r\n");
    response(client);
    const auto last = log.take();
    ASSERT_EQ(last.size(), 1U);
    EXPECT_TRUE(last.front().starts_with(" 400 ")) << last.front();
  }
  {
    socket_client client{at};
    client.send(get("/ws", upgrade_));
    client.receive_until("\r\n\r\n");
    EXPECT_EQ(log.take(), lines{}) << "it is not finished";
  }
  EXPECT_TRUE(eventually([&] {
    const auto last = log.take();
    return !last.empty() && last.back().starts_with("GET /ws HTTP/1.1 101 ");
  }));
  network_->stop(); // the log is this test's
}

TEST_F(HttpFront, RefusesFoldedFields) {
  EXPECT_EQ(status_of(get("/hello", "X: a\r\n b\r\n")), 400U);
  EXPECT_EQ(status_of(get("/hello", "X: a\r\n\tb\r\n")), 400U);
  EXPECT_EQ(status_of(get("/hello", "X: a\r\nY: b c\r\n")), 200U);
}

TEST_F(HttpFront, FinishesTheAnswerWhenTheNodeDrains) {
  socket_client idle{serve_http()};
  idle.send(get("/hello"));
  response(idle);
  socket_client waiting{serve_http()};
  waiting.send(get("/never"));
  ASSERT_TRUE(eventually([&] {
    std::lock_guard lock{mutex_};
    return !kept_.empty();
  }));
  network_->drain();
  EXPECT_TRUE(idle.ended());
  kept_.front().home().post([this] {
    kept_.front().send({200, "text/plain", "done", {}});
  });
  EXPECT_EQ(response(waiting).second, "done");
  EXPECT_TRUE(waiting.ended());
}

using AdminServer = HttpFront;

TEST_F(AdminServer, NeedsTheToken) {
  router_->add("GET", "/livez",
               make_handler([](const http_request&, responder answer) {
                 answer.send({200, "text/plain", "ok", {}});
               }));
  admin_options options;
  options.endpoint.port = 0;
  options.token = "s3cret";
  auto opened = open_admin_server(*network_, router_, options);
  ASSERT_TRUE(opened);
  socket_client client{*opened};
  client.send(get("/hello"));
  auto [head, body] = response(client);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 401"));
  EXPECT_NE(head.find("WWW-Authenticate: Bearer"), std::string::npos);
  client.send(get("/hello", "Authorization: Bearer wrong\r\n"));
  EXPECT_TRUE(response(client).first.starts_with("HTTP/1.1 401"));
  client.send(get("/hello", "Authorization: bearer s3cret\r\n"));
  EXPECT_EQ(response(client).second, "world");
  client.send(get("/livez"));
  EXPECT_EQ(response(client).second, "ok");
}

TEST_F(AdminServer, RefusesWhatABrowserBringsFromOtherPages) {
  admin_options options;
  options.endpoint.port = 0;
  auto opened = open_admin_server(*network_, router_, options);
  ASSERT_TRUE(opened);
  socket_client client{*opened};
  const auto head_for = [&](std::string_view what, std::string_view host,
                            std::string_view fields) {
    client.send(std::string{what} + " HTTP/1.1\r\nHost: " + std::string{host} +
                "\r\n" + std::string{fields} + "\r\n");
    return response(client).first.substr(0, 12);
  };
  // Names that were pointed at the loopback.
  for (const auto* host : {"evil.example", "10.0.0.1:9090", "[::2]", "::1"})
    EXPECT_EQ(head_for("GET /hello", host, ""), "HTTP/1.1 403") << host;
  for (const auto* host : {"localhost:9090", "127.0.0.2", "[::1]:9090"})
    EXPECT_EQ(head_for("GET /hello", host, ""), "HTTP/1.1 200") << host;
  // Changes asked for by other origins.
  constexpr std::string_view post = "POST /echo";
  constexpr std::string_view host = "127.0.0.1:9090";
  const std::string empty = "Content-Length: 0\r\n";
  EXPECT_EQ(head_for(post, host, empty), "HTTP/1.1 200");
  EXPECT_EQ(head_for(post, host, empty + "Origin: http://127.0.0.1:9090\r\n"),
            "HTTP/1.1 200");
  EXPECT_EQ(head_for(post, host, empty + "Origin: http://evil.example\r\n"),
            "HTTP/1.1 403");
  EXPECT_EQ(head_for(post, host, empty + "Origin: null\r\n"), "HTTP/1.1 403");
  // What they would read, were it only to wear it out; a link may lead here.
  constexpr std::string_view get = "GET /hello";
  EXPECT_EQ(head_for(get, host, "Sec-Fetch-Site: cross-site\r\n"),
            "HTTP/1.1 403");
  EXPECT_EQ(head_for(get, host,
                     "Sec-Fetch-Site: same-site\r\nSec-Fetch-Dest: iframe\r\n"),
            "HTTP/1.1 403");
  EXPECT_EQ(
      head_for(get, host,
               "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document\r\n"),
      "HTTP/1.1 200");
  for (const auto* site : {"same-origin", "none"})
    EXPECT_EQ(
        head_for(get, host, "Sec-Fetch-Site: " + std::string{site} + "\r\n"),
        "HTTP/1.1 200");
}

TEST_F(AdminServer, RefusesANetworkWithoutProtection) {
  admin_options options;
  options.endpoint = *parse_endpoint("0.0.0.0:0");
  auto opened = open_admin_server(*network_, router_, options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, core::errc::invalid_config);
  options.token = "t";
  EXPECT_TRUE(open_admin_server(*network_, router_, options));
}

} // namespace
} // namespace troupe::net
