// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/ids.hpp"
#include "core/message.hpp"
#include "core/publication.hpp"
#include "core/route_table.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

/// What is to be queued for sessions: one publication, and who gets it.
struct queued_publication {
  core::message message; ///< see message_of()
  std::vector<core::inbox_recipient> to;
  std::optional<core::milliseconds> time_to_live;
  /// See append_message; made different for each of its commands.
  std::string deduplication_key;
};

/// What it takes until it is queued in `shards` shards or fewer: each command
/// has a copy.
[[nodiscard]] std::size_t bytes_of(const queued_publication& what,
                                   std::size_t shards);

/// A publication as it waits in inboxes.
[[nodiscard]] core::message message_of(const core::publication& what,
                                       std::uint8_t qos, bool retain);
/// And back again; its number is about the time when it was queued, in
/// microseconds. Nothing if it is none.
[[nodiscard]] std::optional<core::publication>
publication_of(const core::message& what);

/// Those who get it: all of `direct` and one of each share, in turn by `turn`,
/// as far as they want more than QoS 0.
[[nodiscard]] std::vector<core::inbox_recipient>
recipients_of(core::route_matches found, std::uint64_t turn);

/// One command for each shard that has a recipient, and no more recipients
/// each than a command may have.
[[nodiscard]] std::vector<std::pair<core::group_id, core::append_message>>
commands_of(queued_publication what,
            const std::function<core::group_id(const core::owner&)>& group_of);

} // namespace troupe::actors
