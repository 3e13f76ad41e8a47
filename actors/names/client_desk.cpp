// SPDX-License-Identifier: Apache-2.0
#include "actors/names/client_desk.hpp"

#include "actors/attaching.hpp"
#include "actors/client_actor.hpp"
#include "actors/names/name_wire.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>

namespace troupe::actors::names {
namespace {

constexpr std::chrono::seconds deadline_interval{1};

void count(broker_stats::counter& counter, std::uint64_t n = 1) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

void tell(const client_line& line, core::client_event event) {
  if (line.link != nullptr)
    line.link->on_event(std::move(event));
}

} // namespace

desk_state::desk_state(pointer ptr) : self_(ptr) {}

desk_state::~desk_state() {
  while (!seats_.empty())
    erase(seats_.begin()->first);
}

void desk_state::start(const desk_deps& deps) {
  context_ = deps.context;
  own_ = deps.self;
  loop_ = deps.loop;
  ways_.resize(context_->options.shards + 1U);
  to_ask_.resize(ways_.size());
}

// --------------------------------------------------------------- connections

void desk_state::on_arrived(client_arrived& news) {
  if (news.line->link == nullptr)
    return; // gone already
  auto& fresh = seats_[news.number];
  fresh.name = {news.what->realm, news.what->name};
  fresh.group = context_->group_of(
      {news.what->realm, core::owner_kind::session, news.what->name});
  fresh.line = std::move(news.line);
  fresh.opening = std::move(news.what);
  count(context_->stats.clients_open);
  openings_.emplace_back(
      context_->clock.now() + context_->options.request_timeout, news.number);
  want(news.number, fresh);
  flush();
}

void desk_state::on_departed(client_departed& news) {
  const auto at = seats_.find(news.number);
  if (at == seats_.end()) {
    if (auto actor = std::exchange(news.line->actor, client_actor{}))
      self_->send(actor, client_commands{{core::close_client{true}}});
    return;
  }
  auto& of = at->second;
  if (of.state == claim_state::asked) {
    of.gone = true;
    of.opening.reset();
    context_->stats.clients_open.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  if (of.state == claim_state::held)
    give_back(of.at, of.group, {news.number, std::move(of.name)});
  erase(news.number);
  flush();
}

void desk_state::erase(std::uint64_t number) {
  const auto at = seats_.find(number);
  if (!at->second.gone)
    context_->stats.clients_open.fetch_sub(1, std::memory_order_relaxed);
  seats_.erase(at);
}

/// The broker has ended it, or does not begin it.
void desk_state::end(std::uint64_t number, core::error why) {
  auto& of = seats_.at(number);
  const auto line = of.line;
  const bool was_open = of.opening == nullptr;
  erase(number);
  if (was_open) {
    tell(*line, core::client_ended{std::move(why)});
  } else {
    core::client_opened refusal;
    refusal.failure = std::move(why);
    tell(*line, std::move(refusal));
  }
}

void desk_state::open_record(std::uint64_t number, seat& of) {
  const auto line = of.line;
  auto what = std::move(*of.opening);
  erase(number);
  if (line->link == nullptr)
    return;
  line->actor = runtime::spawn_pinned<client_actor, client_state>(
      self_->home_system(), runtime::home_of(*self_), client_behavior,
      client_deps{context_, line, number});
  self_->send(line->actor, client_commands{{std::move(what)}});
}

// -------------------------------------------------------------------- claims

void desk_state::want(std::uint64_t number, seat& of) {
  of.state = claim_state::wanting;
  if (pauses(of.group))
    return;
  auto& waiting = to_ask_[of.group.value()];
  if (waiting.empty())
    asking_.push_back(of.group);
  waiting.push_back(number);
}

/// Those that had, or would have had, their names from somebody who is not to
/// be asked any more.
template <class Condition>
void desk_state::want_all(const Condition& condition) {
  for (auto at = seats_.begin(); at != seats_.end();) {
    auto& [number, each] = *at;
    if (!condition(each)) {
      ++at;
    } else if (each.gone) {
      at = seats_.erase(at);
    } else {
      if (each.state == claim_state::held)
        count(context_->stats.sessions_released);
      want(number, each);
      ++at;
    }
  }
}

void desk_state::ask(core::group_id group, std::vector<std::uint64_t> numbers) {
  const auto to = way(group).leader;
  const auto due = context_->clock.now() + patience;
  const names_claimed blank{
      {{}, static_cast<std::uint16_t>(loop_)}, group, {}, {}};
  auto claims = blank;
  std::size_t bytes = 0;
  bool sent = true;
  for (const auto number : numbers) {
    const auto at = seats_.find(number);
    if (at == seats_.end() || at->second.state != claim_state::wanting)
      continue;
    auto& of = at->second;
    of.state = claim_state::asked;
    of.at = to;
    of.answer_due = due;
    answers_.emplace_back(due, number);
    claims.items.push_back({number, of.name, of.given});
    bytes += of.name.name.size();
    if (claims.items.size() < name_items_max && bytes < name_bytes_max)
      continue;
    sent = send_claims(to, std::exchange(claims, blank)) && sent;
    bytes = 0;
  }
  if (!claims.items.empty())
    sent = send_claims(to, std::move(claims)) && sent;
  if (sent)
    return;
  pause(group, core::errc::not_leader);
  for (const auto number : numbers)
    if (const auto at = seats_.find(number); at != seats_.end())
      at->second.state = claim_state::wanting;
}

/// What has been sent of a row that has not is answered in vain.
bool desk_state::send_claims(core::node_id to, names_claimed claims) {
  if (to == core::node_id{}) {
    caf::anon_send(context_->shard(claims.group), std::move(claims));
    return true;
  }
  return context_->names != nullptr &&
         context_->names->send(to, names_way::to_shard, claims.group.value(),
                               encode(claims));
}

void desk_state::on_answered(const names_answered& news) {
  for (const auto& item : news.items)
    take(news, item);
  flush();
}

void desk_state::take(const names_answered& news, const name_answer& item) {
  const auto at = seats_.find(item.holder);
  const bool granted = item.failure == core::errc::ok;
  if (at == seats_.end())
    return;
  auto& of = at->second;
  if (of.state == claim_state::wanting || of.at != news.from)
    return; // too late; it is claimed again
  if (of.gone) {
    if (granted)
      give_back(of.at, of.group, {item.holder, std::move(of.name)});
    return erase(item.holder);
  }
  if (granted)
    on_grant(of, item);
  else if (of.state == claim_state::asked)
    on_failure(item.holder, of, news, item.failure);
}

void desk_state::on_grant(seat& of, const name_answer& item) {
  auto& where = way(of.group);
  where.leader = of.at;
  where.failures = 0;
  where.redirected = false;
  where.last_failure = core::errc::ok;
  const bool again = of.state == claim_state::held; // it was asked for twice
  of.state = claim_state::held;
  of.given = std::max(of.given, item.given);
  if (std::exchange(of.opening, nullptr))
    tell(*of.line, core::client_opened{});
  else if (!again)
    count(context_->stats.sessions_reattached);
}

void desk_state::on_failure(std::uint64_t number, seat& of,
                            const names_answered& news, core::errc why) {
  auto& where = way(of.group);
  switch (why) {
  case core::errc::conflict:
    if (of.opening)
      return open_record(number, of);
    break;
  case core::errc::not_logged_in:
    return end(number, {core::errc::conflict, "taken over"});
  case core::errc::overloaded:
    if (of.opening)
      return end(number, {why, "too many clients"});
    break;
  case core::errc::shutting_down:
    if (!context_->options.clustered)
      return end(number, {why, {}});
    break; // somebody else leads soon
  case core::errc::not_leader:
    if (news.leader == core::node_id{} || news.leader == own_ ||
        news.leader == news.from)
      break;
    if (where.leader != news.leader && std::exchange(where.redirected, true))
      break; // one after the other names another one
    where.leader = news.leader;
    return want(number, of);
  default:
    break;
  }
  of.state = claim_state::wanting;
  pause(of.group, why);
}

void desk_state::pause(core::group_id group, core::errc why) {
  auto& where = way(group);
  where.leader = {};
  where.redirected = false;
  where.last_failure = why;
  if (pauses(group))
    return;
  count(context_->stats.attaches_repeated);
  where.pause_ends = context_->clock.now() +
                     attach_pause(where.failures++, group.value() + loop_);
}

// -------------------------------------------------------------- what is lost

void desk_state::on_taken(const names_taken& news) {
  for (const auto& item : news.items) {
    const auto at = seats_.find(item.holder);
    // One that has a later grant has taken the name back since.
    if (at != seats_.end() && at->second.given != name_grant{} &&
        at->second.given <= item.given)
      end(item.holder, {core::errc::conflict, "taken over"});
  }
  flush();
}

void desk_state::on_released(const names_released& news) {
  if (auto& where = way(news.group); where.leader == news.from)
    where.leader = {};
  want_all([&](const seat& s) {
    return s.group == news.group && s.state != claim_state::wanting &&
           s.at == news.from;
  });
  flush();
}

void desk_state::on_cut(const names_cut& news) {
  for (auto& where : ways_)
    if (where.leader == news.peer)
      where.leader = {};
  std::erase_if(freed_,
                [&](const auto& f) { return f.first.first == news.peer; });
  want_all([&](const seat& s) {
    return s.state != claim_state::wanting && s.at == news.peer;
  });
  flush();
}

void desk_state::on_led(const names_led& news) {
  if (news.group == core::directory_group)
    return;
  const auto leader = news.leader == own_ ? core::node_id{} : news.leader;
  auto& where = way(news.group);
  where.leader = leader;
  where.redirected = false;
  const bool paused = pauses(news.group);
  where.pause_ends = {};
  want_all([&](const seat& s) {
    return s.group == news.group &&
           (s.state == claim_state::wanting ? paused : s.at != leader);
  });
  flush();
}

// -------------------------------------------------------------- giving back

void desk_state::give_back(core::node_id to, core::group_id group,
                           freed_name what) {
  if (freed_.size() < freed_max)
    freed_.emplace_back(freed_key{to, group}, std::move(what));
}

/// One message for those behind each other that go the same way.
void desk_state::send_freed() {
  while (!freed_.empty()) {
    const auto [to, group] = freed_.front().first;
    names_freed message{{{}, static_cast<std::uint16_t>(loop_)}, group, {}, {}};
    std::size_t bytes = 0;
    for (const auto& [key, what] : freed_) {
      if (key != freed_.front().first ||
          message.items.size() == name_items_max || bytes >= name_bytes_max)
        break;
      message.items.push_back(what);
      bytes += what.name.name.size();
    }
    const auto taken = message.items.size();
    if (to == core::node_id{}) {
      caf::anon_send(context_->shard(group), std::move(message));
    } else if (context_->names != nullptr) {
      const auto sent = context_->names->send(to, names_way::to_shard,
                                              group.value(), encode(message));
      if (!sent && sent.error().code == core::errc::overloaded) {
        count(context_->stats.name_frames_unsent);
        return;
      }
    }
    freed_.erase(freed_.begin(),
                 freed_.begin() + static_cast<std::ptrdiff_t>(taken));
  }
}

// ---------------------------------------------------------------------- time

void desk_state::flush() {
  while (!asking_.empty()) {
    const auto group = asking_.back();
    asking_.pop_back();
    ask(group, std::exchange(to_ask_[group.value()], {}));
  }
  send_freed();
  schedule();
}

void desk_state::schedule() {
  const auto now = context_->clock.now();
  std::optional<core::steady_time> next;
  if (!freed_.empty())
    next = now + retry_interval;
  for (const auto& where : ways_)
    if (where.pause_ends != core::steady_time{})
      next = std::min(next.value_or(where.pause_ends), where.pause_ends);
  if (next && (!retry_at_ || *next < *retry_at_)) {
    retry_at_ = next;
    self_->delayed_send(self_,
                        std::chrono::ceil<core::milliseconds>(*next - now),
                        retry_tick{});
  }
  if ((!openings_.empty() || !answers_.empty()) &&
      !std::exchange(tick_pending_, true))
    self_->delayed_send(self_, deadline_interval, deadline_tick{});
}

void desk_state::on_retry_tick() {
  const auto now = context_->clock.now();
  if (retry_at_ && *retry_at_ <= now)
    retry_at_.reset();
  bool over = false;
  for (auto& where : ways_)
    if (where.pause_ends != core::steady_time{} && where.pause_ends <= now) {
      where.pause_ends = {};
      over = true;
    }
  if (over)
    want_all([](const seat& s) { return s.state == claim_state::wanting; });
  flush();
}

void desk_state::on_deadline_tick() {
  tick_pending_ = false;
  const auto now = context_->clock.now();
  for (; !answers_.empty() && answers_.front().first <= now;
       answers_.pop_front()) {
    const auto at = seats_.find(answers_.front().second);
    if (at == seats_.end() || at->second.state != claim_state::asked ||
        at->second.answer_due != answers_.front().first)
      continue;
    if (at->second.gone) {
      erase(at->first);
      continue;
    }
    at->second.state = claim_state::wanting;
    pause(at->second.group, core::errc::timed_out);
  }
  for (; !openings_.empty() && openings_.front().first <= now;
       openings_.pop_front()) {
    const auto at = seats_.find(openings_.front().second);
    if (at == seats_.end() || !at->second.opening)
      continue;
    const auto why = way(at->second.group).last_failure;
    end(at->first, {why == core::errc::ok ? core::errc::timed_out : why, {}});
  }
  flush();
}

// --------------------------------------------------------------------- debug

std::string desk_state::describe() const {
  std::uint64_t opening = 0;
  std::uint64_t held = 0;
  for (const auto& [number, each] : seats_) {
    opening += each.opening ? 1 : 0;
    held += each.state == claim_state::held ? 1 : 0;
  }
  core::json_writer out;
  out.begin_object()
      .member("kind", "desk")
      .member("loop", std::uint64_t{loop_})
      .member("clients", std::uint64_t{seats_.size()})
      .member("opening", opening)
      .member("names_held", held)
      .member("names_to_give_back", std::uint64_t{freed_.size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

desk_actor::behavior_type desk_behavior(desk_state::pointer self,
                                        const desk_deps& deps) {
  auto& st = self->state;
  st.start(deps);
  return {
      [&st](client_arrived& m) { st.on_arrived(m); },
      [&st](client_departed& m) { st.on_departed(m); },
      [&st](const names_answered& m) { st.on_answered(m); },
      [&st](const names_taken& m) { st.on_taken(m); },
      [&st](const names_released& m) { st.on_released(m); },
      [&st](const names_cut& m) { st.on_cut(m); },
      [&st](const names_led& m) { st.on_led(m); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [self](const retire&) { self->quit(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors::names
