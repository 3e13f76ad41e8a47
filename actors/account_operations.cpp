// SPDX-License-Identifier: Apache-2.0
#include "actors/account_operations.hpp"

#include "core/date_text.hpp"
#include "core/json_text.hpp"

#include <utility>

namespace troupe::actors {
namespace {

core::owner inbox_of(const std::string& realm, const std::string& uid) {
  return {realm, core::owner_kind::user, uid};
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty())
      text += ' ';
    text += word;
  }
  return text;
}

std::string_view verb(core::list_edit_kind kind) {
  switch (kind) {
  case core::list_edit_kind::add:
    return "add";
  case core::list_edit_kind::invite:
    return "invite";
  case core::list_edit_kind::remove:
    return "remove";
  }
  return "";
}

bool failed(const core::shard_outcome& outcome) {
  return outcome.failure.code != core::errc::ok &&
         outcome.failure.code != core::errc::duplicate;
}

} // namespace

// ---------------------------------------------------------------- register

register_operation::register_operation(core::register_user command)
    : command_(std::move(command)) {
  event_.request = command_.request;
}

void register_operation::start() {
  propose(core::create_user{realm(), command_.uid, command_.device,
                            command_.aliases},
          true);
}

void register_operation::on_answer(directory_answer& answer) {
  auto& outcome = answer.outcome;
  event_.aliases = std::move(outcome.aliases);
  if (outcome.failure.code != core::errc::ok)
    return fail(std::move(outcome.failure));
  const auto inbox = inbox_of(realm(), command_.uid);
  const auto group = context().group_of(inbox);
  waiting_ = 2;
  propose(group, core::drop_inbox{inbox}, false);
  propose(group,
          core::add_cursor{inbox,
                           outcome.offset.value_or(core::device_offset{}),
                           std::nullopt},
          true);
}

void register_operation::on_answer(shard_answer& answer) {
  auto& failure = answer.outcome.failure;
  const bool nothing_to_drop = failure.code == core::errc::user_unknown;
  if (failed(answer.outcome) && !nothing_to_drop)
    return fail(std::move(failure));
  if (--waiting_ == 0)
    finish(std::move(event_));
}

void register_operation::on_timeout() { fail({core::errc::timed_out, {}}); }

void register_operation::fail(core::error why) {
  event_.failure = std::move(why);
  finish(std::move(event_));
}

// ----------------------------------------------------------------- aliases

change_aliases_operation::change_aliases_operation(core::change_aliases command,
                                                   std::string own_uid)
    : command_(std::move(command)), own_uid_(std::move(own_uid)) {
  event_.request = command_.request;
}

void change_aliases_operation::start() {
  if (command_.uid != own_uid_) {
    event_.failure = {core::errc::not_permitted, command_.uid};
    return finish(std::move(event_));
  }
  propose(core::replace_aliases{realm(), own_uid_, command_.aliases}, true);
}

void change_aliases_operation::on_answer(directory_answer& answer) {
  auto& outcome = answer.outcome;
  event_.aliases = outcome.aliases;
  if (outcome.failure.code != core::errc::ok) {
    event_.failure = std::move(outcome.failure);
    return finish(std::move(event_));
  }
  core::append_message news;
  news.message.kind = core::message_kind::aliases_changed;
  news.message.realm = realm();
  news.message.sender = own_uid_;
  if (outcome.aliases_replaced) {
    std::string text;
    core::append_json_string(text, join(outcome.aliases));
    news.message.meta = core::shared_bytes::copy_of(text);
  }
  news.to.push_back({own_uid_, false, false, std::nullopt});
  propose(context().group_of(inbox_of(realm(), own_uid_)), std::move(news),
          true);
}

void change_aliases_operation::on_answer(shard_answer& answer) {
  if (failed(answer.outcome))
    event_.failure = std::move(answer.outcome.failure);
  finish(std::move(event_));
}

void change_aliases_operation::on_timeout() {
  event_.failure = {core::errc::timed_out, {}};
  finish(std::move(event_));
}

// -------------------------------------------------------------- add device

add_device_operation::add_device_operation(core::add_device command)
    : command_(std::move(command)) {
  event_.request = command_.request;
}

void add_device_operation::start() {
  propose(core::create_device{realm(), command_.uid, command_.device,
                              command_.previous_device},
          true);
}

void add_device_operation::on_answer(directory_answer& answer) {
  auto& outcome = answer.outcome;
  event_.offset = outcome.offset;
  if (outcome.failure.code != core::errc::ok) {
    event_.failure = std::move(outcome.failure);
    return finish(std::move(event_));
  }
  const auto inbox = inbox_of(realm(), command_.uid);
  propose(context().group_of(inbox),
          core::add_cursor{inbox,
                           outcome.offset.value_or(core::device_offset{}),
                           outcome.inherits},
          true);
}

void add_device_operation::on_answer(shard_answer& answer) {
  if (failed(answer.outcome))
    event_.failure = std::move(answer.outcome.failure);
  finish(std::move(event_));
}

void add_device_operation::on_timeout() {
  event_.failure = {core::errc::timed_out, {}};
  finish(std::move(event_));
}

// --------------------------------------------------------------- edit list

edit_list_operation::edit_list_operation(core::edit_list command,
                                         std::string caller)
    : command_(std::move(command)), caller_(std::move(caller)) {
  event_.request = command_.request;
}

void edit_list_operation::start() {
  propose(core::change_list{realm(), command_.list, command_.kind, caller_,
                            command_.member},
          true);
}

void edit_list_operation::on_answer(directory_answer& answer) {
  auto& outcome = answer.outcome;
  if (outcome.failure.code != core::errc::ok) {
    event_.failure = std::move(outcome.failure);
    return finish(std::move(event_));
  }
  change_ = std::move(outcome.list);
  if (command_.kind == core::list_edit_kind::invite) {
    core::message invitation;
    invitation.realm = realm();
    invitation.sender = caller_;
    invitation.meta = std::move(command_.invitation.meta);
    invitation.payload = std::move(command_.invitation.payload);
    send(std::move(invitation), {change_.uid});
  }
  if (change_.list_removed)
    return finish_if_done();
  // As an operator: whoever has just left may still announce it.
  expand(command_.list, {});
  ++waiting_;
}

void edit_list_operation::on_answer(list_expansion& answer) {
  --waiting_;
  if (answer.failure.code == core::errc::ok)
    announce(*answer.members);
  finish_if_done();
}

void edit_list_operation::announce(std::vector<std::string> members) {
  // To all full members and to the caller, who may be an invited one; the
  // removed user is not told, not even if he removed himself.
  const bool left =
      command_.kind == core::list_edit_kind::remove && change_.uid == caller_;
  bool caller_is_in = left || caller_.empty();
  for (const auto& uid : members)
    caller_is_in = caller_is_in || uid == caller_;
  if (!caller_is_in)
    members.push_back(caller_);

  core::json_writer etc;
  etc.begin_object()
      .member("list", std::string_view{command_.list})
      .member("op", verb(command_.kind))
      .member("date",
              std::string_view{core::to_iso_8601(context().clock.wall())});
  if (command_.kind != core::list_edit_kind::invite)
    etc.member("uid", std::string_view{change_.uid});
  if (!change_.alias.empty())
    etc.member("alias", std::string_view{change_.alias});
  etc.end_object();

  core::message news;
  news.kind = core::message_kind::list_changed;
  news.realm = realm();
  news.sender = caller_;
  news.meta = core::shared_bytes::copy_of(etc.text());
  send(std::move(news), std::move(members));
}

void edit_list_operation::send(core::message message,
                               std::vector<std::string> recipients) {
  std::vector<core::append_message> by_shard(context().options.shards + 1U);
  for (auto& uid : recipients) {
    auto& part = by_shard[context().group_of(inbox_of(realm(), uid)).value()];
    part.to.push_back({std::move(uid), false, false, std::nullopt});
  }
  for (std::size_t g = 1; g < by_shard.size(); ++g) {
    if (by_shard[g].to.empty())
      continue;
    by_shard[g].message = message;
    ++waiting_;
    propose(core::group_id{static_cast<std::uint16_t>(g)},
            std::move(by_shard[g]), true);
  }
}

void edit_list_operation::on_answer(shard_answer& answer) {
  --waiting_;
  if (failed(answer.outcome))
    event_.failure = std::move(answer.outcome.failure);
  finish_if_done();
}

void edit_list_operation::finish_if_done() {
  if (waiting_ == 0)
    finish(std::move(event_));
}

void edit_list_operation::on_timeout() {
  event_.failure = {core::errc::timed_out, {}};
  finish(std::move(event_));
}

} // namespace troupe::actors
