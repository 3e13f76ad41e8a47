// SPDX-License-Identifier: Apache-2.0
#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "tests/app/scripted_admin.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace troupe::app {
namespace {

using test::answer;
using test::outcome;
using test::requests;
using test::run_against;

TEST(AdminCommands, UserAddSendsNameDeviceAndAliases) {
  const auto seen =
      run_against({{200, R"({"uid":"alice","aliases":["al"]})"}},
                  user_add_options{{}, "alice", "n0", {"al", "ice"}});
  EXPECT_EQ(
      seen.requests,
      requests{"POST /users "
               R"({"uid":"alice","device":"n0","aliases":["al","ice"]})"});
  EXPECT_EQ(seen.exit_code, exit_ok);
  EXPECT_EQ(seen.out, "added alice\naliases: al (the others are taken)\n");
  EXPECT_EQ(seen.authorization, "");
}

TEST(AdminCommands, ShowTheTokenIfThereIsOne) {
  user_show_options options{{}, "a"};
  options.admin.token = "hunter2";
  EXPECT_EQ(run_against({{200, "{}"}}, options).authorization,
            "Bearer hunter2");
}

TEST(AdminCommands, SayWhyANodeRefuses) {
  const auto seen =
      run_against({{404, R"({"error":"user unknown","detail":"no/body"})"}},
                  user_remove_options{{}, "no/body"});
  EXPECT_EQ(seen.requests, requests{"DELETE /users/no%2Fbody "});
  EXPECT_EQ(seen.exit_code, exit_failed);
  EXPECT_EQ(seen.err, "troupe user remove: not found: user unknown: no/body\n");
}

TEST(AdminCommands, SurviveAnswersThatAreNoJson) {
  EXPECT_EQ(run_against({{200, "<html>"}}, list_ls_options{}).exit_code,
            exit_failed);
  EXPECT_EQ(run_against({{500, "oops"}}, list_ls_options{}).err,
            "troupe list ls: unavailable: status 500\n");
  EXPECT_EQ(run_against({{200, "[]"}}, list_ls_options{}).exit_code, exit_ok);
}

TEST(AdminCommands, FailWhenNobodyListens) {
  endpoint gone;
  { // A port that was free a moment ago.
    scripted_server node{0, [](auto&) {}};
    gone = node.address();
  }
  list_ls_options options;
  options.admin.address = gone;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  terminal screen{in, out, err};
  EXPECT_EQ(run(options, screen), exit_failed);
  EXPECT_NE(err.str().find("Connection refused"), std::string::npos);
}

TEST(AdminCommands, UserListFollowsThePages) {
  std::string page = R"({"users":[)";
  for (int i = 0; i < 1000; ++i)
    page += std::string{i == 0 ? "" : ","} + R"({"uid":"u)" +
            std::to_string(i) + R"("})";
  page += R"(],"next":"u999"})";
  const auto seen = run_against(
      {{200, page},
       {200, R"({"users":[{"uid":"z","devices":[{}],"aliases":["a","b"]}]})"}},
      user_list_options{{}, "u&", 0});
  EXPECT_EQ(seen.requests,
            (requests{"GET /users?prefix=u%26&after=&limit=1000 ",
                      "GET /users?prefix=u%26&after=u999&limit=1000 "}));
  EXPECT_NE(seen.out.find("UID   DEVICES  ALIASES\n"), std::string::npos);
  EXPECT_NE(seen.out.find("z     1        a b\n"), std::string::npos);
}

TEST(AdminCommands, UserListStopsAtItsLimit) {
  const auto seen =
      run_against({{200, R"({"users":[{"uid":"a"},{"uid":"b"}]})"}},
                  user_list_options{{}, "", 2});
  EXPECT_EQ(seen.requests, requests{"GET /users?prefix=&after=&limit=2 "});
}

TEST(AdminCommands, UserShowPrintsDevices) {
  const auto seen = run_against(
      {{200, R"({"uid":"a","aliases":[],"lists":["team"],"devices":[)"
             R"({"offset":0,"acknowledged":4,"seen_ms":1795230900007},)"
             R"({"offset":1,"acknowledged":0,"seen_ms":0}],)"
             R"("inbox":{"last":7}})"}},
      user_show_options{{}, "a"});
  EXPECT_EQ(seen.out, "a\n  aliases  -\n  lists    team\n\n"
                      "DEVICE  WAITING  LAST SEEN\n"
                      "0       3        2026-11-21T03:15:00.007Z\n"
                      "1       7        never\n");
}

TEST(AdminCommands, ImportSendsStandardInputAndPrintsCounts) {
  const auto seen = run_against({{200, R"({"users":2,"aliases_dropped":1})"}},
                                user_import_options{{}, "-"}, R"({"uid":{}})");
  EXPECT_EQ(seen.requests, requests{R"(POST /users/import {"uid":{}})"});
  EXPECT_EQ(seen.out, "users 2\naliases_dropped 1\n");
}

TEST(AdminCommands, ExportPassesBytesOn) {
  const std::string registry = "{\"uid\":{\"\xFF\":{}}}\n";
  EXPECT_EQ(run_against({{200, registry}}, user_export_options{}).out,
            registry);
}

TEST(AdminCommands, InactiveAndPurgeGiveTheTime) {
  EXPECT_EQ(run_against({{200, R"({"users":[]})"}},
                        user_inactive_options{{}, milliseconds{1500}})
                .requests,
            requests{"GET /users/inactive?unseen_for_ms=1500 "});
  EXPECT_EQ(run_against({{200, R"({"users":[]})"}},
                        user_purge_options{{}, milliseconds{1500}})
                .requests,
            requests{R"(POST /users/purge {"unseen_for_ms":1500})"});
}

TEST(AdminCommands, ReadyAsksUntilTheNodeServes) {
  const std::string not_yet = R"({"ready":false,"reasons":["a","b"]})";
  const auto refused = run_against({{503, not_yet}}, ready_options{});
  EXPECT_EQ(refused.exit_code, exit_failed);
  EXPECT_NE(refused.err.find("a; b"), std::string::npos) << refused.err;
  const auto served = run_against({{503, not_yet}, {200, R"({"ready":true})"}},
                                  ready_options{{}, std::chrono::minutes{1}});
  EXPECT_EQ(served.exit_code, exit_ok);
  EXPECT_EQ(served.out, "ready\n");
}

TEST(AdminCommands, InactiveTakesAllPages) {
  const auto seen =
      run_against({{200, R"({"users":[{"uid":"a b","device":0,"last_seen":0}],)"
                         R"("next":"2.a b"})"},
                   {200, R"({"users":[{"uid":"c","device":1,"last_seen":0}],)"
                         R"("next":null})"}},
                  user_inactive_options{{}, milliseconds{5}});
  EXPECT_EQ(seen.requests,
            (requests{"GET /users/inactive?unseen_for_ms=5 ",
                      "GET /users/inactive?unseen_for_ms=5&after=2.a%20b "}));
  EXPECT_NE(seen.out.find("a b"), std::string::npos);
  EXPECT_NE(seen.out.find("c "), std::string::npos);
}

TEST(AdminCommands, PurgeGoesOnWhileSomebodyIsRemoved) {
  const std::string stuck = R"({"users":[],"more":true})";
  const auto seen = run_against(
      {{200, R"({"users":[{"uid":"a"}],"more":true})"}, {200, stuck}},
      user_purge_options{{}, milliseconds{5}});
  EXPECT_EQ(seen.requests.size(), 2U);
  EXPECT_EQ(seen.out, "removed a\n");
}

TEST(AdminCommands, ListEditsNameTheMember) {
  EXPECT_EQ(
      run_against({{200, "{}"}}, list_add_options{{}, "the list", "bob"})
          .requests,
      requests{
          R"(POST /lists/the%20list/members {"op":"add","member":"bob"})"});
  EXPECT_EQ(
      run_against({{200, "{}"}}, list_remove_options{{}, "l", "bob"}).requests,
      requests{R"(POST /lists/l/members {"op":"remove","member":"bob"})"});
}

TEST(AdminCommands, NodeListIsATable) {
  const std::string nodes =
      R"({"self":1,"nodes":[)"
      R"({"id":1,"name":"a","address":"h:1","state":"member",)"
      R"("linked":true,"round_trip_us":0,"groups":2,"leads":2},)"
      R"({"id":2,"name":"b","address":"h:2","state":"member",)"
      R"("linked":true,"round_trip_us":1249,"groups":2,"leads":0},)"
      R"({"id":3,"name":"c","address":"h:3","state":"removed",)"
      R"("linked":false,"round_trip_us":0,"groups":0,"leads":0}]})";
  const auto seen = run_against(
      {{200, nodes},
       {200, R"({"shards":[{"group":0,"voters":[1,2],"wanted":[1,2]},)"
             R"({"group":1,"voters":[1],"wanted":[1,2]}]})"}},
      node_list_options{});
  EXPECT_EQ(seen.requests, (requests{"GET /nodes ", "GET /shards "}));
  EXPECT_EQ(seen.out,
            "ID  NAME  ADDRESS  STATE    LINK  ROUND TRIP  GROUPS  LEADS\n"
            "1   a     h:1      member   self  -           2       2\n"
            "2   b     h:2      member   up    1.2ms       1 of 2  0\n"
            "3   c     h:3      removed  down  -           0       0\n");
  const auto unknown =
      run_against({{200, nodes}, {500, "{}"}}, node_list_options{});
  EXPECT_NE(unknown.out.find("1.2ms       2       0"), std::string::npos);
}

TEST(AdminCommands, DrainWaitsUntilNothingIsLeft) {
  const std::string directory = R"({"group":0,"voters":[1,2],"learners":[]},)";
  const auto seen =
      run_against({{200, R"({"id":2,"state":"draining"})"},
                   {200, R"({"shards":[)" + directory +
                             R"({"group":1,"voters":[1,2],"learners":[],)"
                             R"("placement":[1]}]})"},
                   {200, R"({"shards":[)" + directory +
                             R"({"group":1,"voters":[1],"learners":[],)"
                             R"("placement":[1]}]})"}},
                  node_drain_options{{}, 2, true});
  EXPECT_EQ(seen.requests, (requests{"POST /nodes/2/drain {}", "GET /shards ",
                                     "GET /shards "}));
  EXPECT_EQ(seen.exit_code, exit_ok);
  EXPECT_EQ(seen.err, "node 2 keeps 1 group\nnode 2 keeps 0 groups\n");
  EXPECT_EQ(seen.out, "node 2 is drained\n");
}

TEST(AdminCommands, DrainAsksALeaderAboutGroupsThatTheNodeDoesNotKeep) {
  const auto seen = run_against(
      {{200, "{}"},
       // Placed elsewhere already; who votes in it is not known here.
       {200, R"({"shards":[{"group":1,"leader":3,"voters":[],"learners":[],)"
             R"("placement":[3,4]}]})"},
       {200, R"({"shards":[{"group":1,"leader":3,"voters":[2,3],)"
             R"("learners":[4],"placement":[3,4]}]})"},
       {200, R"({"shards":[{"group":1,"leader":3,"voters":[],"learners":[],)"
             R"("placement":[3,4]}]})"},
       {200, R"({"shards":[{"group":1,"leader":3,"voters":[3,4],)"
             R"("learners":[],"placement":[3,4]}]})"}},
      node_drain_options{{}, 2, true});
  EXPECT_EQ(seen.requests, (requests{"POST /nodes/2/drain {}", "GET /shards ",
                                     "GET /nodes/3/shards ", "GET /shards ",
                                     "GET /nodes/3/shards "}));
  EXPECT_EQ(seen.err, "node 2 keeps 1 group\nnode 2 keeps 0 groups\n");
}

TEST(AdminCommands, ReplaceWaitsUntilTheGroupsAreWhole) {
  const std::string before =
      R"({"shards":[{"group":0,"leader":2,"voters":[1,2,3],"learners":[4],)"
      R"("placement":[1,2,3,4]},{"group":1,"leader":2,"voters":[1,2,3],)"
      R"("learners":[],"placement":[1,4,3]}]})";
  const std::string between =
      R"({"shards":[{"group":0,"leader":1,"voters":[1,3,4],"learners":[2],)"
      R"("placement":[1,3,4,2]},{"group":1,"leader":1,"voters":[1,2,3,4],)"
      R"("learners":[],"placement":[1,4,3]}]})";
  const std::string whole =
      R"({"shards":[{"group":0,"leader":1,"voters":[1,3,4],"learners":[2],)"
      R"("placement":[1,3,4,2]},{"group":1,"leader":1,"voters":[1,3,4],)"
      R"("learners":[],"placement":[1,4,3]}]})";
  const auto seen =
      run_against({{200, "{}"}, {200, before}, {200, between}, {200, whole}},
                  node_replace_options{{}, 2, 4});
  EXPECT_EQ(seen.requests.front(), "POST /nodes/2/replace?by=4 {}");
  EXPECT_EQ(seen.requests.size(), 4U);
  EXPECT_EQ(seen.err,
            "node 2 keeps 2 groups and leads 2; node 4 has 0, 1 on the move\n"
            "node 2 keeps 1 group and leads 0; node 4 has 1, 1 on the move\n"
            "node 2 keeps 0 groups and leads 0; node 4 has 1, 0 on the "
            "move\n");
  EXPECT_NE(seen.out.find("whole without node 2"), std::string::npos);
  EXPECT_EQ(seen.exit_code, exit_ok);
}

TEST(AdminCommands, UndrainWaitsUntilTheNodeVotesWhereverItShall) {
  const auto nodes = [](const std::string& state) {
    return R"({"nodes":[{"id":1,"state":"member"},{"id":2,"state":")" + state +
           "\"}]}";
  };
  const auto shards = [](const std::string& wanted, const std::string& voters) {
    return R"({"shards":[{"group":0,"leader":1,"voters":)" + voters +
           R"(,"wanted":)" + wanted +
           R"(},{"group":1,"leader":1,"voters":[1],"wanted":[1]}]})";
  };
  // The node that is asked has not heard of it at first.
  const auto seen = run_against({{200, "{}"},
                                 {200, nodes("draining")},
                                 {200, shards("[1]", "[1]")},
                                 {200, nodes("member")},
                                 {200, shards("[1,2]", "[1]")},
                                 {200, nodes("member")},
                                 {200, shards("[1,2]", "[1,2]")}},
                                node_undrain_options{{}, 2, true});
  EXPECT_EQ(
      seen.requests,
      (requests{"POST /nodes/2/undrain {}", "GET /nodes ", "GET /shards ",
                "GET /nodes ", "GET /shards ", "GET /nodes ", "GET /shards "}));
  EXPECT_EQ(seen.err, "node 2 votes in 0 of 1 group\n"
                      "node 2 votes in 1 of 1 group\n");
  EXPECT_EQ(seen.out, "node 2 is a member and has its share\n");
  EXPECT_EQ(seen.exit_code, exit_ok);
}

TEST(AdminCommands, ReplaceSaysWhyNot) {
  const auto refused = run_against(
      {{404, R"({"error":"not found","detail":"node 9 is not known"})"}},
      node_replace_options{{}, 2, 9});
  EXPECT_EQ(refused.exit_code, exit_failed);
  EXPECT_NE(refused.err.find("node 9 is not known"), std::string::npos);
  EXPECT_EQ(run_against({{200, "{}"}}, node_undrain_options{{}, 2}).requests,
            requests{"POST /nodes/2/undrain {}"});
}

TEST(AdminCommands, RemoveAndRebalanceAskOnce) {
  EXPECT_EQ(run_against({{200, "{}"}}, node_remove_options{{}, 3, false, true})
                .requests,
            requests{"POST /nodes/3/remove?force=true {}"});
  const auto refused = run_against(
      {{409, R"({"error":"not permitted","detail":"node 3 serves"})"}},
      node_remove_options{{}, 3, false, false});
  EXPECT_EQ(refused.exit_code, exit_failed);
  EXPECT_NE(refused.err.find("node 3 serves"), std::string::npos);
  EXPECT_EQ(run_against({{202, "{}"}}, rebalance_options{}).requests,
            requests{"POST /rebalance {}"});
}

TEST(AdminCommands, JsonPrintsTheAnswer) {
  list_show_options options{{}, "l"};
  options.admin.json = true;
  EXPECT_EQ(run_against({{200, R"({"members":[]})"}}, options).out,
            "{\"members\":[]}\n");
}

TEST(AdminCommands, ListsAreShownPageByPage) {
  const auto seen = run_against(
      {{200, R"({"name":"l","members":[{"uid":"a"}],"next":"a/"})"},
       {200, R"({"name":"l","members":[{"uid":"b"}],"next":null})"}},
      list_show_options{{}, "l"});
  EXPECT_EQ(seen.requests,
            (requests{"GET /lists/l ", "GET /lists/l?after=a%2F "}));
  EXPECT_NE(seen.out.find("\na"), std::string::npos) << seen.out;
  EXPECT_NE(seen.out.find("\nb"), std::string::npos) << seen.out;
  EXPECT_EQ(run_against({{200, R"({"lists":[{"name":"l"}],"next":"l"})"},
                         {200, R"({"lists":[{"name":"m"}],"next":null})"}},
                        list_ls_options{})
                .requests,
            (requests{"GET /lists ", "GET /lists?after=l "}));
}

TEST(PercentEncoding, KeepsTheUnreservedOnly) {
  EXPECT_EQ(percent_encoded("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encoded("a/b ?&\xC3\xA4"), "a%2Fb%20%3F%26%C3%A4");
}

TEST(ConfigCommands, CheckNamesMistakesAndExitsWithTwo) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  terminal screen{in, out, err};
  EXPECT_EQ(run(config_check_options{"/nowhere"}, screen), exit_usage);
  EXPECT_EQ(err.str(), "/nowhere: cannot be read: No such file or directory\n");
  config_explain_options options;
  options.name = "log.levle";
  EXPECT_EQ(run(options, screen), exit_usage);
  EXPECT_NE(err.str().find("did you mean 'log.level'?"), std::string::npos);
}

} // namespace
} // namespace troupe::app
