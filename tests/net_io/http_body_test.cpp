// SPDX-License-Identifier: Apache-2.0
// Bodies of requests.
#include "tests/net_io/http_case.hpp"

namespace troupe::net {
namespace {

using test::HttpFront;
using test::socket_client;

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

TEST_F(HttpFront, CutsABodyThatDrips) {
  http_options options;
  options.body_time = std::chrono::milliseconds{50};
  socket_client client{serve_http(options)};
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx");
  EXPECT_TRUE(response(client).first.starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(stats().refused_for(refusal::request_timeout), 1U);
}

} // namespace
} // namespace troupe::net
