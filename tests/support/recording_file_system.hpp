// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace troupe::test {

/// What a power cut leaves of what was not flushed.
enum class cut_style : std::uint8_t {
  keep_nothing, ///< only what was flushed
  keep_all,     ///< everything, as after the end of the process alone
  some_pages,   ///< any subset of the dirty pages
  some_sectors, ///< any subset of their sectors: torn pages
};

/// A file system in memory that knows what was flushed and what was not, and
/// from which the machine can be taken away at any operation. Thread-safe.
class recording_file_system final : public storage::file_system {
public:
  recording_file_system();

  core::result<std::unique_ptr<storage::file>>
  open(const std::filesystem::path& path, storage::open_mode mode) override;
  core::result<void> rename(const std::filesystem::path& from,
                            const std::filesystem::path& to) override;
  core::result<void> remove(const std::filesystem::path& path) override;
  core::result<void> sync_folder(const std::filesystem::path& path) override;
  core::result<void> create_folder(const std::filesystem::path& path) override;
  core::result<std::vector<std::string>>
  list(const std::filesystem::path& path) override;
  [[nodiscard]] bool exists(const std::filesystem::path& path) override;
  core::result<std::uint64_t>
  free_bytes(const std::filesystem::path& path) override;

  /// Operations that change something, so far.
  [[nodiscard]] std::size_t operations() const;
  /// From operation `n` (counted from 1) on nothing happens any more and
  /// everything fails.
  void power_off_at(std::size_t n);
  /// Operation `n`, if it is a flush of a file, fails.
  void fail_sync_at(std::size_t n);
  /// Every flush of a file fails from now on.
  void fail_syncs();
  /// All files together may have so many bytes.
  void set_capacity(std::uint64_t bytes);

  /// The disk as the next start finds it. Names change in the order in which
  /// they were changed: a prefix of the changes not synced survives.
  [[nodiscard]] std::unique_ptr<recording_file_system>
  after_power_cut(cut_style style, std::mt19937_64& random) const;

  /// Changes one bit of a file, behind everybody's back.
  void flip_bit(const std::filesystem::path& path, std::uint64_t bit);
  void overwrite(const std::filesystem::path& path, std::uint64_t offset,
                 core::bytes_view bytes);
  [[nodiscard]] std::vector<std::byte>
  contents(const std::filesystem::path& path) const;
  /// Paths of all files, sorted.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;

private:
  friend class recorded_file;

  struct inode {
    std::vector<std::byte> now;
    std::vector<std::byte> flushed;
    std::set<std::size_t> dirty_pages;
    bool locked = false;
  };
  using names = std::map<std::filesystem::path, std::shared_ptr<inode>>;

  /// Counts an operation; an error once the power is off.
  core::result<void> step();
  [[nodiscard]] std::uint64_t used() const;
  void change_name();
  static std::shared_ptr<inode> survivor(const inode& from, cut_style style,
                                         std::mt19937_64& random);

  mutable std::mutex mutex_;
  names names_;
  /// The names as they were synced, then after each change since.
  std::vector<names> name_history_;
  std::set<std::filesystem::path> folders_;
  std::size_t operations_ = 0;
  std::size_t power_off_at_ = 0;
  std::size_t fail_sync_at_ = 0;
  bool fail_syncs_ = false;
  std::uint64_t capacity_ = std::uint64_t{1} << 40;
};

} // namespace troupe::test
