// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/topics/topic_router.hpp"
#include "core/own_topics.hpp"

#include <utility>

/// What the sources of a topic router share and nobody else needs.
namespace troupe::actors::topics {

inline void count(router_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_add(n, std::memory_order_relaxed);
}

/// Leaves out those whose turns are given otherwise.
inline void erase_shares(cluster::audience& from,
                         const std::vector<share_name>& without) {
  for (const auto& gone : without)
    std::erase_if(from.shares, [&](const auto& each) {
      return each.share == gone.share && each.filter == gone.filter;
    });
}

/// Publications for one loop, each with the filters that match.
struct topic_router::batch {
  static constexpr std::uint32_t everybody = ~std::uint32_t{0};
  struct target {
    cluster::filter_id filter;
    std::uint32_t which = everybody; ///< of those that share it
  };
  struct one {
    core::publication_ptr what;
    std::size_t filters_end = 0; ///< in `filters`, begins where the last ended
    bool new_here = false;       ///< its channel counts it on this loop
  };
  std::vector<one> all;
  std::vector<target> filters;
  std::size_t bytes = 0;
};

/// What belongs to one loop, and is touched on it alone.
class topic_router::place final : public runtime::loop::flushable {
public:
  place(topic_router& owner, std::size_t index, std::size_t loops)
      : out(loops), wanted(loops),
        turns(owner.options_.self, owner.options_.shares), owner_(owner),
        index_(index) {}

  /// One of those that share a subscription here is to get it. False: there is
  /// none.
  bool seat(const cluster::shared_audience& all, std::uint64_t which) {
    const auto here = all.here();
    if (here == 0)
      return false;
    which %= here;
    for (const auto& [loop, count] : all.loops) {
      if (which < count) {
        wanted[loop].push_back({all.id, static_cast<std::uint32_t>(which)});
        break;
      }
      which -= count;
    }
    return true;
  }

  hub_type hub;
  std::unique_ptr<channels::loop_channels> channels; // null: there are none
  std::vector<batch> out;                            // by loop
  // Of the publication at hand; their room is used again and again.
  cluster::audience found;
  std::vector<share_seat> seats;                  // by found.shares
  std::vector<std::vector<batch::target>> wanted; // by loop
  share_turns turns;

private:
  void flush() override { owner_.flush(index_); }

  topic_router& owner_;
  const std::size_t index_;
};

struct topic_subscription::member final
    : runtime::subscriber<core::publication_ptr> {
  member(topic_router& router, std::size_t loop, std::string_view realm,
         const core::topic_filter& filter, topic_subscriber& target,
         const subscribe_options& options, cluster::interest_board::claim held)
      : router_(router), loop_(loop), target_(target), tag_(options.tag),
        not_from_(options.no_local ? options.publisher : 0),
        session_(options.about.session), held_(held),
        among_nodes_(core::is_own_topic(filter.text())),
        handle_(router.places_[loop]->hub.subscribe(held.id(), *this)) {
    if (!among_nodes_)
      count(router_.stats_.subscriptions);
    if (options.share.empty())
      enter_channel(realm, filter, options.about);
  }
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  ~member() {
    leave_channel();
    handle_.end();
    router_.board_.release(held_, loop_);
    if (!among_nodes_)
      router_.stats_.subscriptions.fetch_sub(1, std::memory_order_relaxed);
  }

  void deliver(const core::publication_ptr& what) override {
    if (is_from_itself(*what))
      return;
    count(router_.stats_.delivered);
    target_.deliver(what, tag_); // last: may end this
  }

  /// See topic_subscriber::foretell().
  void foretell(const core::publication_ptr& what, core::fate_list& to) {
    if (is_from_itself(*what))
      return to.add({core::fate::dropped, "no local"});
    target_.foretell(what, tag_, to);
  }

  void came(const core::listener_about& who) {
    if (tally_ != nullptr)
      channels().came(*tally_, who);
  }
  void went(std::uint64_t session) {
    if (tally_ != nullptr)
      channels().went(*tally_, session);
  }
  void handed_on(std::size_t listeners) {
    if (tally_ != nullptr)
      channels().handed_on(*tally_, listeners);
  }

private:
  [[nodiscard]] bool is_from_itself(const core::publication& what) const {
    return not_from_ != 0 && what.publisher == not_from_ &&
           what.node == router_.options_.self;
  }
  [[nodiscard]] channels::loop_channels& channels() {
    return *router_.places_[loop_]->channels;
  }
  void enter_channel(std::string_view realm, const core::topic_filter& filter,
                     const core::listener_about& who) {
    auto& place = *router_.places_[loop_];
    if (!place.channels)
      return;
    auto& note = handle_.note();
    // One look a filter and loop: those who listen here are shown or are not.
    if (place.hub.subscribers(held_.id()) == 1)
      note = {who.door.empty() || !filter.is_exact()
                  ? nullptr
                  : place.channels->open(realm, filter.text())};
    if (note.tally == nullptr || who.door.empty())
      return;
    tally_ = note.tally;
    is_group_ = who.group;
    place.channels->hold(*tally_);
    place.channels->came(*tally_, who);
  }
  void leave_channel() {
    if (tally_ == nullptr)
      return;
    if (!is_group_)
      channels().went(*tally_, session_);
    if (channels().release(*tally_))
      handle_.note() = {};
  }

  topic_router& router_;
  const std::size_t loop_;
  topic_subscriber& target_;
  const std::uint64_t tag_;
  const std::uint64_t not_from_; ///< a publisher here; 0: nobody
  const std::uint64_t session_;
  const cluster::interest_board::claim held_;
  const bool among_nodes_; ///< in no count for people
  topic_router::hub_type::subscription handle_;
  channels::channel_tally* tally_ = nullptr;
  bool is_group_ = false;
};

} // namespace troupe::actors::topics
