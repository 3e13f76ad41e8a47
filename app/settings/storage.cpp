// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = storage_settings;
constexpr row_maker<&settings::storage> in{"storage"};

constexpr std::array rows{
    in.row<&values::segment_bytes>(
        "segment_bytes", "Size of one file of the log; a message has to fit.",
        size_between(mib, 16 * gib)),
    in.row<&values::commit_interval>(
        "commit_interval",
        "Time between commits of the state, which the log can rebuild.",
        between(1 * ms, 10 * s)),
    in.row<&values::map_bytes>(
        "map_bytes",
        "Address space for the state: a bound to its size, not a file.",
        size_between(64 * mib, 64 * tib)),
    in.row<&values::mapped_bytes_max>(
        "mapped_bytes_max",
        "Pages of the state kept mapped; more are left to the kernel's "
        "cache. 0 keeps all.",
        size_between(0, tib)),
    in.row<&values::quota_bytes>(
        "quota_bytes",
        "Bytes the data folder may take; 0 allows the whole disk.",
        size_between(0, 1024 * tib)),
    in.row<&values::reserve_bytes>(
        "reserve_bytes",
        "Free bytes on the disk below which no new work is accepted.",
        size_between(0, 16 * tib)),
};

} // namespace

section_table storage_section() {
  return {{"storage", "The log and the state on disk."}, rows};
}

} // namespace troupe::app::table
