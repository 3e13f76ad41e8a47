// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/raft_message.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

/// Messages between the replicas of a group as bytes. Who sends and which
/// group is meant belong to the envelope of the link.
///
///   frame    = version u8 (1), kind u8, body, crc32c u32 over all before
///   kind     = 1 + index in cluster::message
///   entry    = term u64, kind u8, size u32, bytes
///   members  = voters u16, node u32 …, learners u16, node u32 …
///
/// Integers are little-endian; the body holds the members of the struct in the
/// order of their declaration, lists with a u32 count in front, flags as one
/// byte 0 or 1.
namespace troupe::cluster {

[[nodiscard]] core::shared_bytes encode(const message& m);

/// Entries of the answer are slices of `frame`. Errors: errc::corrupt if the
/// checksum is wrong, errc::newer_format, errc::malformed. Never trusts a
/// length, never throws for any input.
[[nodiscard]] core::result<message>
decode_message(const core::shared_bytes& frame);

} // namespace troupe::cluster
