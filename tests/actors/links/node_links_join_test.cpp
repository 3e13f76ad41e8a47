// SPDX-License-Identifier: Apache-2.0
// Join calls, and everything again with TLS.
#include "actors/links/join_client.hpp"
#include "tests/actors/links/link_node.hpp"
#include "tests/actors/links/raw_peer.hpp"
#include "tests/support/test_certificates.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace troupe::actors::links {
namespace {

using test_support::eventually;
using test_support::link_node;
using test_support::raw_peer;
using test_support::test_authority;
using namespace std::chrono_literals;

join_options asking(link_node& whom) {
  join_options options;
  options.addresses = {whom.address()};
  options.secret = "a secret of the tests";
  options.advertise = "127.0.0.1:7009";
  options.timeout = 5s;
  return options;
}

core::result<join_reply> ask(const join_options& options,
                             const std::string& text) {
  return ask_to_join(options, core::as_bytes(text));
}

/// Answers "welcome, <request>", refuses "bad", never answers "silence".
void serve(node_links& links) {
  links.on_join([](join_call call) {
    const std::string text{call.request.text()};
    if (text == "bad")
      call.answer(core::error{core::errc::not_permitted, "we know you"});
    else if (text == "huge")
      call.answer(core::shared_bytes::copy_of(std::string(2U << 20U, 'x')));
    else if (text != "silence")
      call.answer(core::shared_bytes::copy_of("welcome, " + text + " of " +
                                              call.who.address));
  });
}

TEST(JoinCall, GetsAnAnswer) {
  link_node one{{.id = 1, .prepare = serve}};
  const auto reply = ask(asking(one), "newcomer");
  ASSERT_TRUE(reply) << core::to_string(reply.error());
  EXPECT_EQ(reply->answer.text(), "welcome, newcomer of 127.0.0.1:7009");
  EXPECT_EQ(reply->from.node, one.id());
  EXPECT_EQ(reply->cluster[0], std::byte{7});
}

TEST(JoinCall, CarriesALargeRequest) {
  link_node one{{.id = 1, .prepare = serve}};
  const std::string large(900'000, 'r');
  const auto reply = ask(asking(one), large);
  ASSERT_TRUE(reply) << core::to_string(reply.error());
  EXPECT_EQ(reply->answer.size(), large.size() + 27);
}

TEST(JoinCall, TriesTheNextAddress) {
  link_node one{{.id = 1, .prepare = serve}};
  auto options = asking(one);
  options.addresses.insert(options.addresses.begin(), "127.0.0.1:1");
  EXPECT_TRUE(ask(options, "x"));
}

TEST(JoinCall, SaysThatNobodyIsThere) {
  link_node one{{.id = 1, .prepare = serve}};
  auto options = asking(one);
  options.addresses = {"127.0.0.1:1"};
  const auto reply = ask(options, "x");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, core::errc::unavailable);
  EXPECT_NE(reply.error().detail.find("refused"), std::string::npos);
}

TEST(JoinCall, NeedsTheSecretAndTheCluster) {
  link_node one{{.id = 1, .prepare = serve}};
  auto options = asking(one);
  options.secret = "guess";
  auto reply = ask(options, "x");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, core::errc::not_permitted);
  EXPECT_NE(reply.error().detail.find("wrong cluster secret"),
            std::string::npos);
  options = asking(one);
  options.cluster.fill(std::byte{66});
  reply = ask(options, "x");
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().detail.find("wrong cluster"), std::string::npos);
}

TEST(JoinCall, BringsBackARefusal) {
  link_node one{{.id = 1, .prepare = serve}};
  const auto reply = ask(asking(one), "bad");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, core::errc::not_permitted);
  EXPECT_NE(reply.error().detail.find("we know you"), std::string::npos);
  const auto huge = ask(asking(one), "huge");
  EXPECT_FALSE(huge);
}

TEST(JoinCall, IsRefusedWhereNobodyTakesThem) {
  link_node one{{.id = 1}};
  const auto reply = ask(asking(one), "x");
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().detail.find("no join calls"), std::string::npos);
}

TEST(JoinCall, EndsInTimeOnBothSides) {
  link_node one{
      {.id = 1,
       .adjust = [](link_options& options) { options.join_timeout = 200ms; },
       .prepare = serve}};
  const auto reply = ask(asking(one), "silence");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, core::errc::timed_out);
  auto options = asking(one);
  options.timeout = 50ms;
  EXPECT_EQ(ask(options, "silence").error().code, core::errc::timed_out);
}

TEST(JoinCall, RefusesARequestWithoutItsTag) {
  link_node one{{.id = 1, .prepare = serve}};
  handshake_options self;
  self.secret = "a secret of the tests";
  dialer_handshake dialer{self, purpose::join, {}};
  raw_peer peer{one.links().port()};
  ASSERT_EQ(peer.shake_hands(dialer).what, handshake_step::outcome::done);
  peer.send(encode_frame(frame_type::join_request, std::string(100, 'x')));
  const auto got = peer.receive_frame();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->type, frame_type::refusal);
  EXPECT_TRUE(peer.wait_for_end());
}

// ------------------------------------------------------------------------ TLS

link_tls tls_of(test_authority& authority, const std::string& name) {
  const auto files = authority.issue(name);
  return {files.certificate, files.key, authority.file(), {}};
}

TEST(LinkTls, NeedsAllThreeFiles) {
  test_authority authority;
  const auto good = tls_of(authority, "one");
  EXPECT_TRUE(check(good));
  for (auto missing :
       {&link_tls::certificate, &link_tls::key, &link_tls::authority}) {
    auto tls = good;
    (tls.*missing).clear();
    EXPECT_FALSE(check(tls));
    caf::actor_system_config config;
    EXPECT_FALSE(enable_links(config, tls)) << "no anonymous ciphers";
    tls.*missing = "/nowhere.pem";
    EXPECT_FALSE(check(tls));
  }
}

TEST(LinkTls, RefusesAKeyOfAnotherCertificate) {
  test_authority authority;
  auto tls = tls_of(authority, "one");
  tls.key = authority.issue("two").key;
  const auto outcome = check(tls);
  ASSERT_FALSE(outcome);
}

TEST(LinkTls, CarriesLinks) {
  test_authority authority;
  link_node one{{.id = 1, .tls = tls_of(authority, "one")}};
  link_node two{{.id = 2, .tls = tls_of(authority, "two")}};
  one.meet(two);
  ASSERT_TRUE(one.wait_for_link(two)) << one.log_text() << two.log_text();
  EXPECT_TRUE(one.peer(two).encrypted);
  EXPECT_TRUE(two.peer(one).encrypted);
  const std::string large(5U << 20U, 't');
  ASSERT_TRUE(one.send(two, kind::publish, 1, large));
  ASSERT_TRUE(two.send(one, kind::raft, 1, "small"));
  ASSERT_TRUE(eventually([&] {
    return two.message_count() == 1 && one.message_count() == 1;
  })) << one.log_text()
      << two.log_text();
  EXPECT_TRUE(two.messages().front().body.text() == large);
}

TEST(LinkTls, RefusesAForeignAuthority) {
  test_authority ours;
  test_authority theirs;
  link_node one{{.id = 1, .tls = tls_of(ours, "one")}};
  link_node two{{.id = 2, .tls = tls_of(theirs, "two")}};
  one.meet(two);
  EXPECT_TRUE(eventually([&] {
    return one.logged("TLS failed") && two.logged("TLS failed");
  })) << one.log_text()
      << two.log_text();
  EXPECT_FALSE(one.linked_to(two));
}

TEST(LinkTls, RefusesAPeerWhoseCertificateIsForeignToOneSideOnly) {
  test_authority ours;
  test_authority theirs;
  auto stranger = tls_of(theirs, "two");
  stranger.authority = ours.file(); // trusts us, has nothing to show
  link_node one{{.id = 1, .tls = tls_of(ours, "one")}};
  link_node two{{.id = 2, .tls = stranger}};
  one.meet(two);
  EXPECT_TRUE(eventually([&] { return one.logged("TLS failed"); }));
  EXPECT_FALSE(one.linked_to(two));
}

TEST(LinkTls, StillNeedsTheSecret) {
  test_authority authority;
  link_node one{{.id = 1, .tls = tls_of(authority, "one")}};
  link_node two{
      {.id = 2, .tls = tls_of(authority, "two"), .secret = "another secret"}};
  one.meet(two);
  EXPECT_TRUE(eventually([&] {
    return one.logged("wrong cluster secret") &&
           two.logged("wrong cluster secret");
  })) << one.log_text()
      << two.log_text();
}

TEST(LinkTls, SaysThatOneSideSpeaksPlain) {
  test_authority authority;
  link_node one{{.id = 1, .tls = tls_of(authority, "one")}};
  link_node two{{.id = 2}};
  two.links().set_peer(one.id(), {one.address()});
  EXPECT_TRUE(eventually([&] { return two.logged("TLS required"); }))
      << two.log_text();
  EXPECT_TRUE(eventually([&] { return one.logged("TLS required"); }));
  one.links().set_peer(two.id(), {two.address()});
  EXPECT_TRUE(eventually([&] { return two.logged("TLS not spoken here"); }))
      << two.log_text();
  EXPECT_FALSE(one.linked_to(two));
}

TEST(LinkTls, SurvivesARestart) {
  test_authority authority;
  link_node one{{.id = 1, .tls = tls_of(authority, "one")}};
  auto two = std::make_unique<link_node>(
      link_node::settings{.id = 2, .tls = tls_of(authority, "two")});
  const auto port = two->links().port();
  one.meet(*two);
  ASSERT_TRUE(one.wait_for_link(*two));
  two.reset();
  ASSERT_TRUE(eventually([&] { return one.events().size() == 2; }));
  two = std::make_unique<link_node>(link_node::settings{
      .id = 2, .tls = tls_of(authority, "two"), .port = port});
  two->links().set_peer(one.id(), {one.address()});
  ASSERT_TRUE(one.wait_for_link(*two)) << one.log_text() << "\n"
                                       << two->log_text();
  EXPECT_TRUE(one.send(*two, kind::raft, 1, "x"));
  EXPECT_TRUE(eventually([&] { return two->message_count() == 1; }));
}

TEST(LinkTls, KeepsOtherLinksWhenOneEndsBadly) {
  test_authority authority;
  link_node one{{.id = 1, .tls = tls_of(authority, "one")}};
  link_node two{{.id = 2, .tls = tls_of(authority, "two")}};
  auto three = std::make_unique<link_node>(
      link_node::settings{.id = 3, .tls = tls_of(authority, "three")});
  one.meet(two);
  one.meet(*three);
  ASSERT_TRUE(one.wait_for_link(two));
  ASSERT_TRUE(one.wait_for_link(*three));
  const auto link = one.peer(two).link;
  three.reset();
  ASSERT_TRUE(eventually([&] { return one.events().size() == 3; }));
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(one.send(two, kind::raft, 1, "x"));
  ASSERT_TRUE(eventually([&] { return two.message_count() == 10; }));
  EXPECT_EQ(one.peer(two).link, link);
}

TEST(LinkTls, CarriesJoinCalls) {
  test_authority authority;
  link_node one{{.id = 1, .tls = tls_of(authority, "one"), .prepare = serve}};
  auto options = asking(one);
  options.tls = tls_of(authority, "newcomer");
  const auto reply = ask(options, "newcomer");
  ASSERT_TRUE(reply) << core::to_string(reply.error());
  test_authority theirs;
  options.tls = tls_of(theirs, "stranger");
  EXPECT_FALSE(ask(options, "stranger"));
  options.tls = {};
  EXPECT_FALSE(ask(options, "plain"));
}

} // namespace
} // namespace troupe::actors::links
