// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace troupe::storage {

/// Keeps a read-only shared mapping from filling the process's resident set.
/// Pages that were read stay mapped for as long as the kernel has memory to
/// spare, so a process that has once walked its tables looks as large as they
/// are. Giving the pages up only unmaps them: they stay in the kernel's cache,
/// and the next access maps them again (a minor fault).
///
/// Owned by who owns the mapping, which must outlive it. Any thread.
class mapped_file {
public:
  /// Looks for the mapping of the open file in this process; without one (or
  /// without /proc) release_above() does nothing.
  explicit mapped_file(int fd);

  /// Unmaps all pages if those of mapped files exceed `limit` bytes; says
  /// whether it did. 0: no limit.
  bool release_above(std::size_t limit) const;

private:
  std::span<std::byte> mapping_;
};

/// Resident pages of mapped files, in bytes: the tables, and the program
/// itself. 0 if the system does not say.
[[nodiscard]] std::size_t mapped_resident_bytes();

} // namespace troupe::storage
