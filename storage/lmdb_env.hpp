// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "storage/mapped_file.hpp"

#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// LMDB, its handles owned and its codes turned into results. For the inside
/// of storage only.
namespace troupe::storage {

/// storage_full for a full map or disk, corrupt for a file that is not LMDB's,
/// io_error for the rest; `what` was being done.
core::error lmdb_error(std::string_view what, int code);

[[nodiscard]] inline MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
[[nodiscard]] inline std::string_view to_text(const MDB_val& val) {
  return {static_cast<const char*>(val.mv_data), val.mv_size};
}

/// The environment with its two tables, "meta" and "state".
class lmdb_env {
public:
  static core::result<std::unique_ptr<lmdb_env>>
  open(const std::filesystem::path& folder, std::size_t map_bytes);
  ~lmdb_env();
  lmdb_env(const lmdb_env&) = delete;
  lmdb_env& operator=(const lmdb_env&) = delete;

  [[nodiscard]] MDB_env* get() const { return env_; }
  [[nodiscard]] MDB_dbi meta() const { return meta_; }
  [[nodiscard]] MDB_dbi state() const { return state_; }

  /// Runs `body` in a write transaction and commits it if the body says
  /// MDB_SUCCESS; else rolls back and returns the body's error. Serialised
  /// with other writers by LMDB.
  core::result<void> write(std::string_view what,
                           const std::function<int(MDB_txn*)>& body);
  /// Flushes all, the newest commit's meta page included.
  core::result<void> sync();

  /// Unmaps what was read of the file if this process has more than `limit`
  /// bytes of mapped files resident; 0: no limit.
  void bound_mapped(std::size_t limit) const;

  /// Bytes in use: all pages ever used less those on the free list.
  core::result<std::uint64_t> used_bytes();

  /// A short read transaction with a cursor over "state", taken from a stock
  /// of reset ones and given back by the destructor. One thread at a time.
  class reader {
  public:
    reader(reader&& other) noexcept
        : env_(std::exchange(other.env_, nullptr)), txn_(other.txn_),
          cursor_(other.cursor_) {}
    reader& operator=(reader&&) = delete;
    ~reader();

    [[nodiscard]] MDB_txn* txn() const { return txn_; }
    [[nodiscard]] MDB_cursor* cursor() const { return cursor_; }

  private:
    friend class lmdb_env;
    reader(lmdb_env* env, MDB_txn* txn, MDB_cursor* cursor)
        : env_(env), txn_(txn), cursor_(cursor) {}

    lmdb_env* env_;
    MDB_txn* txn_;
    MDB_cursor* cursor_;
  };
  /// Sees the newest commit at the time of the call.
  core::result<reader> read();

private:
  lmdb_env() = default;

  MDB_env* env_ = nullptr;
  MDB_dbi meta_ = 0;
  MDB_dbi state_ = 0;
  std::optional<mapped_file> mapping_;
  std::mutex mutex_;
  std::vector<std::pair<MDB_txn*, MDB_cursor*>> idle_readers_;
};

} // namespace troupe::storage
