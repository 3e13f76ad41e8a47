// SPDX-License-Identifier: Apache-2.0
#include "storage/state_writer.hpp"

#include "storage/byte_order.hpp"

#include <cstring>
#include <memory>
#include <optional>

namespace troupe::storage {
namespace {

constexpr std::size_t rows_cleared_at_once = 10'000;

struct close_cursor {
  void operator()(MDB_cursor* cursor) const { ::mdb_cursor_close(cursor); }
};
using owned_cursor = std::unique_ptr<MDB_cursor, close_cursor>;

int open_cursor(MDB_txn* txn, MDB_dbi table, owned_cursor& into) {
  MDB_cursor* cursor = nullptr;
  const int code = ::mdb_cursor_open(txn, table, &cursor);
  into.reset(cursor);
  return code;
}

} // namespace

int write_changes(lmdb_env& env, MDB_txn* txn, state_slot slot,
                  const overlay::run& changes, written_rows& count) {
  owned_cursor cursor;
  if (const int code = open_cursor(txn, env.state(), cursor); code != 0)
    return code;
  // Where the last look-up of a key to be erased ended: LMDB has nothing
  // between that key and this one, so the keys between need no look-up. Keys
  // that came and went within the interval cost next to nothing that way, and
  // dirty no page.
  std::optional<std::string> gap_end;
  bool gap_to_the_end = false;
  std::string full = state_key(slot, {});
  for (const auto* change : changes) {
    full.resize(slot_bytes);
    full += change->first;
    if (!change->second.erased) {
      if (const int code =
              put_value(cursor.get(), full, change->second.value.view());
          code != 0)
        return code;
      ++count.puts;
      continue;
    }
    if (gap_to_the_end || (gap_end && full < *gap_end)) {
      ++count.elided;
      continue;
    }
    auto key = to_val(full);
    MDB_val value{};
    int code = ::mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND) {
      gap_to_the_end = true;
      ++count.elided;
    } else if (code != 0) {
      return code;
    } else if (to_text(key) == full) {
      if (code = ::mdb_cursor_del(cursor.get(), 0); code != 0)
        return code;
      ++count.erases;
    } else {
      gap_end = to_text(key);
      ++count.elided;
    }
  }
  return 0;
}

int put_value(MDB_cursor* cursor, std::string_view full_key,
              core::bytes_view value) {
  auto key = to_val(full_key);
  MDB_val room{value.size() + value_check_bytes, nullptr};
  const int code = ::mdb_cursor_put(cursor, &key, &room, MDB_RESERVE);
  if (code != 0)
    return code;
  auto* to = static_cast<std::byte*>(room.mv_data);
  if (!value.empty())
    std::memcpy(to, value.data(), value.size());
  store_little(to + value.size(), value_check(full_key, value));
  return 0;
}

int put_group_row(lmdb_env& env, MDB_txn* txn, core::group_id group,
                  const group_row& row) {
  const auto key_bytes = group_row_key(group);
  const auto row_bytes = encode_group_row(group, row);
  auto key = to_val(key_bytes);
  auto value = to_val(row_bytes);
  return ::mdb_put(txn, env.meta(), &key, &value, 0);
}

core::result<void> clear_slot(lmdb_env& env, state_slot slot) {
  const auto start = state_key(slot, {});
  {
    // Mostly there is nothing to clear, and nothing need be written for that.
    auto in = env.read();
    if (!in)
      return in.error();
    auto key = to_val(start);
    MDB_val value{};
    if (::mdb_cursor_get(in->cursor(), &key, &value, MDB_SET_RANGE) != 0 ||
        !to_text(key).starts_with(start))
      return {};
  }
  for (bool more = true; more;) {
    auto done = env.write("state: clear", [&](MDB_txn* txn) {
      owned_cursor cursor;
      if (const int code = open_cursor(txn, env.state(), cursor); code != 0)
        return code;
      auto key = to_val(start);
      MDB_val value{};
      int code = ::mdb_cursor_get(cursor.get(), &key, &value, MDB_SET_RANGE);
      for (std::size_t rows = 0; code == 0 && to_text(key).starts_with(start);
           ++rows) {
        if (rows == rows_cleared_at_once)
          return 0;
        if (const int failed = ::mdb_cursor_del(cursor.get(), 0); failed != 0)
          return failed;
        code = ::mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT);
      }
      more = false;
      return code == MDB_NOTFOUND ? 0 : code;
    });
    if (!done)
      return done;
  }
  return {};
}

core::result<void>
put_rows(lmdb_env& env, state_slot slot,
         const std::vector<std::pair<std::string, std::string>>& rows) {
  return env.write("state: import", [&](MDB_txn* txn) {
    owned_cursor cursor;
    if (const int code = open_cursor(txn, env.state(), cursor); code != 0)
      return code;
    for (const auto& [key, value] : rows)
      if (const int code = put_value(cursor.get(), state_key(slot, key),
                                     core::as_bytes(value));
          code != 0)
        return code;
    return 0;
  });
}

} // namespace troupe::storage
