// SPDX-License-Identifier: Apache-2.0
#include "actors/queue_operation.hpp"

#include "core/shard_key.hpp"
#include "core/topic.hpp"

#include <string>
#include <utility>

namespace troupe::actors {
namespace {

void count(broker_stats::counter& counter, std::uint64_t n = 1) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

bool is_success(core::errc code) {
  return code == core::errc::ok || code == core::errc::duplicate;
}

/// Whoever has no room, or is not there any more, misses it, and is counted.
void count_copies(broker_stats& stats, const core::shard_outcome& outcome) {
  for (const auto& failure : outcome.failures)
    if (failure.code != core::errc::user_unknown)
      count(stats.queued_copies_lost);
  count(stats.queued_copies_lost, outcome.dropped);
}

} // namespace

// -------------------------------------------------------------- publications

void queue_operation::start() {
  auto& stats = context().stats;
  count(stats.publications_queued);
  count(stats.queued_copies, what_.to.size());
  auto commands = commands_of(std::move(what_), [this](const core::owner& o) {
    return context().group_of(o);
  });
  if (commands.empty())
    return end(core::errc::ok);
  waiting_ = commands.size();
  for (auto& [group, command] : commands)
    propose(group, std::move(command), true);
}

void queue_operation::on_answer(shard_answer& answer) {
  count_copies(context().stats, answer.outcome);
  if (failed_ == core::errc::ok && !is_success(answer.outcome.failure.code))
    failed_ = answer.outcome.failure.code;
  if (--waiting_ == 0)
    end(failed_);
}

void queue_operation::end(core::errc code) {
  if (code != core::errc::ok)
    count(context().stats.publications_refused);
  finish();
  if (done_)
    done_(code);
}

// ------------------------------------------------------------------- the end

void ending_operation::start() {
  if (record_.will && (only_will_ || record_.will_due))
    publish();
  else
    after_will();
}

/// Those who have it queued get it once, whoever publishes it: it is named
/// after the connection whose will it is.
void ending_operation::publish() {
  const auto& will = *record_.will;
  auto name = core::topic::parse(will.topic);
  if (!name)
    return after_will();
  core::publication what;
  what.realm = name_.realm;
  what.topic = std::move(*name);
  what.sender = record_.uid;
  what.content_type = will.content.content_type;
  what.headers = will.content.headers;
  what.payload = will.content.payload;
  const auto* routes = context().directory->routes();
  queued_publication queued;
  if (will.content.qos > 0 && routes != nullptr) {
    auto found = routes->match(what.realm, what.topic, name_.name);
    what.queued_as_of = found.as_of.value();
    queued.to = recipients_of(std::move(found), record_.epoch);
  }
  queued.message = message_of(what, will.content.qos, will.retain);
  // Of QoS 2 it may be under way when it expires: whoever sends it knows.
  if (will.content.qos < 2)
    queued.time_to_live = will.time_to_live;
  queued.deduplication_key = std::string{"will"} + '\0' + name_.realm + '\0' +
                             name_.name + '\0' + std::to_string(record_.epoch);
  context().publish_now(std::move(what));
  auto commands = commands_of(std::move(queued), [this](const core::owner& o) {
    return context().group_of(o);
  });
  waiting_ = commands.size() + (will.retain ? 1U : 0U);
  if (waiting_ == 0)
    return after_will();
  for (auto& [group, command] : commands)
    propose(group, std::move(command), true);
  if (will.retain)
    retain(will);
}

/// A payload of no bytes takes the value away (MQTT 5, 3.3.1.3).
void ending_operation::retain(const core::session_will& will) {
  const auto group =
      core::shard_of_key(name_.realm, will.topic, context().options.shards);
  if (will.content.payload.empty())
    return propose(group, core::clear_key{name_.realm, will.topic, {}}, false);
  core::set_key value;
  value.realm = name_.realm;
  value.topic = will.topic;
  value.content = will.content;
  value.content.sender = record_.uid;
  value.time_to_live = will.time_to_live;
  propose(group, std::move(value), true);
}

void ending_operation::on_answer(shard_answer& answer) {
  const auto code = answer.outcome.failure.code;
  switch (step_) {
  case step::queueing:
    count_copies(context().stats, answer.outcome);
    failed_ = failed_ || !is_success(code);
    if (--waiting_ > 0)
      return;
    if (failed_)
      return finish();
    return after_will();
  case step::dropping_will:
    if (!is_success(code))
      return finish(); // it is another connection's by now
    return drop_routes();
  case step::ending:
    if (is_success(code))
      count(context().stats.sessions_ended);
    return finish();
  }
}

void ending_operation::after_will() {
  if (only_will_)
    return finish();
  if (!record_.will || !record_.will_due)
    return drop_routes();
  step_ = step::dropping_will;
  propose(context().group_of(name_),
          core::drop_will{{name_.realm, name_.name, record_.epoch}}, false);
}

void ending_operation::drop_routes() {
  if (!record_.expired)
    return finish();
  step_ = step::ending;
  core::change_routes gone;
  gone.realm = name_.realm;
  gone.session = name_.name;
  gone.generation = record_.generation;
  gone.remove_all = gone.forget = true;
  propose(std::move(gone), false);
}

void ending_operation::on_answer(directory_answer& answer) {
  const auto code = answer.outcome.failure.code;
  // Those of a younger session of that name are none of these.
  if (!is_success(code) && code != core::errc::conflict)
    return finish();
  propose(context().group_of(name_),
          core::drop_session{{name_.realm, name_.name, record_.epoch}, true},
          false);
}

// --------------------------------------------------------------- an operator

void forgetting_operation::start() {
  propose(context().group_of(name_),
          core::drop_session{{name_.realm, name_.name, 0}, false}, false);
}

/// Routes of a session that has begun meanwhile are younger, and stay.
void forgetting_operation::on_answer(shard_answer& answer) {
  const auto code = answer.outcome.failure.code;
  if (!is_success(code))
    return end(code);
  const auto known = context().directory->routes_of(name_.realm, name_.name);
  if (!known)
    return end(core::errc::ok);
  core::change_routes gone;
  gone.realm = name_.realm;
  gone.session = name_.name;
  gone.generation = known->generation;
  gone.remove_all = gone.forget = true;
  propose(std::move(gone), false);
}

} // namespace troupe::actors
