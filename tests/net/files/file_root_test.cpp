// SPDX-License-Identifier: Apache-2.0
#include "net/files/file_root.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>

namespace troupe::net::files {
namespace {

namespace fs = std::filesystem;

class FileRoot : public ::testing::Test {
protected:
  FileRoot() {
    fs::create_directories(root() / "sub");
    fs::create_directories(root() / "empty");
    fs::create_directories(root() / ".git");
    fs::create_directories(root() / ".well-known");
    fs::create_directories(folder_.path() / "root2");
    write(root() / "a.txt", "a");
    write(root() / "plain", "no end");
    write(root() / "index.html", "top");
    write(root() / "sub" / "index.html", "below");
    write(root() / ".git" / "config", "secret");
    write(root() / ".well-known" / "x", "known");
    write(folder_.path() / "root2" / "x.txt", "outside");
    fs::create_symlink("../root2/x.txt", root() / "leaves");
    fs::create_symlink("/etc/passwd", root() / "far");
    fs::create_symlink("a.txt", root() / "within");
    ::mkfifo((root() / "pipe").c_str(), 0600);
  }
  [[nodiscard]] fs::path root() const { return folder_.path() / "root"; }
  static void write(const fs::path& at, std::string_view text) {
    std::ofstream{at} << text;
  }
  /// What is in it, "none" if it is not given away.
  [[nodiscard]] std::string read(std::string_view path) const {
    const auto opened = file_root::open(root());
    EXPECT_TRUE(opened);
    std::string name;
    const auto found = opened->find(path, name);
    return found ? found->read(0, found->size) : "none";
  }

  test::temporary_folder folder_;
};

TEST_F(FileRoot, FilesAndTheIndexOfFolders) {
  EXPECT_EQ(read("/a.txt"), "a");
  EXPECT_EQ(read("/plain"), "no end");
  EXPECT_EQ(read("/"), "top");
  EXPECT_EQ(read("/sub"), "below");
  EXPECT_EQ(read("/sub/"), "below");
  EXPECT_EQ(read("//sub//index.html"), "below");
  EXPECT_EQ(read("/.well-known/x"), "known");
}

TEST_F(FileRoot, WhatIsNotThere) {
  for (const auto* path : {"/none", "/empty", "/empty/", "/a.txt/", "/a.txt/x",
                           "/sub/none", "/pipe"})
    EXPECT_EQ(read(path), "none") << path;
}

TEST_F(FileRoot, NothingOutsideIsGivenAway) {
  for (const auto* path : {"/../root2/x.txt", "/sub/../../root2/x.txt", "/..",
                           "/../root/a.txt", "/leaves", "/far", "/.git/config",
                           "/sub/../.git/config", "//etc/passwd", "/./a.txt"})
    EXPECT_EQ(read(path), "none") << path;
  EXPECT_EQ(read(std::string_view{"/a.txt\0.html", 12}), "none");
}

TEST_F(FileRoot, ALinkWithinIsFollowed) { EXPECT_EQ(read("/within"), "a"); }

TEST_F(FileRoot, APartIsRead) {
  const auto opened = file_root::open(root());
  std::string name;
  const auto found = opened->find("/plain", name);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->read(3, 3), "end");
  EXPECT_EQ(found->read(3, 100), "end");
  EXPECT_EQ(found->read(100, 1), "");
}

TEST_F(FileRoot, OnlyAFolderIsOne) {
  EXPECT_EQ(file_root::open(root() / "a.txt").error().code,
            core::errc::invalid_config);
  EXPECT_EQ(file_root::open(root() / "none").error().code,
            core::errc::invalid_config);
}

} // namespace
} // namespace troupe::net::files
