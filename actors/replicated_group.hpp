// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/answer_outbox.hpp"
#include "actors/group_host.hpp"
#include "actors/messages.hpp"
#include "actors/order_fence.hpp"
#include "actors/outcome_memory.hpp"
#include "actors/proposal_streams.hpp"
#include "cluster/proposal_wire.hpp"
#include "core/errc.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"
#include "schema/command_wire.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors {

/// The part of a replicated group that knows its clients: proposals that wait
/// for room in the log, those in the log and not applied yet, those passed on
/// to a leader elsewhere, and answers not sent yet. `Client` is the handle of
/// whoever asks, `Answers` the message it gets back (shard_answers,
/// directory_answers). Owned by the state of the group's actor, used on its
/// loop only.
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
  /// broker_options::proposals_waiting_max. A follower passes them on; if it
  /// does not know to whom, or the leader is lost on the way, the answer is
  /// not_leader: to be asked again under the same key.
  void propose(std::vector<proposal>& items, const Client& from);
  /// A command of the group's own: nobody is told its outcome.
  core::result<core::log_index> propose_own(core::shared_bytes command,
                                            bool grows);
  /// The log may have room again.
  void place_waiting();

  void settle() override;
  /// Sends what settle() has made ready, as `self`.
  template <class Self>
  void send_answers(Self* self);

  [[nodiscard]] bool quiet() const override {
    return group_host::quiet() && pending_.empty() && waiting_.empty() &&
           forwarded_.empty();
  }
  /// In the log, not yet applied.
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

private:
  using outbox = answer_outbox<Client, Answers>;
  using asker = typename outbox::asker;
  /// Commands whose outcome is remembered.
  static constexpr std::size_t outcomes_max = 16'384;
  /// A leader that has not answered by then is taken for lost.
  static constexpr core::milliseconds forward_patience{2'000};
  static constexpr std::size_t forward_bytes_max = 256 * 1024;
  /// Outcomes tell their place in the log: the tables are read on every node.
  static constexpr bool reads_locally = requires(outcome_type o) { o.index; };

  /// A proposal in the log, not yet applied.
  struct pending_proposal {
    core::log_index index;
    core::term term;
    asker from;
  };
  struct waiting_proposal {
    proposal item;
    asker from;
  };
  struct forwarded_item {
    asker from;
    core::steady_time deadline{};
    /// The leader's answer, ahead of what is applied here.
    std::optional<outcome_type> outcome;
  };

  void apply(const cluster::committed_entry& entry) override;
  void on_deposed() override;
  void on_replaced() override;
  bool on_client_frame(group_frame& frame) override;

  void take(proposal& item, asker from, bool low);
  /// False if it is refused, and so is all behind it.
  bool place(proposal& item, asker from);
  void pass_on(std::vector<proposal>& items, const Client& from);
  /// Drops those that must not overtake what was lost before.
  void hold_back(std::vector<proposal>& items, const Client& from);
  bool send_batch(cluster::forwarded_batch& batch);
  void take_batch(core::node_id from, cluster::forwarded_batch& batch);
  [[nodiscard]] core::node_id forward_target() const {
    return guest() ? leader_hint() : leader();
  }
  void answer_what_has_come();
  void give_up_forwarded();
  /// What was passed on is lost, all of it.
  void lose_forwarded();
  void lose(const asker& from);
  void break_off(const asker& from);
  [[nodiscard]] static bool will_be_repeated(core::errc why) {
    return why == core::errc::not_leader || why == core::errc::unavailable;
  }
  void refuse(const asker& from, core::errc why);
  void answer(const asker& to, outcome_type outcome,
              core::node_id leader = {}) {
    answers_.put(to, std::move(outcome), leader);
  }
  void remember(const core::shared_bytes& command, outcome_type& outcome);

  apply_function apply_;
  std::function<void()> replaced_;
  std::deque<pending_proposal> pending_; // by index
  std::deque<waiting_proposal> waiting_; // for room in the log, in order
  std::map<std::uint64_t, forwarded_item> forwarded_; // by number, so by time
  core::node_id forwarded_to_;
  /// Frames to that leader; 0: the next one begins another stream.
  std::uint64_t stream_ = 0;
  std::uint64_t place_ = 0;
  proposal_streams streams_; // from other replicas
  order_fence fence_;
  outbox answers_;
  outcome_memory<outcome_type> outcomes_{outcomes_max};
};

// ----------------------------------------------------------------- proposals

template <class Client, class Answers>
void replicated_group<Client, Answers>::propose(std::vector<proposal>& items,
                                                const Client& from) {
  hold_back(items, from);
  if (!leads())
    return pass_on(items, from);
  const bool low = storage_is_low();
  for (auto& item : items)
    take(item, {from, {}, item.ticket}, low);
  if (!waiting_.empty())
    ask_for_flush();
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::hold_back(std::vector<proposal>& items,
                                                  const Client& from) {
  if (!clustered() || !from)
    return; // nothing is ever lost, or nobody waits for it
  std::erase_if(items, [&](const proposal& item) {
    if (fence_.passes(from.id(), item.again))
      return false;
    lose({from, {}, item.ticket});
    return true;
  });
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::take(proposal& item, asker from,
                                             bool low) {
  if (low && item.grows)
    refuse(from, core::errc::storage_full);
  else if (waiting_.empty() && replicated().has_room())
    (void)place(item, std::move(from));
  else if (waiting_.size() < context().options.proposals_waiting_max)
    waiting_.push_back({std::move(item), std::move(from)});
  else
    refuse(from, core::errc::overloaded);
}

template <class Client, class Answers>
core::result<core::log_index>
replicated_group<Client, Answers>::propose_own(core::shared_bytes command,
                                               bool grows) {
  if (grows && storage_is_low())
    return core::errc::storage_full;
  auto placed = replicated().propose(std::move(command));
  if (placed)
    pending_.push_back({*placed, consensus().current_term(), {}});
  return placed;
}

template <class Client, class Answers>
bool replicated_group<Client, Answers>::place(proposal& item, asker from) {
  const auto placed = replicated().propose(std::move(item.command));
  if (placed)
    pending_.push_back({*placed, consensus().current_term(), std::move(from)});
  else
    refuse(from, placed.error().code);
  return placed || !will_be_repeated(placed.error().code);
}

/// The log is between two segments, or behind: what was asked for meanwhile
/// goes on in order once it has room.
template <class Client, class Answers>
void replicated_group<Client, Answers>::place_waiting() {
  while (!waiting_.empty() && replicated().has_room()) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.item.grows && storage_is_low())
      refuse(next.from, core::errc::storage_full);
    else if (!place(next.item, std::move(next.from)))
      for (const auto& lost : std::exchange(waiting_, {}))
        lose(lost.from);
  }
  if (!waiting_.empty())
    ask_for_flush();
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::apply(
    const cluster::committed_entry& entry) {
  auto outcome = apply_(entry.index, entry.data);
  context().stats.commands_applied.fetch_add(1, std::memory_order_relaxed);
  remember(entry.data, outcome);
  if (pending_.empty() || pending_.front().index != entry.index)
    return;
  const auto done = std::move(pending_.front());
  pending_.pop_front();
  // In another term it is a command of somebody else that took its place.
  if (done.term != entry.term)
    lose(done.from);
  else if (done.from.ticket != 0)
    answer(done.from, std::move(outcome));
}

/// A repeated command gets the outcome that it had the first time.
template <class Client, class Answers>
void replicated_group<Client, Answers>::remember(
    const core::shared_bytes& command, outcome_type& outcome) {
  if (!clustered())
    return; // nobody has another leader to ask
  const auto prefix = schema::decode_prefix(command.view());
  if (!prefix)
    return;
  if (outcome.failure.code != core::errc::duplicate)
    outcomes_.keep(prefix->key, outcome);
  else if (const auto* first = outcomes_.find(prefix->key))
    outcome = *first;
}

// ------------------------------------------------------------ another leader

template <class Client, class Answers>
void replicated_group<Client, Answers>::pass_on(std::vector<proposal>& items,
                                                const Client& from) {
  const auto to = forward_target();
  const bool reachable = clustered() && to != core::node_id{};
  const auto deadline = context().clock.now() + forward_patience;
  cluster::forwarded_batch batch;
  std::size_t bytes = 0;
  bool lost = !reachable;
  for (auto& item : items) {
    const asker waits{from, {}, item.ticket};
    if (lost) {
      lose(waits); // not before what is lost
      continue;
    }
    if (forwarded_.size() >= context().options.proposals_waiting_max) {
      refuse(waits, core::errc::overloaded);
      continue;
    }
    const auto number = fresh_number();
    forwarded_.emplace(number, forwarded_item{waits, deadline, {}});
    forwarded_to_ = to;
    bytes += item.command.size();
    batch.items.push_back({number, item.grows, std::move(item.command)});
    if (bytes >= forward_bytes_max) {
      bytes = 0;
      lost = !send_batch(batch);
    }
  }
  if (!lost)
    (void)send_batch(batch);
}

/// False if the link had no room: all that is under way is lost then, since the
/// leader takes no frame behind a gap.
template <class Client, class Answers>
bool replicated_group<Client, Answers>::send_batch(
    cluster::forwarded_batch& batch) {
  if (batch.items.empty())
    return true;
  if (stream_ == 0) {
    stream_ = fresh_number();
    place_ = 0;
  }
  batch.stream = stream_;
  batch.place = place_++;
  const bool sent = send_frame(forwarded_to_, group_frame_kind::proposals,
                               cluster::encode(batch));
  batch.items.clear();
  if (!sent)
    lose_forwarded();
  return sent;
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::take_batch(
    core::node_id from, cluster::forwarded_batch& batch) {
  (void)streams_.take(from, batch);
  const bool low = storage_is_low();
  for (auto& item : batch.items) {
    const asker who{{}, from, item.number};
    proposal asked{item.number, std::move(item.command), item.grows};
    if (leads() && !streams_.is_broken(from))
      take(asked, who, low);
    else
      lose(who); // not to be passed on in a circle
  }
  if (!waiting_.empty())
    ask_for_flush();
}

template <class Client, class Answers>
bool replicated_group<Client, Answers>::on_client_frame(group_frame& frame) {
  if (frame.kind == group_frame_kind::proposals) {
    auto batch = cluster::decode_proposals(frame.bytes);
    if (batch)
      take_batch(frame.from, *batch);
    return batch.has_value();
  }
  if (frame.kind != group_frame_kind::answers)
    return false;
  std::vector<typename outbox::remote_answer> items;
  if (!cluster::decode_answers(frame.bytes, items))
    return false;
  for (auto& item : items) {
    const auto at = forwarded_.find(item.number);
    if (at == forwarded_.end())
      continue; // given up
    if (will_be_repeated(item.outcome.failure.code)) {
      lose_forwarded();
      continue;
    }
    if constexpr (reads_locally)
      if (item.outcome.index > consensus().applied()) {
        at->second.outcome = std::move(item.outcome);
        continue;
      }
    answer(at->second.from, std::move(item.outcome), item.leader);
    forwarded_.erase(at);
  }
  return true;
}

/// Whoever is told that something is in the directory finds it in the copy of
/// this node.
template <class Client, class Answers>
void replicated_group<Client, Answers>::answer_what_has_come() {
  for (auto at = forwarded_.begin(); at != forwarded_.end();) {
    auto& outcome = at->second.outcome;
    if (outcome && outcome->index <= consensus().applied()) {
      answer(at->second.from, std::move(*outcome));
      at = forwarded_.erase(at);
    } else {
      ++at;
    }
  }
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::give_up_forwarded() {
  if (forward_target() != forwarded_to_ ||
      forwarded_.begin()->second.deadline <= context().clock.now())
    lose_forwarded();
}

/// In their order, so that they are asked again in it.
template <class Client, class Answers>
void replicated_group<Client, Answers>::lose_forwarded() {
  stream_ = 0;
  for (auto& [number, item] : std::exchange(forwarded_, {}))
    if (item.outcome)
      answer(item.from, std::move(*item.outcome)); // late is better than twice
    else
      lose(item.from);
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::settle() {
  group_host::settle();
  fence_.expire(context().clock.now());
  if (forwarded_.empty())
    return;
  if constexpr (reads_locally)
    answer_what_has_come();
  give_up_forwarded();
}

/// Whoever asked a leader that is none any more asks again under the same key.
template <class Client, class Answers>
void replicated_group<Client, Answers>::on_deposed() {
  for (const auto& lost : std::exchange(pending_, {}))
    lose(lost.from);
  for (const auto& lost : std::exchange(waiting_, {}))
    lose(lost.from);
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::on_replaced() {
  // They may hold newer commands, of which nothing is remembered here.
  outcomes_.clear();
  replaced_();
}

// ------------------------------------------------------------------- answers

template <class Client, class Answers>
void replicated_group<Client, Answers>::lose(const asker& from) {
  if (from.ticket != 0)
    refuse(from, core::errc::not_leader);
}

/// Nothing that was asked behind it may get past it.
template <class Client, class Answers>
void replicated_group<Client, Answers>::break_off(const asker& from) {
  if (from.is_local())
    fence_.raise(from.local.id(), context().clock.now());
  else if (from.node != core::node_id{})
    streams_.break_off(from.node);
}

template <class Client, class Answers>
void replicated_group<Client, Answers>::refuse(const asker& from,
                                               core::errc why) {
  const bool elsewhere = why == core::errc::not_leader;
  if (will_be_repeated(why))
    break_off(from);
  if (!elsewhere && why != core::errc::unavailable)
    context().stats.requests_refused_overloaded.fetch_add(
        1, std::memory_order_relaxed);
  outcome_type outcome{};
  outcome.failure.code = why;
  answer(from, std::move(outcome), elsewhere ? leader_hint() : core::node_id{});
}

template <class Client, class Answers>
template <class Self>
void replicated_group<Client, Answers>::send_answers(Self* self) {
  answers_.send(
      [self](const Client& to, Answers&& answers) {
        self->send(to, std::move(answers));
      },
      [this](core::node_id to, core::shared_bytes frame) {
        (void)send_frame(to, group_frame_kind::answers, std::move(frame));
      });
}

} // namespace troupe::actors
