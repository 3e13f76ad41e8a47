// SPDX-License-Identifier: Apache-2.0
#include "core/shard_key.hpp"

#include "core/assert.hpp"

#include <string_view>

namespace troupe::core {
namespace {

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) noexcept {
  for (char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3ULL;
  }
  return hash;
}

/// What is not the inbox of an owner; numbers follow those of owner_kind.
constexpr char kind_of_keys = 2;

std::uint64_t hash_of(std::string_view realm, char kind,
                      std::string_view name) noexcept {
  using namespace std::string_view_literals;
  auto hash = fnv1a(realm, 0xCBF29CE484222325ULL);
  hash = fnv1a("\0"sv, hash);
  hash = fnv1a({&kind, 1}, hash);
  hash = fnv1a(name, hash);
  // Finalizer of MurmurHash3: every input bit reaches every output bit.
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33;
  hash *= 0xC4CEB9FE1A85EC53ULL;
  hash ^= hash >> 33;
  return hash;
}

} // namespace

std::uint64_t stable_hash(const owner& inbox) noexcept {
  return hash_of(inbox.realm, static_cast<char>(inbox.kind), inbox.name);
}

group_id shard_of(const owner& inbox, std::uint16_t shard_count) noexcept {
  TROUPE_ASSERT(shard_count > 0, "a cluster has at least one shard");
  return group_id{
      static_cast<std::uint16_t>(1 + stable_hash(inbox) % shard_count)};
}

group_id shard_of_key(std::string_view realm, std::string_view topic,
                      std::uint16_t shard_count) noexcept {
  TROUPE_ASSERT(shard_count > 0, "a cluster has at least one shard");
  return group_id{static_cast<std::uint16_t>(
      1 + hash_of(realm, kind_of_keys, topic) % shard_count)};
}

} // namespace troupe::core
