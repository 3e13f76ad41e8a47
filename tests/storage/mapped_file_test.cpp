// SPDX-License-Identifier: Apache-2.0
#include "storage/mapped_file.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <numeric>
#include <span>
#include <sys/mman.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

constexpr std::size_t file_bytes = std::size_t{64} << 20;

class MappedFile : public testing::Test {
protected:
  void SetUp() override {
    const auto path = folder_.path() / "data";
    fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(fd_, 0);
    const std::vector<char> block(std::size_t{1} << 20, 'x');
    for (std::size_t done = 0; done < file_bytes; done += block.size())
      ASSERT_EQ(::write(fd_, block.data(), block.size()),
                static_cast<ssize_t>(block.size()));
    auto* at = ::mmap(nullptr, file_bytes, PROT_READ, MAP_SHARED, fd_, 0);
    ASSERT_NE(at, MAP_FAILED);
    bytes_ = {static_cast<const char*>(at), file_bytes};
  }
  void TearDown() override {
    ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    ::close(fd_);
  }

  /// Touches every page.
  [[nodiscard]] std::uint64_t sum() const {
    return std::accumulate(bytes_.begin(), bytes_.end(), std::uint64_t{0});
  }

  test::temporary_folder folder_;
  int fd_ = -1;
  std::span<const char> bytes_;
};

TEST_F(MappedFile, PagesAboveTheLimitAreGivenUpAndCanBeReadAgain) {
  const mapped_file file{fd_};
  const auto before = sum();
  const auto resident = mapped_resident_bytes();
  ASSERT_GE(resident, file_bytes);
  EXPECT_TRUE(file.release_above(file_bytes / 2));
  EXPECT_LE(mapped_resident_bytes() + file_bytes / 2, resident);
  EXPECT_EQ(sum(), before);
}

TEST_F(MappedFile, BelowTheLimitNothingHappens) {
  const mapped_file file{fd_};
  (void)sum();
  EXPECT_FALSE(file.release_above(std::size_t{1} << 40));
  EXPECT_FALSE(file.release_above(0)) << "0 is no limit";
  EXPECT_GE(mapped_resident_bytes(), file_bytes);
}

TEST_F(MappedFile, AFileThatIsNotMappedIsLeftAlone) {
  const auto path = folder_.path() / "other";
  const int other = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  (void)sum();
  EXPECT_FALSE(mapped_file{other}.release_above(1));
  ::close(other);
}

} // namespace
} // namespace troupe::storage
