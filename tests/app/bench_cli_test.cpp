// SPDX-License-Identifier: Apache-2.0
#include "app/bench_cli.hpp"
#include "app/cli.hpp"

#include <gtest/gtest.h>

namespace troupe::app {
namespace {

template <class Load>
Load parsed(std::vector<std::string> arguments) {
  const auto outcome = parse_bench(std::move(arguments));
  if (const auto* text = std::get_if<bench_text>(&outcome)) {
    ADD_FAILURE() << text->text;
    return {};
  }
  return std::get<Load>(std::get<bench_request>(outcome).load);
}

std::string refused(std::vector<std::string> arguments) {
  const auto outcome = parse_bench(std::move(arguments));
  const auto* text = std::get_if<bench_text>(&outcome);
  EXPECT_NE(text, nullptr);
  if (text == nullptr)
    return {};
  EXPECT_EQ(text->exit_code, exit_usage);
  return text->text;
}

TEST(BenchCommandLine, ReadsEveryMode) {
  const auto post = parsed<post_load>(
      {"post", "--server", "127.0.0.1:9", "--admin", "127.0.0.1:10",
       "--connections", "50", "--window", "20", "--size", "7", "--seconds", "3",
       "--users", "11", "--consume", "--threads", "2"});
  EXPECT_EQ(post.target.server.port, 9);
  EXPECT_EQ(post.target.admin.address.port, 10);
  EXPECT_EQ(post.connections, 50U);
  EXPECT_EQ(post.window, 20U);
  EXPECT_EQ(post.body_bytes, 7U);
  EXPECT_EQ(post.seconds, 3U);
  EXPECT_EQ(post.users, 11U);
  EXPECT_TRUE(post.consume);
  EXPECT_EQ(post.threads, 2U);
  EXPECT_EQ(parsed<deliver_load>({"deliver", "--messages", "3"}).messages, 3U);
  EXPECT_EQ(parsed<idle_load>({"idle", "--settle", "0"}).settle_seconds, 0U);
  EXPECT_EQ(parsed<sync_load>({"sync", "--data", "d"}).data, "d");
}

TEST(BenchCommandLine, FillsUsersUnlessToldOnlyToCheck) {
  EXPECT_TRUE(parsed<users_load>({"users"}).fill);
  const auto load =
      parsed<users_load>({"users", "--check-only", "--check", "5"});
  EXPECT_FALSE(load.fill);
  EXPECT_EQ(load.check, 5U);
}

TEST(BenchCommandLine, GivesEachRunUsersOfItsOwn) {
  const auto one = parsed<idle_load>({"idle"}).target.prefix;
  EXPECT_NE(one, parsed<idle_load>({"idle"}).target.prefix);
  EXPECT_EQ(parsed<idle_load>({"idle", "--prefix", "x"}).target.prefix, "x");
}

TEST(BenchCommandLine, StaysOnThisMachine) {
  EXPECT_NE(
      refused({"post", "--server", "192.0.2.1:80"}).find("not on this machine"),
      std::string::npos);
}

TEST(BenchCommandLine, RefusesWhatIsOutOfBounds) {
  refused({"post", "--window", "0"});
  refused({"post", "--threads", "65"});
  refused({"fly"});
  refused({});
}

TEST(BenchCommandLine, HelpsWithAMode) {
  const auto outcome = parse_bench({"post", "--help"});
  const auto* text = std::get_if<bench_text>(&outcome);
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(text->exit_code, exit_ok);
  EXPECT_NE(text->text.find("--window"), std::string::npos);
}

} // namespace
} // namespace troupe::app
