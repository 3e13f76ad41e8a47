// SPDX-License-Identifier: Apache-2.0
#include "net/admin_server.hpp"
#include "tests/net_io/http_case.hpp"

namespace troupe::net {
namespace {

using test::socket_client;
using AdminServer = test::HttpFront;

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
