// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/names/name_messages.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>

/// What desks and the leaders of shards say to each other when they are on
/// different nodes; docs/formats/name-frames.md has every byte.
///
///   frame = version u8 (1), what u8, group u16, body, crc32c u32
namespace troupe::actors::names {

/// Which way a frame goes.
enum class names_way : std::uint8_t { to_shard, to_desk };

/// Carries frames to other nodes. What comes in goes to take_name_frame(), on
/// any thread; that a link is gone, to tell_names_cut(). In order and once for
/// one sender, way and key, until the link ends. Outlives the actors.
class name_transport {
public:
  virtual ~name_transport() = default;
  /// Never blocks. `key` is the group to a shard, the loop to a desk.
  /// unavailable: no link; overloaded: no room now.
  virtual core::result<void> send(core::node_id to, names_way way,
                                  std::uint64_t key,
                                  core::shared_bytes frame) = 0;
};

/// Items of one frame, and the bytes of their names before the last one.
inline constexpr std::size_t name_items_max = 256;
inline constexpr std::size_t name_bytes_max = std::size_t{64} << 10U;

using name_words = std::variant<names_claimed, names_freed, names_answered,
                                names_taken, names_released>;

/// Nodes are not in it: the link knows them.
[[nodiscard]] core::shared_bytes encode(const names_claimed& what);
[[nodiscard]] core::shared_bytes encode(const names_freed& what);
[[nodiscard]] core::shared_bytes encode(const names_answered& what);
[[nodiscard]] core::shared_bytes encode(const names_taken& what);
[[nodiscard]] core::shared_bytes encode(const names_released& what);

/// Errors: corrupt, newer_format, malformed. Never throws.
[[nodiscard]] core::result<name_words>
decode_names(const core::shared_bytes& frame);

/// Hands a frame to the shard or the desk it is for; `key` as it was sent.
void take_name_frame(broker_context& context, core::node_id from, names_way way,
                     std::uint64_t key, const core::shared_bytes& frame,
                     std::shared_ptr<const void> credit);
/// Before anything that comes over the next link to that node.
void tell_names_cut(broker_context& context, core::node_id peer);
/// Any thread.
void tell_names_led(broker_context& context, core::group_id group,
                    core::node_id leader);

} // namespace troupe::actors::names
