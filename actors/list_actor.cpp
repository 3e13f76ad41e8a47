// SPDX-License-Identifier: Apache-2.0
#include "actors/list_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"
#include "core/name_path.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe::actors {

list_state::list_state(pointer ptr) : self_(ptr) {}

std::string list_state::path() const {
  return "realms/" + core::encode_path_segment(realm_) + "/lists/" +
         core::encode_path_segment(list_);
}

void list_state::start(list_deps deps) {
  context_ = deps.context;
  directory_ = std::move(deps.directory);
  realm_ = std::move(deps.realm);
  list_ = std::move(deps.list);
  context_->stats.list_actors.fetch_add(1, std::memory_order_relaxed);
  self_->attach_functor([stats = &context_->stats] {
    stats->list_actors.fetch_sub(1, std::memory_order_relaxed);
  });
  self_->delayed_send(self_, context_->options.passivate_after, idle_tick{});
}

void list_state::read_members() {
  auto all = std::make_shared<std::vector<std::string>>();
  context_->directory->each_member(
      realm_, list_, [&](std::string_view uid, const core::list_member& m) {
        if (m.state == core::membership::full)
          all->emplace_back(uid);
        return true;
      });
  members_ = std::move(all);
}

void list_state::expand(const expand_list& question) {
  ++uses_;
  list_expansion reply;
  reply.ticket = question.ticket;
  reply.list = list_;
  if (!context_->directory->find_list(realm_, list_)) {
    reply.failure = {core::errc::list_unknown, list_};
  } else if (!question.caller.empty() &&
             context_->directory->membership_of(
                 realm_, list_, question.caller) == core::membership::none) {
    reply.failure = {core::errc::not_a_member, question.caller};
  } else {
    if (!members_)
      read_members();
    reply.members = members_;
  }
  self_->send(question.from, std::move(reply));
}

void list_state::forget_members() { members_.reset(); }

void list_state::on_idle_tick() {
  if (uses_ == std::exchange(uses_at_tick_, uses_))
    self_->send(directory_, passivate_list{realm_, list_, uses_});
  self_->delayed_send(self_, context_->options.passivate_after, idle_tick{});
}

void list_state::retire_now() { self_->quit(); }

std::string list_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("uses", uses_)
      .member("members_in_memory",
              std::uint64_t{members_ ? members_->size() : 0});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

list_actor::behavior_type list_behavior(list_state::pointer self,
                                        list_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](const expand_list& m) { st.expand(m); },
      [&st](const list_changed&) { st.forget_members(); },
      [&st](const idle_tick&) { st.on_idle_tick(); },
      [&st](const retire&) { st.retire_now(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors
