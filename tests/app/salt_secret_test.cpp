// SPDX-License-Identifier: Apache-2.0
#include "app/salt_secret.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace troupe::app {
namespace {

class SaltSecret : public ::testing::Test {
protected:
  core::result<std::string> of(const std::string& cluster_secret = {}) {
    return salt_secret(storage::posix_file_system(), folder.path(), cluster,
                       cluster_secret);
  }

  test::temporary_folder folder;
  storage::cluster_id cluster = storage::cluster_id::random();
};

TEST_F(SaltSecret, OfANodeAloneIsDrawnOnce) {
  const auto drawn = of();
  ASSERT_TRUE(drawn);
  EXPECT_EQ(drawn->size(), 32U);
  EXPECT_EQ(of().value(), *drawn);
  const auto file = folder.path() / "salt-secret";
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read |
                std::filesystem::perms::owner_write);
  std::filesystem::remove(file);
  EXPECT_NE(of().value(), *drawn);
}

TEST_F(SaltSecret, OfAClusterIsTheSameAtEachNode) {
  const auto one = of("the secret of a cluster");
  ASSERT_TRUE(one);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "salt-secret"));
  EXPECT_EQ(of("the secret of a cluster").value(), *one);
  EXPECT_NE(of("the secret of another").value(), *one);
  cluster = storage::cluster_id::random();
  EXPECT_NE(of("the secret of a cluster").value(), *one);
}

TEST_F(SaltSecret, AFileOfAnotherKindIsRefused) {
  std::ofstream{folder.path() / "salt-secret"} << "something else";
  EXPECT_EQ(of().error().code, core::errc::corrupt);
}

} // namespace
} // namespace troupe::app
