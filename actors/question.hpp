// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/operation.hpp"

#include <functional>
#include <utility>

namespace troupe::actors {

/// One command for a shard, and what follows from its outcome. A timeout is an
/// outcome of errc::timed_out.
class shard_question final : public operation {
public:
  using done_function = std::function<void(core::shard_outcome&)>;

  shard_question(core::group_id group, core::shard_command command, bool grows,
                 done_function done)
      : group_(group), command_(std::move(command)), grows_(grows),
        done_(std::move(done)) {}

  void start() override { propose(group_, std::move(command_), grows_); }
  void on_answer(shard_answer& answer) override {
    finish();
    done_(answer.outcome);
  }
  void on_timeout() override {
    core::shard_outcome outcome;
    outcome.failure.code = core::errc::timed_out;
    finish();
    done_(outcome);
  }

private:
  core::group_id group_;
  core::shard_command command_;
  bool grows_;
  done_function done_;
};

/// The same for the directory.
class directory_question final : public operation {
public:
  using done_function = std::function<void(core::directory_outcome&)>;

  directory_question(core::directory_command command, bool grows,
                     done_function done)
      : command_(std::move(command)), grows_(grows), done_(std::move(done)) {}

  void start() override { propose(std::move(command_), grows_); }
  void on_answer(directory_answer& answer) override {
    finish();
    done_(answer.outcome);
  }
  void on_timeout() override {
    core::directory_outcome outcome;
    outcome.failure.code = core::errc::timed_out;
    finish();
    done_(outcome);
  }

private:
  core::directory_command command_;
  bool grows_;
  done_function done_;
};

} // namespace troupe::actors
