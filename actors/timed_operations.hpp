// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/messages.hpp"
#include "actors/operation.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace troupe::actors {

/// The operations an actor has under way, with the ticks that they need. The
/// actor hands over answers and its deadline_tick and retry_tick, and calls
/// flush() when it has handled a message. Part of its state; `Pointer` is that
/// of an actor that takes the answers of all groups, and both ticks.
template <class Pointer>
class timed_operations {
public:
  static constexpr std::chrono::seconds deadline_interval{1};

  /// `on_finished` may be empty, for those that tell in ways of their own.
  timed_operations(Pointer self, broker_context& context, std::string realm,
                   operation_table::finish_function on_finished = {})
      : self_(self), table_(
                         context, std::move(realm),
                         on_finished ? std::move(on_finished)
                                     : [](const core::session_event&) {}) {}

  void start(std::unique_ptr<operation> fresh) {
    table_.start(std::move(fresh));
  }
  void on_answers(shard_answers& batch) { table_.on_answers(batch); }
  void on_answers(directory_answers& batch) { table_.on_answers(batch); }
  void on_answer(list_expansion& answer) { table_.on_answer(answer); }
  void on_deadline_tick() {
    tick_pending_ = false;
    table_.expire(table_.context().clock.now());
  }
  void on_retry_tick() {
    retry_pending_ = false;
    table_.repeat(table_.context().clock.now());
  }

  /// Sends what was asked. `sooner`: the actor wants a retry_tick by then;
  /// `waits`: a deadline_tick also if no operation is under way.
  void flush(std::optional<core::milliseconds> sooner = {},
             bool waits = false) {
    table_.flush(
        {shard_client{self_}, directory_client{self_}, list_client{self_}});
    auto pause = table_.repeat_in();
    if (sooner)
      pause = std::min(pause.value_or(*sooner), *sooner);
    if (pause && !std::exchange(retry_pending_, true))
      self_->delayed_send(self_, *pause, retry_tick{});
    if ((waits || table_.size() > 0) && !std::exchange(tick_pending_, true))
      self_->delayed_send(self_, deadline_interval, deadline_tick{});
  }

  [[nodiscard]] std::size_t size() const { return table_.size(); }

private:
  Pointer self_;
  operation_table table_;
  bool tick_pending_ = false;
  bool retry_pending_ = false;
};

} // namespace troupe::actors
