// SPDX-License-Identifier: Apache-2.0
#include "actors/route_fan.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>

namespace troupe::actors {
namespace {

/// Recipients in one command.
constexpr std::size_t recipients_per_command = 10'000;

core::inbox_recipient recipient_of(core::route_match match) {
  core::inbox_recipient to;
  to.name = std::move(match.session);
  to.kind = core::owner_kind::session;
  to.qos = match.qos;
  to.retain_as_published = match.retain_as_published;
  to.subscription_ids = std::move(match.subscription_ids);
  return to;
}

} // namespace

std::size_t bytes_of(const queued_publication& what, std::size_t shards) {
  constexpr std::size_t overhead = 512; // of a command and its proposal
  const auto& m = what.message;
  auto copy = overhead + m.topic.size() + m.content_type.size() +
              m.payload.size() + m.meta.size();
  for (const auto& [key, value] : m.headers)
    copy += key.size() + value.size();
  std::size_t names = 0;
  for (const auto& to : what.to)
    names += sizeof to + to.name.size();
  return copy * std::clamp<std::size_t>(what.to.size(), 1, shards) + names;
}

core::message message_of(const core::publication& what, std::uint8_t qos,
                         bool retain) {
  core::message m;
  m.kind = core::message_kind::publication;
  m.realm = what.realm;
  m.sender = what.sender;
  m.content_type = what.content_type;
  m.headers = what.headers;
  m.payload = what.payload;
  m.topic = what.topic.text();
  m.qos = qos;
  m.retain = retain;
  return m;
}

std::optional<core::publication> publication_of(const core::message& what) {
  auto name = core::topic::parse(what.topic);
  if (what.kind != core::message_kind::publication || !name)
    return std::nullopt;
  core::publication p;
  p.realm = what.realm;
  p.topic = std::move(*name);
  p.number = static_cast<std::uint64_t>(core::to_millis(what.created)) * 1000;
  p.sender = what.sender;
  p.content_type = what.content_type;
  p.headers = what.headers;
  p.payload = what.payload;
  return p;
}

std::vector<core::inbox_recipient> recipients_of(core::route_matches found,
                                                 std::uint64_t turn) {
  std::vector<core::inbox_recipient> to;
  to.reserve(found.direct.size() + found.shared.size());
  for (auto& each : found.direct)
    if (each.qos > 0)
      to.push_back(recipient_of(std::move(each)));
  for (auto& group : found.shared) {
    std::erase_if(group.members, [](const auto& m) { return m.qos == 0; });
    if (!group.members.empty())
      to.push_back(
          recipient_of(std::move(group.members[turn % group.members.size()])));
  }
  return to;
}

std::vector<std::pair<core::group_id, core::append_message>>
commands_of(queued_publication what,
            const std::function<core::group_id(const core::owner&)>& group_of) {
  std::map<core::group_id, std::vector<core::inbox_recipient>> by_shard;
  for (auto& to : what.to) {
    const auto group = group_of({what.message.realm, to.kind, to.name});
    by_shard[group].push_back(std::move(to));
  }
  std::vector<std::pair<core::group_id, core::append_message>> commands;
  for (auto& [group, all] : by_shard)
    for (std::size_t from = 0; from < all.size();
         from += recipients_per_command) {
      core::append_message part;
      part.message = what.message;
      part.time_to_live = what.time_to_live;
      if (!what.deduplication_key.empty()) {
        part.deduplication_key = what.deduplication_key;
        // Parts of one must not take each other for repeats.
        if (from > 0)
          part.deduplication_key += '\0' + std::to_string(from);
      }
      const auto end = std::min(all.size(), from + recipients_per_command);
      part.to.assign(std::make_move_iterator(all.begin() +
                                             static_cast<std::ptrdiff_t>(from)),
                     std::make_move_iterator(all.begin() +
                                             static_cast<std::ptrdiff_t>(end)));
      commands.emplace_back(group, std::move(part));
    }
  return commands;
}

} // namespace troupe::actors
