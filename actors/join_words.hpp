// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What a node says that wants into a cluster, or back into it, and what it
/// hears: the bytes inside a join call of the links (docs/formats/link.md).
namespace troupe::actors {

struct join_request {
  /// 0: a newcomer; else the id the data folder says.
  core::node_id node;
  std::string token;
  std::string name; ///< for people
  /// HOST:PORT; the port may still be 0, the node will say it when it runs.
  std::string address;
  std::uint64_t incarnation = 0;
  /// Its log is where it left it. A member without one has lost its votes.
  bool has_log = false;

  friend bool operator==(const join_request&, const join_request&) = default;
};

/// Numbers cross the wire.
enum class join_verdict : std::uint8_t {
  admitted = 1,
  try_again = 2,  ///< nobody leads just now, or the one asked starts itself
  name_taken = 3, ///< another node has the name
  refused = 4,    ///< for good
};

/// Where a node of the cluster may be found.
struct known_peer {
  core::node_id id;
  std::string address;

  friend bool operator==(const known_peer&, const known_peer&) = default;
};

struct join_answer {
  join_verdict verdict = join_verdict::try_again;
  std::string reason; ///< for people, unless admitted
  core::node_id node; ///< the id given, or confirmed
  std::uint16_t shards = 0;
  std::vector<known_peer> peers;

  friend bool operator==(const join_answer&, const join_answer&) = default;
};

[[nodiscard]] core::shared_bytes encode(const join_request& request);
[[nodiscard]] core::shared_bytes encode(const join_answer& answer);
/// malformed, newer_format.
[[nodiscard]] core::result<join_request>
decode_join_request(core::bytes_view bytes);
[[nodiscard]] core::result<join_answer>
decode_join_answer(core::bytes_view bytes);

} // namespace troupe::actors
