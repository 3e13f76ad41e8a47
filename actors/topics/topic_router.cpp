// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/topic_router.hpp"

#include "actors/topics/publication_wire.hpp"
#include "actors/topics/topic_router_parts.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

namespace troupe::actors::topics {
topic_subscription::topic_subscription() noexcept = default;
topic_subscription::topic_subscription(std::unique_ptr<member> made) noexcept
    : member_(std::move(made)) {}
topic_subscription::topic_subscription(topic_subscription&& other) noexcept =
    default;
topic_subscription&
topic_subscription::operator=(topic_subscription&& other) noexcept = default;
topic_subscription::~topic_subscription() = default;
void topic_subscription::end() noexcept { member_.reset(); }
void topic_subscription::came(const core::listener_about& who) {
  member_->came(who);
}
void topic_subscription::went(std::uint64_t session) { member_->went(session); }
void topic_subscription::handed_on(std::size_t listeners) {
  member_->handed_on(listeners);
}

// --------------------------------------------------------------------- router

topic_router::topic_router(caf::actor_system& system, router_options options)
    : scheduler_(runtime::scheduler::find(system)), options_(options),
      board_(options.interest, scheduler_ == nullptr ? 1 : scheduler_->size()),
      waiting_(scheduler_ == nullptr ? 1 : scheduler_->size()) {
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    places_.push_back(std::make_shared<place>(*this, i, waiting_.size()));
}

topic_router::~topic_router() = default;

std::size_t topic_router::here() const {
  if (scheduler_ == nullptr)
    return 0;
  const auto* current = runtime::loop::current();
  TROUPE_ASSERT(current != nullptr &&
                    current == &scheduler_->at(current->index()),
                "the topic router is used off its loops");
  return current->index();
}

core::result<topic_subscription>
topic_router::subscribe(std::string_view realm,
                        const core::topic_filter& filter,
                        topic_subscriber& target, subscribe_options options) {
  const auto loop = here();
  const auto held = board_.hold(realm, filter, loop, options.share);
  if (!held) {
    count(stats_.subscriptions_refused);
    return held.error();
  }
  return topic_subscription{std::make_unique<topic_subscription::member>(
      *this, loop, realm, filter, target, options, *held)};
}

core::result<publish_outcome>
topic_router::publish(core::publication what, reach how,
                      const std::vector<share_name>& without) {
  if (auto fits = core::check(what, options_.publication); !fits) {
    count(stats_.refused);
    return fits.error();
  }
  const auto from = here();
  count(stats_.published);
  count(stats_.published_bytes, what.payload.size());
  what.node = options_.self;
  what.number = next_number();
  core::publication_ptr shared;
  if (auto* recorder = recorder_.load(std::memory_order_acquire)) {
    shared = std::make_shared<const core::publication>(std::move(what));
    recorder->record(shared);
  }
  auto& mine = *places_[from];
  const auto& seen = shared ? *shared : what;
  board_.find(seen.realm, seen.topic, mine.found);
  if (how == reach::node) {
    mine.found.peers.clear();
    mine.found.shares.clear();
  }
  erase_shares(mine.found, without);
  publish_outcome outcome{mine.found.filters(), mine.found.peers.size(), 0};
  if (mine.found.empty()) {
    count(stats_.unmatched);
    return outcome;
  }
  if (!shared)
    shared = std::make_shared<const core::publication>(std::move(what));
  give_turns(mine, *shared);
  if (outcome.peers > 0)
    outcome.dropped += send_to_peers(from, *shared);
  outcome.peers += send_turns(from, *shared);
  find_wanted(mine);
  outcome.dropped += queue_for_loops(from, shared);
  deliver_at_once();
  return outcome;
}

void topic_router::receive(core::node_id from,
                           const core::shared_bytes& frame) {
  auto decoded = decode_publication(frame, options_.publication);
  if (!decoded) {
    count(stats_.bad_frames);
    return;
  }
  count(stats_.received);
  decoded->what.node = from;
  const auto what =
      std::make_shared<const core::publication>(std::move(decoded->what));
  if (auto* recorder = recorder_.load(std::memory_order_acquire))
    recorder->record(what);
  const auto loop = here();
  auto& mine = *places_[loop];
  // Other nodes have it from the one it comes from, which has also said whose
  // turn it is.
  mine.found.clear();
  if (decoded->for_all)
    board_.find(what->realm, what->topic, mine.found);
  mine.seats.clear();
  find_wanted(mine);
  bool wanted = mine.found.filters() > 0;
  for (const auto& turn : decoded->turns)
    if (const auto all =
            board_.find_share(what->realm, turn.filter, turn.share))
      wanted = mine.seat(*all, turn.which) || wanted;
  if (!wanted) {
    count(stats_.received_stray);
    return;
  }
  queue_for_loops(loop, what);
  deliver_at_once();
}

std::uint64_t topic_router::next_number() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  auto last = number_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do
    next = std::max(static_cast<std::uint64_t>(now.count()), last + 1);
  while (!number_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return next;
}

std::size_t topic_router::send_to_peers(std::size_t from,
                                        const core::publication& what) {
  if (transport_.load(std::memory_order_acquire) == nullptr)
    return 0;
  const auto frame = encode(what);
  std::size_t dropped = 0;
  for (const auto peer : places_[from]->found.peers)
    if (!send(peer, from, frame))
      ++dropped;
  return dropped;
}

bool topic_router::send(core::node_id to, std::size_t from,
                        const core::shared_bytes& frame) {
  auto* transport = transport_.load(std::memory_order_acquire);
  const auto sent = transport == nullptr
                        ? core::result<void>{core::errc::unavailable}
                        : transport->send(to, from, frame);
  if (sent) {
    count(stats_.sent);
    return true;
  }
  count(sent.error().code == core::errc::unavailable
            ? stats_.dropped_peer_gone
            : stats_.dropped_peer_full);
  return false;
}

// --------------------------------------------------------- shared
// subscriptions

void topic_router::give_turns(place& mine, const core::publication& what) {
  mine.seats.clear();
  for (const auto& each : mine.found.shares)
    mine.seats.push_back(mine.turns.next(each, what));
  count(stats_.shared, mine.seats.size());
}

/// To those whose turn it is on other nodes. Who can't be reached has the next
/// one take its turn, maybe here. Returns how many nodes it went to.
std::size_t topic_router::send_turns(std::size_t from,
                                     const core::publication& what) {
  auto& mine = *places_[from];
  std::size_t sent = 0;
  for (std::size_t i = 0; i < mine.seats.size(); ++i) {
    const auto& all = mine.found.shares[i];
    auto& seat = mine.seats[i];
    for (std::size_t tried = 0; seat.node != options_.self; ++tried) {
      const auto frame =
          encode(what, false, {{all.share, all.filter, seat.which}});
      if (send(seat.node, from, frame)) {
        ++sent;
        break;
      }
      const auto next = mine.turns.instead(all, tried);
      if (!next) {
        count(stats_.shared_in_vain);
        break;
      }
      seat = *next;
    }
  }
  return sent;
}

/// What of the loops of this node gets it: all whose subscriptions are their
/// own, and whose turn it is.
void topic_router::find_wanted(place& mine) {
  for (std::size_t to = 0; to < mine.wanted.size(); ++to) {
    mine.wanted[to].clear();
    if (to < mine.found.loops.size())
      for (const auto id : mine.found.loops[to])
        mine.wanted[to].push_back({id, batch::everybody});
  }
  for (std::size_t i = 0; i < mine.seats.size(); ++i)
    if (mine.seats[i].node == options_.self)
      mine.seat(mine.found.shares[i], mine.seats[i].which);
}

// ------------------------------------------------------------------- delivery

/// How many loops have no room for it.
std::size_t topic_router::queue_for_loops(std::size_t from,
                                          const core::publication_ptr& what) {
  auto& mine = *places_[from];
  const auto bytes = core::weight(*what);
  std::size_t dropped = 0;
  std::size_t dropped_exact = 0; // of loops on which its channel is open
  bool counted = false;
  for (std::size_t to = 0; to < mine.out.size(); ++to) {
    const auto& filters = mine.wanted[to];
    if (filters.empty())
      continue;
    const bool exact = filters.front().filter == mine.found.exact;
    auto& waiting = waiting_[to];
    // An empty queue takes anything.
    if (const auto before = waiting.fetch_add(bytes, std::memory_order_relaxed);
        before != 0 && before + bytes > options_.waiting_bytes_max) {
      waiting.fetch_sub(bytes, std::memory_order_relaxed);
      count(stats_.dropped_here);
      ++dropped;
      dropped_exact += exact ? 1 : 0;
      continue;
    }
    auto& out = mine.out[to];
    out.filters.insert(out.filters.end(), filters.begin(), filters.end());
    out.all.push_back({what, out.filters.size(), exact && !counted});
    out.bytes += bytes;
    counted = counted || exact;
  }
  if (dropped_exact > 0 && mine.channels)
    mine.channels->dropped(*what, dropped_exact, !counted);
  // At the turn's end: many go together, and who is called by a delivery may
  // publish without another delivery inside of this one.
  if (scheduler_ != nullptr)
    scheduler_->at(from).mark_dirty(places_[from]);
  return dropped;
}

void topic_router::flush(std::size_t from) {
  auto& mine = *places_[from];
  for (std::size_t to = 0; to < mine.out.size(); ++to) {
    if (mine.out[to].all.empty())
      continue;
    auto all = std::exchange(mine.out[to], batch{});
    if (to == from)
      deliver(to, all);
    else
      scheduler_->at(to).post(
          [self = shared_from_this(), to, all = std::move(all)] {
            self->deliver(to, all);
          });
  }
}

void topic_router::deliver(std::size_t index, const batch& all) {
  // Also if a subscriber throws.
  const auto give_back = [bytes = all.bytes](std::atomic<std::size_t>* from) {
    from->fetch_sub(bytes, std::memory_order_relaxed);
  };
  const std::unique_ptr<std::atomic<std::size_t>, decltype(give_back)> room{
      &waiting_[index], give_back};
  auto& hub = places_[index]->hub;
  std::size_t next = 0;
  for (const auto& one : all.all) {
    const auto& what = one.what;
    const auto tell = [&one](const channel_note& note,
                             std::size_t subscribers) {
      if (note.tally != nullptr)
        note.tally->count(*one.what, subscribers, one.new_here);
    };
    for (; next < one.filters_end; ++next) {
      const auto& [filter, which] = all.filters[next];
      if (which == batch::everybody)
        hub.deliver(filter, what, tell);
      else
        hub.deliver_to_one(filter, what, which);
    }
  }
}

// ------------------------------------------------------------------- channels

void topic_router::set_channels(channels::channel_host& host,
                                channels::reporting how) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto wake = [this, i](core::milliseconds time) {
      if (scheduler_ == nullptr)
        return; // told when to report
      auto& at = scheduler_->at(i);
      at.call_at(at.clock().now() + time, std::weak_ptr{places_[i]},
                 [](place& here) { here.channels->hand_over(); });
    };
    places_[i]->channels = std::make_unique<channels::loop_channels>(
        host, options_.self, i, wake, how);
  }
}

void topic_router::drop_channels() {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i]->channels)
      continue;
    if (scheduler_ == nullptr) {
      places_[i]->channels->drop();
      continue;
    }
    std::promise<void> done;
    scheduler_->at(i).post([&] {
      places_[i]->channels->drop();
      done.set_value();
    });
    done.get_future().wait();
  }
}

void topic_router::report_channels() {
  for (const auto& each : places_)
    if (each->channels)
      each->channels->hand_over();
}

void topic_router::deliver_at_once() {
  if (scheduler_ != nullptr || delivering_)
    return;
  delivering_ = true;
  while (!places_[0]->out[0].all.empty())
    flush(0);
  delivering_ = false;
}

} // namespace troupe::actors::topics
