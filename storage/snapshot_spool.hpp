// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "storage/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::storage {

/// What a spool file holds; travels with it.
struct spool_summary {
  core::log_index applied; ///< the rows are the tables after this entry
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0; ///< CRC-32C of the whole file

  friend bool operator==(const spool_summary&, const spool_summary&) = default;
};

/// Names a spool file in this life of the node.
using spool_id = std::uint64_t;

/// Files with the whole contents of a group on their way between two nodes
/// (docs/formats/snapshots.md), in a folder of their own: what an earlier life
/// left there is removed at start. Nothing in it need survive a crash, so
/// nothing is flushed. Every call blocks on the disk. One thread at a time.
class snapshot_spool {
public:
  /// One key and its value, both valid during the call only.
  using row = std::pair<std::string_view, core::bytes_view>;
  using row_visitor = std::function<bool(row)>;
  /// Walks all rows of a group and says as of which entry they are:
  /// state_store::export_group.
  using row_source =
      std::function<core::result<core::log_index>(const row_visitor&)>;

  /// Makes the folder, or empties it.
  static core::result<std::unique_ptr<snapshot_spool>>
  open(file_system& files, std::filesystem::path folder);

  /// Writes what `rows` yields at the speed of the disk.
  core::result<spool_summary> write(spool_id id, core::group_id group,
                                    const row_source& rows);
  /// Less than `size` bytes only at the end of the file.
  core::result<core::shared_bytes> read(spool_id id, std::uint64_t offset,
                                        std::size_t size);
  /// Adds bytes that came from another node; makes the file if there is none.
  core::result<void> append(spool_id id, std::uint64_t offset,
                            core::bytes_view bytes);
  /// corrupt unless the file is what `expected` says.
  core::result<void> check(spool_id id, const spool_summary& expected);

  /// Yields the rows of a file again, in order.
  class reader {
  public:
    reader(const file& from, std::uint64_t size) : file_(from), size_(size) {}
    /// Checks the head. Errors: corrupt, newer_format, io_error.
    core::result<void> begin(core::group_id group);
    /// False at the end or on a failure; `each` is valid until the next call.
    bool next(row& each);
    /// Behind the last row: as of which entry the rows are. Otherwise what
    /// failed: corrupt, io_error.
    [[nodiscard]] const core::result<core::log_index>& applied() const {
      return applied_;
    }

  private:
    bool fill(std::uint64_t wanted);
    bool fail(core::error why);

    const file& file_;
    std::uint64_t size_;
    std::uint64_t position_ = 0; ///< in the file, behind what is buffered
    std::vector<std::byte> buffer_;
    std::size_t used_ = 0; ///< of the buffer
    core::result<core::log_index> applied_ =
        core::error{core::errc::corrupt, "snapshot: cut short"};
  };
  core::result<reader> rows(spool_id id);

  /// No such file is no error.
  void remove(spool_id id);

private:
  snapshot_spool(file_system& files, std::filesystem::path folder)
      : files_(files), folder_(std::move(folder)) {}
  [[nodiscard]] std::filesystem::path path_of(spool_id id) const;
  core::result<file*> opened(spool_id id, open_mode mode);

  file_system& files_;
  std::filesystem::path folder_;
  std::map<spool_id, std::unique_ptr<file>> open_;
};

} // namespace troupe::storage
