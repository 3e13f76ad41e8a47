// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/group_transport.hpp"
#include "actors/messages.hpp"
#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace troupe::test_support {

/// Links between the nodes of one test, in virtual time: frames are lost, late
/// or cut off as the test wants, by a seed. One thread only.
class sim_network {
public:
  explicit sim_network(std::uint64_t seed) : random_(seed) {}

  /// Gets what arrives.
  std::function<void(core::node_id to, core::group_id, actors::group_frame)>
      deliver;
  /// Of a thousand frames so many are lost.
  unsigned loss = 0;
  core::milliseconds delay_max{0};
  /// Frames under way between two nodes; send() says no above it.
  std::size_t room = 100'000;
  /// Sees every frame sent; false loses it.
  std::function<bool(core::node_id from, core::node_id to, core::group_id,
                     actors::group_frame_kind)>
      filter;
  /// Sees them before that; true refuses one as if there were no room.
  std::function<bool(core::group_id, actors::group_frame_kind)> is_full;

  /// The transport of one node.
  actors::group_transport& port(core::node_id of) {
    auto& place = ports_[of];
    if (!place)
      place = std::make_unique<port_of>(*this, of);
    return *place;
  }

  /// Nothing passes from `a` to `b` any more, nor what is under way.
  void cut_one_way(core::node_id a, core::node_id b) { cut_.insert({a, b}); }
  void cut(core::node_id a, core::node_id b) {
    cut_one_way(a, b);
    cut_one_way(b, a);
  }
  /// Cuts a node off from all others.
  void isolate(core::node_id node, std::uint32_t nodes) {
    for (std::uint32_t i = 1; i <= nodes; ++i)
      if (i != node.value())
        cut(node, core::node_id{i});
  }
  void heal() { cut_.clear(); }
  [[nodiscard]] bool passes(core::node_id from, core::node_id to) const {
    return !cut_.contains({from, to});
  }

  /// Delivers what is due; how many frames that were.
  std::size_t step(core::steady_time now) {
    now_ = now;
    std::vector<frame_under_way> due;
    while (!under_way_.empty() && under_way_.begin()->first.first <= now) {
      due.push_back(std::move(under_way_.begin()->second));
      under_way_.erase(under_way_.begin());
    }
    for (auto& f : due) {
      --waiting_[{f.frame.from, f.to}];
      if (!cut_.contains({f.frame.from, f.to}))
        deliver(f.to, f.group, std::move(f.frame));
    }
    return due.size();
  }

private:
  struct frame_under_way {
    core::node_id to;
    core::group_id group;
    actors::group_frame frame;
  };
  class port_of final : public actors::group_transport {
  public:
    port_of(sim_network& net, core::node_id self) : net_(net), self_(self) {}
    bool send(core::node_id to, core::group_id group,
              actors::group_frame_kind kind,
              core::shared_bytes bytes) override {
      return net_.send({to, group, {self_, kind, std::move(bytes)}});
    }
    [[nodiscard]] bool reaches(core::node_id node) const override {
      return net_.passes(self_, node) && net_.passes(node, self_);
    }

  private:
    sim_network& net_;
    core::node_id self_;
  };

  bool send(frame_under_way f) {
    const auto link = std::pair{f.frame.from, f.to};
    if (cut_.contains(link) || waiting_[link] >= room ||
        (is_full && is_full(f.group, f.frame.kind)))
      return false;
    if (random_() % 1000 < loss ||
        (filter && !filter(f.frame.from, f.to, f.group, f.frame.kind)))
      return true;
    ++waiting_[link];
    auto due = now_;
    if (delay_max.count() > 0)
      due += core::milliseconds{static_cast<std::int64_t>(
          random_() % static_cast<std::uint64_t>(delay_max.count() + 1))};
    under_way_.emplace(std::pair{due, ++number_}, std::move(f));
    return true;
  }

  std::mt19937_64 random_;
  core::steady_time now_{};
  std::uint64_t number_ = 0;
  std::map<core::node_id, std::unique_ptr<port_of>> ports_;
  std::set<std::pair<core::node_id, core::node_id>> cut_;
  std::map<std::pair<core::node_id, core::node_id>, std::size_t> waiting_;
  std::map<std::pair<core::steady_time, std::uint64_t>, frame_under_way>
      under_way_;
};

} // namespace troupe::test_support
