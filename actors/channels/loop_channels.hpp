// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/channels/channel_host.hpp"
#include "actors/channels/channel_report.hpp"
#include "core/ids.hpp"
#include "core/publication.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::actors::channels {

class loop_channels;

/// What happens to one channel on one loop, until it is reported.
class channel_tally {
public:
  channel_tally(loop_channels& owner, channel_actor actor)
      : owner_(owner), actor_(std::move(actor)) {
    report_.begins = true;
  }

  /// A publication went to so many listeners. `new_here`: this node has not
  /// counted it yet (it may go to several loops).
  inline void count(const core::publication& what, std::size_t listeners,
                    bool new_here);

private:
  friend class loop_channels;

  loop_channels& owner_;
  channel_actor actor_; ///< null: the node stops
  std::list<channel_tally>::iterator self_;
  channel_report report_;
  std::size_t holds_ = 0;
  bool waits_ = false; ///< for a report
};

struct reporting {
  core::milliseconds interval{100};
  /// Reports handed over at a time; with more, the next lot follows after
  /// `pause`. So reports cost a loop a few percent at worst, and if all of very
  /// many channels are busy they come later.
  std::size_t reports_max = 512;
  core::milliseconds pause{20};
  /// Those who came and went are reported at once if they are so many.
  std::size_t moves_max = 1000;
};

/// The channels to which somebody listens on one loop: counts where a
/// publication is handed out anyway, and reports to the channels' actors from
/// time to time. Used on that loop; made before it is, owned by the router.
class loop_channels {
public:
  /// `wake` has hand_over() called after a while. `host` outlives it.
  loop_channels(channel_host& host, core::node_id self, std::size_t loop,
                std::function<void(core::milliseconds)> wake,
                reporting how = {});
  ~loop_channels();
  loop_channels(const loop_channels&) = delete;
  loop_channels& operator=(const loop_channels&) = delete;

  /// Somebody listens to exactly this topic. Null: it is not shown.
  channel_tally* open(std::string_view realm, std::string_view topic);
  /// One more hold of it, and one less; with the last, the tally goes when it
  /// has been reported: nobody may use it once the turn has ended.
  void hold(channel_tally& of) { ++of.holds_; }
  /// True: that was the last.
  bool release(channel_tally& of);

  void came(channel_tally& to, const core::listener_about& who);
  void went(channel_tally& from, std::uint64_t session);
  /// Listeners that a group served, of which count() has counted one.
  void handed_on(channel_tally& by, std::size_t listeners);
  /// Did not get to a loop. `new_here` as in count(): and to no other one.
  void dropped(const core::publication& what, std::size_t loops, bool new_here);

  /// Sends what is to be reported, a bounded part of it at a time.
  void hand_over();
  /// Forgets the actors, with what they were not told yet: before they go.
  void drop();

private:
  friend class channel_tally;

  void note(channel_tally& changed);
  void wake_in(core::milliseconds time);
  void send(channel_tally& from);
  bool hand_over_drops(std::size_t& budget);

  channel_host& host_;
  const core::node_id self_;
  const std::size_t loop_;
  const std::function<void(core::milliseconds)> wake_;
  const reporting how_;
  std::list<channel_tally> all_;
  std::deque<channel_tally*> waiting_;
  /// By realm and topic; bounded, what finds no room is in the router's count.
  static constexpr std::size_t drops_max = 1024;
  std::map<std::pair<std::string, std::string>, channel_counts> drops_;
  bool woken_ = false; ///< wake_ was called
};

void channel_tally::count(const core::publication& what, std::size_t listeners,
                          bool new_here) {
  auto& counts = report_.counts;
  counts.delivered += listeners;
  if (new_here) {
    ++(what.node == owner_.self_ ? counts.published : counts.received);
    counts.bytes += what.payload.size();
    if (what.number > counts.last)
      counts.last = what.number;
  }
  if (!waits_)
    owner_.note(*this);
}

} // namespace troupe::actors::channels
