// SPDX-License-Identifier: Apache-2.0
#include "actors/topics/linked_topics.hpp"

#include "actors/runtime/loop.hpp"
#include "actors/runtime/scheduler.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <utility>

namespace troupe::actors::topics {
namespace {

/// The loop on which the exchange lives; the key of its messages.
constexpr std::size_t home_index = 0;
/// Frames for one peer in one turn of the loop.
constexpr std::size_t frames_a_turn = 4;
constexpr std::chrono::milliseconds tick_interval{250};
constexpr std::chrono::milliseconds retry_interval{5};

/// Of a peer that knows marks.
constexpr std::uint32_t marks_level = 2;

std::uint64_t random_number() {
  std::random_device source;
  return std::uint64_t{source()} << 32U | source();
}

void add(cluster::interest_receiver::counters& sum,
         const cluster::interest_receiver::counters& more) {
  sum.frames += more.frames;
  sum.bad_frames += more.bad_frames;
  sum.gaps += more.gaps;
  sum.divergences += more.divergences;
  sum.digests += more.digests;
  sum.overflows += more.overflows;
  sum.resyncs += more.resyncs;
}

} // namespace

/// All but what is said otherwise runs on the home loop.
class linked_topics::exchange
    : public std::enable_shared_from_this<linked_topics::exchange> {
public:
  exchange(runtime::loop& home, topic_router& router, links::node_links& links,
           linked_topics_options options)
      : home_(home), router_(router), links_(links), options_(options) {}

  /// Any thread.
  void run(void (exchange::*what)()) {
    if (stopped_)
      return;
    home_.post([weak = weak_from_this(), what] {
      if (const auto self = weak.lock(); self && !self->stopped_)
        ((*self).*what)();
    });
  }
  void stop() { stopped_ = true; }

  void begin_ticks() {
    home_.call_at(now() + tick_interval, weak_from_this(), [](exchange& self) {
      if (self.stopped_)
        return;
      self.tick();
      self.begin_ticks();
    });
  }

  void on_peer(const links::peer_event& event);
  void on_frame(const links::received& message);
  void on_changes();
  /// Any thread.
  void settle(std::function<void(bool)> done) {
    home_.post([weak = weak_from_this(), done = std::move(done)]() mutable {
      if (const auto self = weak.lock(); self && !self->stopped_)
        self->want_mark(std::move(done));
    });
  }
  void pump_all() {
    pumping_ = false;
    for (auto& [id, each] : peers_)
      pump(*each);
    show();
  }

  /// Any thread.
  [[nodiscard]] std::vector<peer_interest> peers() const {
    const std::lock_guard lock{mutex_};
    return shown_;
  }
  [[nodiscard]] exchange_stats stats() const {
    const std::lock_guard lock{mutex_};
    return shown_stats_;
  }

private:
  struct peer {
    peer(topic_router& router, core::node_id node,
         cluster::interest_sender::options bounds)
        : id(node), sender(router.board(), bounds),
          receiver(router.board(), node) {}

    const core::node_id id;
    bool linked = false;
    cluster::interest_sender sender;
    cluster::interest_receiver receiver;
    core::steady_time ask_at{};
    core::steady_time digest_at{};
    bool knows_marks = false;
    std::uint64_t owes = 0;    ///< the mark that it has not answered
    std::uint64_t to_mark = 0; ///< one that is to be sent
    std::uint64_t asked = 0;   ///< its own, not answered yet
  };

  [[nodiscard]] core::steady_time now() const { return home_.clock().now(); }
  peer& find(core::node_id id);
  void pump(peer& to);
  void ask(peer& to);
  void want_mark(std::function<void(bool)> done);
  void begin_mark();
  void end_mark_if(bool overdue);
  bool send_mark(peer& to);
  void answer_mark(peer& to);
  void tick();
  void clean();
  void show();
  core::result<void> send(core::node_id to, const core::shared_bytes& frame) {
    return links_.send(to, links::kind::interest, home_index, frame);
  }
  void pump_soon(bool at_once) {
    if (std::exchange(pumping_, true))
      return;
    if (at_once)
      run(&exchange::pump_all);
    else
      home_.call_at(now() + retry_interval, weak_from_this(),
                    [](exchange& self) {
                      if (!self.stopped_)
                        self.pump_all();
                    });
  }

  runtime::loop& home_;
  topic_router& router_;
  links::node_links& links_;
  const linked_topics_options options_;
  std::atomic<bool> stopped_{false};
  std::map<core::node_id, std::unique_ptr<peer>> peers_;
  std::uint64_t put_off_ = 0;
  bool pumping_ = false; ///< pump_all() is to come
  bool cleaning_ = false;
  /// One mark is under way at a time, for all who were there when it went.
  std::uint64_t mark_ = 0;
  std::vector<std::function<void(bool)>> marking_;
  std::vector<std::function<void(bool)>> waiting_;
  core::steady_time mark_until_{};
  std::uint64_t settled_ = 0;
  std::uint64_t unsettled_ = 0;

  mutable std::mutex mutex_; // guards all below
  std::vector<peer_interest> shown_;
  exchange_stats shown_stats_;
};

linked_topics::exchange::peer& linked_topics::exchange::find(core::node_id id) {
  auto& place = peers_[id];
  if (!place)
    place = std::make_unique<peer>(router_, id, options_.sender);
  return *place;
}

void linked_topics::exchange::on_peer(const links::peer_event& event) {
  auto& each = find(event.peer);
  each.receiver.link_down();
  each.sender.link_down();
  each.linked = event.up;
  each.knows_marks = event.up && event.features >= marks_level;
  each.owes = each.to_mark = each.asked = 0;
  if (event.up && !stopped_) {
    router_.board().watch(true);
    each.ask_at = {};
    each.digest_at = now() + options_.digest_interval;
    each.sender.link_up(random_number());
    pump_soon(true);
  } else if (std::none_of(peers_.begin(), peers_.end(), [](const auto& other) {
               return other.second->linked;
             })) {
    router_.board().watch(false);
  }
  end_mark_if(false);
  clean();
  show();
}

void linked_topics::exchange::on_frame(const links::received& message) {
  auto& from = find(message.from);
  const auto frame = cluster::decode_interest(message.body.view());
  if (!frame)
    from.receiver.take_bad_frame();
  else if (std::holds_alternative<cluster::interest_words::resync>(frame->what))
    from.sender.resync(frame->stream);
  else if (std::holds_alternative<cluster::interest_words::mark>(frame->what))
    from.asked = frame->sequence;
  else if (!std::holds_alternative<cluster::interest_words::marked>(
               frame->what))
    from.receiver.take(*frame);
  else if (frame->sequence == from.owes)
    from.owes = 0;
  answer_mark(from);
  end_mark_if(false);
  ask(from);
  pump(from);
  clean();
  show();
}

void linked_topics::exchange::on_changes() {
  const auto changes = router_.board().take_changes();
  for (auto& [id, each] : peers_)
    each->sender.changed(changes);
  pump_all();
}

/// Sends what there is and there is room for.
void linked_topics::exchange::pump(peer& to) {
  if (!to.linked)
    return;
  for (std::size_t i = 0; i < frames_a_turn; ++i) {
    const auto* frame = to.sender.next();
    if (frame == nullptr) {
      if (to.to_mark != 0 && !send_mark(to))
        pump_soon(false);
      return;
    }
    if (const auto sent = send(to.id, *frame); !sent) {
      // Without a link the peer's end is about to be told.
      put_off_ += sent.error().code == core::errc::unavailable ? 0U : 1U;
      pump_soon(false);
      return;
    }
    to.sender.sent();
  }
  pump_soon(true);
}

void linked_topics::exchange::want_mark(std::function<void(bool)> done) {
  waiting_.push_back(std::move(done));
  if (marking_.empty())
    begin_mark();
}

void linked_topics::exchange::begin_mark() {
  marking_ = std::exchange(waiting_, {});
  mark_until_ = now() + options_.settle_patience;
  ++mark_;
  for (auto& [id, each] : peers_)
    if (each->linked && each->knows_marks)
      each->owes = each->to_mark = mark_;
  on_changes(); // what is held now is said before the mark
  end_mark_if(false);
}

/// Behind all that there was to say.
bool linked_topics::exchange::send_mark(peer& to) {
  if (!send(to.id,
            cluster::encode({0, to.to_mark, cluster::interest_words::mark{}})))
    return false;
  to.to_mark = 0;
  return true;
}

/// When what it wants is known, and not before.
void linked_topics::exchange::answer_mark(peer& to) {
  if (to.asked == 0 || !to.receiver.complete() || to.receiver.request())
    return;
  if (send(to.id,
           cluster::encode({0, to.asked, cluster::interest_words::marked{}})))
    to.asked = 0;
}

void linked_topics::exchange::end_mark_if(bool overdue) {
  if (marking_.empty())
    return;
  const bool owed =
      std::any_of(peers_.begin(), peers_.end(),
                  [](const auto& each) { return each.second->owes != 0; });
  if (owed && !overdue)
    return;
  for (auto& [id, each] : peers_)
    each->owes = each->to_mark = 0;
  ++(owed ? unsettled_ : settled_);
  for (const auto& done : std::exchange(marking_, {}))
    done(!owed);
  if (!waiting_.empty())
    begin_mark();
}

void linked_topics::exchange::ask(peer& to) {
  const auto request = to.receiver.request();
  if (!to.linked || !request || now() < to.ask_at)
    return;
  to.ask_at = now() + options_.ask_interval;
  if (send(to.id, cluster::encode(*request)))
    to.receiver.asked();
}

void linked_topics::exchange::tick() {
  for (auto& [id, each] : peers_) {
    ask(*each);
    if (each->linked && now() >= each->digest_at) {
      each->digest_at = now() + options_.digest_interval;
      each->sender.want_digest();
    }
    answer_mark(*each);
    pump(*each);
  }
  end_mark_if(now() >= mark_until_);
  clean();
  show();
}

/// What peers wanted is taken apart in pieces, a turn each.
void linked_topics::exchange::clean() {
  if (cleaning_ || !router_.board().clean())
    return;
  cleaning_ = true;
  home_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->stopped_) {
      self->cleaning_ = false;
      self->clean();
    }
  });
}

void linked_topics::exchange::show() {
  std::vector<peer_interest> rows;
  exchange_stats sums;
  sums.frames_put_off = put_off_;
  sums.settled = settled_;
  sums.unsettled = unsettled_;
  for (const auto& [id, each] : peers_) {
    const auto& sender = each->sender;
    const auto& receiver = each->receiver;
    sums.frames_sent += sender.stats().frames;
    sums.tables_begun += sender.stats().tables;
    sums.table_restarts += sender.stats().restarts;
    add(sums.received, receiver.stats());
    if (!each->linked)
      continue;
    const auto table = receiver.info();
    rows.push_back({id, sender.complete(), receiver.complete(),
                    table.overflowed, table.digest.filters,
                    sender.changes_waiting(), sender.stats(),
                    receiver.stats()});
  }
  const std::lock_guard lock{mutex_};
  shown_ = std::move(rows);
  shown_stats_ = sums;
}

// -------------------------------------------------------------- linked_topics

linked_topics::linked_topics(caf::actor_system& system,
                             std::shared_ptr<topic_router> router,
                             links::node_links& links,
                             linked_topics_options options)
    : router_(std::move(router)), links_(links) {
  auto& home = runtime::scheduler::of(system).at(home_index);
  exchange_ =
      std::make_shared<exchange>(home, *router_, links, std::move(options));
  const std::weak_ptr<exchange> weak{exchange_};
  links.on_message(links::kind::interest,
                   [weak](const links::received& message) {
                     if (const auto to = weak.lock())
                       to->on_frame(message);
                   });
  links.on_message(links::kind::publish,
                   [this](const links::received& message) {
                     router_->receive(message.from, message.body);
                   });
  links.on_peer([weak, &home](const links::peer_event& event) {
    // Frames of a link come by the home loop as well, behind its beginning.
    const auto tell = [weak, event] {
      if (const auto to = weak.lock())
        to->on_peer(event);
    };
    if (runtime::loop::current() == &home)
      tell();
    else
      home.post(tell);
  });
  router_->board().on_change = [weak] {
    if (const auto to = weak.lock())
      to->run(&exchange::on_changes);
  };
  home.post([weak] {
    if (const auto to = weak.lock())
      to->begin_ticks();
  });
  router_->set_transport(this);
}

linked_topics::~linked_topics() { stop(); }

void linked_topics::stop() {
  router_->set_transport(nullptr);
  router_->board().watch(false);
  exchange_->stop();
}

void linked_topics::settle(std::function<void(bool)> done) {
  exchange_->settle(std::move(done));
}

std::vector<peer_interest> linked_topics::peers() const {
  return exchange_->peers();
}

exchange_stats linked_topics::stats() const { return exchange_->stats(); }

core::result<void> linked_topics::send(core::node_id to, std::uint64_t key,
                                       core::shared_bytes frame) {
  return links_.send(to, links::kind::publish, key, std::move(frame));
}

} // namespace troupe::actors::topics
