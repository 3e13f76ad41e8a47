// SPDX-License-Identifier: Apache-2.0
#include "storage/data_folder.hpp"
#include "tests/support/recording_file_system.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

using core::errc;
using test::recording_file_system;
using test::temporary_folder;

folder_identity identity_of(std::uint8_t cluster) {
  folder_identity identity;
  identity.cluster.bytes.fill(cluster);
  identity.node = core::node_id{3};
  identity.shards = 16;
  identity.created = core::from_millis(1'700'000'000'123);
  return identity;
}

void overwrite(const std::filesystem::path& path, std::string_view text) {
  std::ofstream{path, std::ios::trunc} << text;
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat about {};
  EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
  return about.st_mode & 0777U;
}

TEST(DataFolder, NewFolderHasNoIdentityUntilItIsGivenOne) {
  const temporary_folder folder;
  const auto path = folder.path() / "a" / "b";
  auto opened = data_folder::open(posix_file_system(), path);
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_EQ(opened->identity(), std::nullopt);
  ASSERT_TRUE(opened->initialize(identity_of(1)));
  EXPECT_EQ(opened->identity(), identity_of(1));
}

TEST(DataFolder, KeepsItsToken) {
  const temporary_folder folder;
  std::string token;
  {
    auto opened = data_folder::open(posix_file_system(), folder.path());
    EXPECT_EQ(*opened->token(), "");
    token = *opened->make_token();
    EXPECT_EQ(token.size(), 32U);
    EXPECT_EQ(*opened->token(), token);
    EXPECT_EQ(mode_of(folder.path() / "node-token"), 0600U);
  }
  auto opened = data_folder::open(posix_file_system(), folder.path());
  EXPECT_EQ(*opened->token(), token);
  overwrite(folder.path() / "node-token", "something else\n");
  EXPECT_EQ(opened->token().error().code, errc::corrupt);
}

TEST(DataFolder, IdentitySurvivesARestart) {
  const temporary_folder folder;
  {
    auto opened = data_folder::open(posix_file_system(), folder.path());
    ASSERT_TRUE(opened->initialize(identity_of(1)));
  }
  auto opened = data_folder::open(posix_file_system(), folder.path(),
                                  identity_of(1).cluster);
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_EQ(opened->identity(), identity_of(1));
}

TEST(DataFolder, NobodyElseMayLookInside) {
  const temporary_folder folder;
  const auto path = folder.path() / "data";
  auto opened = data_folder::open(posix_file_system(), path);
  ASSERT_TRUE(opened->initialize(identity_of(1)));
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(mode_of(opened->log_path()), 0700U);
  EXPECT_EQ(mode_of(opened->state_path()), 0700U);
  EXPECT_EQ(mode_of(path / "troupe.json"), 0600U);
  EXPECT_EQ(mode_of(path / "lock"), 0600U);
}

TEST(DataFolder, FolderInUseNamesItsHolder) {
  const temporary_folder folder;
  const auto first = data_folder::open(posix_file_system(), folder.path());
  ASSERT_TRUE(first);
  const auto second = data_folder::open(posix_file_system(), folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::in_use);
  EXPECT_NE(second.error().detail.find("pid " + std::to_string(::getpid())),
            std::string::npos)
      << second.error().detail;
}

TEST(DataFolder, FolderIsFreeOnceItsHolderIsGone) {
  const temporary_folder folder;
  { ASSERT_TRUE(data_folder::open(posix_file_system(), folder.path())); }
  EXPECT_TRUE(data_folder::open(posix_file_system(), folder.path()));
}

TEST(DataFolder, AnotherClustersFolderIsRefused) {
  const temporary_folder folder;
  {
    auto opened = data_folder::open(posix_file_system(), folder.path());
    ASSERT_TRUE(opened->initialize(identity_of(1)));
  }
  EXPECT_EQ(data_folder::open(posix_file_system(), folder.path(),
                              identity_of(2).cluster)
                .error()
                .code,
            errc::wrong_cluster);
}

TEST(DataFolder, NewerFormatIsRefused) {
  const temporary_folder folder;
  overwrite(folder.path() / "troupe.json",
            R"({"product": "troupe", "format": 2, "what": "new"})");
  EXPECT_EQ(data_folder::open(posix_file_system(), folder.path()).error().code,
            errc::newer_format);
}

TEST(DataFolder, UnreadableIdentityIsCorrupt) {
  for (const auto* text :
       {"", "{", "[]", "{}", R"({"product": "other", "format": 1})",
        R"({"product": "troupe", "format": 1, "cluster": "00"})",
        R"({"product": "troupe", "format": -1})",
        R"({"product": "troupe" "format": 1})"}) {
    const temporary_folder folder;
    overwrite(folder.path() / "troupe.json", text);
    EXPECT_EQ(
        data_folder::open(posix_file_system(), folder.path()).error().code,
        errc::corrupt)
        << text;
  }
}

TEST(DataFolder, StoresWithoutAnIdentityAreCorrupt) {
  const temporary_folder folder;
  std::filesystem::create_directory(folder.path() / "log");
  overwrite(folder.path() / "log" / "segment-0000000000000001.log", "x");
  EXPECT_EQ(data_folder::open(posix_file_system(), folder.path()).error().code,
            errc::corrupt);
}

TEST(DataFolder, PowerCutLeavesTheWholeIdentityOrNone) {
  std::mt19937_64 random{1};
  for (std::size_t cut = 1; cut < 12; ++cut) {
    recording_file_system files;
    files.power_off_at(cut);
    bool done = false;
    if (auto opened = data_folder::open(files, "/data"))
      done = opened->initialize(identity_of(1)).has_value();
    for (const auto style :
         {test::cut_style::keep_nothing, test::cut_style::some_sectors,
          test::cut_style::keep_all}) {
      const auto after = files.after_power_cut(style, random);
      const auto opened = data_folder::open(*after, "/data");
      ASSERT_TRUE(opened) << to_string(opened.error());
      if (done || opened->identity()) {
        EXPECT_EQ(opened->identity(), identity_of(1)) << "cut at " << cut;
      }
    }
  }
}

TEST(ClusterId, TextIsReadBack) {
  const auto id = cluster_id::random();
  EXPECT_EQ(cluster_id::parse(to_string(id)), id);
  EXPECT_NE(id, cluster_id::random());
  EXPECT_EQ(cluster_id::parse("xyz"), std::nullopt);
  EXPECT_EQ(cluster_id::parse(std::string(32, 'G')), std::nullopt);
}

} // namespace
} // namespace troupe::storage
