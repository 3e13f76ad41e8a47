// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "schema/record_wire.hpp"
#include "schema/state_key.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace troupe;

template <class Record>
void try_record(core::bytes_view bytes) {
  Record record;
  if (schema::decode_record(bytes, record) != core::errc::ok)
    return;
  Record again;
  TROUPE_ASSERT(schema::decode_record(schema::encode_record(record).view(),
                                      again) == core::errc::ok &&
                    again == record,
                "record changed");
}

void try_key(std::string_view key) {
  schema::state_key_parts parts{key};
  static_cast<void>(parts.name());
  static_cast<void>(parts.byte());
  static_cast<void>(parts.time());
  static_cast<void>(parts.name());
  TROUPE_ASSERT(parts.last().size() <= key.size(), "key grew");
}

} // namespace

/// Records and keys as a damaged disk or a snapshot may hand them over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const core::bytes_view bytes{reinterpret_cast<const std::byte*>(data), size};
  try_record<core::inbox_head>(bytes);
  try_record<core::inbox_entry>(bytes);
  try_record<core::owner>(bytes);
  try_record<core::origin_record>(bytes);
  try_record<schema::deduplicated_record>(bytes);
  try_record<core::inbox_policy>(bytes);
  try_record<schema::number_record>(bytes);
  try_record<core::user_record>(bytes);
  try_record<schema::alias_record>(bytes);
  try_record<core::list_record>(bytes);
  try_record<core::list_member>(bytes);
  try_record<core::realm_totals>(bytes);
  try_record<schema::mark_record>(bytes);
  try_record<core::node_record>(bytes);
  try_record<schema::replicas_record>(bytes);
  try_record<core::cluster_record>(bytes);
  try_record<core::account_record>(bytes);
  try_record<core::role_record>(bytes);
  try_record<core::token_record>(bytes);
  try_record<core::ban_record>(bytes);
  try_record<core::rights_totals>(bytes);
  try_record<schema::retained_key_record>(bytes);
  try_record<schema::key_place_record>(bytes);
  try_record<core::key_policy>(bytes);
  try_record<core::session_record>(bytes);
  try_record<core::session_packets>(bytes);
  try_record<core::session_policy>(bytes);
  try_record<core::session_routes>(bytes);
  try_record<core::route>(bytes);
  try_record<core::route_totals>(bytes);
  try_key(core::as_text(bytes));
  return 0;
}
