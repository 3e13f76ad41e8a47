// SPDX-License-Identifier: Apache-2.0
#include "schema/command_wire.hpp"

#include "core/assert.hpp"
#include "core/message_number.hpp"
#include "schema/command_prefix.hpp"
#include "schema/data_wire.hpp"
#include "schema/flat_wire.hpp"
#include "schema/session_wire.hpp"

#include <capnp/message.h>

#include <cstring>
#include <schema/command.capnp.h>
#include <string_view>
#include <variant>

namespace troupe::schema {
namespace {

using core::errc;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}

// ------------------------------------------------------------------- write

/// All but the recipients.
void write_post(const core::append_message& from,
                wire::AppendMessage::Builder to) {
  const auto& message = from.message;
  if (message.realm != default_realm)
    to.setRealm(as_data(message.realm));
  to.setSender(as_data(message.sender));
  to.setKind(static_cast<std::uint8_t>(message.kind));
  if (from.time_to_live) {
    to.setHasTimeToLive(true);
    to.setTimeToLive(from.time_to_live->count());
  }
  if (!message.content_type.empty())
    to.setContentType(as_data(message.content_type));
  if (!message.headers.empty())
    write_headers(message.headers,
                  to.initHeaders(list_size(message.headers.size())));
  if (!from.deduplication_key.empty())
    to.setDeduplicationKey(as_data(from.deduplication_key));
  to.setMetaBytes(message.meta.size());
  to.setPayloadBytes(message.payload.size());
}

void write(const core::append_message& from, wire::AppendMessage::Builder to) {
  write_post(from, to);
  auto recipients = to.initTo(list_size(from.to.size()));
  unsigned i = 0;
  for (const auto& recipient : from.to) {
    auto slot = recipients[i++];
    slot.setName(as_data(recipient.name));
    slot.setSingle(recipient.single);
    slot.setOwnCopy(recipient.own_copy);
    slot.setExcept(from_optional(recipient.except));
  }
}

void write(const core::add_cursor& from, wire::AddCursor::Builder to) {
  write_owner(from.inbox, to.initInbox());
  to.setDevice(from.device.value());
  to.setInherit(from_optional(from.inherit));
}

struct shard_writer : session_writer {
  using session_writer::operator();

  void operator()(const core::append_message& c) {
    if (!is_publication(c))
      return write(c, to.initAppendMessage());
    auto slot = to.initAppendPublication();
    write_post(c, slot.initPost());
    write_publication(c, slot);
  }
  void operator()(const core::set_key& c) { write_key(c, to.initSetKey()); }
  void operator()(const core::move_cursors& c) {
    auto updates = to.initMoveCursors(list_size(c.updates.size()));
    unsigned i = 0;
    for (const auto& update : c.updates) {
      auto slot = updates[i++];
      write_owner(update.inbox, slot.initInbox());
      slot.setDevice(update.device.value());
      slot.setUpTo(update.up_to.value());
    }
  }
  void operator()(const core::add_cursor& c) { write(c, to.initAddCursor()); }
  void operator()(const core::remove_cursor& c) {
    auto slot = to.initRemoveCursor();
    write_owner(c.inbox, slot.initInbox());
    slot.setDevice(c.device.value());
  }
  void operator()(const core::drop_inbox& c) {
    write_owner(c.inbox, to.initDropInbox());
  }
  void operator()(const core::import_inboxes& c) {
    auto cursors = to.initImportInboxes(list_size(c.cursors.size()));
    unsigned i = 0;
    for (const auto& cursor : c.cursors)
      write(cursor, cursors[i++]);
  }
  void operator()(const core::set_inbox_policy& c) {
    write_policy(c.policy, to.initSetInboxPolicy());
  }
  void operator()(const core::sweep_expired& c) { to.setSweepExpired(c.limit); }
};

// -------------------------------------------------------------------- read

/// Where the bytes behind the Cap'n Proto message are.
struct tail_place {
  const core::shared_bytes& whole;
  std::size_t offset;
};

/// All of the message but what the place in the log gives.
errc read_body(wire::AppendMessage::Reader from, const tail_place& tail,
               std::size_t words, core::message_kind kind_max,
               core::message& to) {
  if (from.getKind() > static_cast<std::uint8_t>(kind_max))
    return errc::newer_format;
  to.kind = static_cast<core::message_kind>(from.getKind());
  to.realm = to_string(from.getRealm());
  to.sender = to_string(from.getSender());
  to.content_type = to_string(from.getContentType());
  if (from.hasHeaders())
    if (const auto failure =
            read_headers(from.getHeaders(), words, errc::malformed, to.headers);
        failure != errc::ok)
      return failure;
  const auto tail_bytes = tail.whole.size() - tail.offset;
  const auto meta_bytes = from.getMetaBytes();
  if (meta_bytes > tail_bytes ||
      from.getPayloadBytes() != tail_bytes - meta_bytes)
    return errc::malformed;
  const auto meta_size = static_cast<std::size_t>(meta_bytes);
  to.meta = tail.whole.slice(tail.offset, meta_size);
  to.payload =
      tail.whole.slice(tail.offset + meta_size, tail_bytes - meta_size);
  return errc::ok;
}

void read_rest(wire::AppendMessage::Reader from, core::append_message& to) {
  if (from.getHasTimeToLive())
    to.time_to_live = core::milliseconds{from.getTimeToLive()};
  to.deduplication_key = to_string(from.getDeduplicationKey());
}

errc read(wire::AppendMessage::Reader from, const tail_place& tail,
          std::size_t words, core::append_message& to) {
  if (const auto failure = read_body(
          from, tail, words, core::message_kind::list_changed, to.message);
      failure != errc::ok)
    return failure;
  read_rest(from, to);
  const auto recipients = from.getTo();
  if (recipients.size() > words)
    return errc::malformed;
  to.to.reserve(recipients.size());
  for (const auto recipient : recipients) {
    auto& slot = to.to.emplace_back();
    slot.name = to_string(recipient.getName());
    slot.single = recipient.getSingle();
    slot.own_copy = recipient.getOwnCopy();
    if (!to_optional(recipient.getExcept(), slot.except))
      return errc::malformed;
  }
  return errc::ok;
}

errc read(wire::AppendPublication::Reader from, const tail_place& tail,
          std::size_t words, core::append_message& to) {
  if (const auto failure =
          read_body(from.getPost(), tail, words,
                    core::message_kind::publication, to.message);
      failure != errc::ok)
    return failure;
  read_rest(from.getPost(), to);
  read_publication(from, to.message);
  const auto recipients = from.getTo();
  if (recipients.size() > words)
    return errc::malformed;
  to.to.reserve(recipients.size());
  for (const auto recipient : recipients)
    if (const auto failure =
            read_recipient(recipient, words, to.to.emplace_back());
        failure != errc::ok)
      return failure;
  return errc::ok;
}

errc read(wire::SetKey::Reader from, const tail_place& tail, std::size_t words,
          core::set_key& to) {
  const auto tail_bytes = tail.whole.size() - tail.offset;
  if (from.getPayloadBytes() != tail_bytes)
    return errc::malformed;
  to.content.payload = tail.whole.slice(tail.offset, tail_bytes);
  return read_key(from, words, to);
}

errc read(wire::AddCursor::Reader from, core::add_cursor& to) {
  to.device = core::device_offset{from.getDevice()};
  if (!to_optional(from.getInherit(), to.inherit))
    return errc::malformed;
  return read_owner(from.getInbox(), to.inbox);
}

errc read(capnp::List<wire::CursorUpdate>::Reader from, std::size_t words,
          core::move_cursors& to) {
  if (from.size() > words)
    return errc::malformed;
  to.updates.reserve(from.size());
  for (const auto update : from) {
    auto& slot = to.updates.emplace_back();
    slot.device = core::device_offset{update.getDevice()};
    slot.up_to = core::inbox_position{update.getUpTo()};
    if (const auto failure = read_owner(update.getInbox(), slot.inbox);
        failure != errc::ok)
      return failure;
  }
  return errc::ok;
}

errc read(capnp::List<wire::AddCursor>::Reader from, std::size_t words,
          core::import_inboxes& to) {
  if (from.size() > words)
    return errc::malformed;
  to.cursors.reserve(from.size());
  for (const auto cursor : from)
    if (const auto failure = read(cursor, to.cursors.emplace_back());
        failure != errc::ok)
      return failure;
  return errc::ok;
}

/// REQUIRES: a command without bytes behind it.
errc read(wire::ShardCommand::Reader from, std::size_t words,
          core::shard_command& to) {
  switch (from.which()) {
  case wire::ShardCommand::MOVE_CURSORS:
    return read(from.getMoveCursors(), words, to.emplace<core::move_cursors>());
  case wire::ShardCommand::ADD_CURSOR:
    return read(from.getAddCursor(), to.emplace<core::add_cursor>());
  case wire::ShardCommand::REMOVE_CURSOR: {
    auto& command = to.emplace<core::remove_cursor>();
    command.device = core::device_offset{from.getRemoveCursor().getDevice()};
    return read_owner(from.getRemoveCursor().getInbox(), command.inbox);
  }
  case wire::ShardCommand::DROP_INBOX:
    return read_owner(from.getDropInbox(),
                      to.emplace<core::drop_inbox>().inbox);
  case wire::ShardCommand::IMPORT_INBOXES:
    return read(from.getImportInboxes(), words,
                to.emplace<core::import_inboxes>());
  case wire::ShardCommand::SET_INBOX_POLICY:
    return read_policy(from.getSetInboxPolicy(),
                       to.emplace<core::set_inbox_policy>().policy);
  case wire::ShardCommand::SWEEP_EXPIRED:
    to.emplace<core::sweep_expired>().limit = from.getSweepExpired();
    return errc::ok;
  default:
    return read_session_command(from, words, to);
  }
}

/// A message as one of those sees it who get it: the recipient at `index`.
errc read_addressed(wire::AppendPublication::Reader from,
                    const tail_place& tail, std::size_t words,
                    std::uint32_t index, core::message& to) {
  if (const auto failure = read_body(from.getPost(), tail, words,
                                     core::message_kind::publication, to);
      failure != errc::ok)
    return failure;
  read_publication(from, to);
  const auto recipients = from.getTo();
  if (index >= recipients.size())
    return errc::ok; // nobody's: as it was published
  core::inbox_recipient recipient;
  if (const auto failure = read_recipient(recipients[index], words, recipient);
      failure != errc::ok)
    return failure;
  core::address(to, recipient);
  return errc::ok;
}

} // namespace

core::shared_bytes encode(const core::logged_shard_command& command) {
  core::bytes_view meta;
  core::bytes_view payload;
  if (const auto* post = std::get_if<core::append_message>(&command.command)) {
    meta = post->message.meta.view();
    payload = post->message.payload.view();
  } else if (const auto* key = std::get_if<core::set_key>(&command.command)) {
    payload = key->content.payload.view();
  }
  return write_flat(
      command_prefix_bytes, meta.size() + payload.size(),
      [&](capnp::MessageBuilder& message) {
        std::visit(shard_writer{message.initRoot<wire::ShardCommand>()},
                   command.command);
      },
      [&](std::byte* to, std::size_t flat_bytes) {
        write_prefix(to, {command_family::shard, command.key, command.time},
                     flat_bytes);
        to += command_prefix_bytes + flat_bytes;
        if (!meta.empty())
          std::memcpy(to, meta.data(), meta.size());
        if (!payload.empty())
          std::memcpy(to + meta.size(), payload.data(), payload.size());
      });
}

core::result<core::logged_shard_command>
decode_shard_command(const core::shared_bytes& bytes) {
  const auto parts = split_command(bytes.view(), command_family::shard);
  if (!parts)
    return parts.error();
  core::logged_shard_command command;
  command.key = parts->prefix.key;
  command.time = parts->prefix.time;
  const tail_place tail{bytes, command_prefix_bytes + parts->flat.size()};
  const auto failure = read_flat(
      parts->flat, errc::malformed,
      [&](capnp::MessageReader& message, std::size_t words) {
        const auto root = message.getRoot<wire::ShardCommand>();
        if (root.which() == wire::ShardCommand::APPEND_MESSAGE)
          return read(root.getAppendMessage(), tail, words,
                      command.command.emplace<core::append_message>());
        if (root.which() == wire::ShardCommand::APPEND_PUBLICATION)
          return read(root.getAppendPublication(), tail, words,
                      command.command.emplace<core::append_message>());
        if (root.which() == wire::ShardCommand::SET_KEY)
          return read(root.getSetKey(), tail, words,
                      command.command.emplace<core::set_key>());
        if (tail.offset != bytes.size())
          return errc::malformed;
        return read(root, words, command.command);
      });
  if (failure != errc::ok)
    return core::error{failure, "shard command"};
  return command;
}

core::result<core::message> decode_message(const core::shared_bytes& command,
                                           core::group_id group,
                                           core::log_index source,
                                           std::uint16_t ordinal,
                                           std::uint32_t recipient) {
  const auto parts = split_command(command.view(), command_family::shard);
  if (!parts)
    return parts.error();
  const auto time = parts->prefix.time;
  core::message message;
  const auto failure = read_flat(
      parts->flat, errc::malformed,
      [&](capnp::MessageReader& flat, std::size_t words) {
        const auto root = flat.getRoot<wire::ShardCommand>();
        const bool addressed =
            root.which() == wire::ShardCommand::APPEND_PUBLICATION;
        if (!addressed && root.which() != wire::ShardCommand::APPEND_MESSAGE)
          return errc::malformed;
        const auto post = addressed ? root.getAppendPublication().getPost()
                                    : root.getAppendMessage();
        if (post.getHasTimeToLive())
          message.expires = core::message_expiry(
              time, core::milliseconds{post.getTimeToLive()});
        const tail_place tail{command,
                              command_prefix_bytes + parts->flat.size()};
        if (addressed)
          return read_addressed(root.getAppendPublication(), tail, words,
                                recipient, message);
        return read_body(post, tail, words, core::message_kind::list_changed,
                         message);
      });
  if (failure != errc::ok)
    return core::error{failure, "message"};
  message.id = {core::to_millis(time),
                core::message_number(group, source, ordinal)};
  message.created = time;
  return message;
}

core::result<core::set_key>
decode_key_value(const core::shared_bytes& command) {
  auto decoded = decode_shard_command(command);
  if (!decoded)
    return decoded.error();
  auto* key = std::get_if<core::set_key>(&decoded->command);
  if (key == nullptr)
    return core::error{errc::malformed, "key"};
  return std::move(*key);
}

} // namespace troupe::schema
