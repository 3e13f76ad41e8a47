// SPDX-License-Identifier: Apache-2.0
// What a shard shows of itself, its inboxes and its sessions.
#include "actors/inspection.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/shard_actor.hpp"
#include "core/json_text.hpp"
#include "core/session_machine.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace troupe::actors {
namespace {

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

std::string shard_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "shard")
      .member("group", std::uint64_t{group_->group().value()});
  group_->describe(out);
  out.member("pending", std::uint64_t{group_->pending()})
      .member("inboxes", tables_->inbox_count())
      .member("keys", keys_->totals_of_keys().keys)
      .member("inbox_actors", std::uint64_t{inboxes_->size()})
      .member("cursor_moves_waiting", std::uint64_t{inboxes_->moves()})
      .member("client_names", std::uint64_t{names_->size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

caf::typed_response_promise<std::string>
shard_state::inspect_one(const core::owner& inbox) {
  auto promise = self_->make_response_promise<std::string>();
  const auto actor = inboxes_->find(inbox);
  if (!actor) {
    promise.deliver(describe_inbox(inbox, nullptr));
    return promise;
  }
  self_->request(actor, inspection_timeout, inspect_live{})
      .then(
          [this, promise, inbox](const live_inbox& live) mutable {
            promise.deliver(describe_inbox(inbox, &live));
          },
          [this, promise, inbox](const caf::error&) mutable {
            promise.deliver(describe_inbox(inbox, nullptr));
          });
  return promise;
}

std::string shard_state::describe_inbox(const core::owner& inbox,
                                        const live_inbox* live) const {
  const auto head = tables_->head(inbox);
  if (!head)
    return {};
  core::json_writer out;
  out.begin_object()
      .member("kind", "inbox")
      .member("realm", std::string_view{inbox.realm})
      .member("user", std::string_view{inbox.name})
      .member("shard", std::uint64_t{group_->group().value()})
      .member("active", bool{inboxes_->find(inbox)});
  describe_head(out, *head, *tables_);
  describe_devices(
      out, *head,
      live == nullptr ? std::vector<core::device_offset>{} : live->attached,
      [&](const core::cursor& device) {
        return machine_->inboxes().inactive(*head, device, group_->next_time());
      });
  if (live != nullptr)
    out.key("live").raw(live->json);
  out.end_object();
  return std::move(out).text();
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
