// SPDX-License-Identifier: Apache-2.0
#include "actors/operation.hpp"

#include "core/assert.hpp"
#include "schema/command_wire.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::actors {
namespace {

/// A ticket is the number of an operation and that of its question.
constexpr unsigned proposal_bits = 20;

/// A group answers sooner, if its node lives.
constexpr core::milliseconds answer_patience{3'000};

/// How long a proposal waits before it is made again: leadership that is handed
/// over takes some 10 ms, an election a second.
core::milliseconds pause_before(unsigned attempt) {
  constexpr core::milliseconds first{20};
  constexpr core::milliseconds longest{200};
  return std::min(longest, first * (1U << std::min(attempt, 5U)));
}

/// A question under way may be answered by "nobody leads" at any time.
constexpr core::milliseconds look_again{40};

} // namespace

// --------------------------------------------------------------- operation

broker_context& operation::context() const { return table_->context(); }

const std::string& operation::realm() const { return table_->realm(); }

void operation::finish(core::session_event event) {
  finished_ = true;
  table_->on_finished_(std::move(event));
}

void operation::propose(core::group_id group, core::shard_command command,
                        bool grows) {
  table_->propose(*this, group, grows, [&](const core::idempotency_key& key) {
    return schema::encode(
        core::logged_shard_command{key, {}, std::move(command)});
  });
}

void operation::propose(core::directory_command command, bool grows) {
  table_->propose(*this, core::directory_group, grows,
                  [&](const core::idempotency_key& key) {
                    return schema::encode(core::logged_directory_command{
                        key, {}, std::move(command)});
                  });
}

void operation::expand(const std::string& list, const std::string& caller) {
  table_->to_lists_.push_back(
      {number_ << proposal_bits, {}, table_->realm_, list, caller});
}

// ------------------------------------------------------------------- table

operation_table::operation_table(broker_context& context, std::string realm,
                                 finish_function on_finished)
    : context_(context), realm_(std::move(realm)),
      on_finished_(std::move(on_finished)) {}

operation_table::~operation_table() {
  for (const auto& [number, made] : made_)
    context_.give_back(made.group, made.key);
}

void operation_table::start(std::unique_ptr<operation> fresh) {
  fresh->table_ = this;
  fresh->number_ = ++last_number_;
  fresh->deadline_ = context_.clock.now() + context_.options.request_timeout;
  auto& placed =
      *under_way_.emplace(fresh->number_, std::move(fresh)).first->second;
  placed.start();
  collect(placed);
}

template <class Encode>
void operation_table::propose(operation& asker, core::group_id group,
                              bool grows, const Encode& encode) {
  ++asker.proposals_;
  TROUPE_ASSERT(asker.proposals_ < 1U << proposal_bits,
                "an operation asks a bounded number of questions");
  const auto number = asker.number_ << proposal_bits | asker.proposals_;
  const auto key = context_.take_key(group);
  if (!key)
    return refuse(group, number);
  auto command = encode(*key);
  if (!context_.options.clustered) {
    context_.give_back(group, *key); // nothing is ever proposed again
  } else {
    made_.emplace(number, repeatable{group, *key, command, grows});
    if (const auto at = repeating_.find(group); at != repeating_.end()) {
      at->second.waiting.insert(number);
      return;
    }
  }
  ask(group, {number, std::move(command), grows});
}

/// The answer comes like any other, when what is done just now is done.
void operation_table::refuse(core::group_id group, ticket number) {
  context_.stats.requests_refused_in_flight.fetch_add(
      1, std::memory_order_relaxed);
  if (group == core::directory_group) {
    auto& answer = refused_by_directory_.emplace_back();
    answer.ticket = number;
    answer.outcome.failure.code = core::errc::overloaded;
  } else {
    auto& answer = refused_by_shards_.emplace_back();
    answer.ticket = number;
    answer.outcome.failure.code = core::errc::overloaded;
  }
}

void operation_table::forget(ticket number) {
  const auto at = made_.find(number);
  if (at == made_.end())
    return;
  context_.give_back(at->second.group, at->second.key);
  made_.erase(at);
}

void operation_table::ask(core::group_id group, proposal item) {
  if (group == core::directory_group) {
    to_directory_.push_back(std::move(item));
    return;
  }
  auto& all = to_shards_;
  auto place = std::find_if(all.begin(), all.end(),
                            [&](const auto& o) { return o.group == group; });
  if (place == all.end())
    place = all.insert(all.end(), {group, {}});
  place->items.push_back(std::move(item));
}

template <class Answer>
void operation_table::deliver(Answer& answer) {
  auto at = under_way_.find(answer.ticket >> proposal_bits);
  if (at == under_way_.end())
    return; // it has timed out
  if constexpr (requires { answer.outcome; })
    if (!made_.empty() && repeat_later(answer))
      return;
  at->second->on_answer(answer);
  collect(*at->second);
}

/// True if the answer only means that nobody led the group just then.
template <class Answer>
bool operation_table::repeat_later(const Answer& answer) {
  const auto at = made_.find(answer.ticket);
  if (at == made_.end())
    return false;
  const auto group = at->second.group;
  const auto code = answer.outcome.failure.code;
  if (code != core::errc::not_leader && code != core::errc::unavailable) {
    forget(answer.ticket);
    if (const auto found = repeating_.find(group); found != repeating_.end()) {
      ask_again(group, found->second); // there is a leader
      repeating_.erase(found);
    }
    return false;
  }
  context_.stats.proposals_repeated.fetch_add(1, std::memory_order_relaxed);
  auto& lost = repeating_[group];
  if (lost.attempts == 0 || lost.asked)
    lost.due = context_.clock.now() + pause_before(lost.attempts++);
  lost.asked = false;
  lost.waiting.insert(answer.ticket);
  return true;
}

void operation_table::ask_again(core::group_id group, leaderless& lost) {
  for (const auto number : std::exchange(lost.waiting, {})) {
    const auto at = made_.find(number);
    if (at == made_.end())
      continue; // its operation has ended
    // A copy: the old bytes may be in a log that has not been told yet.
    auto fresh = core::shared_bytes::copy_of(at->second.command.view());
    at->second.command = fresh;
    lost.asked = true;
    ask(group, {number, std::move(fresh), at->second.grows, true});
  }
}

std::optional<core::milliseconds> operation_table::repeat_in() const {
  if (repeating_.empty())
    return {};
  const auto now = context_.clock.now();
  auto soonest = look_again;
  for (const auto& [group, lost] : repeating_)
    soonest = std::min(soonest,
                       std::chrono::ceil<core::milliseconds>(lost.due - now));
  return std::max(soonest, core::milliseconds{1});
}

void operation_table::repeat(core::steady_time now) {
  for (auto at = repeating_.begin(); at != repeating_.end();) {
    auto& [group, lost] = *at;
    if (lost.due <= now) {
      lost.asked = false;
      lost.due = now + answer_patience;
      ask_again(group, lost);
      if (!lost.asked) {
        at = repeating_.erase(at);
        continue;
      }
    }
    ++at;
  }
}

/// A repeated command whose first outcome nobody remembers, or one too old to
/// tell, may have failed or never have been applied: not to be taken for done.
/// A message that its sender repeated comes with its id.
void operation_table::on_answers(shard_answers& batch) {
  for (auto& answer : batch.items) {
    auto& outcome = answer.outcome;
    if (outcome.failure.code == core::errc::duplicate && !outcome.id)
      outcome.failure = {core::errc::timed_out, {}};
    deliver(answer);
  }
}

void operation_table::on_answers(directory_answers& batch) {
  for (auto& answer : batch.items)
    deliver(answer);
}

void operation_table::on_answer(list_expansion& answer) { deliver(answer); }

bool operation_table::expire(core::steady_time now) {
  std::vector<operation*> overdue;
  for (auto& [number, one] : under_way_)
    if (one->deadline_ <= now)
      overdue.push_back(one.get());
  for (auto* one : overdue) {
    context_.stats.requests_timed_out.fetch_add(1, std::memory_order_relaxed);
    one->on_timeout();
    collect(*one);
  }
  return !under_way_.empty();
}

void operation_table::collect(operation& done) {
  if (!done.finished_)
    return;
  for (std::uint64_t i = 1; !made_.empty() && i <= done.proposals_; ++i)
    forget(done.number_ << proposal_bits | i);
  under_way_.erase(done.number_);
}

void operation_table::flush(const addresses& from) {
  if (!refused_by_shards_.empty())
    caf::anon_send(from.shard,
                   shard_answers{std::exchange(refused_by_shards_, {})});
  if (!refused_by_directory_.empty())
    caf::anon_send(from.directory,
                   directory_answers{std::exchange(refused_by_directory_, {})});
  for (auto& out : std::exchange(to_shards_, {}))
    caf::anon_send(context_.shard(out.group),
                   shard_proposals{from.shard, std::move(out.items)});
  if (!to_directory_.empty())
    caf::anon_send(
        context_.directory_handle,
        directory_proposals{from.directory, std::exchange(to_directory_, {})});
  for (auto& ask : std::exchange(to_lists_, {})) {
    ask.from = from.list;
    caf::anon_send(context_.directory_handle, std::move(ask));
  }
}

} // namespace troupe::actors
