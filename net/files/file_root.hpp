// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "net/owned_fd.hpp"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::files {

/// A regular file, open for reading.
struct open_file {
  owned_fd fd;
  std::uint64_t size = 0;
  std::time_t modified = 0;
  std::uint64_t modified_nanoseconds = 0; ///< of that second

  /// Exactly so many bytes, fewer where the file has become shorter. Blocks.
  [[nodiscard]] std::string read(std::uint64_t first, std::size_t count) const;
};

/// A folder whose files are given away, and nothing outside of it: every path
/// is opened relative to it by the kernel, which refuses to leave it, by ".."
/// or by a symbolic link. Thread-safe; its calls block.
class file_root {
public:
  /// io_error, invalid_config: that is no folder.
  static core::result<file_root> open(const std::string& path);

  /// `path` as a request has it, decoded, with its '/' in front. A folder
  /// stands for its index.html. Nothing for what is not there, is no regular
  /// file, can't be read, or has a name with a dot in front on the way
  /// (".well-known" apart). `name` gets the path of what was opened.
  [[nodiscard]] std::optional<open_file> find(std::string_view path,
                                              std::string& name) const;

private:
  explicit file_root(owned_fd folder) : folder_(std::move(folder)) {}
  [[nodiscard]] owned_fd open_beneath(const std::string& path) const;

  owned_fd folder_;
};

} // namespace troupe::net::files
