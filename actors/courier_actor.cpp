// SPDX-License-Identifier: Apache-2.0
#include "actors/courier_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::actors {
namespace {

constexpr std::chrono::seconds deadline_interval{1};
/// How soon is looked again whether the directory's leader was heard of.
constexpr core::milliseconds stale_interval{50};

} // namespace

courier_state::courier_state(pointer ptr) : self_(ptr) {}

void courier_state::start(courier_deps deps) {
  context_ = deps.context;
  loop_ = deps.loop;
  operations_ = std::make_unique<operation_table>(
      *context_, std::string{}, [](const core::session_event&) {});
}

bool courier_state::refuse_if_full(const done_function& done) {
  if (operations_->size() + stale_.size() < context_->options.queueing_max)
    return false;
  context_->stats.publications_overflow.fetch_add(1, std::memory_order_relaxed);
  if (done)
    done(core::errc::overloaded);
  return true;
}

void courier_state::queue(queued_publication what, done_function done) {
  if (refuse_if_full(done))
    return;
  if (stale_.empty())
    return run(
        std::make_unique<queue_operation>(std::move(what), std::move(done)));
  // It was published behind what waits, and gets no further than that.
  stale_.push_back(
      {[what = std::move(what)]() mutable { return std::move(what); },
       std::move(done),
       {},
       true});
  look_at_stale(context_->clock.now());
}

void courier_state::queue_when_fresh(find_function find, done_function done) {
  if (refuse_if_full(done))
    return;
  if (stale_.empty() && context_->routes_are_fresh())
    return queue(find(), std::move(done));
  stale_.push_back({std::move(find), std::move(done),
                    context_->clock.now() + context_->options.request_timeout});
}

void courier_state::look_at_stale(core::steady_time now) {
  const bool fresh = context_->routes_are_fresh();
  while (!stale_.empty() && (fresh || stale_.front().deadline <= now)) {
    auto next = std::move(stale_.front());
    stale_.pop_front();
    if (fresh || next.found)
      run(std::make_unique<queue_operation>(next.find(), std::move(next.done)));
    else if (next.done)
      next.done(core::errc::unavailable);
  }
}

void courier_state::run(std::unique_ptr<operation> work) {
  operations_->start(std::move(work));
}

void courier_state::on_answers(shard_answers& batch) {
  operations_->on_answers(batch);
  flush();
}

void courier_state::on_answers(directory_answers& batch) {
  operations_->on_answers(batch);
  flush();
}

void courier_state::on_answer(list_expansion& answer) {
  operations_->on_answer(answer);
  flush();
}

void courier_state::on_deadline_tick() {
  tick_pending_ = false;
  operations_->expire(context_->clock.now());
  flush();
}

void courier_state::on_retry_tick() {
  retry_pending_ = false;
  const auto now = context_->clock.now();
  operations_->repeat(now);
  look_at_stale(now);
  flush();
}

void courier_state::flush() {
  operations_->flush(
      {shard_client{self_}, directory_client{self_}, list_client{self_}});
  auto pause = operations_->repeat_in();
  if (!stale_.empty())
    pause = std::min(pause.value_or(stale_interval), stale_interval);
  if (pause && !std::exchange(retry_pending_, true))
    self_->delayed_send(self_, *pause, retry_tick{});
  if (operations_->size() > 0 && !std::exchange(tick_pending_, true))
    self_->delayed_send(self_, deadline_interval, deadline_tick{});
}

/// Who waits for a publication is gone before.
void courier_state::retire_now() {
  stale_.clear();
  self_->quit();
}

std::string courier_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "courier")
      .member("loop", std::uint64_t{loop_})
      .member("under_way", std::uint64_t{operations_->size()})
      .member("waiting_for_routes", std::uint64_t{stale_.size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

courier_actor::behavior_type courier_behavior(courier_state::pointer self,
                                              courier_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](courier_order& m) {
        m.work(st);
        st.flush();
      },
      [&st](shard_answers& m) { st.on_answers(m); },
      [&st](directory_answers& m) { st.on_answers(m); },
      [&st](list_expansion& m) { st.on_answer(m); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [&st](const retire&) { st.retire_now(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors
