// SPDX-License-Identifier: Apache-2.0
#include "schema/session_wire.hpp"

#include "schema/data_wire.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

namespace troupe::schema {
namespace {

using core::errc;

capnp::Data::Reader as_data(std::string_view text) {
  return {bytes_of(text), text.size()};
}
capnp::Data::Reader as_data(const core::shared_bytes& bytes) {
  return as_data(bytes.text());
}

/// A list of numbers of that size, packed into words.
template <class Number>
bool fits(unsigned elements, std::size_t words) {
  return elements <= words * (sizeof(std::uint64_t) / sizeof(Number));
}

void write(const core::publication_content& from, wire::Content::Builder to) {
  if (!from.sender.empty())
    to.setSender(as_data(from.sender));
  if (!from.content_type.empty())
    to.setContentType(as_data(from.content_type));
  if (!from.headers.empty())
    write_headers(from.headers, to.initHeaders(list_size(from.headers.size())));
  to.setQos(from.qos);
}

errc read(wire::Content::Reader from, std::size_t words, errc broken,
          core::publication_content& to) {
  to.sender = to_string(from.getSender());
  to.content_type = to_string(from.getContentType());
  to.qos = from.getQos();
  if (from.hasHeaders())
    return read_headers(from.getHeaders(), words, broken, to.headers);
  return errc::ok;
}

void write(const core::session_ref& from, wire::SessionRef::Builder to) {
  if (from.realm != default_realm)
    to.setRealm(as_data(from.realm));
  to.setName(as_data(from.name));
  to.setEpoch(from.epoch);
}

void read(wire::SessionRef::Reader from, core::session_ref& to) {
  to.realm = to_string(from.getRealm());
  to.name = to_string(from.getName());
  to.epoch = from.getEpoch();
}

void write(const std::vector<core::session_packet_ids>& from,
           capnp::List<wire::PacketIds>::Builder to) {
  unsigned i = 0;
  for (const auto& item : from) {
    auto slot = to[i++];
    write(item.session, slot.initSession());
    write_packets(item.packets,
                  slot.initPackets(list_size(item.packets.size())));
  }
}

errc read(capnp::List<wire::PacketIds>::Reader from, std::size_t words,
          std::vector<core::session_packet_ids>& to) {
  if (from.size() > words)
    return errc::malformed;
  to.reserve(from.size());
  for (const auto item : from) {
    auto& slot = to.emplace_back();
    read(item.getSession(), slot.session);
    if (const auto failure = read_packets(item.getPackets(), words,
                                          errc::malformed, slot.packets);
        failure != errc::ok)
      return failure;
  }
  return errc::ok;
}

errc read(wire::OpenSession::Reader from, std::size_t words,
          core::open_session& to) {
  to.realm = to_string(from.getRealm());
  to.name = to_string(from.getName());
  to.uid = to_string(from.getUid());
  to.protocol = to_string(from.getProtocol());
  to.clean_start = from.getCleanStart();
  to.receive_max = from.getReceiveMax();
  if (from.getHasExpiry())
    to.expiry = core::milliseconds{from.getExpiry()};
  if (!from.hasWill())
    return errc::ok;
  to.will = core::session_will{};
  return read_will(from.getWill(), words, errc::malformed, *to.will);
}

errc read(capnp::List<wire::ReceiveItem>::Reader from, std::size_t words,
          core::begin_receive& to) {
  if (from.size() > words)
    return errc::malformed;
  to.items.reserve(from.size());
  for (const auto item : from) {
    auto& slot = to.items.emplace_back();
    read(item.getSession(), slot.session);
    slot.packet = item.getPacket();
  }
  return errc::ok;
}

errc read(capnp::List<wire::DeliveredItem>::Reader from, std::size_t words,
          core::delivered& to) {
  if (from.size() > words)
    return errc::malformed;
  to.items.reserve(from.size());
  for (const auto item : from) {
    auto& slot = to.items.emplace_back();
    read(item.getSession(), slot.session);
    slot.up_to = core::inbox_position{item.getUpTo()};
    if (const auto failure = read_packets(item.getAwaiting(), words,
                                          errc::malformed, slot.awaiting);
        failure != errc::ok)
      return failure;
  }
  return errc::ok;
}

} // namespace

// ------------------------------------------------------------ shared parts

void write_headers(const std::vector<std::pair<std::string, std::string>>& from,
                   capnp::List<wire::Header>::Builder to) {
  unsigned i = 0;
  for (const auto& [name, value] : from) {
    auto header = to[i++];
    header.setName(as_data(name));
    header.setValue(as_data(value));
  }
}

errc read_headers(capnp::List<wire::Header>::Reader from, std::size_t words,
                  errc broken,
                  std::vector<std::pair<std::string, std::string>>& to) {
  if (from.size() > words)
    return broken;
  to.reserve(from.size());
  for (const auto header : from)
    to.emplace_back(to_string(header.getName()), to_string(header.getValue()));
  return errc::ok;
}

void write_will(const core::session_will& from, wire::SessionWill::Builder to) {
  to.setTopic(as_data(from.topic));
  auto content = to.initContent();
  write(from.content, content);
  content.setPayload(as_data(from.content.payload));
  to.setRetain(from.retain);
  to.setDelay(from.delay.count());
  to.setHasTimeToLive(from.time_to_live.has_value());
  to.setTimeToLive(from.time_to_live ? from.time_to_live->count() : 0);
}

errc read_will(wire::SessionWill::Reader from, std::size_t words, errc broken,
               core::session_will& to) {
  to.topic = to_string(from.getTopic());
  to.retain = from.getRetain();
  to.delay = core::milliseconds{from.getDelay()};
  if (from.getHasTimeToLive())
    to.time_to_live = core::milliseconds{from.getTimeToLive()};
  const auto content = from.getContent();
  const auto payload = content.getPayload();
  to.content.payload = core::shared_bytes::copy_of(std::string_view{
      reinterpret_cast<const char*>(payload.begin()), payload.size()});
  return read(content, words, broken, to.content);
}

void write_packets(const std::vector<std::uint16_t>& from,
                   wire_packets::Builder to) {
  unsigned i = 0;
  for (const auto packet : from)
    to.set(i++, packet);
}

errc read_packets(wire_packets::Reader from, std::size_t words, errc broken,
                  std::vector<std::uint16_t>& to) {
  if (!fits<std::uint16_t>(from.size(), words))
    return broken;
  to.reserve(from.size());
  for (const auto packet : from)
    to.push_back(packet);
  return errc::ok;
}

// ------------------------------------------------------------ publications

bool is_publication(const core::append_message& command) {
  const auto& message = command.message;
  return message.kind == core::message_kind::publication ||
         !message.topic.empty() || message.qos != 0 || message.retain ||
         std::any_of(command.to.begin(), command.to.end(),
                     [](const core::inbox_recipient& to) {
                       return to.kind != core::owner_kind::user ||
                              to.qos != 0 || to.retain_as_published ||
                              !to.subscription_ids.empty();
                     });
}

void write_publication(const core::append_message& from,
                       wire::AppendPublication::Builder to) {
  to.setTopic(as_data(from.message.topic));
  to.setQos(from.message.qos);
  to.setRetain(from.message.retain);
  auto recipients = to.initTo(list_size(from.to.size()));
  unsigned i = 0;
  for (const auto& recipient : from.to) {
    auto slot = recipients[i++];
    slot.setName(as_data(recipient.name));
    slot.setKind(static_cast<std::uint8_t>(recipient.kind));
    slot.setQos(recipient.qos);
    slot.setSingle(recipient.single);
    slot.setOwnCopy(recipient.own_copy);
    slot.setRetainAsPublished(recipient.retain_as_published);
    slot.setExcept(from_optional(recipient.except));
    if (recipient.subscription_ids.empty())
      continue;
    auto ids =
        slot.initSubscriptionIds(list_size(recipient.subscription_ids.size()));
    unsigned j = 0;
    for (const auto id : recipient.subscription_ids)
      ids.set(j++, id);
  }
}

void read_publication(wire::AppendPublication::Reader from, core::message& to) {
  to.topic = to_string(from.getTopic());
  to.qos = from.getQos();
  to.retain = from.getRetain();
}

errc read_recipient(wire::PublicationRecipient::Reader from, std::size_t words,
                    core::inbox_recipient& to) {
  if (from.getKind() > static_cast<std::uint8_t>(core::owner_kind::session))
    return errc::newer_format;
  to.name = to_string(from.getName());
  to.kind = static_cast<core::owner_kind>(from.getKind());
  to.qos = from.getQos();
  to.single = from.getSingle();
  to.own_copy = from.getOwnCopy();
  to.retain_as_published = from.getRetainAsPublished();
  if (!to_optional(from.getExcept(), to.except))
    return errc::malformed;
  const auto ids = from.getSubscriptionIds();
  if (!fits<std::uint32_t>(ids.size(), words))
    return errc::malformed;
  to.subscription_ids.reserve(ids.size());
  for (const auto id : ids)
    to.subscription_ids.push_back(id);
  return errc::ok;
}

// -------------------------------------------------------------------- keys

void write_key(const core::set_key& from, wire::SetKey::Builder to) {
  if (from.realm != default_realm)
    to.setRealm(as_data(from.realm));
  to.setTopic(as_data(from.topic));
  write(from.content, to.initContent());
  to.setPayloadBytes(from.content.payload.size());
  to.setHasTimeToLive(from.time_to_live.has_value());
  to.setTimeToLive(from.time_to_live ? from.time_to_live->count() : 0);
  to.setHasExpected(from.expected.has_value());
  to.setExpected(from.expected.value_or(0));
}

errc read_key(wire::SetKey::Reader from, std::size_t words, core::set_key& to) {
  to.realm = to_string(from.getRealm());
  to.topic = to_string(from.getTopic());
  if (from.getHasTimeToLive())
    to.time_to_live = core::milliseconds{from.getTimeToLive()};
  if (from.getHasExpected())
    to.expected = from.getExpected();
  return read(from.getContent(), words, errc::malformed, to.content);
}

// ------------------------------------------------------------------ routes

void write_route(const core::route& from, wire::Route::Builder to) {
  if (!from.name.filter.empty())
    to.setFilter(as_data(from.name.filter));
  if (!from.name.share.empty())
    to.setShare(as_data(from.name.share));
  to.setQos(from.options.qos);
  to.setNoLocal(from.options.no_local);
  to.setRetainAsPublished(from.options.retain_as_published);
  to.setSubscriptionId(from.options.subscription_id);
}

void read_route(wire::Route::Reader from, core::route& to) {
  to.name.filter = to_string(from.getFilter());
  to.name.share = to_string(from.getShare());
  to.options.qos = from.getQos();
  to.options.no_local = from.getNoLocal();
  to.options.retain_as_published = from.getRetainAsPublished();
  to.options.subscription_id = from.getSubscriptionId();
}

void write_routes(const core::change_routes& from,
                  wire::ChangeRoutes::Builder to) {
  to.setSession(as_data(from.session));
  to.setGeneration(from.generation);
  to.setRemoveAll(from.remove_all);
  to.setForget(from.forget);
  auto removed = to.initRemove(list_size(from.remove.size()));
  unsigned i = 0;
  for (const auto& name : from.remove) {
    auto slot = removed[i++];
    slot.setFilter(as_data(name.filter));
    if (!name.share.empty())
      slot.setShare(as_data(name.share));
  }
  auto added = to.initAdd(list_size(from.add.size()));
  i = 0;
  for (const auto& one : from.add)
    write_route(one, added[i++]);
}

errc read_routes(wire::ChangeRoutes::Reader from, std::size_t words,
                 core::change_routes& to) {
  to.session = to_string(from.getSession());
  to.generation = from.getGeneration();
  to.remove_all = from.getRemoveAll();
  to.forget = from.getForget();
  const auto removed = from.getRemove();
  const auto added = from.getAdd();
  if (removed.size() > words || added.size() > words)
    return errc::malformed;
  to.remove.reserve(removed.size());
  for (const auto name : removed)
    to.remove.push_back(
        {to_string(name.getFilter()), to_string(name.getShare())});
  to.add.reserve(added.size());
  for (const auto one : added)
    read_route(one, to.add.emplace_back());
  return errc::ok;
}

// ---------------------------------------------------------------- commands

void session_writer::operator()(const core::clear_key& c) {
  auto slot = to.initClearKey();
  if (c.realm != default_realm)
    slot.setRealm(as_data(c.realm));
  slot.setTopic(as_data(c.topic));
  slot.setHasExpected(c.expected.has_value());
  slot.setExpected(c.expected.value_or(0));
}

void session_writer::operator()(const core::set_key_policy& c) {
  auto slot = to.initSetKeyPolicy();
  slot.setKeysMax(c.policy.keys_max);
  slot.setBytesMax(c.policy.bytes_max);
}

void session_writer::operator()(const core::open_session& c) {
  auto slot = to.initOpenSession();
  if (c.realm != default_realm)
    slot.setRealm(as_data(c.realm));
  slot.setName(as_data(c.name));
  slot.setUid(as_data(c.uid));
  slot.setProtocol(as_data(c.protocol));
  slot.setCleanStart(c.clean_start);
  slot.setHasExpiry(c.expiry.has_value());
  slot.setExpiry(c.expiry ? c.expiry->count() : 0);
  slot.setReceiveMax(c.receive_max);
  if (c.will)
    write_will(*c.will, slot.initWill());
}

void session_writer::operator()(const core::set_session_expiry& c) {
  auto slot = to.initSetSessionExpiry();
  write(c.session, slot.initSession());
  slot.setHasExpiry(c.expiry.has_value());
  slot.setExpiry(c.expiry ? c.expiry->count() : 0);
}

void session_writer::operator()(const core::close_session_record& c) {
  auto slot = to.initCloseSession();
  write(c.session, slot.initSession());
  slot.setHasWhen(c.when.has_value());
  slot.setWhen(c.when ? core::to_millis(*c.when) : 0);
  slot.setDropWill(c.drop_will);
}

void session_writer::operator()(const core::begin_receive& c) {
  auto items = to.initBeginReceive(list_size(c.items.size()));
  unsigned i = 0;
  for (const auto& item : c.items) {
    auto slot = items[i++];
    write(item.session, slot.initSession());
    slot.setPacket(item.packet);
  }
}

void session_writer::operator()(const core::end_receive& c) {
  write(c.items, to.initEndReceive(list_size(c.items.size())));
}

void session_writer::operator()(const core::delivered& c) {
  auto items = to.initDelivered(list_size(c.items.size()));
  unsigned i = 0;
  for (const auto& item : c.items) {
    auto slot = items[i++];
    write(item.session, slot.initSession());
    slot.setUpTo(item.up_to.value());
    write_packets(item.awaiting,
                  slot.initAwaiting(list_size(item.awaiting.size())));
  }
}

void session_writer::operator()(const core::completed& c) {
  write(c.items, to.initCompleted(list_size(c.items.size())));
}

void session_writer::operator()(const core::drop_will& c) {
  write(c.session, to.initDropWill());
}

void session_writer::operator()(const core::drop_session& c) {
  auto slot = to.initDropSession();
  write(c.session, slot.initSession());
  slot.setOnlyExpired(c.only_expired);
}

void session_writer::operator()(const core::set_session_policy& c) {
  write_policy(c.policy, to.initSetSessionPolicy());
}

errc read_session_command(wire::ShardCommand::Reader from, std::size_t words,
                          core::shard_command& to) {
  switch (from.which()) {
  case wire::ShardCommand::CLEAR_KEY: {
    auto& command = to.emplace<core::clear_key>();
    const auto slot = from.getClearKey();
    command.realm = to_string(slot.getRealm());
    command.topic = to_string(slot.getTopic());
    if (slot.getHasExpected())
      command.expected = slot.getExpected();
    return errc::ok;
  }
  case wire::ShardCommand::SET_KEY_POLICY:
    to = core::set_key_policy{{from.getSetKeyPolicy().getKeysMax(),
                               from.getSetKeyPolicy().getBytesMax()}};
    return errc::ok;
  case wire::ShardCommand::OPEN_SESSION:
    return read(from.getOpenSession(), words, to.emplace<core::open_session>());
  case wire::ShardCommand::SET_SESSION_EXPIRY: {
    auto& command = to.emplace<core::set_session_expiry>();
    const auto slot = from.getSetSessionExpiry();
    read(slot.getSession(), command.session);
    if (slot.getHasExpiry())
      command.expiry = core::milliseconds{slot.getExpiry()};
    return errc::ok;
  }
  case wire::ShardCommand::CLOSE_SESSION: {
    auto& command = to.emplace<core::close_session_record>();
    const auto slot = from.getCloseSession();
    read(slot.getSession(), command.session);
    if (slot.getHasWhen())
      command.when = core::from_millis(slot.getWhen());
    command.drop_will = slot.getDropWill();
    return errc::ok;
  }
  case wire::ShardCommand::BEGIN_RECEIVE:
    return read(from.getBeginReceive(), words,
                to.emplace<core::begin_receive>());
  case wire::ShardCommand::END_RECEIVE:
    return read(from.getEndReceive(), words,
                to.emplace<core::end_receive>().items);
  case wire::ShardCommand::DELIVERED:
    return read(from.getDelivered(), words, to.emplace<core::delivered>());
  case wire::ShardCommand::COMPLETED:
    return read(from.getCompleted(), words,
                to.emplace<core::completed>().items);
  case wire::ShardCommand::DROP_WILL:
    read(from.getDropWill(), to.emplace<core::drop_will>().session);
    return errc::ok;
  case wire::ShardCommand::DROP_SESSION: {
    auto& command = to.emplace<core::drop_session>();
    read(from.getDropSession().getSession(), command.session);
    command.only_expired = from.getDropSession().getOnlyExpired();
    return errc::ok;
  }
  case wire::ShardCommand::SET_SESSION_POLICY:
    read_policy(from.getSetSessionPolicy(),
                to.emplace<core::set_session_policy>().policy);
    return errc::ok;
  default:
    return errc::newer_format; // a place in the union that we do not know
  }
}

} // namespace troupe::schema
