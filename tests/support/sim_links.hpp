// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/attachment_table.hpp"
#include "actors/context.hpp"
#include "actors/names/name_wire.hpp"
#include "core/ids.hpp"
#include "tests/support/sim_network.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::test_support {

/// Links for attachments and names between the nodes of one test, in virtual
/// time, with the promises of the real ones: in order and once, until the link
/// ends. A node that is cut off in the sim_network is noticed after `silence`;
/// what was under way is lost then, and both sides are told. One thread only.
class sim_links {
public:
  explicit sim_links(const sim_network& network) : network_(network) {}

  /// How long nobody hears of a node before its links end.
  core::milliseconds silence{2'400};
  /// Frames under way between two nodes; send() says overloaded above it.
  std::size_t room = 100'000;
  /// Sees every frame that arrives, may change it; false loses it.
  std::function<bool(core::node_id from, core::node_id to,
                     actors::attachment_way, core::shared_bytes&)>
      filter;
  /// The same for frames about names.
  std::function<bool(core::node_id from, core::node_id to,
                     actors::names::names_way)>
      names_filter;
  /// How many more frames about names are refused by send(): no room.
  std::size_t names_refused = 0;

  /// A new life of a node. Who serves it is set once that is there.
  actors::attachment_transport& start(core::node_id node) {
    auto& fresh = ports_[node];
    fresh.port = std::make_unique<port_of>(*this, node);
    fresh.names = std::make_unique<names_port_of>(*this, node);
    fresh.life = ++last_life_;
    return *fresh.port;
  }
  [[nodiscard]] actors::names::name_transport& names_of(core::node_id node) {
    return *ports_.at(node).names;
  }
  void serve(core::node_id node, actors::broker_context* context) {
    ports_[node].table = context->attachments;
    ports_[node].context = context;
  }
  /// Ends without a word; whoever is not cut off from it notices at once.
  void crash(core::node_id node) {
    const auto at = ports_.find(node);
    if (at == ports_.end())
      return;
    at->second.table = nullptr;
    at->second.context = nullptr;
    at->second.life = 0;
    for (auto& [other, each] : ports_)
      if (other != node && network_.passes(other, node))
        end(other, node);
  }
  [[nodiscard]] std::uint64_t life_of(core::node_id node) const {
    return ports_.at(node).life;
  }
  /// Cuts one link for a moment, as a lost packet too many would.
  void flap(core::node_id a, core::node_id b) { end(a, b); }
  /// The same, where the other side's actors are slow to hear of it.
  void flap_seen_by(core::node_id a, core::node_id b) {
    auto* late = std::exchange(ports_[b].table, nullptr);
    end(a, b);
    ports_[b].table = late;
  }
  [[nodiscard]] bool up(core::node_id a, core::node_id b) const {
    const auto found = links_.find(key(a, b));
    return found == links_.end() || found->second.up;
  }

  /// Delivers what is there; how many frames that were.
  std::size_t step(core::steady_time now) {
    for (auto& [a, one] : ports_)
      for (auto& [b, two] : ports_)
        if (a < b)
          watch(a, b, now);
    std::size_t count = 0;
    for (auto& [way, frames] : std::exchange(under_way_, {})) {
      const auto& [from, to] = way;
      if (!network_.passes(from, to) || !network_.passes(to, from)) {
        auto& waiting = under_way_[way]; // until the link is given up
        waiting.insert(waiting.begin(), frames.begin(), frames.end());
        continue;
      }
      for (auto& f : frames) {
        ++count;
        if (f.names)
          deliver_names(from, to, f);
        else if (auto* table = ports_[to].table;
                 table != nullptr &&
                 (!filter || filter(from, to, f.way, f.bytes)))
          table->on_frame(f.way, {from, f.life, std::move(f.bytes), {}});
      }
    }
    return count;
  }

private:
  struct frame {
    actors::attachment_way way{};
    std::uint64_t life = 0;
    core::shared_bytes bytes;
    std::optional<actors::names::names_way> names{};
    std::uint64_t key = 0;
  };
  using pair_of = std::pair<core::node_id, core::node_id>;
  class port_of final : public actors::attachment_transport {
  public:
    port_of(sim_links& net, core::node_id self) : net_(net), self_(self) {}
    core::result<void> send(core::node_id to, actors::attachment_way way,
                            std::uint64_t, core::shared_bytes bytes) override {
      return net_.send(self_, to, {way, 0, std::move(bytes)});
    }

  private:
    sim_links& net_;
    core::node_id self_;
  };
  class names_port_of final : public actors::names::name_transport {
  public:
    names_port_of(sim_links& net, core::node_id self)
        : net_(net), self_(self) {}
    core::result<void> send(core::node_id to, actors::names::names_way way,
                            std::uint64_t key,
                            core::shared_bytes bytes) override {
      if (net_.names_refused > 0) {
        --net_.names_refused;
        return core::errc::overloaded;
      }
      return net_.send(self_, to, {{}, 0, std::move(bytes), way, key});
    }

  private:
    sim_links& net_;
    core::node_id self_;
  };
  struct node_place {
    std::unique_ptr<port_of> port;
    std::unique_ptr<names_port_of> names;
    actors::attachment_table* table = nullptr;
    actors::broker_context* context = nullptr;
    std::uint64_t life = 0;
  };
  struct link_state {
    bool up = true;
    std::optional<core::steady_time> silent_since;
  };

  static pair_of key(core::node_id a, core::node_id b) {
    return a < b ? pair_of{a, b} : pair_of{b, a};
  }

  void watch(core::node_id a, core::node_id b, core::steady_time now) {
    auto& between = links_[key(a, b)];
    if (network_.passes(a, b) && network_.passes(b, a)) {
      between.silent_since.reset();
      between.up = ports_[a].life != 0 && ports_[b].life != 0;
      return;
    }
    if (!between.silent_since)
      between.silent_since = now;
    if (between.up && now - *between.silent_since >= silence)
      end(a, b);
  }

  void end(core::node_id a, core::node_id b) {
    links_[key(a, b)].up = false;
    under_way_.erase({a, b});
    under_way_.erase({b, a});
    if (auto* table = ports_[a].table)
      table->on_peer_down(b);
    if (auto* table = ports_[b].table)
      table->on_peer_down(a);
    if (auto* context = ports_[a].context)
      actors::names::tell_names_cut(*context, b);
    if (auto* context = ports_[b].context)
      actors::names::tell_names_cut(*context, a);
  }

  void deliver_names(core::node_id from, core::node_id to, frame& f) {
    if (auto* context = ports_[to].context;
        context != nullptr &&
        (!names_filter || names_filter(from, to, *f.names)))
      actors::names::take_name_frame(*context, from, *f.names, f.key, f.bytes,
                                     {});
  }

  core::result<void> send(core::node_id from, core::node_id to, frame what) {
    if (!up(from, to) || ports_[to].life == 0)
      return core::errc::unavailable;
    auto& frames = under_way_[{from, to}];
    if (frames.size() >= room)
      return core::errc::overloaded;
    what.life = ports_[from].life;
    frames.push_back(std::move(what));
    return {};
  }

  const sim_network& network_;
  std::map<core::node_id, node_place> ports_;
  std::map<pair_of, link_state> links_;
  std::map<pair_of, std::deque<frame>> under_way_;
  std::uint64_t last_life_ = 100;
};

} // namespace troupe::test_support
