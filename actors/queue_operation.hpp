// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"
#include "actors/route_fan.hpp"
#include "core/session_store.hpp"

#include <cstddef>
#include <functional>

namespace troupe::actors {

/// Queues one publication for sessions: one command a shard. Done when all of
/// them are durable, or when one is not, with the first failure. A session
/// that is gone, or whose queue is full, is no failure of the publication.
class queue_operation final : public operation {
public:
  using done_function = std::function<void(core::errc)>;

  queue_operation(queued_publication what, done_function done)
      : what_(std::move(what)), done_(std::move(done)) {}

  void start() override;
  void on_answer(shard_answer& answer) override;
  void on_timeout() override { end(core::errc::timed_out); }

private:
  void end(core::errc code);

  queued_publication what_;
  done_function done_;
  std::size_t waiting_ = 0;
  core::errc failed_ = core::errc::ok;
};

/// A session that is pending (session_record): its will is published and
/// dropped; if it has expired, its routes go and then its record. What does
/// not work is left for another try: each step may be made again.
class ending_operation final : public operation {
public:
  /// `only_will`: the record is gone already, or goes on without this will.
  ending_operation(core::owner name, core::session_record record,
                   bool only_will)
      : name_(std::move(name)), record_(std::move(record)),
        only_will_(only_will) {}

  void start() override;
  void on_answer(shard_answer& answer) override;
  void on_answer(directory_answer& answer) override;
  void on_timeout() override { finish(); }

private:
  enum class step : std::uint8_t { queueing, dropping_will, ending };
  void publish();
  void retain(const core::session_will& will);
  void after_will();
  void drop_routes();

  core::owner name_;
  core::session_record record_;
  bool only_will_;
  step step_ = step::queueing;
  std::size_t waiting_ = 0;
  bool failed_ = false;
};

/// Ends a session as an operator wishes: record, inbox and routes. Its
/// connection, if it has one, is ended by that. not_found: there is none.
class forgetting_operation final : public operation {
public:
  using done_function = std::function<void(core::errc)>;

  forgetting_operation(core::owner name, done_function done)
      : name_(std::move(name)), done_(std::move(done)) {}

  void start() override;
  void on_answer(shard_answer& answer) override;
  void on_answer(directory_answer& answer) override {
    const auto code = answer.outcome.failure.code;
    end(code == core::errc::conflict ? core::errc::ok : code);
  }
  void on_timeout() override { end(core::errc::timed_out); }

private:
  void end(core::errc code) {
    finish();
    done_(code);
  }
  core::owner name_;
  done_function done_;
};

} // namespace troupe::actors
