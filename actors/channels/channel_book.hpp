// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_report.hpp"
#include "core/clock.hpp"
#include "core/json_text.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

namespace troupe::actors::channels {

/// How many a second, of late: each event counts the less the longer ago it
/// is, e times less every `memory`.
class event_rate {
public:
  static constexpr core::milliseconds memory{5'000};

  void add(std::uint64_t events, core::steady_time now);
  [[nodiscard]] double at(core::steady_time now) const {
    return faded(value_, now - when_);
  }
  /// What is left of a rate so much later.
  [[nodiscard]] static double faded(double rate,
                                    core::steady_time::duration later);

private:
  double value_ = 0;
  core::steady_time when_{};
};

/// A rate in JSON, with three decimals.
[[nodiscard]] std::string rate_text(double rate);

/// What the actor of a channel knows: reports go in, and what is told of it
/// comes out. Pure; times are given.
class channel_book {
public:
  /// Before the first report: so many listeners are known by name; who comes
  /// above that is counted only, and users are those of the named.
  void name_at_most(std::size_t listeners) { named_max_ = listeners; }

  void apply(const channel_report& report, core::steady_time now,
             core::timestamp wall);

  /// Loops on which somebody listens, or a door keeps a place for those who
  /// may come back.
  [[nodiscard]] std::size_t attachments() const {
    return static_cast<std::size_t>(begun_ - ended_);
  }
  /// How often that has begun.
  [[nodiscard]] std::uint64_t begun() const { return begun_; }
  [[nodiscard]] std::uint64_t listeners() const { return joined_ - left_; }
  /// Different users with a name, of the listeners known by name.
  [[nodiscard]] std::size_t users() const { return users_.size(); }
  [[nodiscard]] bool restricted() const { return restricted_; }
  [[nodiscard]] const channel_counts& counts() const { return counts_; }
  /// Publications a second, of this node and others.
  [[nodiscard]] double rate(core::steady_time now) const {
    return publications_.at(now);
  }

  /// Members private … presence.
  void describe(core::json_writer& out, core::steady_time now) const;

private:
  struct listener {
    std::string uid;
    std::string door;
    std::size_t loop = 0;
    core::timestamp since{};
    std::uint32_t times = 0; ///< it may listen more than once
  };
  struct presence {
    std::uint64_t connections = 0;
    core::timestamp since{};
  };

  void join(const core::listener_about& who, std::size_t loop,
            core::timestamp wall);
  void leave(std::uint64_t session);

  std::size_t named_max_ = 0;
  std::unordered_map<std::uint64_t, listener> named_; // by session
  std::map<std::string, presence> users_;             // by uid
  std::uint64_t unnamed_ = 0;
  std::uint64_t joined_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  bool restricted_ = false;
  channel_counts counts_;
  event_rate publications_;
  event_rate deliveries_;
};

} // namespace troupe::actors::channels
