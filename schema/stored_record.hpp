// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/assert.hpp"
#include "core/errc.hpp"
#include "core/name_rules.hpp"
#include "core/shared_bytes.hpp"
#include "core/state_space.hpp"
#include "schema/record_wire.hpp"
#include "schema/state_key.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Records in a state space, for the stores of this folder.
namespace troupe::schema {

/// A space keeps checksums and refuses folders of newer versions, so a value
/// that does not decode is a broken invariant.
template <class Record>
[[nodiscard]] Record decoded(const core::shared_bytes& value) {
  Record record;
  const auto failure = decode_record(value.view(), record);
  TROUPE_ASSERT(failure == core::errc::ok, "damaged record in the state");
  return record;
}

template <class Record>
[[nodiscard]] std::optional<Record> load(const core::state_space& space,
                                         const state_key& key) {
  if (!key.fits())
    return std::nullopt;
  const auto value = space.get(key.view());
  if (!value)
    return std::nullopt;
  return decoded<Record>(*value);
}

template <class Record>
void save(core::state_space& space, const state_key& key,
          const Record& record) {
  space.put(key.view(), encode_record(record));
}

inline void drop(core::state_space& space, const state_key& key) {
  if (key.fits())
    space.erase(key.view());
}

/// Visits the names behind `after` that stand last in the keys which start
/// with `prefix`.
template <class Visit>
void walk(const core::state_space& space, const state_key& prefix,
          std::string_view after, const Visit& visit) {
  if (!prefix.fits())
    return;
  // No name is longer than the bound, so what follows a longer one is what
  // follows its beginning.
  auto from = prefix;
  from.last(after.substr(0, core::name_bytes_max + 1));
  if (!from.fits())
    return;
  const auto prefix_bytes = prefix.view().size();
  space.scan(prefix.view(),
             after.empty() ? std::string{from.view()} : from.successor(),
             [&](std::string_view key, const core::shared_bytes& value) {
               return visit(key.substr(prefix_bytes), value);
             });
}

/// Numbers of a data shard kept one by one; stable (stored).
enum class number_name : std::uint8_t {
  next_inbox = 1,
  inbox_count = 2,
  key_count = 3,
  key_bytes = 4,
  session_count = 5,
};
[[nodiscard]] inline std::uint64_t load_number(const core::state_space& space,
                                               number_name name,
                                               std::uint64_t otherwise = 0) {
  const auto key =
      state_key{key_kind::number}.byte(static_cast<std::uint8_t>(name));
  return load<number_record>(space, key)
      .value_or(number_record{otherwise})
      .value;
}
inline void save_number(core::state_space& space, number_name name,
                        std::uint64_t value) {
  save(space, state_key{key_kind::number}.byte(static_cast<std::uint8_t>(name)),
       number_record{value});
}

/// FNV-1a, for names that are too long for a key. Two of one hash are told
/// apart by the value under it, which has the name whole.
[[nodiscard]] inline std::uint64_t hash_of_name(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3ULL;
  }
  return hash;
}

[[nodiscard]] inline state_key origin_key(std::uint64_t id) {
  return state_key{key_kind::origin}.number(id);
}

[[nodiscard]] inline std::vector<std::pair<std::uint64_t, core::origin_record>>
load_origins(const core::state_space& space) {
  std::vector<std::pair<std::uint64_t, core::origin_record>> origins;
  const state_key prefix{key_kind::origin};
  space.scan(prefix.view(), {},
             [&](std::string_view key, const core::shared_bytes& value) {
               const auto id = state_key_parts{key}.number();
               TROUPE_ASSERT(id, "damaged key in the state");
               origins.emplace_back(*id, decoded<core::origin_record>(value));
               return true;
             });
  return origins;
}

} // namespace troupe::schema
