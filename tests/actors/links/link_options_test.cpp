// SPDX-License-Identifier: Apache-2.0
#include "actors/links/link_options.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::links {
namespace {

link_options good() {
  link_options options;
  options.self = core::node_id{1};
  options.secret = "s";
  options.listen = "127.0.0.1:0";
  return options;
}

TEST(LinkOptions, AreGoodByDefault) { EXPECT_TRUE(check(good())); }

TEST(LinkOptions, FindASilentPeerInThreeSeconds) {
  const auto options = good();
  EXPECT_LT(options.silence_max + options.beat_interval,
            std::chrono::seconds{3});
}

TEST(LinkOptions, NeedASecret) {
  auto options = good();
  options.secret.clear();
  EXPECT_FALSE(check(options));
}

TEST(LinkOptions, NeedAnIdAndAnAddress) {
  auto options = good();
  options.self = {};
  EXPECT_FALSE(check(options));
  options = good();
  options.listen = "7001";
  EXPECT_FALSE(check(options));
  options = good();
  options.advertise = "host";
  EXPECT_FALSE(check(options));
}

TEST(LinkOptions, NeedAWindowForOneBatch) {
  auto options = good();
  options.window[1] = 1000;
  EXPECT_FALSE(check(options));
}

TEST(HostPort, ReadsNamesAndAddresses) {
  for (const auto& [text, host, port] :
       {std::tuple{"10.0.0.1:7001", "10.0.0.1", 7001},
        std::tuple{"node-1:0", "node-1", 0},
        std::tuple{"[::1]:65535", "::1", 65535}, std::tuple{":9", "", 9}}) {
    const auto read = parse_host_port(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->host, host);
    EXPECT_EQ(read->port, port);
  }
}

TEST(HostPort, RefusesTheRest) {
  for (const char* text : {"", "host", "host:", "host:x", "host:65536",
                           "::1:80", "host:-1", "host:1x"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

} // namespace
} // namespace troupe::actors::links
