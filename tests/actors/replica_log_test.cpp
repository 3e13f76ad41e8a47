// SPDX-License-Identifier: Apache-2.0
#include "actors/replica_log.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

namespace {

using namespace troupe;

/// A real log whose tables say what the test wants.
class StoredLog : public testing::Test {
protected:
  StoredLog() {
    // The first segment is prepared on another thread.
    while (!store_->has_room())
      std::this_thread::yield();
  }

  static std::unique_ptr<storage::log_store>
  open_in(const std::filesystem::path& folder) {
    storage::log_options options;
    options.folder = folder;
    options.segment_bytes = std::size_t{1} << 20;
    options.reserve_bytes = 0;
    auto opened = storage::log_store::open(storage::posix_file_system(),
                                           std::move(options));
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(opened->store);
  }

  test::temporary_folder folder_;
  std::unique_ptr<storage::log_store> store_ = open_in(folder_.path() / "log");
  bool low_ = false;
  bool behind_ = false;
  actors::stored_log log_{
      *store_, {[this] { return low_; }, [this] { return behind_; }}};
};

TEST_F(StoredLog, HasNoRoomWhileTheTablesAreBehind) {
  EXPECT_TRUE(log_.has_room());
  behind_ = true;
  EXPECT_FALSE(log_.has_room());
  behind_ = false;
  EXPECT_TRUE(log_.has_room());
}

TEST_F(StoredLog, IsLowWhenTheTablesAre) {
  EXPECT_FALSE(log_.storage_is_low());
  low_ = true;
  EXPECT_TRUE(log_.storage_is_low());
  EXPECT_TRUE(log_.has_room()) << "what frees space may still be written";
}

} // namespace
