// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace troupe::test {

/// A folder of its own for one test, removed with all it holds; in memory
/// where there is such a place, since a test flushes more than it writes.
class temporary_folder {
public:
  temporary_folder() {
    const std::filesystem::path memory{"/dev/shm"};
    std::error_code missing;
    const auto root = std::filesystem::is_directory(memory, missing)
                          ? memory
                          : std::filesystem::temp_directory_path();
    auto pattern = (root / "troupe-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

} // namespace troupe::test
