// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "storage/audit/record.hpp"
#include "storage/audit/recorder.hpp"
#include "storage/audit/segment.hpp"
#include "storage/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// Reads an audit log, one that is being written or one that lies there.
namespace troupe::storage::audit {

/// What of a folder without a writer can be read: all that its files have now.
/// Errors: not_found for no folder, io_error.
core::result<log_view> look_at(file_system& files,
                               const std::filesystem::path& folder);

/// What is looked for; what is not set or empty is not looked at.
struct search_terms {
  sequence_number after = 0; ///< records behind this one
  std::optional<core::timestamp> from;
  std::optional<core::timestamp> until; ///< exclusive
  std::vector<core::audit_kind> kinds;
  std::optional<bool> accepted;
  std::string user;
  std::string target; ///< of a post: one of its recipients
  std::uint64_t session = 0;
  /// Bytes of the log to go through in one search.
  std::uint64_t scan_bytes_max = std::uint64_t{256} << 20U;
};

[[nodiscard]] bool matches(const record& found, const search_terms& terms);

/// How a search ended.
struct search_end {
  /// Where to go on with `after`; 0: there is nothing more.
  sequence_number next = 0;
  /// Segments that could not be read to their end.
  std::size_t damaged = 0;
};

/// Calls `visit` for each record that matches, in order, with the chain's hash
/// behind it, until it says false: then `next` is the last it was called for
/// before. The chain is not checked, only the records' checksums.
core::result<search_end>
search(file_system& files, const std::filesystem::path& folder,
       const log_view& view, const search_terms& terms,
       const std::function<bool(const record&, const digest&)>& visit);

/// Something that is known from elsewhere to have been in the log.
struct anchor {
  sequence_number sequence = 0;
  digest hash{};
};

struct verify_terms {
  std::string key; ///< that heads must be sealed by; "": not looked at
  std::optional<audit::anchor> anchor;
};

/// Where a log is not what was written.
struct broken_place {
  std::string file; ///< its name
  std::uint64_t offset = 0;
  sequence_number behind = 0; ///< the last record that is right, or 0
  std::string why;
};

struct verdict {
  std::size_t segments = 0;
  std::size_t sealed = 0; ///< of those, by some key
  std::uint64_t records = 0;
  sequence_number first = 0; ///< 0: there is none
  sequence_number last = 0;
  digest last_hash{};
  /// Half a frame at the very end: a node that writes, or died while it did.
  std::uint64_t torn_bytes = 0;
  std::optional<broken_place> broken; ///< the first one
};

/// Follows the whole chain, from the first head that is kept. Does not write.
/// Errors: not_found, io_error, newer_format; whatever else is wrong is in the
/// verdict.
core::result<verdict> verify(file_system& files,
                             const std::filesystem::path& folder,
                             const verify_terms& terms);

} // namespace troupe::storage::audit
