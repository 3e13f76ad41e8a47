// SPDX-License-Identifier: Apache-2.0
#include "app/workers/agent_seats.hpp"

#include <algorithm>
#include <utility>

namespace troupe::app::workers {

/// One seat, from its question to its end.
class agent_seats::place final : private net::msgbus::seat_user,
                                 private net::zenconn::guest_user {
public:
  place(agent_seats& owner, client_number client, seat_number number)
      : client_(client), owner_(owner), number_(number) {}

  void sit(std::unique_ptr<net::msgbus::seat> at) {
    seat_ = std::move(at);
    seat_->begin(*this);
  }
  /// False: there is no room.
  bool enter(std::unique_ptr<net::zenconn::guest> as) {
    guest_ = std::move(as);
    return guest_->enter(*this);
  }
  /// False: no worker lets a client ask so much.
  bool ask(net::zenconn::request what) {
    if (!guest_)
      return false;
    if (++under_way_ > 2 * owner_.desks_.requests_max + 64)
      return false;
    guest_->ask(std::move(what), owner_.home_.clock().now());
    wait_for_deadline();
    return true;
  }
  void depart(std::string_view why) {
    if (guest_)
      guest_->depart(why);
  }
  [[nodiscard]] bool is_guest() const { return guest_ != nullptr; }
  [[nodiscard]] bool is_taken() const { return guest_ || seat_; }
  [[nodiscard]] client_number client() const { return client_; }

private:
  // net::msgbus::seat_user
  void on_publication(const core::publication_ptr& what) override {
    owner_.gather(number_, what, {}, false);
  }
  void foretell(const core::publication_ptr&,
                core::listener_fate& to) override {
    to.what = core::fate::unknown;
    to.why = "its worker decides, by its filters and what waits there";
  }
  void on_seat_lost(std::string_view why) override {
    owner_.say(words::seat_over{number_, 0, std::string{why}});
    owner_.erase(number_); // last: ends this
  }

  // net::zenconn::guest_user
  void together(const std::function<void()>& work) override {
    work();
    if (dismissed_)
      owner_.erase(number_); // last: ends this
  }
  void tell(const net::zenconn::answer& what) override {
    using kind = net::zenconn::answer::kind;
    if (what.what != kind::accepted && under_way_ > 0)
      --under_way_;
    owner_.say(words::answer{number_, what});
  }
  void dismiss(net::ws::close_code code, std::string_view why) override {
    dismissed_ = true;
    owner_.say(words::seat_over{number_, static_cast<std::uint16_t>(code),
                                std::string{why}});
  }
  void tell_event(net::zenconn::shared_event& what) override {
    owner_.gather(number_, what.what(), what.channel(), true);
  }
  void on_room() override {}

  /// The node's guests wait for counts no longer than they may.
  void wait_for_deadline() {
    const auto due = guest_->deadline();
    if (!due || std::exchange(waits_, true))
      return;
    owner_.home_.call_at(*due, std::weak_ptr{owner_.self_},
                         [number = number_](agent_seats* all) {
                           if (auto* still = all->find(number))
                             still->on_tick();
                         });
  }
  void on_tick() {
    waits_ = false;
    guest_->on_tick(owner_.home_.clock().now());
    wait_for_deadline();
  }

  const client_number client_;
  agent_seats& owner_;
  const seat_number number_;
  std::unique_ptr<net::msgbus::seat> seat_{};
  std::unique_ptr<net::zenconn::guest> guest_{};
  std::size_t under_way_ = 0;
  bool waits_ = false;
  bool dismissed_ = false;
};

agent_seats::agent_seats(channel_desks desks, actors::runtime::loop& home,
                         std::uint32_t worker, line& to)
    : desks_(desks), home_(home), worker_(worker), line_(&to) {}

agent_seats::~agent_seats() { close("the worker ended"); }

// ---------------------------------------------------------------------- places

/// Null: no worker would ask for that.
agent_seats::place* agent_seats::open(client_number client, seat_number seat) {
  auto& own = of_client_[client];
  if (seat <= last_ || own.size() >= seats_of_client_max)
    return nullptr;
  last_ = seat;
  own.push_back(seat);
  return places_.emplace(seat, std::make_unique<place>(*this, client, seat))
      .first->second.get();
}

agent_seats::place* agent_seats::find(seat_number seat) {
  const auto at = places_.find(seat);
  return at == places_.end() ? nullptr : at->second.get();
}

void agent_seats::erase(seat_number seat) {
  const auto at = places_.find(seat);
  if (at == places_.end())
    return;
  const auto own = of_client_.find(at->second->client());
  if (own != of_client_.end()) {
    std::erase(own->second, seat);
    if (own->second.empty())
      of_client_.erase(own);
  }
  // It may speak to others on its way out.
  const auto gone = std::move(at->second);
  places_.erase(at);
}

void agent_seats::end(seat_number seat, std::string_view why) {
  if (auto* there = find(seat)) {
    there->depart(why);
    erase(seat);
  }
}

void agent_seats::end_client(client_number client, std::string_view why) {
  const auto own = of_client_.find(client);
  if (own == of_client_.end())
    return;
  for (const auto seat : std::vector{own->second})
    end(seat, why);
}

bool agent_seats::has_any(
    client_number client,
    const std::function<bool(const place&)>& wanted) const {
  const auto own = of_client_.find(client);
  return own != of_client_.end() &&
         std::any_of(own->second.begin(), own->second.end(),
                     [&](seat_number seat) {
                       const auto at = places_.find(seat);
                       return at != places_.end() && wanted(*at->second);
                     });
}

bool agent_seats::has_guest(client_number client) const {
  return has_any(client, [](const place& each) { return each.is_guest(); });
}

bool agent_seats::has_seat(client_number client) const {
  return has_any(client, [](const place& each) { return each.is_taken(); });
}

void agent_seats::close(std::string_view why) {
  if (std::exchange(line_, nullptr) == nullptr)
    return;
  while (!places_.empty())
    end(places_.begin()->first, why);
}

// ----------------------------------------------------------------------- words

bool agent_seats::take(words::bus_wish& w, const net::connection_info& from) {
  if (open(w.client, w.seat) == nullptr)
    return false;
  if (desks_.bus == nullptr) {
    rule(w.seat, {net::msgbus::ruling::kind::busy});
    return true;
  }
  desks_.bus->ask(
      from, std::move(w.what),
      [weak = std::weak_ptr{self_}, seat = w.seat](net::msgbus::ruling found) {
        if (const auto all = weak.lock())
          (*all)->rule(seat, std::move(found));
      });
  return true;
}

void agent_seats::rule(seat_number seat, net::msgbus::ruling found) {
  auto* there = find(seat);
  if (there == nullptr)
    return; // nobody waits any more
  const bool seated = found.seat != nullptr;
  say(words::bus_ruling{seat, found.what, std::move(found.sender), seated,
                        std::move(found.past)});
  if (seated)
    there->sit(std::move(found.seat));
  else
    erase(seat);
}

bool agent_seats::take(words::knock& w, const net::connection_info& from) {
  if (open(w.client, w.seat) == nullptr)
    return false;
  if (desks_.zenconn == nullptr) {
    welcome(w.seat, {net::zenconn::welcome::kind::not_served});
    return true;
  }
  const std::weak_ptr weak{self_};
  w.who.worker = worker_;
  desks_.zenconn->let_in(
      from, std::move(w.who),
      [weak, seat = w.seat] {
        const auto all = weak.lock();
        return all && (*all)->find(seat) != nullptr;
      },
      [weak, seat = w.seat](net::zenconn::welcome found) {
        if (const auto all = weak.lock())
          (*all)->welcome(seat, std::move(found));
      });
  return true;
}

void agent_seats::welcome(seat_number seat, net::zenconn::welcome found) {
  auto* there = find(seat);
  if (there == nullptr)
    return; // nobody waits any more
  const bool let_in = found.guest != nullptr;
  say(words::welcome{seat, found.what, found.why, std::move(found.uid)});
  if (let_in && there->enter(std::move(found.guest)))
    return;
  if (let_in)
    say(words::seat_over{
        seat, static_cast<std::uint16_t>(net::ws::close_code::internal_error),
        "no room"});
  end(seat, "no room");
}

bool agent_seats::take(words::request& w) {
  if (w.seat > last_)
    return false;
  auto* there = find(w.seat);
  // Its end may be on the way to the worker.
  return there == nullptr || there->ask(std::move(w.what));
}

bool agent_seats::take(const words::seat_left& w) {
  if (w.seat > last_)
    return false;
  end(w.seat, w.why);
  return true;
}

void agent_seats::take(const words::writer_counts& now) {
  const auto add = [](auto* stats, auto member, std::uint64_t before,
                      std::uint64_t after) {
    if (stats != nullptr && after > before)
      (stats->*member).fetch_add(after - before, std::memory_order_relaxed);
  };
  using bus = net::msgbus::bus_stats;
  const auto was = std::exchange(counted_, now);
  auto* to = desks_.bus_stats;
  add(to, &bus::delivered, was.delivered, now.delivered);
  add(to, &bus::delivered_bytes, was.delivered_bytes, now.delivered_bytes);
  add(to, &bus::filtered, was.filtered, now.filtered);
  add(to, &bus::dropped_backlog, was.dropped_backlog, now.dropped_backlog);
  add(to, &bus::replayed, was.replayed, now.replayed);
  using zenconn = net::zenconn::zenconn_stats;
  auto* other = desks_.zenconn_stats;
  add(other, &zenconn::delivered, was.events, now.events);
  add(other, &zenconn::delivered_bytes, was.events_bytes, now.events_bytes);
  add(other, &zenconn::echoed, was.echoed, now.echoed);
  add(other, &zenconn::ignored, was.ignored, now.ignored);
  add(other, &zenconn::dropped_slow, was.dropped_slow, now.dropped_slow);
  add(other, &zenconn::refused_login, was.refused_login, now.refused_login);
}

// ------------------------------------------------------------------- speaking

/// In the order in which all of it is meant.
void agent_seats::say(word what) {
  send_gathered();
  if (line_ != nullptr)
    line_->send_last(std::move(what));
}

void agent_seats::gather(seat_number seat, const core::publication_ptr& what,
                         std::string_view channel, bool event) {
  auto& all = gathered_;
  if (all.what != what || all.event != event || all.channel != channel) {
    send_gathered();
    all.what = what;
    all.event = event;
    all.channel = channel;
  }
  all.seats.push_back(seat);
  if (!std::exchange(due_, true))
    home_.post([weak = std::weak_ptr{self_}] {
      if (const auto still = weak.lock())
        (*still)->send_gathered();
    });
}

void agent_seats::send_gathered() {
  due_ = false;
  auto all = std::exchange(gathered_, gathered{});
  if (all.seats.empty() || line_ == nullptr)
    return;
  const auto count = all.seats.size();
  word what;
  if (all.event)
    what = words::channel_event{std::move(all.seats), std::move(all.channel),
                                std::move(all.what)};
  else
    what = words::published{std::move(all.seats), std::move(all.what)};
  if (line_->offer(std::move(what)))
    return;
  if (all.event && desks_.zenconn_stats != nullptr)
    net::zenconn::count(desks_.zenconn_stats->dropped_line, count);
  if (!all.event && desks_.bus_stats != nullptr)
    net::msgbus::count(desks_.bus_stats->dropped_line, count);
}

} // namespace troupe::app::workers
