// SPDX-License-Identifier: Apache-2.0
#include "actors/names/name_keeper.hpp"

#include "actors/names/name_wire.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors::names {

// -------------------------------------------------------------------- claims

name_answer name_keeper::answer(const names_claimed& claims,
                                const name_claim& item) {
  name_answer reply{item.holder};
  if (with_.has_record(item.name)) {
    // When it got the name there was none: who made that came later.
    reply.failure = item.had == name_grant{} ? core::errc::conflict
                                             : core::errc::not_logged_in;
    return reply;
  }
  auto done = rows_.claim(claims.from, item);
  reply.failure = done.failure;
  reply.given = done.given;
  if (done.failure == core::errc::overloaded)
    with_.context.stats.client_names_refused.fetch_add(
        1, std::memory_order_relaxed);
  if (done.before)
    tell_taken(*done.before);
  return reply;
}

void name_keeper::claim(const names_claimed& claims, core::term term) {
  rows_.lead_in(term);
  names_answered replies;
  replies.group = with_.group;
  for (const auto& item : claims.items)
    replies.items.push_back(answer(claims, item));
  tell_all_taken();
  tell(claims.from, std::move(replies));
  show();
}

void name_keeper::refuse(const names_claimed& claims, core::errc why,
                         core::node_id leader) {
  names_answered replies;
  replies.group = with_.group;
  replies.leader = leader;
  for (const auto& item : claims.items)
    replies.items.push_back({item.holder, why});
  tell(claims.from, std::move(replies));
}

void name_keeper::free(const names_freed& freed) {
  for (const auto& item : freed.items)
    rows_.free(freed.from, item);
  show();
}

void name_keeper::take(const core::owner& session) {
  if (const auto before = rows_.take({session.realm, session.name}))
    tell_taken(*before);
  tell_all_taken();
  show();
}

void name_keeper::tell_taken(const client_names::row& before) {
  with_.context.stats.clients_taken_over.fetch_add(1,
                                                   std::memory_order_relaxed);
  auto at = std::find_if(taken_.begin(), taken_.end(),
                         [&](const auto& t) { return t.first == before.at; });
  if (at == taken_.end())
    at = taken_.insert(at, {before.at, names_taken{{}, with_.group, {}}});
  at->second.items.push_back({before.holder, before.given});
}

void name_keeper::tell_all_taken() {
  for (auto& [desk, what] : std::exchange(taken_, {}))
    tell(desk, std::move(what));
}

// ----------------------------------------------------------------- the desks

template <class Message>
void name_keeper::tell(const desk_address& desk, Message what) {
  auto& context = with_.context;
  if (desk.node == core::node_id{}) {
    if (desk.loop < context.desks.size())
      caf::anon_send(context.desks[desk.loop], std::move(what));
    return;
  }
  if (context.names == nullptr || behind_.contains(desk))
    return;
  const auto sent = context.names->send(desk.node, names_way::to_desk,
                                        desk.loop, encode(what));
  if (sent || sent.error().code != core::errc::overloaded)
    return; // without a link it claims again in any case
  context.stats.name_frames_unsent.fetch_add(1, std::memory_order_relaxed);
  behind_.insert(desk);
  rows_.forget_desk(desk);
  show();
}

bool name_keeper::catch_up() {
  for (const auto& desk : std::exchange(behind_, {}))
    tell(desk, names_released{{}, with_.group});
  return !behind_.empty();
}

void name_keeper::on_cut(core::node_id peer) {
  rows_.forget_node(peer);
  std::erase_if(behind_, [&](const auto& desk) { return desk.node == peer; });
  show();
}

void name_keeper::release() {
  for (const auto& desk : clear())
    tell(desk, names_released{{}, with_.group});
}

std::vector<desk_address> name_keeper::clear() {
  auto desks = rows_.clear();
  show();
  return desks;
}

void name_keeper::show() {
  auto& gauge = with_.context.stats.client_names;
  gauge.fetch_add(rows_.size() - shown_, std::memory_order_relaxed);
  shown_ = rows_.size();
}

} // namespace troupe::actors::names
