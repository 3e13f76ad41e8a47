// SPDX-License-Identifier: Apache-2.0
// What would become of a publication: the same steps as those of the router,
// up to where a subscriber would be called.
#include "actors/topics/topic_router_parts.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace troupe::actors::topics {

/// One forecast, until all loops have said.
struct topic_router::survey {
  core::publication_ptr what;
  publish_forecast made;
  /// By filter held here; those of a share with its name.
  std::unordered_map<cluster::filter_id, core::fate_list::place> names;
  std::vector<std::vector<batch::target>> wanted; ///< by loop
  std::size_t from = 0;                           ///< the loop that asks
  std::size_t missing = 0;                        ///< loops
  forecast_function done;
};

void topic_router::foretell(core::publication what,
                            const std::vector<share_name>& without,
                            std::size_t rows_max, forecast_function done) {
  const auto all = std::make_shared<survey>();
  all->from = here();
  what.node = options_.self;
  auto& mine = *places_[all->from];
  board_.find(what.realm, what.topic, mine.found);
  erase_shares(mine.found, without);
  mine.seats.clear();
  for (const auto& each : mine.found.shares) {
    mine.seats.push_back(mine.turns.peek(each, what));
    all->made.shares.push_back({each, mine.seats.back()});
    all->names[each.id] = {0, each.filter, each.share};
  }
  find_wanted(mine);
  all->made.peers = mine.found.peers;
  all->wanted = mine.wanted;
  for (auto& [id, row] : board_.matching(what.realm, what.topic)) {
    all->names[id] = {0, row.filter, {}};
    all->made.filters.push_back(std::move(row));
  }
  all->made.here = core::fate_list{rows_max};
  all->what = std::make_shared<const core::publication>(std::move(what));
  all->done = std::move(done);
  ask_loops(all);
}

void topic_router::foretell_received(sent_publication what,
                                     std::size_t rows_max,
                                     forecast_function done) {
  const auto all = std::make_shared<survey>();
  all->from = here();
  const auto& p = what.what;
  auto& mine = *places_[all->from];
  mine.found.clear();
  mine.seats.clear();
  if (what.for_all) {
    board_.find(p.realm, p.topic, mine.found);
    for (auto& [id, row] : board_.matching(p.realm, p.topic)) {
      all->names[id] = {0, row.filter, {}};
      all->made.filters.push_back(std::move(row));
    }
  }
  find_wanted(mine);
  for (const auto& turn : what.turns)
    if (const auto found = board_.find_share(p.realm, turn.filter, turn.share);
        found && mine.seat(*found, turn.which)) {
      all->names[found->id] = {0, found->filter, found->share};
      all->made.shares.push_back({*found, {options_.self, turn.which}});
    }
  all->wanted = mine.wanted;
  all->made.here = core::fate_list{rows_max};
  all->what = std::make_shared<const core::publication>(std::move(what.what));
  all->done = std::move(done);
  ask_loops(all);
}

/// Each in turn, and back again.
void topic_router::ask_loops(std::shared_ptr<survey> all) {
  for (const auto& each : all->wanted)
    all->missing += each.empty() ? 0 : 1;
  if (all->missing == 0)
    return all->done(std::move(all->made));
  const auto take = [](survey& to, const core::fate_list& some) {
    to.made.here.join(some);
    if (--to.missing == 0)
      to.done(std::move(to.made));
  };
  // What ends is not looked at while it is walked over.
  const auto rows_max = all->made.here.rows_max();
  for (std::size_t to = 0, end = all->wanted.size(); to < end; ++to) {
    if (all->wanted[to].empty())
      continue;
    if (scheduler_ == nullptr) {
      core::fate_list some{rows_max};
      ask_loop(to, *all, some);
      take(*all, some);
      continue;
    }
    scheduler_->at(to).post(
        [self = shared_from_this(), all, to, rows_max, take] {
          core::fate_list some{rows_max};
          self->ask_loop(to, *all, some);
          self->scheduler_->at(all->from).post(
              [all, some = std::move(some), take] { take(*all, some); });
        });
  }
}

void topic_router::ask_loop(std::size_t index, const survey& all,
                            core::fate_list& to) {
  const auto& hub = places_[index]->hub;
  const auto waiting = waiting_[index].load(std::memory_order_relaxed);
  const bool full = waiting != 0 && waiting + core::weight(*all.what) >
                                        options_.waiting_bytes_max;
  const auto ask = [&](runtime::subscriber<core::publication_ptr>& each) {
    if (full)
      return to.add({core::fate::dropped, "too much waits for its loop"});
    static_cast<topic_subscription::member&>(each).foretell(all.what, to);
  };
  for (const auto& [filter, which] : all.wanted[index]) {
    const auto known = all.names.find(filter);
    auto where =
        known == all.names.end() ? core::fate_list::place{} : known->second;
    where.loop = index;
    to.go_to(std::move(where));
    if (which == batch::everybody)
      hub.each(filter, ask);
    else if (auto* one = hub.one_of(filter, which))
      ask(*one);
  }
}

} // namespace troupe::actors::topics
