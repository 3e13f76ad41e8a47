// SPDX-License-Identifier: Apache-2.0
#include "actors/attachment_wire.hpp"

#include "cluster/field_reader.hpp"
#include "core/assert.hpp"
#include "core/crc32c.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace troupe::actors {
namespace {

using cluster::byte_reader;
using cluster::byte_writer;
namespace words = attachment_words;

constexpr std::uint8_t version = 1;
constexpr std::uint8_t version_of_sessions = 2;
constexpr std::size_t head_bytes = 10;
constexpr std::size_t checksum_bytes = 4;
/// An offset that is none: offsets end at 99.
constexpr std::uint8_t no_offset = 0xFF;

/// Numbers of the format; those to the session from 17 on.
enum class contents : std::uint8_t {
  attach = 1,
  detach = 2,
  acknowledge = 3,
  fence = 4,
  attached = 17,
  deliveries = 18,
  devices = 19,
  fence_passed = 20,
  stop = 21,
  released = 22,
};

core::error malformed() { return {core::errc::malformed, "attachment frame"}; }

// --------------------------------------------------------------------- write

void put_flag(byte_writer& out, bool value) {
  out.put(static_cast<std::uint8_t>(value));
}
void put_sized(byte_writer& out, core::bytes_view bytes) {
  out.put(static_cast<std::uint32_t>(bytes.size()));
  out.put(bytes);
}
void put_text(byte_writer& out, const std::string& text) {
  put_sized(out, core::as_bytes(text));
}
void put(byte_writer& out, const core::error& e) {
  out.put(static_cast<std::uint16_t>(e.code));
  put_text(out, e.detail);
}
void put_time(byte_writer& out, core::timestamp t) {
  out.put(static_cast<std::uint64_t>(core::to_millis(t)));
}

void put(byte_writer& out, const core::message& m, bool more) {
  out.put(static_cast<std::uint64_t>(m.id.millis));
  out.put(m.id.number);
  out.put(static_cast<std::uint8_t>(m.kind));
  put_text(out, m.realm);
  put_text(out, m.sender);
  put_time(out, m.created);
  put_flag(out, m.expires.has_value());
  put_time(out, m.expires.value_or(core::timestamp{}));
  put_text(out, m.content_type);
  out.put(static_cast<std::uint32_t>(m.headers.size()));
  for (const auto& [key, value] : m.headers) {
    put_text(out, key);
    put_text(out, value);
  }
  put_sized(out, m.meta.view());
  put_sized(out, m.payload.view());
  if (!more)
    return;
  put_text(out, m.topic);
  out.put(m.qos);
  put_flag(out, m.retain);
  out.put(static_cast<std::uint32_t>(m.subscription_ids.size()));
  for (const auto id : m.subscription_ids)
    out.put(id);
}

/// Whether it can only be said in the second version.
template <class Other>
bool is_of_session(const Other&) {
  return false;
}
bool is_of_session(const words::attach& m) {
  return m.inbox.kind == core::owner_kind::session;
}
bool is_of_session(const words::deliveries& m) {
  return std::any_of(m.items.begin(), m.items.end(), [](const auto& item) {
    return item.message->kind == core::message_kind::publication;
  });
}

contents put_body(byte_writer& out, const words::attach& m) {
  out.put(m.reply_key);
  out.put(m.session);
  put_text(out, m.inbox.realm);
  out.put(static_cast<std::uint8_t>(m.inbox.kind));
  put_text(out, m.inbox.name);
  out.put(m.device.value());
  out.put(m.inherit ? m.inherit->value() : no_offset);
  out.put(m.window);
  put_flag(out, m.resume_from.has_value());
  out.put(m.resume_from.value_or(core::inbox_position{}).value());
  const auto returns = m.returns.value_or(returning_session{});
  put_flag(out, m.returns.has_value());
  out.put(returns.acknowledged.value());
  out.put(returns.in_hand.value());
  if (is_of_session(m))
    out.put(m.epoch);
  return contents::attach;
}
contents put_body(byte_writer&, const words::detach&) {
  return contents::detach;
}
contents put_body(byte_writer& out, const words::acknowledge& m) {
  out.put(m.up_to.value());
  return contents::acknowledge;
}
contents put_body(byte_writer& out, const words::fence& m) {
  out.put(m.ticket);
  return contents::fence;
}
contents put_body(byte_writer& out, const words::attached& m) {
  put(out, m.failure);
  out.put(m.leader.value());
  out.put(static_cast<std::uint8_t>(m.resume));
  out.put(m.acknowledged.value());
  out.put(m.devices);
  return contents::attached;
}
contents put_body(byte_writer& out, const words::deliveries& m) {
  out.put(static_cast<std::uint32_t>(m.items.size()));
  const bool more = is_of_session(m);
  for (const auto& item : m.items) {
    TROUPE_ASSERT(item.message != nullptr, "a delivery of nothing");
    out.put(item.position.value());
    put(out, *item.message, more);
  }
  return contents::deliveries;
}
contents put_body(byte_writer& out, const words::devices& m) {
  out.put(m.count);
  return contents::devices;
}
contents put_body(byte_writer& out, const words::fence_passed& m) {
  out.put(m.ticket);
  return contents::fence_passed;
}
contents put_body(byte_writer& out, const words::stop& m) {
  put(out, m.reason);
  return contents::stop;
}
contents put_body(byte_writer&, const words::released&) {
  return contents::released;
}

std::size_t body_bytes(const words::any& what) {
  std::size_t size = 128;
  if (const auto* batch = std::get_if<words::deliveries>(&what))
    for (const auto& item : batch->items)
      size += 160 + item.message->payload.size() + item.message->meta.size();
  return size;
}

// ---------------------------------------------------------------------- read

class reader : public cluster::field_reader {
public:
  using field_reader::field_reader;

  core::timestamp take_time() {
    return core::from_millis(static_cast<std::int64_t>(take<std::uint64_t>()));
  }
  core::inbox_position take_position() {
    return core::inbox_position{take<std::uint64_t>()};
  }

  bool more = false; ///< the second version
};

core::message take_message(reader& in) {
  core::message m;
  m.id.millis = static_cast<std::int64_t>(in.take<std::uint64_t>());
  m.id.number = in.take<std::uint64_t>();
  m.kind = in.take_up_to(in.more ? core::message_kind::publication
                                 : core::message_kind::list_changed);
  m.realm = in.take_text();
  m.sender = in.take_text();
  m.created = in.take_time();
  if (const auto expires = in.take_maybe())
    m.expires = core::from_millis(static_cast<std::int64_t>(*expires));
  m.content_type = in.take_text();
  const auto headers = in.take_count(8);
  for (std::uint32_t i = 0; i < headers && in.ok(); ++i) {
    auto key = in.take_text();
    m.headers.emplace_back(std::move(key), in.take_text());
  }
  m.meta = in.take_bytes();
  m.payload = in.take_bytes();
  if (!in.more)
    return m;
  m.topic = in.take_text();
  m.qos = in.take_small(2);
  m.retain = in.take_flag();
  m.subscription_ids =
      in.take_list<std::uint32_t>(4, [&] { return in.take<std::uint32_t>(); });
  return m;
}

words::attach take_attach(reader& in) {
  words::attach m;
  m.reply_key = in.take<std::uint64_t>();
  m.session = in.take<std::uint64_t>();
  m.inbox.realm = in.take_text();
  m.inbox.kind = in.take_up_to(core::owner_kind::session);
  m.inbox.name = in.take_text();
  m.device = core::device_offset{in.take<std::uint8_t>()};
  if (const auto from = in.take<std::uint8_t>(); from != no_offset)
    m.inherit = core::device_offset{from};
  m.window = in.take<std::uint32_t>();
  if (const auto from = in.take_maybe())
    m.resume_from = core::inbox_position{*from};
  if (const auto acknowledged = in.take_maybe())
    m.returns = returning_session{core::inbox_position{*acknowledged}, {}};
  const auto in_hand = in.take_position();
  if (m.returns)
    m.returns->in_hand = in_hand;
  else
    in.require(in_hand == core::inbox_position{});
  if (in.more)
    m.epoch = in.take<std::uint64_t>();
  return m;
}

words::attached take_attached(reader& in) {
  words::attached m;
  m.failure = in.take_error();
  m.leader = core::node_id{in.take<std::uint32_t>()};
  m.resume = in.take_up_to(core::resume_outcome::gap);
  m.acknowledged = in.take_position();
  m.devices = in.take<std::uint32_t>();
  return m;
}

words::deliveries take_deliveries(reader& in) {
  words::deliveries m;
  // Position, message without a text or a byte.
  const auto count = in.take_count(8 + 58);
  m.items.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const auto position = in.take_position();
    m.items.push_back(
        {position, std::make_shared<const core::message>(take_message(in))});
  }
  return m;
}

core::result<words::any> take_body(contents what, reader& in) {
  switch (what) {
  case contents::attach:
    return words::any{take_attach(in)};
  case contents::detach:
    return words::any{words::detach{}};
  case contents::acknowledge:
    return words::any{words::acknowledge{in.take_position()}};
  case contents::fence:
    return words::any{words::fence{in.take<std::uint64_t>()}};
  case contents::attached:
    return words::any{take_attached(in)};
  case contents::deliveries:
    return words::any{take_deliveries(in)};
  case contents::devices:
    return words::any{words::devices{in.take<std::uint32_t>()}};
  case contents::fence_passed:
    return words::any{words::fence_passed{in.take<std::uint64_t>()}};
  case contents::stop:
    return words::any{words::stop{in.take_error()}};
  case contents::released:
    return words::any{words::released{}};
  }
  return malformed();
}

} // namespace

bool attachment_words::deliveries::operator==(const deliveries& other) const {
  return std::equal(items.begin(), items.end(), other.items.begin(),
                    other.items.end(), [](const auto& x, const auto& y) {
                      return x.position == y.position &&
                             *x.message == *y.message;
                    });
}

core::shared_bytes encode(std::uint64_t number,
                          const attachment_words::any& what) {
  byte_writer body{body_bytes(what)};
  const auto kind =
      std::visit([&](const auto& m) { return put_body(body, m); }, what);
  byte_writer head{head_bytes};
  const bool more =
      std::visit([](const auto& m) { return is_of_session(m); }, what);
  head.put(more ? version_of_sessions : version);
  head.put(static_cast<std::uint8_t>(kind));
  head.put(number);
  const auto front = head.view();
  const auto rest = body.view();
  const auto size = front.size() + rest.size();
  return core::shared_bytes::build(size + checksum_bytes, [&](std::byte* to) {
    std::copy(rest.begin(), rest.end(),
              std::copy(front.begin(), front.end(), to));
    const auto sum = core::crc32c({to, size});
    std::memcpy(to + size, &sum, sizeof sum);
  });
}

core::result<attachment_message>
decode_attachment(const core::shared_bytes& frame) {
  if (frame.size() < head_bytes + checksum_bytes)
    return malformed();
  const auto size = frame.size() - checksum_bytes;
  const auto all = frame.view().first(size);
  byte_reader tail{frame.view().subspan(size)};
  if (tail.take<std::uint32_t>() != core::crc32c(all))
    return core::error{core::errc::corrupt, "attachment frame"};
  byte_reader head{all};
  const auto format = head.take<std::uint8_t>();
  if (format > version_of_sessions)
    return core::error{core::errc::newer_format, "attachment frame"};
  const auto what = static_cast<contents>(head.take<std::uint8_t>());
  attachment_message message;
  message.attachment = head.take<std::uint64_t>();
  reader in{all.subspan(head_bytes), &frame};
  in.more = format == version_of_sessions;
  auto body = take_body(what, in);
  if (!body)
    return body.error();
  // Either version has what is its own, and nothing else has the second.
  if (format == 0 || message.attachment == 0 || !in.done() ||
      in.more !=
          std::visit([](const auto& m) { return is_of_session(m); }, *body))
    return malformed();
  message.what = std::move(*body);
  return message;
}

std::optional<std::uint64_t> attachment_of(core::bytes_view frame) {
  if (frame.size() < head_bytes + checksum_bytes)
    return std::nullopt;
  byte_reader in{frame.subspan(2)};
  return in.take<std::uint64_t>();
}

} // namespace troupe::actors
