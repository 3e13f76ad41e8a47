// SPDX-License-Identifier: Apache-2.0
#include "storage/state_format.hpp"

#include "core/crc32c.hpp"
#include "storage/byte_order.hpp"

namespace troupe::storage {
namespace {

constexpr std::size_t group_row_bytes = 14;

std::byte* bytes_of(std::string& text) {
  return reinterpret_cast<std::byte*>(text.data());
}

} // namespace

std::string state_key(state_slot slot, std::string_view key) {
  std::string full(slot_bytes, '\0');
  full.reserve(slot_bytes + key.size());
  store_big(bytes_of(full), slot);
  full += key;
  return full;
}

std::string slot_end(state_slot slot) {
  return state_key(static_cast<state_slot>(slot + 1), {});
}

std::uint32_t value_check(std::string_view full_key, core::bytes_view value) {
  return core::crc32c(value, core::crc32c(core::as_bytes(full_key)));
}

std::optional<core::bytes_view> checked_value(std::string_view full_key,
                                              std::string_view row) {
  if (row.size() < value_check_bytes)
    return std::nullopt;
  const auto bytes = core::as_bytes(row);
  const auto value = bytes.first(row.size() - value_check_bytes);
  if (load_little<std::uint32_t>(bytes.data() + value.size()) !=
      value_check(full_key, value))
    return std::nullopt;
  return value;
}

std::string group_row_key(core::group_id group) {
  std::string key = "group:";
  key.resize(key.size() + sizeof group.value());
  store_big(bytes_of(key) + key.size() - sizeof group.value(), group.value());
  return key;
}

std::string encode_group_row(core::group_id group, const group_row& row) {
  std::string bytes(group_row_bytes, '\0');
  auto* to = bytes_of(bytes);
  store_little(to, row.slot);
  store_little(to + 2, row.applied.value());
  store_little(to + 10, value_check(group_row_key(group), {to, 10}));
  return bytes;
}

std::optional<group_row> decode_group_row(core::group_id group,
                                          std::string_view bytes) {
  if (bytes.size() != group_row_bytes)
    return std::nullopt;
  const auto value = checked_value(group_row_key(group), bytes);
  if (!value)
    return std::nullopt;
  group_row row{load_little<std::uint16_t>(value->data()),
                core::log_index{load_little<std::uint64_t>(value->data() + 2)}};
  if (row.slot / 2 != group.value())
    return std::nullopt;
  return row;
}

} // namespace troupe::storage
