// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "tests/app/scripted_admin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

namespace troupe::app {
namespace {

using test::answer;
using test::requests;
using test::run_against;

constexpr const char* two_nodes =
    R"({"self":1,"nodes":[{"id":1,"state":"member","linked":false},
        {"id":2,"state":"member","linked":true},
        {"id":3,"state":"member","linked":false},
        {"id":4,"state":"removed","linked":false}]})";
constexpr const char* no_zenconn = R"({"sessions":[],"next":null})";
constexpr const char* anna_and_a_stranger =
    R"({"sessions":[{"id":9,"protocol":"mq","address":"192.0.2.7:1","tls":true,
                     "age_ms":61000,"uid":"anna","device":0},
                    {"id":12,"protocol":"msgbus","address":"192.0.2.8:1",
                     "tls":false,"age_ms":900}],"next":null})";
constexpr const char* a_zenconn =
    R"({"sessions":[{"session":"034ece10-acce-444c-a8ba-51abc444a837",
                     "remote":"192.0.2.9:5","user":"anna",
                     "protocol":"compact"}],"next":null})";
constexpr const char* its_connection =
    R"({"sessions":[{"id":4,"protocol":"zenconn","address":"192.0.2.9:5",
                     "tls":false,"age_ms":5}],"next":null})";

TEST(SessionCommands, ListAsksAllNodesThatCanBeAsked) {
  const auto seen = run_against({{200, two_nodes},
                                 {200, no_zenconn},
                                 {200, anna_and_a_stranger},
                                 {200, a_zenconn},
                                 {200, its_connection}},
                                session_list_options{});
  EXPECT_EQ(seen.requests,
            (requests{"GET /nodes ", "GET /zenconn/sessions?limit=1000 ",
                      "GET /sessions?limit=1000 ",
                      "GET /nodes/2/zenconn/sessions?limit=1000 ",
                      "GET /nodes/2/sessions?limit=1000 "}));
  EXPECT_EQ(seen.exit_code, exit_ok);
  EXPECT_EQ(seen.err, "node 3 can't be asked: no link to it\n");
  EXPECT_EQ(seen.out,
            "NODE  ID  PROTOCOL  USER  ADDRESS      TLS  AGE   SESSION\n"
            "1     9   mq        anna  192.0.2.7:1  yes  1m1s\n"
            "1     12  msgbus          192.0.2.8:1  no   0s\n"
            "2     4   zenconn   anna  192.0.2.9:5  no   0s    "
            "034ece10-acce-444c-a8ba-51abc444a837\n");
}

TEST(SessionCommands, ListTakesNodeUserAndProtocol) {
  session_list_options options;
  options.node = 2;
  options.uid = "anna";
  options.admin.json = true;
  auto seen =
      run_against({{200, no_zenconn}, {200, anna_and_a_stranger}}, options);
  EXPECT_EQ(seen.requests[1], "GET /nodes/2/sessions?limit=1000 ");
  EXPECT_NE(seen.out.find(R"("id":9)"), std::string::npos) << seen.out;
  EXPECT_EQ(seen.out.find(R"("id":12)"), std::string::npos) << seen.out;
  options.uid.clear();
  options.protocol = "msgbus";
  seen = run_against({{200, no_zenconn}, {200, anna_and_a_stranger}}, options);
  EXPECT_EQ(seen.out.find(R"("id":9)"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find(R"("id":12)"), std::string::npos) << seen.out;
}

TEST(SessionCommands, ListFollowsPagesUpToItsLimit) {
  session_list_options options;
  options.node = 1;
  options.limit = 3;
  const std::string first = R"({"sessions":[{"id":1},{"id":2}],"next":"2"})";
  const std::string second = R"({"sessions":[{"id":3},{"id":4}],"next":"4"})";
  const auto seen =
      run_against({{200, no_zenconn}, {200, first}, {200, second}}, options);
  EXPECT_EQ(seen.requests.back(), "GET /nodes/1/sessions?limit=1000&after=2 ");
  EXPECT_EQ(seen.err, "There are more than 3; see --limit\n");
  EXPECT_EQ(seen.out.find("\n1     4"), std::string::npos) << seen.out;
  EXPECT_EQ(seen.exit_code, exit_ok);
}

TEST(SessionCommands, ListSaysWhyANodeDoesNotAnswer) {
  session_list_options options;
  options.node = 7;
  const auto seen = run_against(
      {{503, R"({"error":"unavailable","detail":"no link to node 7"})"}},
      options);
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_NE(seen.err.find("troupe session list: "), std::string::npos);
  EXPECT_NE(seen.err.find("no link to node 7"), std::string::npos);
}

TEST(SessionCommands, ShowFindsANumberWithWhatItsActorSays) {
  const auto seen = run_against(
      {{200, no_zenconn},
       {200, anna_and_a_stranger},
       {200, R"({"path":"x","state":{"logged_in":true,"realm":"default"}})"}},
      session_show_options{{}, 0, "9"});
  EXPECT_EQ(seen.requests.back(), "GET /actors/sessions/9 ");
  EXPECT_NE(seen.out.find("anna"), std::string::npos);
  EXPECT_NE(seen.out.find("actor.logged_in"), std::string::npos);
}

TEST(SessionCommands, ShowFindsAZenConnSessionByItsUuid) {
  const auto seen = run_against(
      {{200, a_zenconn}, {200, its_connection}},
      session_show_options{{}, 2, "034ece10-acce-444c-a8ba-51abc444a837"});
  EXPECT_EQ(seen.exit_code, exit_ok);
  EXPECT_NE(seen.out.find("compact"), std::string::npos) << seen.out;
  const auto none = run_against({{200, a_zenconn}, {200, its_connection}},
                                session_show_options{{}, 0, "5"});
  EXPECT_EQ(none.exit_code, exit_failed);
  EXPECT_NE(none.err.find("no session 5"), std::string::npos) << none.err;
}

TEST(SessionCommands, KickEndsThoseThatAreThereAndNamesTheOthers) {
  const auto seen = run_against(
      {{200, a_zenconn}, {200, its_connection}, {200, R"({"ended":4})"}},
      session_kick_options{{}, {"5", "4"}, {}});
  EXPECT_EQ(seen.requests.back(), "DELETE /sessions/4 ");
  EXPECT_EQ(seen.out, "ended session 4 of anna\n");
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_NE(seen.err.find("no session 5"), std::string::npos) << seen.err;
}

TEST(SessionCommands, KickOfAUserSaysWhereElseHeIs) {
  const auto seen = run_against({{200, no_zenconn},
                                 {200, anna_and_a_stranger},
                                 {200, R"({"ended":9})"},
                                 {200, two_nodes},
                                 {200, a_zenconn},
                                 {200, its_connection}},
                                session_kick_options{{}, {}, "anna"});
  EXPECT_EQ(seen.requests[2], "DELETE /sessions/9 ");
  EXPECT_EQ(seen.out, "ended session 9 of anna\n");
  EXPECT_NE(seen.err.find("anna has 1 at node 2"), std::string::npos);
  EXPECT_EQ(seen.exit_code, exit_failed);
  const auto none = run_against(
      {{200, no_zenconn}, {200, no_zenconn}, {200, R"({"self":0,"nodes":[]})"}},
      session_kick_options{{}, {}, "bob"});
  EXPECT_EQ(none.exit_code, exit_failed);
  EXPECT_NE(none.err.find("bob has no session here"), std::string::npos);
}

constexpr const char* journal =
    R"({"records":[{"event":"started","server":"s","node":1,"at_ms":1000},
        {"event":"opened","session":"a","connected_ms":2000,"user":"anna",
         "remote":"r","protocol":"json"},
        {"event":"opened","session":"b","connected_ms":3000,"user":"bob"},
        {"event":"closed","session":"a","connected_ms":2000,"user":"anna",
         "disconnected_ms":4000,"reason":"gone"}],"next":"0.4"})";
constexpr const char* the_end = R"({"records":[],"next":"0.4"})";

TEST(SessionCommands, RecordsAreATable) {
  const auto seen =
      run_against({{200, journal}, {200, the_end}}, records_options{});
  EXPECT_EQ(seen.requests,
            (requests{"GET /zenconn/records?limit=1000 ",
                      "GET /zenconn/records?limit=1000&after=0.4 "}));
  EXPECT_NE(seen.out.find("1970-01-01T00:00:04.000Z  closed"),
            std::string::npos)
      << seen.out;
  EXPECT_NE(seen.out.find("server s"), std::string::npos);
}

TEST(SessionCommands, RecordsAreChosenByTimeUserAndEvent) {
  records_options options;
  options.lines = true;
  options.from = core::from_millis(2000);
  options.until = core::from_millis(4000);
  auto seen = run_against({{200, journal}, {200, the_end}}, options);
  EXPECT_EQ(std::count(seen.out.begin(), seen.out.end(), '\n'), 2);
  EXPECT_EQ(seen.out.find("started"), std::string::npos);
  EXPECT_EQ(seen.out.find("closed"), std::string::npos);
  options = {};
  options.lines = true;
  options.uid = "anna";
  options.limit = 1; // the newest
  seen = run_against({{200, journal}, {200, the_end}}, options);
  EXPECT_EQ(std::count(seen.out.begin(), seen.out.end(), '\n'), 1);
  EXPECT_NE(seen.out.find("closed"), std::string::npos);
  options = {};
  options.admin.json = true;
  options.event = "opened";
  options.session = "b";
  options.node = 3;
  seen = run_against({{200, journal}, {200, the_end}}, options);
  EXPECT_EQ(seen.requests[0], "GET /nodes/3/zenconn/records?limit=1000 ");
  EXPECT_NE(seen.out.find("bob"), std::string::npos);
  EXPECT_EQ(seen.out.find("anna"), std::string::npos);
  options.since = std::chrono::hours{1};
  seen = run_against({{200, journal}, {200, the_end}}, options);
  EXPECT_EQ(seen.out, "");
}

TEST(SessionCommands, RecordsThatAreNotKeptAreNamed) {
  const auto seen = run_against(
      {{404,
        R"({"error":"not found","detail":"sessions are not recorded here"})"}},
      records_options{});
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_NE(seen.err.find("sessions are not recorded here"), std::string::npos);
}

} // namespace
} // namespace troupe::app
