// SPDX-License-Identifier: Apache-2.0
// What a shard does for the sessions of clients.
#include "actors/shard_actor.hpp"
#include "core/json_text.hpp"
#include "core/session_machine.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe::actors {
namespace {

/// While a new leader looks for connections that are gone.
constexpr core::milliseconds look_interval{100};

/// Of a session that is not written down: its connection has a place and
/// nothing is ever delivered.
core::inbox_head empty_head() {
  core::inbox_head head;
  head.cursors.emplace_back().device = core::session_device;
  return head;
}

std::string_view name_of(core::inbox_machine::room what) {
  switch (what) {
  case core::inbox_machine::room::enough:
    return "enough";
  case core::inbox_machine::room::drops_oldest:
    return "drops_oldest";
  case core::inbox_machine::room::refused:
    return "refused";
  }
  return "";
}

/// All but its end.
void begin_row(const core::owner& who, const core::session_record& record,
               const std::optional<core::inbox_head>& head,
               core::json_writer& out) {
  out.begin_object()
      .member("client", std::string_view{who.name})
      .member("user", std::string_view{record.uid})
      .member("version", std::string_view{record.protocol})
      .member("connected", !record.closed)
      .member("created_ms", core::to_millis(record.created))
      .member("queued", head ? head->count : 0)
      .member("queued_bytes", head ? head->bytes : 0);
  if (record.closed)
    out.member("closed_ms", core::to_millis(*record.closed));
  if (const auto end = core::end_of(record))
    out.member("ends_ms", core::to_millis(*end));
  if (record.will)
    out.member("will", std::string_view{record.will->topic});
}

} // namespace

/// The record says who may: an older connection than that of the record has
/// been taken over, and one whose record was closed meanwhile must open it
/// again.
void shard_state::attach_session(attach_request& request) {
  const auto record = sessions_->session(request.inbox);
  if (request.epoch == 0) {
    if (record)
      return refuse(request, {core::errc::conflict, "there is a record"});
    return inboxes_->pass_on(request, empty_head(), accession_);
  }
  if (record && record->epoch != request.epoch)
    return refuse(request, {core::errc::not_logged_in, "taken over"});
  if (!record || record->closed)
    return refuse(request, {core::errc::not_found, "closed"});
  auto head = tables_->head(request.inbox);
  if (!head)
    return refuse(request, {core::errc::not_found, "no inbox"});
  inboxes_->pass_on(request, *head, accession_);
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

std::string shard_state::list_sessions(const inspect_sessions& page) const {
  core::json_writer out;
  out.begin_array();
  std::size_t count = 0;
  const auto show = [&](const core::owner& who,
                        const core::session_record& record) {
    if (who.realm != page.realm)
      return false;
    const auto head = tables_->head(who);
    begin_row(who, record, head, out);
    out.member("shard", std::uint64_t{group_->group().value()});
    if (page.weight > 0 && head && machine_)
      out.member("room",
                 name_of(machine_->inboxes().room_in(who, *head, page.weight)));
    out.end_object();
    return ++count < page.count_max;
  };
  const core::owner named{page.realm, core::owner_kind::session,
                          page.only.empty() ? page.after : page.only};
  if (!page.only.empty()) {
    if (const auto record = sessions_->session(named))
      (void)show(named, *record);
  } else if (page.count_max > 0) {
    sessions_->each_session(named, show);
  }
  out.end_array();
  return std::move(out).text();
}

} // namespace troupe::actors
