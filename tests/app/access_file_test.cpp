// SPDX-License-Identifier: Apache-2.0
#include "app/access_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace troupe::app {
namespace {

namespace fs = std::filesystem;

class AccessFile : public ::testing::Test {
protected:
  AccessFile() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~AccessFile() override { fs::remove_all(folder_); }

  std::unique_ptr<access_file> open() {
    auto made = access_file::open(path_);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  static net::access_entry entry(unsigned status) {
    net::access_entry made;
    made.address = "::1";
    made.status = status;
    return made;
  }
  static std::size_t lines_in(const fs::path& path) {
    std::ifstream in{path};
    return static_cast<std::size_t>(
        std::count(std::istreambuf_iterator<char>{in}, {}, '\n'));
  }

  const fs::path folder_ = fs::temp_directory_path() /
                           ("troupe-access-" + std::to_string(::getpid()));
  const fs::path path_ = folder_ / "access.log";
};

TEST_F(AccessFile, HasEveryLineOfAllThreads) {
  auto log = open();
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&] {
      for (int k = 0; k < 1000; ++k)
        log->write(entry(200));
    });
  for (auto& each : writers)
    each.join();
  log.reset();
  EXPECT_EQ(lines_in(path_), 4000U);
}

TEST_F(AccessFile, GoesOnInANewFileWhenItIsOpenedAgain) {
  auto log = open();
  log->write(entry(200));
  fs::rename(path_, folder_ / "old");
  ASSERT_TRUE(log->reopen());
  log->write(entry(404));
  log.reset();
  EXPECT_EQ(lines_in(path_) + lines_in(folder_ / "old"), 2U);
  EXPECT_GE(lines_in(path_), 1U);
}

TEST_F(AccessFile, StaysInTheOldFileIfThereCanBeNoNewOne) {
  auto log = open();
  fs::rename(folder_, folder_.string() + "-moved");
  EXPECT_FALSE(log->reopen());
  log->write(entry(200));
  log.reset();
  fs::rename(folder_.string() + "-moved", folder_);
  EXPECT_EQ(lines_in(path_), 1U);
  EXPECT_FALSE(access_file::open(folder_ / "none" / "access.log"));
}

} // namespace
} // namespace troupe::app
