// SPDX-License-Identifier: Apache-2.0
#include "net/http_front.hpp"
#include "net/tls_context.hpp"
#include "tests/net_io/echo_protocol.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/net_io/socket_client.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>

namespace troupe::net {
namespace {

using test::echo_protocol;
using test::test_certificate;
using test::tls_client;

std::string frame(std::string_view body) { return echo_protocol::frame(body); }

tls_options files_of(const test_certificate& c) {
  tls_options o;
  o.certificate_path = c.certificate_path;
  o.key_path = c.key_path;
  return o;
}

class Tls : public test::node_fixture {
protected:
  ip_endpoint serve_echo(tls_options options) {
    auto loaded = tls_context::load(std::move(options));
    EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error()));
    context_ = *loaded;
    door d;
    d.protocols[sniffed::mq] = test::make_echo(record_);
    d.tls = tls_policy::required;
    d.certificate = context_;
    return serve(std::move(d));
  }

  std::shared_ptr<test::echo_record> record_ =
      std::make_shared<test::echo_record>();
  std::shared_ptr<tls_context> context_;
};

TEST_F(Tls, CarriesSmallAndLargeFrames) {
  test_certificate own{"one"};
  tls_client client{serve_echo(files_of(own))};
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.alpn(), "http/1.1");
  ASSERT_TRUE(client.send(frame("small")));
  EXPECT_EQ(client.receive(9), frame("small"));
  std::string body(1 << 20, 't');
  ASSERT_TRUE(client.send(frame(body)));
  EXPECT_EQ(client.receive(body.size() + 4), frame(body));
  EXPECT_EQ(record_->frames_in_place, 1);
}

TEST_F(Tls, SaysGoodbyeWithCloseNotify) {
  test_certificate own{"bye"};
  tls_client client{serve_echo(files_of(own))};
  ASSERT_TRUE(client.send(frame("fill 300000") + frame("close")));
  auto all = client.receive_all();
  EXPECT_EQ(all.size(), 300'004U + 7);
  EXPECT_TRUE(client.got_close_notify());
}

TEST_F(Tls, SlowReaderGetsEveryByte) {
  test_certificate own{"slow"};
  tls_client client{serve_echo(files_of(own))};
  ASSERT_TRUE(client.send(frame("fill 8000000") + frame("end")));
  ASSERT_TRUE(test::eventually([&] { return record_->frames >= 1; }));
  EXPECT_EQ(client.receive(8'000'004).size(), 8'000'004U);
  EXPECT_EQ(client.receive(7), frame("end"));
}

TEST_F(Tls, RefusesVersionsBelowOneTwo) {
  test_certificate own{"old"};
  tls_client client{serve_echo(files_of(own)), nullptr, TLS1_1_VERSION};
  EXPECT_FALSE(client.connected());
  EXPECT_TRUE(test::eventually([&] { return stats().tls_failures == 1U; }));
}

TEST_F(Tls, SpeaksOneTwo) {
  test_certificate own{"twelve"};
  tls_client client{serve_echo(files_of(own)), nullptr, TLS1_2_VERSION};
  ASSERT_TRUE(client.connected());
  ASSERT_TRUE(client.send(frame("x")));
  EXPECT_EQ(client.receive(5), frame("x"));
}

TEST_F(Tls, CutsAHandshakeThatStalls) {
  test_certificate own{"stall"};
  auto loaded = tls_context::load(files_of(own));
  door d;
  d.protocols[sniffed::mq] = test::make_echo(record_);
  d.tls = tls_policy::sniffed;
  d.certificate = *loaded;
  d.limits.opening = std::chrono::milliseconds{50};
  test::socket_client client{serve(std::move(d))};
  client.send(std::string{"\x16\x03\x01\0\x80", 5});
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(refused(refusal::opening_timeout));
}

TEST_F(Tls, TellsProtocolsApartInsideToo) {
  test_certificate own{"inside"};
  auto loaded = tls_context::load(files_of(own));
  auto router = std::make_shared<http_router>();
  router->add("GET", "/",
              make_handler([](const http_request&, responder answer) {
                answer.send({200, "text/plain", "hello", {}});
              }));
  door d;
  d.protocols[sniffed::http] = make_http(router);
  d.protocols[sniffed::mq] = test::make_echo(record_);
  d.tls = tls_policy::sniffed;
  d.certificate = *loaded;
  auto at = serve(std::move(d));
  tls_client secure{at};
  ASSERT_TRUE(secure.send("G"));
  ASSERT_TRUE(secure.send("ET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_TRUE(secure.receive_until("hello").starts_with("HTTP/1.1 200"));
  test::socket_client plain{at};
  plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(plain.receive_until("hello").starts_with("HTTP/1.1 200"));
}

TEST_F(Tls, FollowsAProxyHeader) {
  test_certificate own{"behind"};
  auto loaded = tls_context::load(files_of(own));
  door d;
  d.protocols[sniffed::mq] = test::make_echo(record_);
  d.tls = tls_policy::sniffed;
  d.certificate = *loaded;
  d.proxy = proxy_policy::required;
  tls_client client{serve(std::move(d)), nullptr, 0,
                    "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"};
  ASSERT_TRUE(client.connected());
  ASSERT_TRUE(client.send(frame("x")));
  EXPECT_EQ(client.receive(5), frame("x"));
}

TEST_F(Tls, ReloadServesTheNewCertificateAndKeepsOpenConnections) {
  test_certificate own{"before"};
  auto at = serve_echo(files_of(own));
  tls_client before{at};
  EXPECT_EQ(before.server_name(), "CN=before");
  test_certificate fresh{"after"};
  std::filesystem::copy_file(fresh.certificate_path, own.certificate_path,
                             std::filesystem::copy_options::overwrite_existing);
  // The key is still the old one: refused, and nothing changes.
  auto half = context_->reload();
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, core::errc::invalid_config);
  EXPECT_EQ(tls_client{at}.server_name(), "CN=before");
  std::filesystem::copy_file(fresh.key_path, own.key_path,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(context_->reload());
  EXPECT_EQ(tls_client{at}.server_name(), "CN=after");
  EXPECT_EQ(context_->subject(), "CN=after");
  ASSERT_TRUE(before.send(frame("still")));
  EXPECT_EQ(before.receive(9), frame("still"));
}

TEST_F(Tls, NamesTheFileThatIsWrong) {
  auto missing = tls_context::load(
      {"/nowhere.crt", "/nowhere.key", client_certificates::off, {}});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().detail.find("/nowhere.crt"), std::string::npos);
  test_certificate own{"named"};
  std::ofstream{own.key_path} << "no key";
  auto bad_key = tls_context::load(files_of(own));
  ASSERT_FALSE(bad_key);
  EXPECT_NE(bad_key.error().detail.find(own.key_path), std::string::npos);
}

TEST_F(Tls, AsksForClientCertificates) {
  test_certificate authority{"authority"};
  test_certificate own{"server"};
  test_certificate known{"agent", &authority};
  test_certificate stranger{"stranger"};
  auto options = files_of(own);
  options.clients = client_certificates::required;
  options.client_ca_path = authority.certificate_path;
  auto at = serve_echo(options);
  tls_client trusted{at, &known};
  ASSERT_TRUE(trusted.send(frame("x")));
  EXPECT_EQ(trusted.receive(5), frame("x"));
  // With TLS 1.3 the client learns of the refusal only when it reads.
  tls_client nobody{at};
  EXPECT_EQ(nobody.receive(1), "");
  tls_client other{at, &stranger};
  EXPECT_EQ(other.receive(1), "");
}

} // namespace
} // namespace troupe::net
