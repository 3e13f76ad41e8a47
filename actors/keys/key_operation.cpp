// SPDX-License-Identifier: Apache-2.0
#include "actors/keys/key_operation.hpp"

#include "core/shard_key.hpp"

#include <utility>

namespace troupe::actors::keys {

key_operation::key_operation(change what, done_function done)
    : what_(std::move(what)),
      sets_(std::holds_alternative<core::set_key>(what_)),
      done_(std::move(done)) {}

void key_operation::start() {
  std::visit(
      [this](auto& command) {
        const auto group = core::shard_of_key(command.realm, command.topic,
                                              context().options.shards);
        propose(group, core::shard_command{std::move(command)}, sets_);
      },
      what_);
}

void key_operation::on_answer(shard_answer& answer) { end(answer.outcome); }

void key_operation::on_timeout() {
  core::shard_outcome outcome;
  outcome.failure = {core::errc::timed_out, "the key's shard has no leader"};
  end(outcome);
}

void key_operation::end(const core::shard_outcome& outcome) {
  auto& stats = context().stats;
  auto* counter = &stats.keys_refused_other;
  switch (outcome.failure.code) {
  case core::errc::ok:
    counter = sets_ ? &stats.keys_set : &stats.keys_cleared;
    break;
  case core::errc::storage_full:
    counter = &stats.keys_refused_full;
    break;
  case core::errc::name_invalid:
  case core::errc::too_large:
    counter = &stats.keys_refused_invalid;
    break;
  default:
    break;
  }
  counter->fetch_add(1, std::memory_order_relaxed);
  done_(outcome);
  finish();
}

} // namespace troupe::actors::keys
