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

} // namespace

std::uint64_t stable_hash(const owner& inbox) noexcept {
  using namespace std::string_view_literals;
  auto hash = fnv1a(inbox.realm, 0xCBF29CE484222325ULL);
  const char kind = static_cast<char>(inbox.kind);
  hash = fnv1a("\0"sv, hash);
  hash = fnv1a({&kind, 1}, hash);
  hash = fnv1a(inbox.name, hash);
  // Finalizer of MurmurHash3: every input bit reaches every output bit.
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33;
  hash *= 0xC4CEB9FE1A85EC53ULL;
  hash ^= hash >> 33;
  return hash;
}

group_id shard_of(const owner& inbox, std::uint16_t shard_count) noexcept {
  TROUPE_ASSERT(shard_count > 0, "a cluster has at least one shard");
  return group_id{
      static_cast<std::uint16_t>(1 + stable_hash(inbox) % shard_count)};
}

} // namespace troupe::core
