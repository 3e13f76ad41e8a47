// SPDX-License-Identifier: Apache-2.0
// What is refused, and who is cut.
#include "tests/net_io/http_case.hpp"

namespace troupe::net {
namespace {

using test::eventually;
using test::HttpFront;
using test::socket_client;

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

TEST_F(HttpFront, RefusesFoldedFields) {
  EXPECT_EQ(status_of(get("/hello", "X: a\r\n b\r\n")), 400U);
  EXPECT_EQ(status_of(get("/hello", "X: a\r\n\tb\r\n")), 400U);
  EXPECT_EQ(status_of(get("/hello", "X: a\r\nY: b c\r\n")), 200U);
}

} // namespace
} // namespace troupe::net
