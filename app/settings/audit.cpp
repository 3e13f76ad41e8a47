// SPDX-License-Identifier: Apache-2.0
#include "app/settings/section.hpp"

#include <array>

namespace troupe::app::table {
namespace {

using values = audit_settings;
constexpr row_maker<&settings::audit> in{"audit"};

constexpr std::array rows{
    in.row<&values::enabled>(
        "enabled", "Whether the node keeps an audit log, in the data folder."),
    in.row<&values::answers>(
        "answers",
        "When an answer leaves: at_once; when its record is written, "
        "which a killed process does not lose; or when it is synced to "
        "the disk, which a power cut does not lose either."),
    in.row<&values::overflow>(
        "overflow",
        "When too many records wait: drop and count them, or refuse new "
        "work as overloaded."),
    in.row<&values::messages>(
        "messages",
        "Which messages are recorded, to inboxes and to channels: all, "
        "those that were refused, or none. All else always is."),
    in.row<&values::payload>(
        "payload",
        "What is kept of a message's payload: nothing but its size, its "
        "SHA-256, or all of it."),
    in.row<&values::payload_bytes_max>(
        "payload_bytes_max",
        "Larger payloads are not kept, with audit.payload = \"full\".",
        size_between(0, 16 * mib)),
    in.row<&values::queue_bytes_max>(
        "queue_bytes_max",
        "Bytes of records, and of payloads that are to be hashed or kept, "
        "that may wait to be written.",
        size_between(64 * kib, 16 * gib)),
    in.row<&values::sync_interval>(
        "sync_interval", "What was written is on the disk at least so soon.",
        between(1 * ms, 60 * s)),
    in.row<&values::segment_bytes>("segment_bytes",
                                   "Size of one file of the log.",
                                   size_between(64 * kib, gib)),
    in.row<&values::keep_bytes>(
        "keep_bytes",
        "When all files together have more, the oldest are removed.",
        size_between(64 * kib, 1024 * tib)),
    in.row<&values::keep_time>(
        "keep_time", "Files in which all is older are removed; 0 keeps them.",
        between(0, years)),
    in.row<&values::key_file>(
        "key_file",
        "File with a key, in its first line, by which the heads of the "
        "log's files are sealed; empty: they are not."),
};

} // namespace

section_table audit_section() {
  return {{"audit", "What happened at this node's doors, written down."}, rows};
}

} // namespace troupe::app::table
