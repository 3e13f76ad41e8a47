// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "net/audit_pen.hpp"
#include "net/topic_space.hpp"
#include "net/zenconn/options.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::net::zenconn {

/// What a broadcast's questions are known by: the floor that asks, one of its
/// sessions, and a number of that session's.
struct question {
  core::node_id node;
  std::uint64_t floor = 0;
  std::uint64_t session = 0;
  std::uint64_t number = 0;

  friend auto operator<=>(const question&, const question&) = default;
};

/// What the floors of a node share: who is in which channel, and which
/// questions about that have been answered. One a node, outlives its floors.
/// Thread-safe.
class house {
public:
  house(const zenconn_options& options, topic_space& topics, core::node_id self,
        zenconn_stats& stats, audit_pen audit = {})
      : options_(options), topics_(topics), self_(self), stats_(stats),
        audit_(std::move(audit)) {}
  house(const house&) = delete;
  house& operator=(const house&) = delete;

  void came(std::string_view channel);
  void went(std::string_view channel);
  [[nodiscard]] std::uint64_t members(std::string_view channel) const;

  /// Whether it is for the caller to answer; only once true. The last
  /// `questions_kept` are known.
  [[nodiscard]] bool take(const question& asked);
  static constexpr std::size_t questions_kept = 4096;

  [[nodiscard]] const zenconn_options& options() const { return options_; }
  [[nodiscard]] topic_space& topics() const { return topics_; }
  [[nodiscard]] core::node_id self() const { return self_; }
  [[nodiscard]] zenconn_stats& stats() const { return stats_; }
  [[nodiscard]] const audit_pen& audit() const { return audit_; }

private:
  const zenconn_options& options_;
  topic_space& topics_;
  const core::node_id self_;
  zenconn_stats& stats_;
  const audit_pen audit_;

  mutable std::mutex mutex_; // guards all below
  std::map<std::string, std::uint64_t, std::less<>> members_;
  std::set<question> answered_;
  std::deque<question> order_;
};

} // namespace troupe::net::zenconn
