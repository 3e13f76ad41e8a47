// SPDX-License-Identifier: Apache-2.0
#include "actors/keys/key_scan.hpp"

#include "core/shard_key.hpp"

#include <utility>

namespace troupe::actors::keys {

key_scan::key_scan(key_question what, std::uint16_t shards)
    : what_(std::move(what)), shards_(shards), at_(what_.from) {
  if (what_.filter.is_exact())
    at_.group = core::shard_of_key(what_.realm, what_.filter.text(), shards);
  else if (at_.group == core::group_id{})
    at_.group = core::group_id{1};
  done_ = at_.group.value() > shards_;
}

core::key_page_limits key_scan::limits() const {
  core::key_page_limits most;
  most.count_max = what_.count_max - found_.keys.size();
  most.bytes_max = what_.bytes_max - bytes_;
  most.looked_at_max = looked_at_max;
  return most;
}

void key_scan::take(core::key_page part) {
  ++answers_;
  for (auto& each : part.keys) {
    bytes_ += each.record.weight;
    found_.keys.push_back(std::move(each));
  }
  if (part.next)
    at_.after = std::move(part.next);
  else
    next_shard();
  const bool full = found_.keys.size() >= what_.count_max ||
                    bytes_ >= what_.bytes_max || answers_ >= answers_max;
  if (full && !done_) {
    done_ = true;
    found_.next = at_;
  }
}

void key_scan::skip() {
  found_.unread.push_back(at_.group);
  next_shard();
  // Who waits for the page has waited long.
  if (!done_) {
    done_ = true;
    found_.next = at_;
  }
}

void key_scan::next_shard() {
  at_.after.reset();
  at_.group = core::group_id{static_cast<std::uint16_t>(at_.group.value() + 1)};
  done_ = what_.filter.is_exact() || at_.group.value() > shards_;
}

} // namespace troupe::actors::keys
