// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/ids.hpp"
#include "core/message.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>

/// Commands as they stand in the replicated logs: a fixed prefix, a Cap'n
/// Proto message, and the raw bytes of a posted message behind it. Every byte
/// is described in docs/formats/commands.md. All functions are thread-safe.
namespace troupe::schema {

/// What the commands of a log are about. Numbers are stable (stored).
enum class command_family : std::uint8_t { shard = 1, directory = 2 };

/// Bytes in front of the Cap'n Proto message.
inline constexpr std::size_t command_prefix_bytes = 32;

/// Copies meta and payload of an append_message, or the payload of a set_key,
/// once, into the result. The
/// message's id, created and expires are not written: time and place in the
/// log give them. REQUIRES: strings and lists of less than 2^29 bytes, all
/// but meta and payload less than 4 GiB.
[[nodiscard]] core::shared_bytes
encode(const core::logged_shard_command& command);
[[nodiscard]] core::shared_bytes
encode(const core::logged_directory_command& command);

/// Meta and payload of an append_message, and the payload of a set_key, are
/// slices of `bytes`. Never throws,
/// whatever the bytes are. Errors: malformed; newer_format.
[[nodiscard]] core::result<core::logged_shard_command>
decode_shard_command(const core::shared_bytes& bytes);
[[nodiscard]] core::result<core::logged_directory_command>
decode_directory_command(const core::shared_bytes& bytes);

/// Writes the time of a command in place: what the leader does just before it
/// proposes. REQUIRES: an encoded command that nobody else holds yet, neither
/// whole nor in slices (the bytes change under them).
void stamp_time(core::shared_bytes& command, core::timestamp time);

/// What every command has, without a look at the rest. Errors as above.
struct command_prefix {
  command_family family = command_family::shard;
  core::idempotency_key key;
  core::timestamp time{};

  friend bool operator==(const command_prefix&,
                         const command_prefix&) = default;
};
[[nodiscard]] core::result<command_prefix>
decode_prefix(core::bytes_view command);

/// The message in an append_message as recipients see it; looks at no other
/// recipient. `source` is the command's place in the log of `group`, `ordinal`
/// tells apart the messages of one command. The id's number is
/// core::message_number(group, source, ordinal), created is the command's time,
/// expires that plus the command's own time to live (the default of a policy
/// is in the inbox entry). `recipient` is the entry's (inbox_entry::recipient):
/// a publication is as that session gets it. Costs the same however many
/// recipients there are. Errors: malformed, also for another command;
/// newer_format.
[[nodiscard]] core::result<core::message>
decode_message(const core::shared_bytes& command, core::group_id group,
               core::log_index source, std::uint16_t ordinal,
               std::uint32_t recipient = 0);

/// What a set_key says, of which core::found_key keeps the bytes. The payload
/// is a slice of them. Errors: malformed, also for another command;
/// newer_format.
[[nodiscard]] core::result<core::set_key>
decode_key_value(const core::shared_bytes& command);

} // namespace troupe::schema
