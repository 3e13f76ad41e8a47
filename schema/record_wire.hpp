// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/directory_store.hpp"
#include "core/errc.hpp"
#include "core/ids.hpp"
#include "core/inbox_store.hpp"
#include "core/key_store.hpp"
#include "core/session_store.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Values in the state of a replication group: a short prefix (format, kind,
/// size) and a Cap'n Proto message; every byte is described in
/// docs/formats/records.md. All functions are thread-safe.
namespace troupe::schema {

/// What a value is. Numbers are stable (stored).
enum class record_kind : std::uint8_t {
  inbox_head = 1,
  inbox_entry = 2,
  expiry = 3,
  origin = 4,
  deduplicated = 5,
  policy = 6,
  number = 7,
  user = 8,
  alias = 9,
  list = 10,
  member = 11,
  totals = 12,
  mark = 13, ///< all is in the key
  node = 14,
  replicas = 15,
  cluster = 16,
  account = 17,
  role = 18,
  token = 19,
  ban = 20,
  rights_totals = 21,
  retained_key = 22,
  key_place = 23,
  key_policy = 24,
  session = 25,
  session_packets = 26,
  session_policy = 27,
  session_routes = 28,
  route = 29,
  route_totals = 30,
};

/// Bytes in front of the Cap'n Proto message.
inline constexpr std::size_t record_prefix_bytes = 8;

/// A client-chosen deduplication key that was used.
struct deduplicated_record {
  core::message_id id;
  core::timestamp until{};
  std::string key; ///< "" if the record's key holds it whole

  friend bool operator==(const deduplicated_record&,
                         const deduplicated_record&) = default;
};
struct number_record {
  std::uint64_t value = 0;

  friend bool operator==(const number_record&, const number_record&) = default;
};
struct alias_record {
  std::string uid;

  friend bool operator==(const alias_record&, const alias_record&) = default;
};
/// A placement; the group is in the key.
struct replicas_record {
  std::vector<core::node_id> nodes;

  friend bool operator==(const replicas_record&,
                         const replicas_record&) = default;
};
/// A retained key; the realm is in the record's key.
struct retained_key_record {
  core::key_record key;
  std::string topic; ///< "" if the record's key holds it whole

  friend bool operator==(const retained_key_record&,
                         const retained_key_record&) = default;
};
/// Which retained key it is that expires.
struct key_place_record {
  std::string realm = "default";
  std::string topic;

  friend bool operator==(const key_place_record&,
                         const key_place_record&) = default;
};
struct mark_record {
  friend bool operator==(const mark_record&, const mark_record&) = default;
};

[[nodiscard]] core::shared_bytes encode_record(const core::inbox_head& from);
/// Without the position, which is in the key.
[[nodiscard]] core::shared_bytes encode_record(const core::inbox_entry& from);
/// An expiry's owner; the rest is in the key.
[[nodiscard]] core::shared_bytes encode_record(const core::owner& from);
[[nodiscard]] core::shared_bytes encode_record(const core::origin_record& from);
[[nodiscard]] core::shared_bytes encode_record(const deduplicated_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::inbox_policy& from);
[[nodiscard]] core::shared_bytes encode_record(const number_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::user_record& from);
[[nodiscard]] core::shared_bytes encode_record(const alias_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::list_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::list_member& from);
[[nodiscard]] core::shared_bytes encode_record(const core::realm_totals& from);
[[nodiscard]] core::shared_bytes encode_record(const mark_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::node_record& from);
[[nodiscard]] core::shared_bytes encode_record(const replicas_record& from);
[[nodiscard]] core::shared_bytes
encode_record(const core::cluster_record& from);
[[nodiscard]] core::shared_bytes
encode_record(const core::account_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::role_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::token_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::ban_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::rights_totals& from);
[[nodiscard]] core::shared_bytes encode_record(const retained_key_record& from);
[[nodiscard]] core::shared_bytes encode_record(const key_place_record& from);
[[nodiscard]] core::shared_bytes encode_record(const core::key_policy& from);
[[nodiscard]] core::shared_bytes
encode_record(const core::session_record& from);
[[nodiscard]] core::shared_bytes
encode_record(const core::session_packets& from);
[[nodiscard]] core::shared_bytes
encode_record(const core::session_policy& from);
[[nodiscard]] core::shared_bytes
encode_record(const core::session_routes& from);
/// Without filter and share name if the key holds them.
[[nodiscard]] core::shared_bytes encode_record(const core::route& from);
[[nodiscard]] core::shared_bytes encode_record(const core::route_totals& from);

/// The way back into a fresh `to`. Never throws, whatever the bytes are.
/// Answers ok; corrupt, also for a record of another kind; newer_format. On
/// failure `to` may be half written.
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::inbox_head& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::inbox_entry& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes, core::owner& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::origin_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       deduplicated_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::inbox_policy& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       number_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::user_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       alias_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::list_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::list_member& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::realm_totals& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes, mark_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::node_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       replicas_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::cluster_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::account_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::role_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::token_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::ban_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::rights_totals& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       retained_key_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       key_place_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::key_policy& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::session_record& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::session_packets& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::session_policy& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::session_routes& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes, core::route& to);
[[nodiscard]] core::errc decode_record(core::bytes_view bytes,
                                       core::route_totals& to);

} // namespace troupe::schema
