// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/queue_operation.hpp"
#include "actors/timed_operations.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace troupe::actors {

struct courier_deps {
  broker_context* context = nullptr;
  std::size_t loop = 0; ///< for its path
};

/// Owner: the node, one a loop. Lost when it dies: what it has under way, which
/// nobody has been told is done. Mailbox: publications are bounded by
/// broker_options::queueing_max and queueing_bytes_max (refused beyond), what a
/// shard hands over by the shard. Waits for: answers of the groups, and for the
/// directory's leader to be heard of before publications are queued by routes
/// that may be old.
struct courier_state {
  static inline const char* name = "courier";
  using pointer = courier_actor::stateful_pointer<courier_state>;
  using done_function = queue_operation::done_function;
  /// What to queue, found when the routes are known to be fresh.
  using find_function = std::function<queued_publication()>;

  explicit courier_state(pointer ptr);
  [[nodiscard]] std::string path() const {
    return "couriers/" + std::to_string(loop_);
  }

  void start(courier_deps deps);
  void on_answers(shard_answers& batch);
  void on_answers(directory_answers& batch);
  void on_answer(list_expansion& answer);
  void on_deadline_tick();
  void on_retry_tick();
  void flush();
  void retire_now();
  [[nodiscard]] std::string describe() const;

  // For orders:
  /// `done` may be empty: nobody waits, but for durability's sake it is tried.
  void queue(queued_publication what, done_function done);
  /// The routes of this node were not fresh when it came: `find` is called
  /// when they are, or it fails with unavailable. `bytes` as bytes_of() has
  /// them, before the recipients are known.
  void queue_when_fresh(find_function find, std::size_t bytes,
                        done_function done);
  void run(std::unique_ptr<operation> work);

private:
  struct stale_order {
    find_function find;
    done_function done;
    std::size_t bytes = 0;
    core::steady_time deadline{}; ///< the past: nothing is waited for
    /// It is known what to queue, and it only waits for those before it.
    bool found = false;
  };
  void look_at_stale(core::steady_time now);
  bool refuse_if_full(std::size_t bytes, const done_function& done);
  void run_counted(queued_publication what, done_function done);

  pointer self_;
  broker_context* context_ = nullptr;
  std::size_t loop_ = 0;
  std::unique_ptr<timed_operations<pointer>> operations_;
  std::deque<stale_order> stale_;
  std::size_t bytes_ = 0; ///< of all of these, as far as they are queued
};

courier_actor::behavior_type courier_behavior(courier_state::pointer self,
                                              courier_deps deps);

} // namespace troupe::actors
