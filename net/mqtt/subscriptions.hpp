// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/topic_filter.hpp"
#include "core/topic_filter_index.hpp"
#include "net/mqtt/packets.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::mqtt {

/// What one client is subscribed to under one filter.
struct subscription {
  core::topic_filter filter; ///< as the client means it
  /// What it may have of that, and what is listened to: mostly the same.
  core::topic_filter heard;
  qos level = qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint32_t id = 0; ///< 0: none
  std::string share{};  ///< "": it is not shared
  /// Of a session that outlives its connection: the directory has it since
  /// this index of its log; 0: not yet, or for long, or nobody asks.
  std::uint64_t routed_at = 0;
  /// The request (its ticket) whose answer says since when; 0: none, and so
  /// it stays. `not_yet`: it is still to be made.
  std::uint64_t routing = 0;
  static constexpr std::uint64_t not_yet = UINT64_MAX;
  std::uint64_t asked = 0; ///< the last request for it

  /// This one stands for the same filter as the one before. Whoever publishes
  /// may have heard of that alone: what is queued by it is as good, unless it
  /// was of QoS 0, by which nothing is queued.
  void replace(const subscription& before) {
    routed_at = before.routed_at;
    const bool raised =
        before.level == qos::at_most_once && level != qos::at_most_once;
    routing = raised ? not_yet : before.routing;
  }
};

/// What all subscriptions of a client that match say together of a message.
struct wanted {
  bool any = false;
  qos level = qos::at_most_once;
  bool retain_as_published = false;
  std::vector<std::uint32_t> ids{};
  /// The first one that is wanted above QoS 0 and is routed is so since then.
  std::uint64_t routed_at = none_is;
  static constexpr std::uint64_t none_is = UINT64_MAX;
};

/// The subscriptions of one client, by their filters. Owned by a gate.
class subscriptions {
public:
  /// The one of that filter, null without.
  [[nodiscard]] subscription* find(const core::topic_filter& filter);
  /// REQUIRES: there is none of its filter.
  subscription& add(subscription what);
  /// What was listened to; nothing if there was none.
  std::optional<core::topic_filter> remove(const core::topic_filter& filter);

  /// `own`: the client itself has published it.
  void match(const core::publication& what, bool own, wanted& found) const;

  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
  [[nodiscard]] const std::vector<subscription>& all() const { return all_; }

private:
  /// With more than this an index looks for those that match.
  static constexpr std::size_t plain_max = 8;

  void index();
  void index(std::size_t place);

  std::vector<subscription> all_;
  struct lookup {
    core::topic_filter_index heard; ///< by filter::heard
    /// Of each place of the index: which of all_. Several may hear the same.
    std::vector<std::vector<std::uint32_t>> places;
    core::topic_filter_index filters; ///< by filter
    std::vector<std::uint32_t> at;
  };
  std::unique_ptr<lookup> index_; ///< null with a few
};

} // namespace troupe::net::mqtt
