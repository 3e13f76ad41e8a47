// SPDX-License-Identifier: Apache-2.0
#include "schema/command_prefix.hpp"

#include "core/assert.hpp"
#include "schema/byte_order.hpp"

#include <cstdint>
#include <limits>

namespace troupe::schema {
namespace {

constexpr std::uint8_t format = 1;

// Places in the prefix; see docs/formats/commands.md.
constexpr std::size_t format_at = 0;
constexpr std::size_t family_at = 1;
constexpr std::size_t reserved_at = 2;
constexpr std::size_t flat_bytes_at = 4;
constexpr std::size_t time_at = 8;
constexpr std::size_t origin_at = 16;
constexpr std::size_t sequence_at = 24;

core::error damaged(const char* what) { return {core::errc::malformed, what}; }

} // namespace

void write_prefix(std::byte* to, const command_prefix& prefix,
                  std::size_t flat_bytes) {
  TROUPE_ASSERT(flat_bytes <= std::numeric_limits<std::uint32_t>::max(),
                "command above 4 GiB");
  put_little(to + format_at, format);
  put_little(to + family_at, static_cast<std::uint8_t>(prefix.family));
  put_little(to + reserved_at, std::uint16_t{0});
  put_little(to + flat_bytes_at, static_cast<std::uint32_t>(flat_bytes));
  put_little(to + time_at,
             static_cast<std::uint64_t>(core::to_millis(prefix.time)));
  put_little(to + origin_at, prefix.key.origin);
  put_little(to + sequence_at, prefix.key.sequence);
}

core::result<command_prefix> decode_prefix(core::bytes_view command) {
  if (command.size() < command_prefix_bytes)
    return damaged("command shorter than its prefix");
  const auto* from = command.data();
  const auto version = get_little<std::uint8_t>(from + format_at);
  if (version > format)
    return core::error{core::errc::newer_format, "command"};
  const auto family = get_little<std::uint8_t>(from + family_at);
  if (version == 0 || get_little<std::uint16_t>(from + reserved_at) != 0 ||
      (family != static_cast<std::uint8_t>(command_family::shard) &&
       family != static_cast<std::uint8_t>(command_family::directory)))
    return damaged("prefix of a command");
  command_prefix prefix;
  prefix.family = static_cast<command_family>(family);
  prefix.time = core::from_millis(get_little<std::int64_t>(from + time_at));
  prefix.key = {get_little<std::uint64_t>(from + origin_at),
                get_little<std::uint64_t>(from + sequence_at)};
  return prefix;
}

core::result<command_parts> split_command(core::bytes_view command,
                                          command_family family) {
  auto prefix = decode_prefix(command);
  if (!prefix)
    return prefix.error();
  if (prefix->family != family)
    return damaged("command of another family");
  const auto flat_bytes =
      get_little<std::uint32_t>(command.data() + flat_bytes_at);
  const auto rest = command.subspan(command_prefix_bytes);
  if (flat_bytes > rest.size())
    return damaged("command cut short");
  return command_parts{*prefix, rest.first(flat_bytes),
                       rest.subspan(flat_bytes)};
}

void stamp_time(core::shared_bytes& command, core::timestamp time) {
  TROUPE_ASSERT(command.size() >= command_prefix_bytes, "not a command");
  // The one place where shared bytes change: their owner is still alone.
  put_little(const_cast<std::byte*>(command.data()) + time_at,
             static_cast<std::uint64_t>(core::to_millis(time)));
}

} // namespace troupe::schema
