// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_host.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/topics/topic_router.hpp"
#include "core/clock.hpp"
#include "net/msgbus/history.hpp"

namespace troupe::app {

/// Fills the history of channels: sees what this node publishes, and listens
/// to everything, so that other nodes send what they publish. Owned by the
/// node; outlives the loops.
class channel_history final : public actors::topics::publication_recorder,
                              private actors::topics::topic_subscriber {
public:
  channel_history(net::msgbus::history_options options,
                  const core::clock& clock)
      : realm_(options.realm), kept_(std::move(options), clock) {}

  /// Begins, on a loop of the router; tells the channels what is kept. Before
  /// there are any. Waits for that; not on a loop.
  core::result<void> start(actors::topics::topic_router& router,
                           actors::channels::channel_host& channels,
                           actors::runtime::loop& home);
  /// Ends it; the loops still run. Not on a loop.
  void stop();

  [[nodiscard]] net::msgbus::history& kept() { return kept_; }

private:
  void record(const core::publication_ptr& what) override {
    if (kept_.record(what))
      channels_->keep(what->realm, what->topic.text());
  }
  // It was recorded before.
  void deliver(const core::publication_ptr&, std::uint64_t) override {}
  void foretell(const core::publication_ptr&, std::uint64_t,
                core::fate_list& to) override {
    core::listener_fate kept;
    kept.door = "history";
    to.add(std::move(kept));
  }

  const std::string realm_;
  net::msgbus::history kept_;
  actors::topics::topic_router* router_ = nullptr;
  actors::channels::channel_host* channels_ = nullptr;
  actors::runtime::loop* home_ = nullptr;
  actors::topics::topic_subscription all_; // touched on home_
};

} // namespace troupe::app
