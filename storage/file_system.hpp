// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace troupe::storage {

/// A disk writes a sector whole or not at all; pages are what a file system
/// writes back. Both are what the log's crash safety rests on.
inline constexpr std::size_t sector_bytes = 512;
inline constexpr std::size_t page_bytes = 4096;

enum class open_mode : std::uint8_t {
  read_only,
  read_write,        ///< must exist
  create,            ///< read and write; made if missing
  create_or_empty,   ///< read and write; emptied if there
  read_write_direct, ///< must exist; past the page cache where the file system
                     ///< can: offsets, sizes and memory in whole pages
};

/// An open file; closed by its destructor. Every error is io_error or, when
/// there is no space left, storage_full; its detail names the file and says
/// what the operating system said.
class file {
public:
  virtual ~file() = default;

  /// All of `bytes` or an error; never a short write.
  virtual core::result<void> write_at(core::bytes_view bytes,
                                      std::uint64_t offset) = 0;
  /// Bytes read, less than asked for only at the end of the file.
  virtual core::result<std::size_t> read_at(std::span<std::byte> to,
                                            std::uint64_t offset) const = 0;
  /// fdatasync: returns once all that was written is on stable storage.
  virtual core::result<void> sync() = 0;
  /// Makes the file `size` bytes of zeroes whose every block exists and is
  /// initialised, so that overwriting them allocates nothing. Not yet synced.
  virtual core::result<void> preallocate(std::uint64_t size) = 0;
  virtual core::result<std::uint64_t> size() const = 0;
  virtual core::result<void> truncate(std::uint64_t size) = 0;
  /// flock, exclusive; false if another process has it. Held until closed.
  virtual core::result<bool> try_lock() = 0;
};

/// All that storage asks of the operating system but for what LMDB does
/// itself, so that tests can stand in for a disk that fails. Thread-safe.
class file_system {
public:
  virtual ~file_system() = default;

  virtual core::result<std::unique_ptr<file>>
  open(const std::filesystem::path& path, open_mode mode) = 0;
  /// Replaces `to`. Durable after sync_folder of the folder.
  virtual core::result<void> rename(const std::filesystem::path& from,
                                    const std::filesystem::path& to) = 0;
  virtual core::result<void> remove(const std::filesystem::path& path) = 0;
  /// Makes the names in a folder durable.
  virtual core::result<void> sync_folder(const std::filesystem::path& path) = 0;
  /// Parents included; no error if it is there.
  virtual core::result<void>
  create_folder(const std::filesystem::path& path) = 0;
  /// Names in a folder, sorted; not_found if there is no such folder.
  virtual core::result<std::vector<std::string>>
  list(const std::filesystem::path& path) = 0;
  [[nodiscard]] virtual bool exists(const std::filesystem::path& path) = 0;
  /// Bytes an ordinary user may still allocate where `path` lies.
  virtual core::result<std::uint64_t>
  free_bytes(const std::filesystem::path& path) = 0;
};

/// The operating system's.
file_system& posix_file_system();

/// The whole file; too_large above `bytes_max`.
core::result<std::string> read_file(file_system& files,
                                    const std::filesystem::path& path,
                                    std::size_t bytes_max);

} // namespace troupe::storage
