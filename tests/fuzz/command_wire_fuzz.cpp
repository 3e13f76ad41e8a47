// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "schema/command_wire.hpp"

#include <cstddef>
#include <cstdint>

/// Commands as a peer or a damaged log may hand them over: nothing throws, and
/// what is accepted is written and read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace troupe;
  const auto bytes = core::shared_bytes::copy_of(
      core::bytes_view{reinterpret_cast<const std::byte*>(data), size});
  if (const auto command = schema::decode_shard_command(bytes)) {
    const auto again = schema::decode_shard_command(schema::encode(*command));
    TROUPE_ASSERT(again && *again == *command, "shard command changed");
  }
  if (const auto command = schema::decode_directory_command(bytes)) {
    const auto again =
        schema::decode_directory_command(schema::encode(*command));
    TROUPE_ASSERT(again && *again == *command, "directory command changed");
  }
  const auto message =
      schema::decode_message(bytes, core::group_id{1}, core::log_index{1}, 0);
  TROUPE_ASSERT(!message || message->payload.size() <= size,
                "payload longer than its command");
  const auto key = schema::decode_key_value(bytes);
  TROUPE_ASSERT(!key || key->content.payload.size() <= size,
                "payload longer than its command");
  return 0;
}
