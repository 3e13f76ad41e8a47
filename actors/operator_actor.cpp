// SPDX-License-Identifier: Apache-2.0
#include "actors/operator_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <utility>
#include <variant>

namespace troupe::actors {
namespace {

core::request_number request_of(const core::session_event& event) {
  return std::visit(
      [](const auto& e) -> core::request_number {
        if constexpr (requires { e.request; })
          return e.request;
        else
          return 0;
      },
      event);
}

} // namespace

operator_state::operator_state(pointer ptr) : self_(ptr) {}

void operator_state::start(operator_deps deps) {
  context_ = deps.context;
  realm_ = std::move(deps.realm);
  operations_ = std::make_unique<timed_operations<pointer>>(
      self_, *context_, realm_, [this](core::session_event event) {
        auto waiting = expected_.find(request_of(event));
        if (waiting == expected_.end())
          return;
        auto done = std::move(waiting->second);
        expected_.erase(waiting);
        done(event);
      });
}

core::request_number operator_state::expect(event_function done) {
  expected_.emplace(++last_request_, std::move(done));
  return last_request_;
}

void operator_state::run(std::unique_ptr<operation> work) {
  operations_->start(std::move(work));
}

void operator_state::on_answers(shard_answers& batch) {
  operations_->on_answers(batch);
  flush();
}

void operator_state::on_answers(directory_answers& batch) {
  operations_->on_answers(batch);
  flush();
}

void operator_state::on_answer(list_expansion& answer) {
  operations_->on_answer(answer);
  flush();
}

void operator_state::on_deadline_tick() {
  operations_->on_deadline_tick();
  flush();
}

void operator_state::on_retry_tick() {
  operations_->on_retry_tick();
  flush();
}

void operator_state::flush() { operations_->flush(); }

std::string operator_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "operator")
      .member("requests_under_way", std::uint64_t{operations_->size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

operator_actor::behavior_type operator_behavior(operator_state::pointer self,
                                                operator_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](operator_order& m) {
        m.work(st);
        st.flush();
      },
      [&st](shard_answers& m) { st.on_answers(m); },
      [&st](directory_answers& m) { st.on_answers(m); },
      [&st](list_expansion& m) { st.on_answer(m); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [self](const retire&) { self->quit(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors
