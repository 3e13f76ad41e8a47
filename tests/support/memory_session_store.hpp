// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/session_store.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace troupe::test {

/// core::session_store in plain maps: what the rules mean, without bytes. Equal
/// stores hold the same; copy it to take a snapshot.
class memory_session_store final : public core::session_store {
public:
  std::optional<core::session_record>
  session(const core::owner& name) const override {
    const auto found = sessions_.find(name);
    if (found == sessions_.end())
      return std::nullopt;
    return found->second;
  }
  void put_session(const core::owner& name,
                   const core::session_record& record) override {
    sessions_[name] = record;
  }
  void erase_session(const core::owner& name) override {
    sessions_.erase(name);
  }
  void each_session(const std::optional<core::owner>& after,
                    const session_visitor& visit) const override {
    auto i = after ? sessions_.upper_bound(*after) : sessions_.begin();
    for (; i != sessions_.end(); ++i)
      if (!visit(i->first, i->second))
        return;
  }

  core::session_packets packets(const core::owner& name) const override {
    const auto found = packets_.find(name);
    return found == packets_.end() ? core::session_packets{} : found->second;
  }
  void put_packets(const core::owner& name,
                   const core::session_packets& packets) override {
    if (packets.empty())
      packets_.erase(name);
    else
      packets_[name] = packets;
  }

  void put_due(const due_session& due) override {
    due_.emplace(due.when, due.owner);
  }
  void erase_due(const due_session& due) override {
    due_.erase({due.when, due.owner});
  }
  std::vector<due_session> due_sessions(core::timestamp now,
                                        std::size_t limit) const override {
    std::vector<due_session> due;
    for (const auto& [when, name] : due_) {
      if (due.size() == limit || when > now)
        break;
      due.push_back({when, name});
    }
    return due;
  }

  void put_pending(const core::owner& name) override { pending_.insert(name); }
  void erase_pending(const core::owner& name) override { pending_.erase(name); }
  std::vector<core::owner>
  pending_sessions(const std::optional<core::owner>& after,
                   std::size_t limit) const override {
    std::vector<core::owner> found;
    auto i = after ? pending_.upper_bound(*after) : pending_.begin();
    for (; i != pending_.end() && found.size() < limit; ++i)
      found.push_back(*i);
    return found;
  }

  std::uint64_t session_count() const override { return count_; }
  void put_session_count(std::uint64_t count) override { count_ = count; }
  core::session_policy policy_of_sessions() const override { return policy_; }
  void put_policy_of_sessions(const core::session_policy& policy) override {
    policy_ = policy;
  }

  /// For tests that look for leaks.
  std::size_t record_count() const { return sessions_.size(); }
  std::size_t packets_count() const { return packets_.size(); }
  std::size_t due_count() const { return due_.size(); }
  std::size_t pending_count() const { return pending_.size(); }

  friend bool operator==(const memory_session_store& a,
                         const memory_session_store& b) {
    return a.sessions_ == b.sessions_ && a.packets_ == b.packets_ &&
           a.due_ == b.due_ && a.pending_ == b.pending_ &&
           a.count_ == b.count_ && a.policy_ == b.policy_;
  }

private:
  std::map<core::owner, core::session_record> sessions_;
  std::map<core::owner, core::session_packets> packets_;
  std::set<std::pair<core::timestamp, core::owner>> due_;
  std::set<core::owner> pending_;
  std::uint64_t count_ = 0;
  core::session_policy policy_;
};

} // namespace troupe::test
