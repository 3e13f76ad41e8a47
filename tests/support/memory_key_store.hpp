// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/key_store.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::test {

/// core::key_store in plain maps: what the rules mean, without bytes. Equal
/// stores hold the same; copy it to take a snapshot.
class memory_key_store final : public core::key_store {
public:
  std::optional<core::key_record> key(std::string_view realm,
                                      std::string_view topic) const override {
    const auto found = keys_.find({std::string{realm}, std::string{topic}});
    if (found == keys_.end())
      return std::nullopt;
    return found->second;
  }
  bool put_key(std::string_view realm, std::string_view topic,
               const core::key_record& record) override {
    keys_[{std::string{realm}, std::string{topic}}] = record;
    return true;
  }
  void erase_key(std::string_view realm, std::string_view topic) override {
    keys_.erase({std::string{realm}, std::string{topic}});
  }
  void each_key(std::string_view realm, std::string_view beginning,
                const std::optional<std::string>& after,
                const key_visitor& visit) const override {
    const place from{std::string{realm}, std::string{beginning}};
    auto i = keys_.lower_bound(from);
    if (after && place{std::string{realm}, *after} >= from)
      i = keys_.upper_bound({std::string{realm}, *after});
    for (; i != keys_.end() && i->first.first == realm &&
           i->first.second.starts_with(beginning);
         ++i)
      if (!visit(i->first.second, i->second))
        return;
  }

  void put_value(core::log_index source,
                 const core::shared_bytes& command) override {
    values_[source] = command;
  }
  std::optional<core::shared_bytes>
  value(core::log_index source) const override {
    const auto found = values_.find(source);
    if (found == values_.end())
      return std::nullopt;
    return found->second;
  }
  void erase_value(core::log_index source) override { values_.erase(source); }

  void put_key_expiry(const key_expiry& expiry) override {
    expiries_[{expiry.when, expiry.source}] = {expiry.realm, expiry.topic};
  }
  void erase_key_expiry(core::timestamp when, core::log_index source) override {
    expiries_.erase({when, source});
  }
  std::vector<key_expiry> expired_keys(core::timestamp now,
                                       std::size_t limit) const override {
    std::vector<key_expiry> due;
    for (const auto& [key, where] : expiries_) {
      if (due.size() == limit || key.first >= now)
        break;
      due.push_back({key.first, key.second, where.first, where.second});
    }
    return due;
  }

  core::key_totals totals_of_keys() const override { return totals_; }
  void put_totals_of_keys(const core::key_totals& totals) override {
    totals_ = totals;
  }
  core::key_policy policy_of_keys() const override { return policy_; }
  void put_policy_of_keys(const core::key_policy& policy) override {
    policy_ = policy;
  }

  /// For tests that look for leaks.
  std::size_t key_count() const { return keys_.size(); }
  std::size_t value_count() const { return values_.size(); }
  std::size_t expiry_count() const { return expiries_.size(); }

  friend bool operator==(const memory_key_store& a, const memory_key_store& b) {
    return a.keys_ == b.keys_ && a.values_ == b.values_ &&
           a.expiries_ == b.expiries_ && a.totals_ == b.totals_ &&
           a.policy_ == b.policy_;
  }

private:
  using place = std::pair<std::string, std::string>; ///< realm, topic
  std::map<place, core::key_record> keys_;
  std::map<core::log_index, core::shared_bytes> values_;
  std::map<std::pair<core::timestamp, core::log_index>, place> expiries_;
  core::key_totals totals_;
  core::key_policy policy_;
};

} // namespace troupe::test
