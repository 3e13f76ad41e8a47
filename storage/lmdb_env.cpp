// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb_env.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

namespace troupe::storage {
namespace {

using core::errc;
using core::error;
using core::result;

constexpr unsigned readers_max = 512;
constexpr mdb_mode_t owner_only = 0600;
/// LMDB's own table of free pages.
constexpr MDB_dbi free_list = 0;

} // namespace

error lmdb_error(std::string_view what, int code) {
  auto kind = errc::io_error;
  if (code == MDB_MAP_FULL || code == ENOSPC || code == EDQUOT)
    kind = errc::storage_full;
  else if (code == MDB_INVALID || code == MDB_CORRUPTED ||
           code == MDB_PAGE_NOTFOUND || code == MDB_VERSION_MISMATCH)
    kind = errc::corrupt;
  return {kind, std::string{what} + ": " + ::mdb_strerror(code)};
}

result<std::unique_ptr<lmdb_env>>
lmdb_env::open(const std::filesystem::path& folder, std::size_t map_bytes) {
  std::unique_ptr<lmdb_env> made{new lmdb_env};
  const auto what = folder.string();
  if (const int code = ::mdb_env_create(&made->env_); code != 0)
    return lmdb_error(what, code);
  int code = ::mdb_env_set_mapsize(made->env_, map_bytes);
  if (code == 0)
    code = ::mdb_env_set_maxdbs(made->env_, 4);
  if (code == 0)
    code = ::mdb_env_set_maxreaders(made->env_, readers_max);
  // NOTLS: a read transaction belongs to whoever holds it, not to a thread.
  // NOMETASYNC: one flush a commit; the last one may be undone by a power cut,
  // which is why a commit is reported only after the next flush.
  // NORDAHEAD: what is read is scattered.
  if (code == 0)
    code =
        ::mdb_env_open(made->env_, folder.c_str(),
                       MDB_NOTLS | MDB_NOMETASYNC | MDB_NORDAHEAD, owner_only);
  if (code != 0)
    return lmdb_error(what, code);
  // Readers of a process that was killed would keep pages from being re-used.
  int dead = 0;
  (void)::mdb_reader_check(made->env_, &dead);
  auto opened = made->write(what, [&made](MDB_txn* txn) {
    if (const int failed =
            ::mdb_dbi_open(txn, "meta", MDB_CREATE, &made->meta_);
        failed != 0)
      return failed;
    return ::mdb_dbi_open(txn, "state", MDB_CREATE, &made->state_);
  });
  if (!opened)
    return opened.error();
  int fd = -1;
  if (::mdb_env_get_fd(made->env_, &fd) == 0)
    made->mapping_.emplace(fd);
  return made;
}

lmdb_env::~lmdb_env() {
  for (const auto& [txn, cursor] : idle_readers_) {
    ::mdb_cursor_close(cursor);
    ::mdb_txn_abort(txn);
  }
  if (env_ != nullptr)
    ::mdb_env_close(env_);
}

result<void> lmdb_env::write(std::string_view what,
                             const std::function<int(MDB_txn*)>& body) {
  MDB_txn* txn = nullptr;
  if (const int code = ::mdb_txn_begin(env_, nullptr, 0, &txn); code != 0)
    return lmdb_error(what, code);
  if (const int code = body(txn); code != 0) {
    ::mdb_txn_abort(txn);
    return lmdb_error(what, code);
  }
  if (const int code = ::mdb_txn_commit(txn); code != 0)
    return lmdb_error(what, code);
  return {};
}

result<void> lmdb_env::sync() {
  if (const int code = ::mdb_env_sync(env_, 1); code != 0)
    return lmdb_error("state: flush", code);
  return {};
}

void lmdb_env::bound_mapped(std::size_t limit) const {
  if (mapping_)
    mapping_->release_above(limit);
}

result<std::uint64_t> lmdb_env::used_bytes() {
  MDB_envinfo info{};
  MDB_stat stat{};
  if (int code = ::mdb_env_info(env_, &info); code != 0)
    return lmdb_error("state: info", code);
  if (int code = ::mdb_env_stat(env_, &stat); code != 0)
    return lmdb_error("state: info", code);
  auto in = read();
  if (!in)
    return in.error();
  MDB_cursor* cursor = nullptr;
  if (int code = ::mdb_cursor_open(in->txn(), free_list, &cursor); code != 0)
    return lmdb_error("state: free list", code);
  std::uint64_t pages = info.me_last_pgno + 1;
  MDB_val key{};
  MDB_val value{};
  while (::mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
    // The first word of a row is how many pages it lists.
    std::size_t count = 0;
    std::memcpy(&count, value.mv_data, sizeof count);
    pages -= std::min<std::uint64_t>(pages, count);
  }
  ::mdb_cursor_close(cursor);
  return pages * stat.ms_psize;
}

lmdb_env::reader::~reader() {
  if (env_ == nullptr)
    return;
  ::mdb_txn_reset(txn_);
  const std::lock_guard lock{env_->mutex_};
  env_->idle_readers_.emplace_back(txn_, cursor_);
}

result<lmdb_env::reader> lmdb_env::read() {
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  {
    const std::lock_guard lock{mutex_};
    if (!idle_readers_.empty()) {
      std::tie(txn, cursor) = idle_readers_.back();
      idle_readers_.pop_back();
    }
  }
  if (txn != nullptr) {
    int code = ::mdb_txn_renew(txn);
    if (code == 0)
      code = ::mdb_cursor_renew(txn, cursor);
    if (code == 0)
      return reader{this, txn, cursor};
    ::mdb_cursor_close(cursor);
    ::mdb_txn_abort(txn);
    return lmdb_error("state: read", code);
  }
  if (const int code = ::mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
      code != 0)
    return lmdb_error("state: read", code);
  if (const int code = ::mdb_cursor_open(txn, state_, &cursor); code != 0) {
    ::mdb_txn_abort(txn);
    return lmdb_error("state: read", code);
  }
  return reader{this, txn, cursor};
}

} // namespace troupe::storage
