// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/handles.hpp"
#include "actors/messages.hpp"
#include "actors/operation.hpp"
#include "actors/timed_operations.hpp"
#include "core/session_event.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace troupe::actors {

struct operator_deps {
  broker_context* context = nullptr;
  std::string realm = "default";
};

/// Owner: the node. Lost when it dies: the answers to admin requests under
/// way. Mailbox: bounded by the connections of the admin listener. Waits for:
/// answers of the groups, and CAF requests with a time limit.
struct operator_state {
  static inline const char* name = "operator";
  using pointer = operator_actor::stateful_pointer<operator_state>;
  using event_function = std::function<void(core::session_event&)>;
  /// An actor's state as JSON, or why it could not be had.
  using text_function = std::function<void(core::result<std::string>)>;

  static constexpr auto question_timeout = std::chrono::seconds{5};

  explicit operator_state(pointer ptr);
  [[nodiscard]] std::string path() const { return "operator"; }

  void start(operator_deps deps);
  void on_answers(shard_answers& batch);
  void on_answers(directory_answers& batch);
  void on_answer(list_expansion& answer);
  void on_deadline_tick();
  void on_retry_tick();
  void flush();
  [[nodiscard]] std::string describe() const;

  // For orders:
  [[nodiscard]] broker_context& context() const { return *context_; }
  [[nodiscard]] const std::string& realm() const { return realm_; }
  /// A number for a command whose event is to be given to `done`.
  core::request_number expect(event_function done);
  void run(std::unique_ptr<operation> work);
  /// Asks an actor that answers `Question` by a string.
  template <class Handle, class Question>
  void ask(const Handle& whom, Question question, text_function done) {
    self_->request(whom, question_timeout, std::move(question))
        .then([done](std::string& text) { done(std::move(text)); },
              [done](const caf::error&) {
                done(core::result<std::string>{core::errc::timed_out});
              });
  }

private:
  pointer self_;
  broker_context* context_ = nullptr;
  std::string realm_;
  std::unique_ptr<timed_operations<pointer>> operations_;
  std::unordered_map<core::request_number, event_function> expected_;
  core::request_number last_request_ = 0;
};

operator_actor::behavior_type operator_behavior(operator_state::pointer self,
                                                operator_deps deps);

} // namespace troupe::actors
