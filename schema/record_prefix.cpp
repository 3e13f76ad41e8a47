// SPDX-License-Identifier: Apache-2.0
#include "schema/record_prefix.hpp"

#include "core/assert.hpp"
#include "schema/byte_order.hpp"

#include <cstdint>
#include <limits>

namespace troupe::schema {
namespace {

constexpr std::uint8_t format = 1;

// Places in the prefix; see docs/formats/records.md.
constexpr std::size_t format_at = 0;
constexpr std::size_t kind_at = 1;
constexpr std::size_t reserved_at = 2;
constexpr std::size_t flat_bytes_at = 4;

void write_prefix(std::byte* to, record_kind kind, std::size_t flat_bytes) {
  TROUPE_ASSERT(flat_bytes <= std::numeric_limits<std::uint32_t>::max(),
                "record above 4 GiB");
  put_little(to + format_at, format);
  put_little(to + kind_at, static_cast<std::uint8_t>(kind));
  put_little(to + reserved_at, std::uint16_t{0});
  put_little(to + flat_bytes_at, static_cast<std::uint32_t>(flat_bytes));
}

core::errc check_prefix(core::bytes_view record, record_kind kind) {
  if (record.size() < record_prefix_bytes)
    return core::errc::corrupt;
  const auto* from = record.data();
  const auto version = get_little<std::uint8_t>(from + format_at);
  if (version > format)
    return core::errc::newer_format;
  const bool sound = version == format &&
                     get_little<std::uint8_t>(from + kind_at) ==
                         static_cast<std::uint8_t>(kind) &&
                     get_little<std::uint16_t>(from + reserved_at) == 0 &&
                     get_little<std::uint32_t>(from + flat_bytes_at) ==
                         record.size() - record_prefix_bytes;
  return sound ? core::errc::ok : core::errc::corrupt;
}

} // namespace

core::shared_bytes
write_record(record_kind kind,
             function_ref<void(capnp::MessageBuilder&)> fill) {
  return write_flat(record_prefix_bytes, 0, fill,
                    [&](std::byte* to, std::size_t flat_bytes) {
                      write_prefix(to, kind, flat_bytes);
                    });
}

core::shared_bytes write_mark(record_kind kind) {
  return core::shared_bytes::build(
      record_prefix_bytes, [&](std::byte* to) { write_prefix(to, kind, 0); });
}

core::errc read_record(
    core::bytes_view record, record_kind kind,
    function_ref<core::errc(capnp::MessageReader&, std::size_t words)> read) {
  if (const auto failure = check_prefix(record, kind);
      failure != core::errc::ok)
    return failure;
  return read_flat(record.subspan(record_prefix_bytes), core::errc::corrupt,
                   read);
}

core::errc read_mark(core::bytes_view record, record_kind kind) {
  if (const auto failure = check_prefix(record, kind);
      failure != core::errc::ok)
    return failure;
  return record.size() == record_prefix_bytes ? core::errc::ok
                                              : core::errc::corrupt;
}

} // namespace troupe::schema
