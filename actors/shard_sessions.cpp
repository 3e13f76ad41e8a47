// SPDX-License-Identifier: Apache-2.0
// What a shard does for the sessions of clients.
#include "actors/shard_actor.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <utility>

namespace troupe::actors {
namespace {

/// While a new leader looks for connections that are gone.
constexpr core::milliseconds look_interval{100};

} // namespace

/// The record says who may: an older connection than that of the record has
/// been taken over, and one whose record was closed meanwhile must open it
/// again.
void shard_state::attach_session(attach_request& request) {
  const auto record = sessions_->session(request.inbox);
  if (record && record->epoch != request.epoch)
    return refuse(request, {core::errc::not_logged_in, "taken over"});
  if (!record)
    return refuse(request, {core::errc::user_unknown, "the session has ended"});
  if (record->closed)
    return refuse(request, {core::errc::not_found, "closed"});
  auto head = tables_->head(request.inbox);
  if (!head)
    return refuse(request, {core::errc::not_found, "no inbox"});
  names_->take(request.inbox);
  inboxes_->pass_on(request, *head, accession_);
}

void shard_state::claim_names(names::names_claimed& claims) {
  when_sure([this, claims](core::errc why) {
    if (why == core::errc::ok)
      return names_->claim(claims, group_->consensus().current_term());
    names_->refuse(claims, why,
                   why == core::errc::not_leader ? group_->leader_hint()
                                                 : core::node_id{});
  });
}

void shard_state::free_names(const names::names_freed& freed) {
  names_->free(freed);
}

void shard_state::on_names_cut(const names::names_cut& news) {
  names_->on_cut(news.peer);
}

void shard_state::look_at_names() {
  if (names_->catch_up() && !std::exchange(look_pending_, true))
    self_->delayed_send(self_, look_interval, due_tick{});
}

void shard_state::passivate(const passivate_inbox& request) {
  if (!inboxes_->passivate(request) ||
      request.inbox.kind != core::owner_kind::session)
    return;
  watch_->free(request.inbox);
  settle();
}

/// Sessions that are due are swept at once, whether their time has come or a
/// command has made it come.
void shard_state::look_at_sessions() {
  if (!acceded_ || !group_->ready() || group_->retiring())
    return;
  if (watch_->busy() && !std::exchange(look_pending_, true))
    self_->delayed_send(self_, look_interval, due_tick{});
  if (!std::exchange(sessions_changed_, false))
    return;
  watch_->work(context_->clock.now());
  const auto first = sessions_->due_sessions(core::timestamp::max(), 1);
  if (first.empty())
    return;
  const auto left = first.front().when - group_->next_time();
  if (left.count() <= 0) {
    if (!session_sweep_ && propose_own(core::sweep_expired{}, false)) {
      session_sweep_ = true;
      group_->settle();
    }
  } else if (left < context_->options.sweep_interval &&
             !std::exchange(due_pending_, true)) {
    self_->delayed_send(self_, std::chrono::ceil<core::milliseconds>(left),
                        due_tick{});
  }
}

void shard_state::on_due_tick() {
  due_pending_ = look_pending_ = false;
  sessions_changed_ = true;
  settle();
}

} // namespace troupe::actors
