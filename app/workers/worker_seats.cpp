// SPDX-License-Identifier: Apache-2.0
#include "app/workers/worker_seats.hpp"

#include <utility>

namespace troupe::app::workers {

using net::msgbus::ruling;
using net::zenconn::welcome;

/// A subscription in the agent.
class worker_seats::chair final : public net::msgbus::seat {
public:
  chair(worker_seats& owner, seat_number number)
      : owner_(owner), number_(number) {
    owner_.chairs_.emplace(number_, this);
  }
  ~chair() override {
    if (owner_.chairs_.erase(number_) > 0)
      owner_.left(number_, {});
  }
  chair(const chair&) = delete;
  chair& operator=(const chair&) = delete;

  void begin(net::msgbus::seat_user& user) override { user_ = &user; }
  [[nodiscard]] net::msgbus::seat_user* user() const { return user_; }

private:
  worker_seats& owner_;
  const seat_number number_;
  net::msgbus::seat_user* user_ = nullptr;
};

/// A guest in the agent.
class worker_seats::visitor final : public net::zenconn::guest {
public:
  visitor(worker_seats& owner, seat_number number)
      : owner_(owner), number_(number) {
    owner_.visitors_.emplace(number_, this);
  }
  ~visitor() override { depart("the connection ended"); }
  visitor(const visitor&) = delete;
  visitor& operator=(const visitor&) = delete;

  bool enter(net::zenconn::guest_user& user) override {
    user_ = &user;
    return true;
  }
  void ask(net::zenconn::request asked, core::steady_time) override {
    ++under_way_;
    owner_.parts_.say(words::request{number_, std::move(asked)});
  }
  [[nodiscard]] bool paused() override {
    if (under_way_ >= owner_.parts_.requests_max)
      return true;
    if (!owner_.parts_.full())
      return false;
    if (!std::exchange(waits_, true))
      owner_.waiting_.push_back(number_);
    return true;
  }
  // The agent keeps its deadlines.
  void on_tick(core::steady_time) override {}
  [[nodiscard]] std::optional<core::steady_time> deadline() const override {
    return std::nullopt;
  }
  void depart(std::string_view why) override {
    user_ = nullptr;
    if (owner_.visitors_.erase(number_) > 0)
      owner_.left(number_, why);
  }

  void tell(const net::zenconn::answer& what) {
    using kind = net::zenconn::answer::kind;
    if (what.what != kind::accepted && under_way_ > 0)
      --under_way_;
    if (user_ != nullptr)
      user_->together([&] { user_->tell(what); }); // last: may end this
  }
  void tell_event(net::zenconn::shared_event& what) {
    if (user_ != nullptr)
      user_->tell_event(what); // last: may end this
  }
  /// It is not known in the agent any more.
  void dismiss(net::ws::close_code code, std::string_view why) {
    if (auto* user = std::exchange(user_, nullptr))
      user->together([&] { user->dismiss(code, why); });
  }
  void tell_room() {
    waits_ = false;
    if (user_ != nullptr)
      user_->on_room();
  }

private:
  worker_seats& owner_;
  const seat_number number_;
  net::zenconn::guest_user* user_ = nullptr;
  std::size_t under_way_ = 0;
  bool waits_ = false;
};

// ------------------------------------------------------------------- questions

bool worker_seats::refuses() const {
  return lost_ || questions_.size() >= questions_max;
}

seat_number worker_seats::put(question asked) {
  asked.until = parts_.home.clock().now() + answer_time;
  questions_.emplace(++last_, std::move(asked));
  return last_;
}

bool worker_seats::extract(seat_number seat, question& into) {
  const auto at = questions_.find(seat);
  if (at == questions_.end())
    return false;
  into = std::move(at->second);
  questions_.erase(at);
  return true;
}

void worker_seats::refuse(const question& asked) {
  if (asked.ruled)
    asked.ruled({ruling::kind::busy});
  else
    asked.welcomed({welcome::kind::busy});
}

void worker_seats::ask(const net::connection_info& from, net::msgbus::wish what,
                       std::function<void(ruling)> then) {
  if (refuses())
    return then({ruling::kind::busy});
  question asked;
  asked.ruled = std::move(then);
  const auto seat = put(std::move(asked));
  parts_.say(words::bus_wish{from.id.value(), seat, std::move(what)});
}

void worker_seats::later(std::function<void()> work) {
  parts_.home.post(std::move(work));
}

void worker_seats::let_in(const net::connection_info& from,
                          net::zenconn::knock who, std::function<bool()>,
                          std::function<void(welcome)> then) {
  if (refuses())
    return then({welcome::kind::busy});
  question asked;
  asked.welcomed = std::move(then);
  const auto seat = put(std::move(asked));
  parts_.say(words::knock{from.id.value(), seat, std::move(who)});
}

void worker_seats::left(seat_number seat, std::string_view why) {
  if (!lost_)
    parts_.say(words::seat_left{seat, std::string{why}});
}

void worker_seats::look(core::steady_time now) {
  while (!questions_.empty() && questions_.begin()->second.until <= now) {
    const auto seat = questions_.begin()->first;
    question late;
    if (!extract(seat, late))
      return;
    left(seat, "the agent took too long");
    refuse(late);
  }
}

void worker_seats::on_room() {
  for (const auto seat : std::exchange(waiting_, {}))
    if (const auto at = visitors_.find(seat); at != visitors_.end())
      at->second->tell_room();
}

void worker_seats::on_lost() {
  lost_ = true;
  for (const auto& [seat, asked] : std::exchange(questions_, {}))
    refuse(asked);
}

// ----------------------------------------------------------------------- words

void worker_seats::take(words::bus_ruling& w) {
  question asked;
  if (!extract(w.seat, asked) || !asked.ruled)
    return; // it took too long
  ruling found;
  found.what = w.what;
  found.sender = std::move(w.sender);
  found.past = std::move(w.past);
  if (w.seated)
    found.seat = std::make_unique<chair>(*this, w.seat);
  asked.ruled(std::move(found));
}

void worker_seats::take(words::welcome& w) {
  question asked;
  if (!extract(w.seat, asked) || !asked.welcomed)
    return; // it took too long
  welcome found;
  found.what = w.what;
  found.why = w.why;
  found.uid = std::move(w.uid);
  if (w.what == welcome::kind::let_in)
    found.guest = std::make_unique<visitor>(*this, w.seat);
  asked.welcomed(std::move(found));
}

void worker_seats::take(const words::answer& w) {
  if (const auto at = visitors_.find(w.seat); at != visitors_.end())
    at->second->tell(w.what);
}

void worker_seats::take(const words::published& w) {
  // Whoever gets it may end, and others with him.
  for (const auto seat : w.seats)
    if (const auto at = chairs_.find(seat);
        at != chairs_.end() && at->second->user() != nullptr)
      at->second->user()->on_publication(w.what);
}

void worker_seats::take(const words::channel_event& w) {
  net::zenconn::shared_event event{w.what, w.channel};
  for (const auto seat : w.seats)
    if (const auto at = visitors_.find(seat); at != visitors_.end())
      at->second->tell_event(event);
}

void worker_seats::take(const words::seat_over& w) {
  if (const auto at = chairs_.find(w.seat); at != chairs_.end()) {
    auto* user = at->second->user();
    chairs_.erase(at);
    if (user != nullptr)
      user->on_seat_lost(w.why);
    return;
  }
  if (const auto at = visitors_.find(w.seat); at != visitors_.end()) {
    auto* who = at->second;
    visitors_.erase(at);
    who->dismiss(static_cast<net::ws::close_code>(w.code), w.why);
  }
}

} // namespace troupe::app::workers
