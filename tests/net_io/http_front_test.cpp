// SPDX-License-Identifier: Apache-2.0
// Requests, and what becomes of them.
#include "tests/net_io/http_case.hpp"

namespace troupe::net {
namespace {

using test::echo_protocol;
using test::eventually;
using test::HttpFront;
using test::socket_client;

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

} // namespace
} // namespace troupe::net
