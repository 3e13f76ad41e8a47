// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "storage/cluster_id.hpp"
#include "storage/file_system.hpp"
#include "storage/log_format.hpp"
#include "storage/log_ledger.hpp"
#include "storage/log_types.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::storage {

/// "segment-<16 hexadecimal digits>.log".
std::string segment_name(segment_number number);
std::optional<segment_number> parse_segment_name(std::string_view name);
/// A segment being made; of no use after a crash.
inline constexpr std::string_view new_segment_name = "segment.new";

/// What a log folder held, and where to go on.
struct recovered_log {
  log_ledger ledger;
  std::vector<recovered_group> groups; ///< ascending by group
  batch_sequence last_sequence = 0;    ///< of the last batch there is
  /// Segment to go on in and the end of its last batch; 0 if none was begun.
  segment_number tail = 0;
  std::uint64_t tail_position = 0;
  std::uint64_t tail_bytes = 0; ///< size of that segment
  /// Segments ready for use after it, ascending.
  std::vector<segment_number> prepared;
};

/// Replays a log folder, cuts what was being written when the node died, and
/// makes the rest durable. Reads each segment once, in one piece. See
/// log_store::open for parameters and errors.
core::result<recovered_log>
recover_log(file_system& files, const std::filesystem::path& folder,
            const cluster_id& cluster, std::uint64_t segment_bytes,
            const std::function<core::log_index(core::group_id)>& keep_above);

} // namespace troupe::storage
