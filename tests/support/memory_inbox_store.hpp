// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/assert.hpp"
#include "core/inbox_store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace troupe::test {

/// core::inbox_store in plain maps: what the rules mean, without bytes. Equal
/// stores hold the same; copy it to take a snapshot. Visitors may change the
/// store, though the interface does not ask for that.
class memory_inbox_store final : public core::inbox_store {
public:
  std::optional<core::inbox_head>
  head(const core::owner& inbox) const override {
    return find(heads_, inbox);
  }
  void put_head(const core::owner& inbox,
                const core::inbox_head& head) override {
    heads_[inbox] = head;
  }
  void erase_head(const core::owner& inbox) override { heads_.erase(inbox); }
  void each_head(
      const std::optional<core::owner>& after,
      const std::function<bool(const core::owner&, const core::inbox_head&)>&
          visit) const override {
    auto i = after ? heads_.upper_bound(*after) : heads_.begin();
    while (i != heads_.end()) {
      const auto [inbox, head] = *i;
      if (!visit(inbox, head))
        return;
      i = heads_.upper_bound(inbox);
    }
  }

  std::optional<core::inbox_entry>
  entry(std::uint64_t inbox, core::inbox_position position) const override {
    return find(entries_, std::pair{inbox, position});
  }
  void put_entry(std::uint64_t inbox, const core::inbox_entry& entry) override {
    entries_[{inbox, entry.position}] = entry;
  }
  void erase_entry(std::uint64_t inbox,
                   core::inbox_position position) override {
    entries_.erase({inbox, position});
  }
  void each_entry(std::uint64_t inbox, core::inbox_position from,
                  const std::function<bool(const core::inbox_entry&)>& visit)
      const override {
    auto i = entries_.lower_bound({inbox, from});
    while (i != entries_.end() && i->first.first == inbox) {
      const auto [key, entry] = *i;
      if (!visit(entry))
        return;
      i = entries_.upper_bound(key);
    }
  }

  void put_body(core::log_index source, const core::shared_bytes& command,
                std::uint32_t references) override {
    TROUPE_ASSERT(references > 0, "a body nobody refers to");
    bodies_[source] = {command, references};
  }
  std::optional<core::shared_bytes>
  body(core::log_index source) const override {
    const auto found = bodies_.find(source);
    if (found == bodies_.end())
      return std::nullopt;
    return found->second.first;
  }
  void release_body(core::log_index source) override {
    const auto found = bodies_.find(source);
    if (found != bodies_.end() && --found->second.second == 0)
      bodies_.erase(found);
  }

  void put_expiry(core::timestamp when, std::uint64_t inbox,
                  core::inbox_position position,
                  const core::owner& owner) override {
    expiries_[{when, inbox, position}] = owner;
  }
  void erase_expiry(core::timestamp when, std::uint64_t inbox,
                    core::inbox_position position) override {
    expiries_.erase({when, inbox, position});
  }
  std::vector<expiry> expired(core::timestamp now,
                              std::size_t limit) const override {
    std::vector<expiry> due;
    for (const auto& [key, owner] : expiries_) {
      if (due.size() == limit || std::get<0>(key) >= now)
        break;
      due.push_back(
          {std::get<0>(key), std::get<1>(key), std::get<2>(key), owner});
    }
    return due;
  }

  std::optional<core::origin_record> origin(std::uint64_t id) const override {
    return find(origins_, id);
  }
  void put_origin(std::uint64_t id,
                  const core::origin_record& record) override {
    origins_[id] = record;
  }
  void erase_origin(std::uint64_t id) override { origins_.erase(id); }
  std::vector<std::pair<std::uint64_t, core::origin_record>>
  origins() const override {
    return {origins_.begin(), origins_.end()};
  }

  std::optional<core::message_id>
  deduplicated(std::string_view key) const override {
    const auto found = deduplicated_.find(key);
    if (found == deduplicated_.end())
      return std::nullopt;
    return found->second.first;
  }
  void put_deduplicated(std::string_view key, core::message_id id,
                        core::timestamp until) override {
    const auto found = deduplicated_.find(key);
    if (found != deduplicated_.end())
      deduplication_ends_.erase({found->second.second, found->first});
    deduplicated_.insert_or_assign(std::string{key}, std::pair{id, until});
    deduplication_ends_[{until, std::string{key}}] = true;
  }
  std::size_t erase_deduplicated(core::timestamp before,
                                 std::size_t limit) override {
    std::size_t erased = 0;
    while (erased < limit && !deduplication_ends_.empty()) {
      const auto first = deduplication_ends_.begin();
      if (first->first.first >= before)
        break;
      deduplicated_.erase(first->first.second);
      deduplication_ends_.erase(first);
      ++erased;
    }
    return erased;
  }

  std::uint64_t next_inbox_number() const override { return next_number_; }
  void put_next_inbox_number(std::uint64_t number) override {
    next_number_ = number;
  }
  std::uint64_t inbox_count() const override { return count_; }
  void put_inbox_count(std::uint64_t count) override { count_ = count; }
  core::inbox_policy policy() const override { return policy_; }
  void put_policy(const core::inbox_policy& policy) override {
    policy_ = policy;
  }

  /// For tests that look for leaks.
  std::size_t body_count() const { return bodies_.size(); }
  std::size_t entry_count() const { return entries_.size(); }
  std::size_t expiry_count() const { return expiries_.size(); }
  std::uint32_t references(core::log_index source) const {
    const auto found = bodies_.find(source);
    return found == bodies_.end() ? 0 : found->second.second;
  }

  friend bool operator==(const memory_inbox_store& a,
                         const memory_inbox_store& b) {
    return a.heads_ == b.heads_ && a.entries_ == b.entries_ &&
           a.bodies_ == b.bodies_ && a.expiries_ == b.expiries_ &&
           a.origins_ == b.origins_ && a.deduplicated_ == b.deduplicated_ &&
           a.next_number_ == b.next_number_ && a.count_ == b.count_ &&
           a.policy_ == b.policy_;
  }

private:
  template <class Map>
  static std::optional<typename Map::mapped_type>
  find(const Map& map, const typename Map::key_type& key) {
    const auto found = map.find(key);
    if (found == map.end())
      return std::nullopt;
    return found->second;
  }

  std::map<core::owner, core::inbox_head> heads_;
  std::map<std::pair<std::uint64_t, core::inbox_position>, core::inbox_entry>
      entries_;
  std::map<core::log_index, std::pair<core::shared_bytes, std::uint32_t>>
      bodies_;
  std::map<std::tuple<core::timestamp, std::uint64_t, core::inbox_position>,
           core::owner>
      expiries_;
  std::map<std::uint64_t, core::origin_record> origins_;
  std::map<std::string, std::pair<core::message_id, core::timestamp>,
           std::less<>>
      deduplicated_;
  std::map<std::pair<core::timestamp, std::string>, bool> deduplication_ends_;
  std::uint64_t next_number_ = 1;
  std::uint64_t count_ = 0;
  core::inbox_policy policy_;
};

} // namespace troupe::test
