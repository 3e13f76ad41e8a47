// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/directory_machine.hpp"
#include "core/ids.hpp"
#include "core/inbox_machine.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <vector>

/// Proposals that a replica passes on to the leader of its group, and what
/// became of them; docs/formats/group-frames.md has every byte.
///
///   frame = version u8 (1), what u8, items, crc32c u32 over all before
namespace troupe::cluster {

struct forwarded_proposal {
  /// Chosen by who passes it on; comes back with the answer.
  std::uint64_t number = 0;
  bool grows = true;
  core::shared_bytes command;

  friend bool operator==(const forwarded_proposal&,
                         const forwarded_proposal&) = default;
};

/// What one replica passes on to one leader, frame by frame.
struct forwarded_batch {
  /// Another one after every loss.
  std::uint64_t stream = 0;
  /// 0, 1, …: a leader takes the frames of a stream without a gap, or none.
  std::uint64_t place = 0;
  std::vector<forwarded_proposal> items;

  friend bool operator==(const forwarded_batch&,
                         const forwarded_batch&) = default;
};

template <class Outcome>
struct forwarded_answer {
  std::uint64_t number = 0;
  Outcome outcome;
  /// With errc::not_leader: who leads, 0 if unknown.
  core::node_id leader;

  friend bool operator==(const forwarded_answer&,
                         const forwarded_answer&) = default;
};
using shard_answer_item = forwarded_answer<core::shard_outcome>;
using directory_answer_item = forwarded_answer<core::directory_outcome>;

[[nodiscard]] core::shared_bytes encode(const forwarded_batch& batch);
[[nodiscard]] core::shared_bytes
encode(const std::vector<shard_answer_item>& items);
[[nodiscard]] core::shared_bytes
encode(const std::vector<directory_answer_item>& items);

/// Each command gets bytes of its own. Errors of all: corrupt, newer_format,
/// malformed. Never throw.
[[nodiscard]] core::result<forwarded_batch>
decode_proposals(const core::shared_bytes& frame);
[[nodiscard]] core::result<void>
decode_answers(const core::shared_bytes& frame,
               std::vector<shard_answer_item>& to);
[[nodiscard]] core::result<void>
decode_answers(const core::shared_bytes& frame,
               std::vector<directory_answer_item>& to);

} // namespace troupe::cluster
