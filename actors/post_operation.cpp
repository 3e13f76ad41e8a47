// SPDX-License-Identifier: Apache-2.0
#include "actors/post_operation.hpp"

#include <algorithm>
#include <string>

namespace troupe::actors {
namespace {

/// Recipients in one command; a larger fan-out becomes several.
constexpr std::size_t recipients_per_command = 10'000;

bool names_list(core::recipient_kind kind) {
  return kind == core::recipient_kind::list_with_sender ||
         kind == core::recipient_kind::list_without_sender;
}

} // namespace

post_operation::post_operation(core::post command, post_sender sender)
    : command_(std::move(command)), sender_(std::move(sender)) {}

post_operation::post_operation(core::post_to_alias command, post_sender sender)
    : alias_(std::move(command.alias)), sender_(std::move(sender)) {
  command_.request = command.request;
  command_.message = std::move(command.message);
  command_.copy_to_own_devices = command.copy_to_own_devices;
  command_.deduplication_id = std::move(command.deduplication_id);
}

void post_operation::start() {
  auto& stats = context().stats;
  stats.posts.fetch_add(1, std::memory_order_relaxed);
  event_.request = command_.request;
  if (alias_) {
    auto uid = context().directory->uid_of_alias(realm(), *alias_);
    if (!uid)
      return refuse({core::errc::alias_unknown, *alias_});
    add(std::move(*uid), false);
  }
  if (command_.to.size() > context().options.recipients_max)
    return refuse({core::errc::too_many, {}});
  if (command_.to.empty() && !alias_ && !command_.copy_to_own_devices)
    return refuse({core::errc::no_recipients, {}});
  for (auto& to : command_.to) {
    if (names_list(to.kind)) {
      lists_.emplace_back(to.name, to.kind);
      expand(to.name, sender_.uid);
    } else {
      add(std::move(to.name), to.kind == core::recipient_kind::one_device);
    }
  }
  waiting_ = lists_.size();
  if (waiting_ == 0)
    dispatch();
}

void post_operation::add(std::string uid, bool single) {
  // Once per inbox, however often it is named; "to one device" is a message of
  // its own and does not count as such.
  if (!single) {
    if (seen_.empty())
      for (const auto& r : recipients_)
        if (!r.single)
          seen_.insert(r.name);
    if (!recipients_.empty() && !seen_.insert(uid).second)
      return;
  }
  recipients_.push_back({std::move(uid), single, false, std::nullopt});
}

void post_operation::on_answer(list_expansion& answer) {
  if (answer.failure.code != core::errc::ok) {
    event_.failures.push_back(std::move(answer.failure));
  } else {
    for (const auto& [list, kind] : lists_) {
      if (list != answer.list)
        continue;
      for (const auto& uid : *answer.members)
        if (kind == core::recipient_kind::list_with_sender ||
            uid != sender_.uid)
          add(uid, false);
      break;
    }
  }
  // A list may be named twice, with and without the sender.
  auto at = std::find_if(lists_.begin(), lists_.end(),
                         [&](const auto& l) { return l.first == answer.list; });
  if (at != lists_.end())
    lists_.erase(at);
  if (--waiting_ == 0)
    dispatch();
}

void post_operation::add_own_copy() {
  if (!command_.copy_to_own_devices || !sender_.device || sender_.devices < 2)
    return;
  const bool named =
      std::any_of(recipients_.begin(), recipients_.end(), [&](const auto& r) {
        return !r.single && r.name == sender_.uid;
      });
  if (!named)
    recipients_.push_back({sender_.uid, false, true, sender_.device});
}

/// Who is blocked is not told so: his message is accepted and goes nowhere.
void post_operation::drop_blocked() {
  const auto* judge = context().authorizer;
  if (judge == nullptr)
    return;
  const auto dropped = std::erase_if(recipients_, [&](const auto& r) {
    return judge->is_blocked(realm(), r.name, sender_.uid);
  });
  if (dropped > 0)
    judge->stats().messages_blocked.fetch_add(dropped,
                                              std::memory_order_relaxed);
}

void post_operation::dispatch() {
  if (recipients_.size() > context().options.recipients_max)
    return refuse({core::errc::too_many, {}});
  drop_blocked();
  add_own_copy();
  if (recipients_.empty()) {
    event_.accepted = true;
    return finish_posted();
  }
  core::append_message draft;
  draft.message.realm = realm();
  draft.message.sender = sender_.uid;
  draft.message.meta = std::move(command_.message.meta);
  draft.message.payload = std::move(command_.message.payload);
  draft.time_to_live = command_.message.time_to_live;
  if (command_.deduplication_id)
    draft.deduplication_key = realm() + '\0' + sender_.uid + '\0' +
                              std::to_string(core::to_millis(sender_.created)) +
                              '\0' + *command_.deduplication_id;

  if (recipients_.size() == 1) { // the common case, without sorting
    draft.to = std::move(recipients_);
    const auto group =
        context().group_of({realm(), core::owner_kind::user, draft.to[0].name});
    waiting_ = 1;
    return propose(group, std::move(draft), true);
  }
  std::vector<std::vector<core::inbox_recipient>> by_shard(
      context().options.shards + 1U);
  for (auto& r : recipients_) {
    const auto group =
        context().group_of({realm(), core::owner_kind::user, r.name});
    by_shard[group.value()].push_back(std::move(r));
  }
  waiting_ = 0;
  for (std::size_t g = 1; g < by_shard.size(); ++g) {
    auto& all = by_shard[g];
    for (std::size_t from = 0; from < all.size();
         from += recipients_per_command) {
      auto part = draft;
      const auto end = std::min(all.size(), from + recipients_per_command);
      part.to.assign(std::make_move_iterator(all.begin() +
                                             static_cast<std::ptrdiff_t>(from)),
                     std::make_move_iterator(all.begin() +
                                             static_cast<std::ptrdiff_t>(end)));
      // Parts of one post in one shard must not take each other for repeats.
      if (!part.deduplication_key.empty() && from > 0)
        part.deduplication_key += '\0' + std::to_string(from);
      ++waiting_;
      propose(core::group_id{static_cast<std::uint16_t>(g)}, std::move(part),
              true);
    }
  }
}

void post_operation::on_answer(shard_answer& answer) {
  auto& outcome = answer.outcome;
  const auto code = outcome.failure.code;
  if (code != core::errc::ok && code != core::errc::duplicate) {
    refused_ = true;
    event_.failures.push_back(std::move(outcome.failure));
  }
  for (auto& failure : outcome.failures)
    event_.failures.push_back(std::move(failure));
  if (!event_.id)
    event_.id = outcome.id;
  if (--waiting_ == 0) {
    event_.accepted = !refused_;
    if (refused_)
      event_.id.reset();
    finish_posted();
  }
}

void post_operation::on_timeout() { refuse({core::errc::timed_out, {}}); }

void post_operation::refuse(core::error why) {
  event_.failures.push_back(std::move(why));
  event_.accepted = false;
  event_.id.reset();
  finish_posted();
}

void post_operation::finish_posted() {
  auto& stats = context().stats;
  (event_.accepted ? stats.posts_accepted : stats.posts_refused)
      .fetch_add(1, std::memory_order_relaxed);
  if (!event_.failures.empty())
    stats.recipients_failed.fetch_add(event_.failures.size(),
                                      std::memory_order_relaxed);
  finish(std::move(event_));
}

} // namespace troupe::actors
