// SPDX-License-Identifier: Apache-2.0
#include "storage/state_store.hpp"
#include "tests/storage/log_probe.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

using core::group_id;
using core::log_index;
using test::log_probe;

/// A real file system of few bytes, if this process may mount one.
class TinyDisk : public ::testing::Test {
protected:
  void mount(const char* size) {
    if (::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, size) != 0)
      GTEST_SKIP() << "mounting a tmpfs is not permitted here: "
                   << std::strerror(errno);
    mounted_ = true;
  }
  void enlarge(const char* size) {
    ASSERT_EQ(
        ::mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT, size), 0);
  }
  void TearDown() override {
    if (mounted_)
      ::umount2(folder_.path().c_str(), MNT_DETACH);
  }

  test::temporary_folder folder_;
  bool mounted_ = false;
};

TEST_F(TinyDisk, FullDiskIsMetBeforeALogWriteIsAccepted) {
  mount("size=300k");
  if (IsSkipped())
    return;
  auto options = log_probe::defaults();
  options.folder = folder_.path() / "log";
  std::uint64_t written = 0;
  {
    log_probe log{posix_file_system(), options};
    ASSERT_TRUE(log.open()) << to_string(log.error());
    for (;;) {
      log->refresh_health();
      if (!log.write(test::entries_of(1, written + 1, 1, written + 1, 4000)))
        break;
      ++written;
    }
    EXPECT_EQ(log.fatal(), "");
    EXPECT_GT(written, 20U);
    EXPECT_NE(log->health().level, space_level::ok);
    enlarge("size=3000k");
    EXPECT_EQ(log->refresh_health().level, space_level::ok);
    ++written;
    EXPECT_TRUE(log.write(test::entries_of(1, written, 1, written, 4000)));
  }
  log_probe log{posix_file_system(), options};
  ASSERT_TRUE(log.open()) << to_string(log.error());
  EXPECT_EQ(log.group(1).entries.size(), written);
}

TEST_F(TinyDisk, FullDiskKeepsStateInMemoryUntilThereIsRoom) {
  mount("size=1000k");
  if (IsSkipped())
    return;
  state_options options;
  options.folder = folder_.path() / "state";
  options.groups = 1;
  options.reserve_bytes = 0;
  options.commit_interval = std::chrono::hours{1};
  auto opened = state_store::open(options);
  ASSERT_TRUE(opened) << to_string(opened.error());
  auto& store = **opened;
  auto& space = store.space(group_id{0});
  std::uint64_t index = 0;
  bool full = false;
  while (!full && index < 5000) {
    space.put(std::to_string(index),
              core::shared_bytes::copy_of(std::string(3000, 'x')));
    space.checkpoint(log_index{++index});
    full = index % 10 == 0 && !store.checkpoint_now();
  }
  ASSERT_TRUE(full);
  EXPECT_EQ(store.health().level, space_level::full);
  EXPECT_TRUE(space.get(std::to_string(index - 1)));
  enlarge("size=20000k");
  EXPECT_EQ(store.refresh_health().level, space_level::ok);
  EXPECT_EQ(store.durable_applied(group_id{0}), log_index{index});
  std::uint64_t seen = 0;
  space.scan({}, {}, [&](auto, const auto&) { return ++seen, true; });
  EXPECT_EQ(seen, index);
}

} // namespace
} // namespace troupe::storage
