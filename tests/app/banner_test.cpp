// SPDX-License-Identifier: Apache-2.0
#include "app/banner.hpp"
#include "app/version.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

const node_facts node{core::node_id{1}, "box", "/var/lib/troupe"};

TEST(Banner, ShowsEveryListenerTheNodeAndWhatToTry) {
  const bound_addresses bound{{"127.0.0.1", 8080},
                              endpoint{"127.0.0.1", 8008},
                              endpoint{"::1", 8443},
                              endpoint{"127.0.0.1", 9090}};
  EXPECT_EQ(
      banner_text({}, bound, node),
      "Troupe " + std::string{version()} + " (" + std::string{commit()} +
          ")\n\n"
          "  public    127.0.0.1:8080            websocket.MQ, also at /mq; "
          "channels at /msgbus/; ZenConn at /; MQTT, also at /mqtt\n"
          "  mq        127.0.0.1:8008            websocket.MQ\n"
          "  tls       [::1]:8443                the same as public, inside "
          "TLS\n"
          "  admin     http://127.0.0.1:9090     no token\n"
          "  node      1 box\n"
          "  data      /var/lib/troupe\n"
          "\n"
          "  Try next, in another terminal:\n"
          "    troupe post --server 127.0.0.1:8080 --as alice --device laptop "
          "--create --to alice hello\n"
          "\n"
          "troupe ready public=127.0.0.1:8080 mq=127.0.0.1:8008 "
          "tls=[::1]:8443 admin=http://127.0.0.1:9090\n");
}

TEST(Banner, LeavesOutWhatIsNotThere) {
  const auto text = banner_text({}, {{"127.0.0.1", 1}, {}, {}, {}}, node);
  EXPECT_EQ(text.find("  mq "), std::string::npos);
  EXPECT_EQ(text.find("admin"), std::string::npos);
  EXPECT_NE(text.find("troupe ready public=127.0.0.1:1\n"), std::string::npos);
}

TEST(Banner, NamesAnAddressClientsCanUse) {
  const auto text =
      banner_text({}, {{"0.0.0.0", 80}, {}, {}, endpoint{"::", 90}}, node);
  EXPECT_NE(text.find("--server 127.0.0.1:80 "), std::string::npos);
  EXPECT_NE(text.find("admin=http://[::1]:90\n"), std::string::npos);
}

TEST(Banner, ShowsACommandThatTheShellFinds) {
  auto facts = node;
  facts.command = "build/release/troupe";
  const auto text = banner_text({}, {{"127.0.0.1", 1}, {}, {}, {}}, facts);
  EXPECT_NE(text.find("    build/release/troupe post --server 127.0.0.1:1 "),
            std::string::npos);
}

TEST(Banner, ShowsTheClusterAndHowTheNodeIsInIt) {
  bound_addresses bound{{"127.0.0.1", 1}, {}, {}, {}};
  bound.cluster = endpoint{"127.0.0.1", 7001};
  auto facts = node;
  facts.cluster =
      cluster_facts{"0123456789abcdef0123456789abcdef", true, {}, false};
  const auto founder = banner_text({}, bound, facts);
  EXPECT_NE(founder.find("  cluster   127.0.0.1:7001            "
                         "founded 01234567…\n"),
            std::string::npos)
      << founder;
  EXPECT_NE(founder.find("troupe ready public=127.0.0.1:1 "
                         "cluster=127.0.0.1:7001\n"),
            std::string::npos);
  facts.cluster->founded = false;
  facts.cluster->peers = {core::node_id{1}, core::node_id{3}};
  EXPECT_NE(banner_text({}, bound, facts)
                .find("member of 01234567…, with nodes 1, 3\n"),
            std::string::npos);
}

TEST(Banner, NeverShowsTheToken) {
  settings values;
  values.admin.token = "hunter2";
  auto facts = node;
  facts.asks_for_admin_token = true;
  const auto text = banner_text(
      values, {{"127.0.0.1", 1}, {}, {}, endpoint{"127.0.0.1", 2}}, facts);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_NE(text.find("asks for a token"), std::string::npos);
}

TEST(SecurityNotices, AreLoudAboutTheNetworkAndQuietOnLoopback) {
  const endpoint local{"127.0.0.1", 1};
  const endpoint open{"0.0.0.0", 2};
  EXPECT_TRUE(security_notices({}, {local, local, open, local}).empty());
  // Without TLS; strangers from the network are not let in.
  EXPECT_EQ(security_notices({}, {open, {}, {}, {}}).size(), 1U);
  EXPECT_EQ(security_notices({}, {local, open, {}, {}}).size(), 1U);
  EXPECT_EQ(security_notices({}, {open, {}, {}, open}).size(), 2U);
  bound_addresses channels{local, {}, {}, {}};
  channels.msgbus = open;
  EXPECT_TRUE(security_notices({}, channels).empty());
  settings hospitable;
  hospitable.auth.anonymous = core::anonymous_policy::allow;
  EXPECT_EQ(security_notices(hospitable, channels).size(), 1U);
  EXPECT_EQ(security_notices(hospitable, {open, {}, {}, {}}).size(), 2U);
  bound_addresses things{local, {}, {}, {}};
  things.mqtts = open;
  EXPECT_TRUE(security_notices({}, things).empty());
  EXPECT_EQ(security_notices(hospitable, things).size(), 1U);
  things.mqtt = open; // and in clear text
  EXPECT_EQ(security_notices({}, things).size(), 1U);
  EXPECT_EQ(security_notices(hospitable, things).size(), 2U);
  hospitable.msgbus.public_port = hospitable.zenconn.enabled = false;
  EXPECT_EQ(security_notices(hospitable, {open, {}, {}, {}}).size(), 2U);
  hospitable.mqtt.enabled = false;
  EXPECT_EQ(security_notices(hospitable, {open, {}, {}, {}}).size(), 1U);
  bound_addresses linked{local, {}, {}, {}};
  linked.cluster = open;
  EXPECT_EQ(security_notices({}, linked).size(), 1U);
  settings values;
  values.cluster.tls_ca = "ca.pem";
  EXPECT_TRUE(security_notices(values, linked).empty());
  values.listen.proxy_protocol = proxy_protocol_mode::required;
  EXPECT_EQ(security_notices(values, {local, {}, {}, {}}).size(), 1U);
  EXPECT_NE(banner_text({}, {open, {}, {}, {}}, node).find("WARNING: "),
            std::string::npos);
}

} // namespace
} // namespace troupe::app
