// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/keys/key_messages.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>

/// Questions for retained keys to the node that leads their shard, and its
/// answers; docs/formats/key-frames.md has every byte.
///
///   frame = version u8 (1), what u8, number u64, body, crc32c u32
namespace troupe::actors::keys {

/// Of one shard.
struct remote_question {
  std::uint64_t number = 0; ///< chosen by who asks
  std::uint16_t loop = 0;   ///< to which the answer goes
  core::group_id group;
  std::string realm;
  core::topic_filter filter;
  std::optional<std::string> after;
  core::key_page_limits limits;
};

struct remote_answer {
  std::uint64_t number = 0;
  core::errc failure = core::errc::ok;
  core::node_id leader{};
  core::key_page page;
};

[[nodiscard]] core::shared_bytes encode(const remote_question& what);
[[nodiscard]] core::shared_bytes encode(const remote_answer& what);

/// Errors: corrupt, newer_format, malformed. Never throw. Realm, filter and
/// topics are checked, commands are not; those may be slices of `bytes`.
[[nodiscard]] core::result<remote_question>
decode_question(const core::shared_bytes& bytes);
[[nodiscard]] core::result<remote_answer>
decode_answer(const core::shared_bytes& bytes);

} // namespace troupe::actors::keys
