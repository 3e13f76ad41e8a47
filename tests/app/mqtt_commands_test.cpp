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

/// One that stays and is there, and one that is away.
const std::string records =
    R"({"sessions":[{"client":"pump","user":"anna","version":"5",)"
    R"("connected":true,"created_ms":5,"queued":3,"shard":1},)"
    R"({"client":"valve","user":"bob","version":"3.1.1","connected":false,)"
    R"("created_ms":5,"closed_ms":9,"ends_ms":99,"queued":12,"shard":2}],)"
    R"("next":null,"silent":[4]})";

TEST(MqttCommands, SessionsOfAllNodesAndThoseThatAreAway) {
  const auto seen = run_against(
      {{200, two_nodes}, {200, one_client}, {200, nobody}, {200, records}},
      mqtt_sessions_options{});
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  ASSERT_EQ(seen.requests.size(), 4U);
  EXPECT_EQ(seen.requests[1], "GET /mqtt/sessions?limit=1000 ");
  EXPECT_EQ(seen.requests[2], "GET /nodes/2/mqtt/sessions?limit=1000 ");
  EXPECT_EQ(seen.requests[3], "GET /mqtt/sessions?limit=1000&scope=kept ");
  EXPECT_NE(seen.out.find("pump    kept"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find("valve   away"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find("12"), std::string::npos);
  EXPECT_NE(seen.err.find("shard 4"), std::string::npos);
}

TEST(MqttCommands, SessionsAreNarrowed) {
  const auto those = [](mqtt_sessions_options options) {
    return run_against({{200, alone}, {200, one_client}, {200, records}},
                       options)
        .out;
  };
  mqtt_sessions_options bobs;
  bobs.user = "bob";
  EXPECT_EQ(those(bobs).find("pump"), std::string::npos);
  EXPECT_NE(those(bobs).find("valve"), std::string::npos);
  mqtt_sessions_options there;
  there.connected = true;
  EXPECT_NE(those(there).find("pump"), std::string::npos);
  EXPECT_EQ(those(there).find("valve"), std::string::npos);
  mqtt_sessions_options kept;
  kept.kept = true;
  const auto none =
      run_against({{200, alone}, {200, one_client}, {200, nobody}}, kept);
  EXPECT_EQ(none.out.find("pump"), std::string::npos);
  mqtt_sessions_options one;
  one.limit = 1;
  const auto cut =
      run_against({{200, alone}, {200, one_client}, {200, records}}, one);
  EXPECT_NE(cut.err.find("more than 1"), std::string::npos);
}

TEST(MqttCommands, KickEndsAClientWhereverItIs) {
  const auto seen = run_against({{200, R"({"ended":"pump"})"}},
                                mqtt_kick_options{{}, "pump"});
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  EXPECT_EQ(seen.requests.back(), "DELETE /mqtt/sessions?client=pump ");
}

TEST(MqttCommands, ExplainAsksAndTellsAllThereIs) {
  explain_options asked;
  asked.topic = "a/b";
  asked.qos = 1;
  asked.user = "anna";
  asked.client = "lamp";
  asked.node = 2;
  const auto seen = run_against(
      {{200,
        R"({"node":2,"topic":"a/b","qos":1,"retain":true,"published":true,)"
        R"("why":"","publisher":{"user":"anna","client":"lamp",)"
        R"("connection":null,"ban":null,"granted_by":"a/#","grants":[)"
        R"({"from":"role user","grant":"publish:a/#","permits":true}]},)"
        R"("key":{"becomes":"set","shard":3,"leader":1,"revision":7,)"
        R"("said":true},"listeners":{"total":9,"given":8,"dropped":1,"rows":[)"
        R"({"door":"mqtt","session":5,"client":"pump","user":"bob",)"
        R"("becomes":"dropped","why":"no local","qos":0,"filters":["a/+"]}]},)"
        R"("nodes":[{"node":3,"said":false,"why":"no answer"}],)"
        R"("shares":[{"share":"crew","filter":"a/b","by":"connections",)"
        R"("total":2,"next":{"node":1,"which":0}}],)"
        R"("sessions":{"total":1,"queued":1,"rows":[{"client":"valve",)"
        R"("said":true,"connected":false,"queued":4,"shard":2,)"
        R"("becomes":"queued","qos":1,"why":""}]}})"}},
      asked);
  EXPECT_EQ(seen.exit_code, exit_ok) << seen.err;
  EXPECT_EQ(seen.requests.back(),
            "GET /nodes/2/explain?topic=a%2Fb&qos=1&bytes=0&user=anna&"
            "client=lamp&limit=20 ");
  for (const auto* each :
       {"by anna as client lamp at node 2 (not connected)",
        "It is published: a/# is granted.", "role user",
        "set in shard 3, led by node 1; revision 7",
        "Listeners at node 2: 9 (8 given, 1 dropped)", "no local",
        "Listeners at node 3: no answer", "crew", "node 1, 0",
        "Sessions that stay: 1, queued for 1", "valve"})
    EXPECT_NE(seen.out.find(each), std::string::npos) << each << seen.out;
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

TEST(MqttCommands, WhatIsWrongWithARequestIsNotTheNodes) {
  const auto seen = run_against(
      {{400, R"({"error":"malformed","detail":"client: one that is a word"})"}},
      mqtt_kick_options{{}, "pump"});
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_EQ(seen.err,
            "troupe mqtt kick: malformed: client: one that is a word\n");
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
