// SPDX-License-Identifier: Apache-2.0
#include "actors/keys/keys_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace troupe::actors::keys {
namespace {

constexpr std::chrono::milliseconds look_interval{250};

/// Ascends from a random number, so that no answer to an earlier life of this
/// node is taken for one to this.
std::uint64_t first_ticket() {
  std::random_device source;
  return std::uint64_t{source()} << 24U;
}

/// Somebody else may lead, or soon will.
bool is_passing(core::errc why) {
  switch (why) {
  case core::errc::not_leader:
  case core::errc::unavailable:
  case core::errc::overloaded:
  case core::errc::shutting_down:
    return true;
  default:
    return false;
  }
}

} // namespace

void keys_state::start(const keys_deps& deps) {
  deps_ = deps;
  last_ticket_ = first_ticket();
  operations_ = std::make_unique<operation_table>(
      *deps_.context, "default", [](const core::session_event&) {});
}

void keys_state::change(key_operation::change what,
                        key_operation::done_function done) {
  operations_->start(
      std::make_unique<key_operation>(std::move(what), std::move(done)));
}

// ---------------------------------------------------------------------- reads

void keys_state::read(key_question what, page_function done) {
  const auto number = ++last_ticket_;
  reading fresh{key_scan{std::move(what), deps_.context->options.shards},
                std::move(done)};
  fresh.give_up_at = now() + shard_patience;
  readings_.emplace(number, std::move(fresh));
  proceed(number);
}

/// Asks the shard whose turn it is, or ends.
void keys_state::proceed(std::uint64_t number) {
  const auto at = readings_.find(number);
  if (!at->second.scan.done())
    return ask(number, at->second);
  auto done = std::move(at->second.done);
  auto page = at->second.scan.page();
  readings_.erase(at);
  count(deps_.context->stats.key_pages);
  done(std::move(page)); // last: may read again
}

/// Whoever leads the shard, as far as it is known here. Nobody is found out
/// about at the next look.
void keys_state::ask(std::uint64_t number, reading& of) {
  const auto group = of.scan.at().group;
  of.again_at = now() + answer_patience;
  auto to = deps_.context->leader_of(group);
  if (to == core::node_id{})
    to = of.hint;
  if (deps_.transport == nullptr || to == core::node_id{} || to == deps_.self)
    return ask_here(number, {0,
                             {},
                             of.scan.what().realm,
                             of.scan.what().filter,
                             of.scan.at().after,
                             of.scan.limits()});
  remote_question question;
  question.number = number;
  question.loop = static_cast<std::uint16_t>(deps_.loop);
  question.group = group;
  question.realm = of.scan.what().realm;
  question.filter = of.scan.what().filter;
  question.after = of.scan.at().after;
  question.limits = of.scan.limits();
  if (!deps_.transport->send(to, keys_way::question, number, encode(question)))
    of.again_at = now() + retry_pause;
}

void keys_state::ask_here(std::uint64_t ticket, keys_asked question) {
  const auto at = readings_.find(ticket);
  const auto group = at->second.scan.at().group;
  question.ticket = ticket;
  question.from = keys_client{self_};
  self_->send(deps_.context->shard(group), std::move(question));
}

void keys_state::on_found(keys_found& found) {
  if (const auto at = guests_.find(found.ticket); at != guests_.end()) {
    const auto to = at->second;
    guests_.erase(at);
    return answer(to, std::move(found));
  }
  take(found.ticket, found.failure, found.leader, std::move(found.page));
}

void keys_state::take(std::uint64_t ticket, core::errc failure,
                      core::node_id leader, core::key_page page) {
  const auto at = readings_.find(ticket);
  if (at == readings_.end())
    return; // an answer to an older question
  auto& of = at->second;
  if (is_passing(failure)) {
    of.hint = leader;
    of.again_at = now() + retry_pause;
    return;
  }
  if (failure == core::errc::ok) {
    of.scan.take(std::move(page));
  } else {
    count(deps_.context->stats.key_reads_incomplete);
    of.scan.skip();
  }
  of.hint = {};
  of.give_up_at = now() + shard_patience;
  auto moved = readings_.extract(at);
  moved.key() = ++last_ticket_;
  readings_.insert(std::move(moved));
  proceed(last_ticket_);
}

void keys_state::ask_again(core::steady_time now) {
  std::vector<std::uint64_t> due;
  for (const auto& [number, of] : readings_)
    if (of.again_at <= now)
      due.push_back(number);
  for (const auto number : due) {
    const auto at = readings_.find(number);
    if (at == readings_.end())
      continue;
    auto moved = readings_.extract(at);
    auto& of = moved.mapped();
    moved.key() = ++last_ticket_;
    const auto group = of.scan.at().group;
    const bool lost = of.give_up_at <= now;
    count(lost ? deps_.context->stats.key_reads_incomplete
               : deps_.context->stats.key_reads_repeated);
    if (lost) {
      deps_.context->log("warn", "keys",
                         "shard " + std::to_string(group.value()) +
                             " has no leader: what is retained there is not "
                             "read");
      of.scan.skip();
      of.give_up_at = now + shard_patience;
    }
    readings_.insert(std::move(moved));
    proceed(last_ticket_);
  }
}

// ---------------------------------------------------------------- other nodes

void keys_state::on_frame(keys_frame& frame) {
  if (frame.way == keys_way::question)
    return on_question(frame);
  auto found = decode_answer(frame.bytes);
  if (!found)
    return count(deps_.context->stats.key_frames_unusable);
  take(found->number, found->failure, found->leader, std::move(found->page));
}

void keys_state::on_question(const keys_frame& frame) {
  auto asked = decode_question(frame.bytes);
  const auto shards = deps_.context->shards.size();
  if (!asked || asked->group.value() == 0 || asked->group.value() > shards)
    return count(deps_.context->stats.key_frames_unusable);
  const guest from{frame.from, asked->number, asked->loop,
                   now() + shard_patience};
  if (guests_.size() >= questions_max)
    return answer(from, {0, core::errc::overloaded, {}, {}});
  const auto ticket = ++last_ticket_;
  guests_.emplace(ticket, from);
  asked->limits.looked_at_max =
      std::min(asked->limits.looked_at_max, key_scan::looked_at_max);
  self_->send(deps_.context->shard(asked->group),
              keys_asked{ticket, keys_client{self_}, std::move(asked->realm),
                         std::move(asked->filter), std::move(asked->after),
                         asked->limits});
}

void keys_state::answer(const guest& to, keys_found found) {
  if (deps_.transport == nullptr)
    return;
  // Without a way back it asks again.
  (void)deps_.transport->send(
      to.from, keys_way::answer, to.loop,
      encode(remote_answer{to.number, found.failure, found.leader,
                           std::move(found.page)}));
}

// ---------------------------------------------------------------------- time

void keys_state::on_answers(shard_answers& batch) {
  operations_->on_answers(batch);
  flush();
}

void keys_state::on_deadline_tick() {
  tick_pending_ = false;
  const auto at = now();
  operations_->expire(at);
  ask_again(at);
  std::erase_if(guests_, [&](const auto& g) { return g.second.until <= at; });
  flush();
}

void keys_state::on_retry_tick() {
  retry_pending_ = false;
  operations_->repeat(now());
  ask_again(now());
  flush();
}

void keys_state::begin_retirement() {
  retiring_ = true;
  flush();
}

void keys_state::flush() {
  if (retiring_ && operations_->size() == 0) {
    deps_.on_end();
    return self_->quit();
  }
  // Nobody asks for lists or the directory here.
  operations_->flush({shard_client{self_}, {}, {}});
  auto pause = operations_->repeat_in();
  const bool retries =
      std::any_of(readings_.begin(), readings_.end(), [&](const auto& r) {
        return r.second.again_at <= now() + retry_pause;
      });
  if (retries)
    pause = std::min(pause.value_or(retry_pause), retry_pause);
  if (pause && !std::exchange(retry_pending_, true))
    self_->delayed_send(self_, *pause, retry_tick{});
  const bool waits =
      operations_->size() > 0 || !readings_.empty() || !guests_.empty();
  if (waits && !std::exchange(tick_pending_, true))
    self_->delayed_send(self_, look_interval, deadline_tick{});
}

std::string keys_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "keys")
      .member("changes_under_way", std::uint64_t{operations_->size()})
      .member("reads_under_way", std::uint64_t{readings_.size()})
      .member("questions_of_others", std::uint64_t{guests_.size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

keys_actor::behavior_type keys_behavior(keys_state::pointer self,
                                        const keys_deps& deps) {
  auto& st = self->state;
  st.start(deps);
  return {
      [&st](keys_found& m) {
        st.on_found(m);
        st.flush();
      },
      [&st](keys_order& m) {
        m.work(st);
        st.flush();
      },
      [&st](shard_answers& m) { st.on_answers(m); },
      [&st](keys_frame& m) {
        st.on_frame(m);
        st.flush();
      },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [&st](const retire&) { st.begin_retirement(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors::keys
