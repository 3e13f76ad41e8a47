// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "tests/app/scripted_admin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::app {
namespace {

using test::run_against;

const std::string alone = R"({"self":0,"nodes":[]})";
const std::string two_nodes =
    R"({"self":1,"nodes":[{"id":1,"state":"member","linked":true},)"
    R"({"id":2,"state":"member","linked":true}]})";
const std::string nobody = R"({"sessions":[],"next":null})";
const std::string one_client =
    R"({"sessions":[{"client":"pump","user":"anna","remote":"127.0.0.1:5",)"
    R"("version":"5","websocket":false,"tls":true,"connected_ms":0}],)"
    R"("next":null})";

TEST(MqttCommands, SessionsOfAllNodes) {
  const auto seen =
      run_against({{200, two_nodes}, {200, one_client}, {200, nobody}},
                  mqtt_sessions_options{});
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  ASSERT_EQ(seen.requests.size(), 3U);
  EXPECT_EQ(seen.requests[1], "GET /mqtt/sessions?limit=1000 ");
  EXPECT_EQ(seen.requests[2], "GET /nodes/2/mqtt/sessions?limit=1000 ");
  EXPECT_NE(seen.out.find("pump"), std::string::npos);
  EXPECT_NE(seen.out.find("anna"), std::string::npos);
}

TEST(MqttCommands, SessionsOfAUser) {
  const auto seen = run_against({{200, alone}, {200, one_client}},
                                mqtt_sessions_options{{}, "bob", 1000});
  EXPECT_EQ(seen.exit_code, exit_ok);
  EXPECT_EQ(seen.out.find("pump"), std::string::npos);
}

TEST(MqttCommands, KickEndsAClientOfTheNodeThatIsAsked) {
  const auto seen = run_against({{200, two_nodes},
                                 {200, one_client},
                                 {200, nobody},
                                 {200, R"({"ended":"pump"})"}},
                                mqtt_kick_options{{}, "pump"});
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  EXPECT_EQ(seen.requests.back(), "DELETE /mqtt/sessions?client=pump ");
}

TEST(MqttCommands, KickSaysAtWhichNodeAClientIs) {
  const auto seen =
      run_against({{200, two_nodes}, {200, nobody}, {200, one_client}},
                  mqtt_kick_options{{}, "pump"});
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_NE(seen.err.find("node 2"), std::string::npos) << seen.err;
  const auto none = run_against({{200, alone}, {200, one_client}},
                                mqtt_kick_options{{}, "valve"});
  EXPECT_EQ(none.exit_code, exit_failed);
  EXPECT_NE(none.err.find("no client valve"), std::string::npos) << none.err;
}

TEST(MqttCommands, TraceShowsLinesOfAllNodesAndWhatWasTooMuch) {
  const auto seen = run_against(
      {{200, two_nodes},
       {200, R"({"next":2,"left_out":0,"lines":[)"
             R"({"number":1,"at_ms":0,"way":"received","text":"PINGREQ"},)"
             R"({"number":2,"at_ms":1,"way":"sent","text":"PINGRESP"}]})"},
       {200, R"({"next":9,"left_out":8,"lines":[)"
             R"({"number":9,"at_ms":2,"way":"event","text":"is gone"}]})"}},
      mqtt_trace_options{{}, "a/b", 3});
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  EXPECT_EQ(seen.requests[1], "GET /mqtt/trace?client=a%2Fb&after=0 ");
  EXPECT_NE(seen.out.find("node 1  <- PINGREQ\n"), std::string::npos);
  EXPECT_NE(seen.out.find("node 1  -> PINGRESP\n"), std::string::npos);
  EXPECT_NE(seen.out.find("node 2     is gone\n"), std::string::npos);
  EXPECT_NE(seen.err.find("8 more were too fast"), std::string::npos);
}

TEST(MqttCommands, TraceGoesOnFromWhereItWas) {
  const auto seen = run_against(
      {{200, alone},
       {200, R"({"next":5,"left_out":0,"lines":[]})"},
       {200, R"({"next":6,"left_out":0,"lines":[)"
             R"({"number":6,"at_ms":0,"way":"sent","text":"PINGRESP"}]})"}},
      mqtt_trace_options{{}, "a", 1});
  EXPECT_EQ(seen.requests[2], "GET /mqtt/trace?client=a&after=5 ");
  EXPECT_EQ(seen.exit_code, exit_ok);
}

TEST(MqttCommands, WhatIsNotFoundIsSaidOnce) {
  const auto seen =
      run_against({{404, R"({"error":"not found","detail":"pump"})"}},
                  mqtt_kick_options{{}, "pump"});
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_EQ(seen.err, "troupe mqtt kick: not found: pump\n");
}

TEST(MqttCommands, TraceEndsWithTheNodesAnswer) {
  const auto seen = run_against(
      {{200, alone}, {429, R"({"error":"too_many","detail":"as many"})"}},
      mqtt_trace_options{{}, "a", 1});
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_NE(seen.err.find("as many"), std::string::npos) << seen.err;
}

} // namespace
} // namespace troupe::app
