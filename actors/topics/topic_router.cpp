// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/topic_router.hpp"

#include "actors/topics/publication_wire.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::actors::topics {
namespace {

void count(router_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_add(n, std::memory_order_relaxed);
}

} // namespace

/// Publications for one loop, each with the filters that match.
struct topic_router::batch {
  struct one {
    core::publication_ptr what;
    std::size_t filters_end = 0; ///< in `filters`, begins where the last ended
  };
  std::vector<one> all;
  std::vector<cluster::filter_id> filters;
  std::size_t bytes = 0;
};

/// What belongs to one loop, and is touched on it alone.
class topic_router::place final : public runtime::loop::flushable {
public:
  place(topic_router& owner, std::size_t index, std::size_t loops)
      : out(loops), owner_(owner), index_(index) {}

  hub_type hub;
  std::vector<batch> out;  // by loop
  cluster::audience found; // its room is used again and again

private:
  void flush() override { owner_.flush(index_); }

  topic_router& owner_;
  const std::size_t index_;
};

// --------------------------------------------------------------- subscription

struct topic_subscription::member final
    : runtime::subscriber<core::publication_ptr> {
  member(topic_router& router, std::size_t loop, topic_subscriber& target,
         subscribe_options options, cluster::interest_board::claim held)
      : router_(router), loop_(loop), target_(target), options_(options),
        held_(held),
        handle_(router.places_[loop]->hub.subscribe(held.id(), *this)) {
    count(router_.stats_.subscriptions);
  }
  member(const member&) = delete;
  member& operator=(const member&) = delete;
  ~member() {
    handle_.end();
    router_.board_.release(held_, loop_);
    router_.stats_.subscriptions.fetch_sub(1, std::memory_order_relaxed);
  }

  void deliver(const core::publication_ptr& what) override {
    if (options_.no_local && options_.publisher != 0 &&
        what->publisher == options_.publisher &&
        what->node == router_.options_.self)
      return;
    count(router_.stats_.delivered);
    target_.deliver(what, options_.tag); // last: may end this
  }

private:
  topic_router& router_;
  const std::size_t loop_;
  topic_subscriber& target_;
  const subscribe_options options_;
  const cluster::interest_board::claim held_;
  topic_router::hub_type::subscription handle_;
};

topic_subscription::topic_subscription() noexcept = default;
topic_subscription::topic_subscription(std::unique_ptr<member> made) noexcept
    : member_(std::move(made)) {}
topic_subscription::topic_subscription(topic_subscription&& other) noexcept =
    default;
topic_subscription&
topic_subscription::operator=(topic_subscription&& other) noexcept = default;
topic_subscription::~topic_subscription() = default;
void topic_subscription::end() noexcept { member_.reset(); }

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
  const auto held = board_.hold(realm, filter, loop);
  if (!held) {
    count(stats_.subscriptions_refused);
    return held.error();
  }
  return topic_subscription{std::make_unique<topic_subscription::member>(
      *this, loop, target, options, *held)};
}

core::result<publish_outcome> topic_router::publish(core::publication what) {
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
  auto& found = places_[from]->found;
  const auto& seen = shared ? *shared : what;
  board_.find(seen.realm, seen.topic, found);
  publish_outcome outcome{found.filters(), found.peers.size(), 0};
  if (outcome.filters == 0 && outcome.peers == 0) {
    count(stats_.unmatched);
    return outcome;
  }
  if (!shared)
    shared = std::make_shared<const core::publication>(std::move(what));
  if (outcome.peers > 0)
    outcome.dropped += send_to_peers(from, *shared);
  if (outcome.filters > 0)
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
  decoded->node = from;
  const auto what =
      std::make_shared<const core::publication>(std::move(*decoded));
  if (auto* recorder = recorder_.load(std::memory_order_acquire))
    recorder->record(what);
  const auto loop = here();
  auto& found = places_[loop]->found;
  // Other nodes have it from the one it comes from.
  board_.find(what->realm, what->topic, found);
  if (found.filters() == 0) {
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
  auto* transport = transport_.load(std::memory_order_acquire);
  if (transport == nullptr)
    return 0;
  const auto frame = encode(what);
  std::size_t dropped = 0;
  for (const auto peer : places_[from]->found.peers) {
    const auto sent = transport->send(peer, from, frame);
    if (sent) {
      count(stats_.sent);
      continue;
    }
    ++dropped;
    count(sent.error().code == core::errc::unavailable
              ? stats_.dropped_peer_gone
              : stats_.dropped_peer_full);
  }
  return dropped;
}

/// How many loops have no room for it.
std::size_t topic_router::queue_for_loops(std::size_t from,
                                          const core::publication_ptr& what) {
  auto& mine = *places_[from];
  const auto bytes = core::weight(*what);
  std::size_t dropped = 0;
  for (std::size_t to = 0; to < mine.out.size(); ++to) {
    const auto& filters = mine.found.loops[to];
    if (filters.empty())
      continue;
    auto& waiting = waiting_[to];
    // An empty queue takes anything.
    if (const auto before = waiting.fetch_add(bytes, std::memory_order_relaxed);
        before != 0 && before + bytes > options_.waiting_bytes_max) {
      waiting.fetch_sub(bytes, std::memory_order_relaxed);
      count(stats_.dropped_here);
      ++dropped;
      continue;
    }
    auto& out = mine.out[to];
    out.filters.insert(out.filters.end(), filters.begin(), filters.end());
    out.all.push_back({what, out.filters.size()});
    out.bytes += bytes;
  }
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
  for (const auto& [what, end] : all.all)
    for (; next < end; ++next)
      hub.deliver(all.filters[next], what);
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
