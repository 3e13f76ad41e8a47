// SPDX-License-Identifier: Apache-2.0
#include "actors/courier_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <optional>
#include <utility>

namespace troupe::actors {
namespace {

/// How soon is looked again whether the directory's leader was heard of.
constexpr core::milliseconds stale_interval{50};

} // namespace

courier_state::courier_state(pointer ptr) : self_(ptr) {}

void courier_state::start(courier_deps deps) {
  context_ = deps.context;
  loop_ = deps.loop;
  operations_ = std::make_unique<timed_operations<pointer>>(self_, *context_,
                                                            std::string{});
}

/// One that is larger than all together may be goes when it is the only one.
bool courier_state::refuse_if_full(std::size_t bytes,
                                   const done_function& done) {
  const auto& bounds = context_->options;
  if (operations_->size() + stale_.size() < bounds.queueing_max &&
      (bytes_ == 0 || bytes_ + bytes <= bounds.queueing_bytes_max))
    return false;
  context_->stats.publications_overflow.fetch_add(1, std::memory_order_relaxed);
  if (done)
    done(core::errc::overloaded);
  return true;
}

void courier_state::queue(queued_publication what, done_function done) {
  const auto bytes = bytes_of(what, context_->options.shards);
  if (refuse_if_full(bytes, done))
    return;
  if (stale_.empty())
    return run_counted(std::move(what), std::move(done));
  // It was published behind what waits, and gets no further than that.
  bytes_ += bytes;
  stale_.push_back(
      {[what = std::move(what)]() mutable { return std::move(what); },
       std::move(done),
       bytes,
       {},
       true});
  look_at_stale(context_->clock.now());
}

void courier_state::run_counted(queued_publication what, done_function done) {
  const auto bytes = bytes_of(what, context_->options.shards);
  bytes_ += bytes;
  run(std::make_unique<queue_operation>(
      std::move(what), [this, bytes, done = std::move(done)](core::errc why) {
        bytes_ -= bytes;
        if (done)
          done(why);
      }));
}

void courier_state::queue_when_fresh(find_function find, std::size_t bytes,
                                     done_function done) {
  if (refuse_if_full(bytes, done))
    return;
  if (stale_.empty() && context_->routes_are_fresh())
    return run_counted(find(), std::move(done));
  bytes_ += bytes;
  stale_.push_back({std::move(find), std::move(done), bytes,
                    context_->clock.now() + context_->options.request_timeout});
}

void courier_state::look_at_stale(core::steady_time now) {
  const bool fresh = context_->routes_are_fresh();
  while (!stale_.empty() && (fresh || stale_.front().deadline <= now)) {
    auto next = std::move(stale_.front());
    stale_.pop_front();
    bytes_ -= next.bytes;
    if (fresh || next.found)
      run_counted(next.find(), std::move(next.done));
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
  operations_->on_deadline_tick();
  flush();
}

void courier_state::on_retry_tick() {
  operations_->on_retry_tick();
  look_at_stale(context_->clock.now());
  flush();
}

void courier_state::flush() {
  std::optional<core::milliseconds> look;
  if (!stale_.empty())
    look = stale_interval;
  operations_->flush(look);
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
      .member("waiting_for_routes", std::uint64_t{stale_.size()})
      .member("bytes", std::uint64_t{bytes_});
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
