// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/group_host.hpp"
#include "actors/messages.hpp"
#include "core/errc.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

/// The part of a replicated group that knows its clients: proposals that wait
/// for room in the log, those in the log and not applied yet, answers not sent
/// yet. `Client` is the handle of whoever asks, `Answers` the message it gets
/// back (shard_answers, directory_answers). Owned by the state of the group's
/// actor, used on its loop only.
template <class Client, class Answers>
class replicated_group final : public group_host {
public:
  using answer_type = typename decltype(Answers::items)::value_type;
  using outcome_type = decltype(answer_type::outcome);
  /// Applies one committed command to the tables.
  using apply_function =
      std::function<outcome_type(core::log_index, const core::shared_bytes&)>;

  /// `replaced` is called when the tables have become those of another replica.
  replicated_group(std::string name, broker_context& context, group_deps deps,
                   group_timers timers, apply_function apply,
                   std::function<void()> replaced)
      : group_host(std::move(name), context, std::move(deps),
                   std::move(timers)),
        apply_(std::move(apply)), replaced_(std::move(replaced)) {}

  /// Takes proposals of one client, which is answered when they are applied or
  /// refused. What finds no room in the log waits, in order, up to
  /// broker_options::proposals_waiting_max.
  void propose(std::vector<proposal>& items, const Client& from);
  /// A command of the group's own: nobody is told its outcome.
  core::result<core::log_index> propose_own(core::shared_bytes command,
                                            bool grows);
  /// The log may have room again.
  void place_waiting();

  /// Sends what settle() has made ready, as `self`.
  template <class Self>
  void send_answers(Self* self) {
    for (auto& out : std::exchange(answers_, {}))
      self->send(out.to, std::move(out.answers));
  }

  [[nodiscard]] bool quiet() const override {
    return group_host::quiet() && pending_.empty() && waiting_.empty();
  }
  /// In the log, not yet applied.
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

private:
  /// A proposal in the log, not yet applied.
  struct pending_proposal {
    core::log_index index;
    core::term term;
    actors::ticket ticket = 0; ///< 0: proposed by the group itself
    Client from;
  };
  struct waiting_proposal {
    proposal item;
    Client from;
  };
  struct outbox {
    Client to;
    Answers answers;
  };

  void apply(const cluster::committed_entry& entry) override;
  void on_deposed() override;
  void on_replaced() override { replaced_(); }
  [[nodiscard]] core::term term() const {
    return replicated().consensus().current_term();
  }
  void place(proposal& item, const Client& from);
  void lose(pending_proposal& proposed);
  void refuse(const Client& from, actors::ticket number, core::errc why);
  void fail(const Client& from, actors::ticket number, core::errc why);
  void answer(const Client& to, actors::ticket number, outcome_type outcome,
              core::node_id leader = {});

  apply_function apply_;
  std::function<void()> replaced_;
  std::deque<pending_proposal> pending_; // by index
  std::deque<waiting_proposal> waiting_; // for room in the log, in order
  std::vector<outbox> answers_;
};

template <class Client, class Answers>
void replicated_group<Client, Answers>::propose(std::vector<proposal>& items,
                                                const Client& from) {
  const bool low = storage_is_low();
  for (auto& item : items) {
    if (low && item.grows)
      refuse(from, item.ticket, core::errc::storage_full);
    else if (waiting_.empty() && replicated().has_room())
      place(item, from);
    else if (waiting_.size() < context().options.proposals_waiting_max)
      waiting_.push_back({std::move(item), from});
    else
      refuse(from, item.ticket, core::errc::overloaded);
  }
  if (!waiting_.empty())
    ask_for_flush();
}

template <class Client, class Answers>
core::result<core::log_index>
replicated_group<Client, Answers>::propose_own(core::shared_bytes command,
                                               bool grows) {
  if (grows && storage_is_low())
    return core::errc::storage_full;
  auto placed = replicated().propose(std::move(command));
  if (placed)
    pending_.push_back({*placed, term(), 0, {}});
  return placed;
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::place(proposal& item,
                                              const Client& from) {
  const auto placed = replicated().propose(std::move(item.command));
  if (placed)
    pending_.push_back({*placed, term(), item.ticket, from});
  else
    refuse(from, item.ticket, placed.error().code);
}

/// The log is between two segments, or behind: what was asked for meanwhile
/// goes on in order once it has room.
template <class Client, class Answers>
void replicated_group<Client, Answers>::place_waiting() {
  while (!waiting_.empty() && replicated().has_room()) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.item.grows && storage_is_low())
      refuse(next.from, next.item.ticket, core::errc::storage_full);
    else
      place(next.item, next.from);
  }
  if (!waiting_.empty())
    ask_for_flush();
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::apply(
    const cluster::committed_entry& entry) {
  auto outcome = apply_(entry.index, entry.data);
  context().stats.commands_applied.fetch_add(1, std::memory_order_relaxed);
  if (pending_.empty() || pending_.front().index != entry.index)
    return;
  auto done = std::move(pending_.front());
  pending_.pop_front();
  // In another term it is a command of somebody else that took its place.
  if (done.term != entry.term)
    lose(done);
  else if (done.ticket != 0)
    answer(done.from, done.ticket, std::move(outcome));
}

/// Whoever asked a leader that is none any more asks again under the same key.
template <class Client, class Answers>
void replicated_group<Client, Answers>::on_deposed() {
  for (auto& lost : std::exchange(pending_, {}))
    lose(lost);
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::lose(pending_proposal& proposed) {
  if (proposed.ticket != 0)
    fail(proposed.from, proposed.ticket, core::errc::not_leader);
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::refuse(const Client& from,
                                               actors::ticket number,
                                               core::errc why) {
  if (why != core::errc::not_leader && why != core::errc::unavailable)
    context().stats.requests_refused_overloaded.fetch_add(
        1, std::memory_order_relaxed);
  fail(from, number, why);
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::fail(const Client& from,
                                             actors::ticket number,
                                             core::errc why) {
  outcome_type outcome{};
  outcome.failure.code = why;
  answer(from, number, std::move(outcome),
         why == core::errc::not_leader ? leader() : core::node_id{});
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::answer(const Client& to,
                                               actors::ticket number,
                                               outcome_type outcome,
                                               core::node_id leader) {
  // Answers for one asker usually come in a row.
  auto at = std::find_if(answers_.rbegin(), answers_.rend(),
                         [&](const outbox& o) { return o.to == to; });
  if (at == answers_.rend()) {
    answers_.push_back({to, {}});
    at = answers_.rbegin();
  }
  at->answers.items.push_back({number, std::move(outcome), leader});
}

} // namespace troupe::actors
