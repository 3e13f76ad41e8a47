// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "storage/lmdb_env.hpp"
#include "storage/overlay.hpp"
#include "storage/state_format.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// What the state thread and imports do to LMDB, inside a write transaction
/// or as transactions of their own.
namespace troupe::storage {

struct written_rows {
  std::uint64_t puts = 0;
  std::uint64_t erases = 0;
  std::uint64_t elided = 0; ///< erased keys that LMDB did not have
};

/// Applies changes, in the order of their keys, to a slot; an LMDB code.
int write_changes(lmdb_env& env, MDB_txn* txn, state_slot slot,
                  const overlay::run& changes, written_rows& count);

/// Puts a value with its checksum.
int put_value(MDB_cursor* cursor, std::string_view full_key,
              core::bytes_view value);

int put_group_row(lmdb_env& env, MDB_txn* txn, core::group_id group,
                  const group_row& row);

/// Removes all rows of a slot, in transactions of bounded size.
core::result<void> clear_slot(lmdb_env& env, state_slot slot);

/// Adds rows to a slot, in one transaction.
core::result<void>
put_rows(lmdb_env& env, state_slot slot,
         const std::vector<std::pair<std::string, std::string>>& rows);

} // namespace troupe::storage
