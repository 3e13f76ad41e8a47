// SPDX-License-Identifier: Apache-2.0
// Names begin with the requirement they stand for.
#include "app/session_records.hpp"
#include "tests/support/recording_file_system.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace troupe::app {
namespace {

namespace json = boost::json;
using test::recording_file_system;

const std::filesystem::path folder = "/sessions";

std::unique_ptr<session_records> open(recording_file_system& files,
                                      const std::string& server,
                                      std::uint64_t bytes_max = 1U << 20U) {
  session_records_options options;
  options.folder = folder;
  options.bytes_max = bytes_max;
  options.cluster = "c";
  options.node = core::node_id{3};
  options.server = server;
  auto made = session_records::open(files, options, [](const std::string&) {});
  EXPECT_TRUE(made);
  return made ? std::move(*made) : nullptr;
}

/// Whether it stands.
bool come(session_records& records, const std::string& id,
          const std::string& user = "u") {
  std::promise<bool> done;
  records.open({id, "127.0.0.1:1", user, "json", false},
               [&](bool stands) { done.set_value(stands); });
  return done.get_future().get();
}

std::vector<json::object> rows(recording_file_system& files) {
  std::vector<json::object> found;
  const auto end =
      storage::read_lines(files, folder, "", [&](std::string_view line) {
        found.push_back(json::parse(line).as_object());
        return true;
      });
  EXPECT_TRUE(end);
  return found;
}

std::vector<std::string> events(recording_file_system& files) {
  std::vector<std::string> found;
  for (const auto& row : rows(files)) {
    const auto* session = row.if_contains("session");
    found.push_back(std::string{row.at("event").as_string()} +
                    (session ? " " + std::string{session->as_string()} : ""));
  }
  return found;
}
using names = std::vector<std::string>;

TEST(SessionRecords, Z1ASessionIsOnDiskBeforeItIsWelcomed) {
  recording_file_system files;
  const auto records = open(files, "run");
  ASSERT_TRUE(come(*records, "a", "é\"x"));
  const auto kept = rows(files);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].at("event").as_string(), "started");
  const auto& row = kept[1];
  EXPECT_EQ(row.at("session").as_string(), "a");
  EXPECT_EQ(row.at("server").as_string(), "run");
  EXPECT_EQ(row.at("node").to_number<int>(), 3);
  EXPECT_EQ(row.at("user").as_string(), "é\"x");
  EXPECT_EQ(row.at("remote").as_string(), "127.0.0.1:1");
  EXPECT_TRUE(row.at("worker").is_null());
}

TEST(SessionRecords, Z1AnEndHasItsTimeAndReason) {
  recording_file_system files;
  auto records = open(files, "run");
  ASSERT_TRUE(come(*records, "a"));
  records->close("a", "the client closed");
  records.reset();
  const auto kept = rows(files);
  ASSERT_EQ(kept.size(), 4U);
  EXPECT_EQ(kept[2].at("event").as_string(), "closed");
  EXPECT_EQ(kept[2].at("reason").as_string(), "the client closed");
  EXPECT_GE(kept[2].at("disconnected_ms").to_number<std::int64_t>(),
            kept[2].at("connected_ms").to_number<std::int64_t>());
  EXPECT_EQ(kept[3].at("event").as_string(), "stopped");
}

TEST(SessionRecords, Z1SessionsOfARunThatWasKilledAreLostWithIt) {
  recording_file_system files;
  auto killed = open(files, "one");
  ASSERT_TRUE(come(*killed, "a"));
  ASSERT_TRUE(come(*killed, "b"));
  killed->close("a", "left");
  ASSERT_TRUE(come(*killed, "c")); // behind the end of a
  std::mt19937_64 random{1};
  const auto disk =
      files.after_power_cut(test::cut_style::keep_nothing, random);
  auto next = open(*disk, "two");
  EXPECT_EQ(next->stats().lost, 2U);
  EXPECT_EQ(events(*disk),
            (names{"started", "opened a", "opened b", "closed a", "opened c",
                   "closed b", "closed c", "lost", "started"}));
  const auto kept = rows(*disk);
  EXPECT_EQ(kept[5].at("reason").as_string(), "server lost");
  EXPECT_EQ(kept[5].at("server").as_string(), "one");
  EXPECT_EQ(kept[7].at("server").as_string(), "one");
  next.reset();
  const auto third = open(*disk, "three");
  EXPECT_EQ(third->stats().lost, 0U);
}

TEST(SessionRecords, Z1WhatTheDiskCantTakeIsNoSession) {
  recording_file_system files;
  const auto records = open(files, "run");
  ASSERT_TRUE(come(*records, "a"));
  files.set_capacity(1);
  EXPECT_FALSE(come(*records, "b"));
  EXPECT_FALSE(come(*records, "c"));
  EXPECT_EQ(records->live_count(), 1U);
  files.set_capacity(1U << 20U);
  records->close("a", "left"); // wakes the thread
  while (!come(*records, "d"))
    std::this_thread::yield();
  EXPECT_EQ(records->live_count(), 1U);
  const auto kept = events(files);
  EXPECT_EQ(kept.back(), "opened d");
  EXPECT_EQ(std::count(kept.begin(), kept.end(), "closed a"), 1);
  EXPECT_EQ(std::count(kept.begin(), kept.end(), "opened b"),
            std::count(kept.begin(), kept.end(), "closed b"));
}

TEST(SessionRecords, Z1OpenSessionsAreCarriedIntoEachNewFile) {
  recording_file_system files;
  auto records = open(files, "run", 16'000);
  ASSERT_TRUE(come(*records, "stays"));
  for (int i = 0; i < 200; ++i) {
    const auto id = "s" + std::to_string(i);
    ASSERT_TRUE(come(*records, id));
    records->close(id, "left");
  }
  std::mt19937_64 random{1};
  const auto disk = files.after_power_cut(test::cut_style::keep_all, random);
  const auto kept = events(*disk);
  EXPECT_EQ(std::count(kept.begin(), kept.end(), "opened s0"), 0);
  const auto next = open(*disk, "two");
  EXPECT_GE(next->stats().lost, 1U);
  const auto after = events(*disk);
  EXPECT_EQ(std::count(after.begin(), after.end(), "closed stays"), 1);
  EXPECT_LE(next->stats().bytes, 18'000U);
}

TEST(SessionRecords, Z8ListsThoseThatAreHereInPages) {
  recording_file_system files;
  const auto records = open(files, "run");
  for (const auto* id : {"c", "a", "b"})
    ASSERT_TRUE(come(*records, id));
  records->close("a", "left");
  const auto page = records->live("", 1);
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(json::parse(page[0]).at("session").as_string(), "b");
  EXPECT_EQ(records->live("b", 10).size(), 1U);
  EXPECT_EQ(records->live("c", 10).size(), 0U);
  records->close("a", "twice does no harm");
  EXPECT_EQ(records->live_count(), 2U);
}

TEST(SessionRecords, WithoutAFolderTheyAreInMemoryAlone) {
  recording_file_system files;
  session_records_options options;
  auto made = session_records::open(files, options, [](const std::string&) {});
  ASSERT_TRUE(made);
  EXPECT_TRUE(come(**made, "a"));
  EXPECT_EQ((*made)->live_count(), 1U);
  EXPECT_TRUE(files.files().empty());
}

} // namespace
} // namespace troupe::app
