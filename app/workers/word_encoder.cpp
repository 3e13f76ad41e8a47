// SPDX-License-Identifier: Apache-2.0
#include "app/workers/word_codec.hpp"
#include "app/workers/word_contents.hpp"
#include "app/workers/word_writer.hpp"
#include "core/assert.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::app::workers {
namespace {

void put(word_writer& out, const core::message& m) {
  out.put(static_cast<std::uint64_t>(m.id.millis));
  out.put(m.id.number);
  out.put(static_cast<std::uint8_t>(m.kind));
  out.put_text(m.realm);
  out.put_text(m.sender);
  out.put(static_cast<std::uint64_t>(core::to_millis(m.created)));
  std::optional<std::uint64_t> expires;
  if (m.expires)
    expires = static_cast<std::uint64_t>(core::to_millis(*m.expires));
  out.put_maybe(expires);
  out.put_text(m.content_type);
  out.put(static_cast<std::uint32_t>(m.headers.size()));
  for (const auto& [key, value] : m.headers) {
    out.put_text(key);
    out.put_text(value);
  }
  out.put_bytes(m.meta);
  out.put_bytes(m.payload);
}

void put(word_writer& out, const std::vector<std::string>& texts) {
  out.put(static_cast<std::uint32_t>(texts.size()));
  for (const auto& text : texts)
    out.put_text(text);
}

void put(word_writer& out, const core::outgoing_message& m) {
  std::optional<std::uint64_t> life;
  if (m.time_to_live)
    life = static_cast<std::uint64_t>(m.time_to_live->count());
  out.put_maybe(life);
  out.put_bytes(m.meta);
  out.put_bytes(m.payload);
}

void put(word_writer& out, const std::optional<std::string>& text) {
  out.put_flag(text.has_value());
  out.put_text(text ? std::string_view{*text} : std::string_view{});
}

void put(word_writer& out, const core::user_registered& e) {
  out.put(e.request);
  out.put_error(e.failure);
  put(out, e.aliases);
}
void put(word_writer& out, const core::device_added& e) {
  out.put(e.request);
  out.put_error(e.failure);
  out.put(e.offset ? e.offset->value() : no_offset);
}
void put(word_writer& out, const core::logged_in& e) {
  out.put(e.request);
  out.put_error(e.failure);
  out.put(static_cast<std::uint8_t>(e.resume));
  out.put(e.acknowledged.value());
  out.put(e.window);
}
void put(word_writer& out, const core::posted& e) {
  out.put(e.request);
  out.put_flag(e.accepted);
  out.put(static_cast<std::uint32_t>(e.failures.size()));
  for (const auto& failure : e.failures)
    out.put_error(failure);
  const auto id = e.id.value_or(core::message_id{});
  out.put_flag(e.id.has_value());
  out.put(static_cast<std::uint64_t>(id.millis));
  out.put(id.number);
}
void put(word_writer& out, const core::list_edited& e) {
  out.put(e.request);
  out.put_error(e.failure);
}
void put(word_writer& out, const core::delivery& e) {
  TROUPE_ASSERT(e.message != nullptr, "a delivery of nothing");
  out.put(e.position.value());
  put(out, *e.message);
}
void put(word_writer& out, const core::session_ended& e) {
  out.put_error(e.reason);
}

void put(word_writer& out, const core::register_user& c) {
  out.put(c.request);
  out.put_text(c.uid);
  out.put_text(c.device);
  put(out, c.aliases);
}
void put(word_writer& out, const core::change_aliases& c) {
  out.put(c.request);
  out.put_text(c.uid);
  put(out, c.aliases);
}
void put(word_writer& out, const core::add_device& c) {
  out.put(c.request);
  out.put_text(c.uid);
  out.put_text(c.device);
  out.put_text(c.previous_device);
}
void put(word_writer& out, const core::login& c) {
  out.put(c.request);
  out.put_text(c.uid);
  out.put_text(c.device);
  out.put(c.window);
  std::optional<std::uint64_t> from;
  if (c.resume_from)
    from = c.resume_from->value();
  out.put_maybe(from);
}
void put(word_writer& out, const core::post& c) {
  out.put(c.request);
  out.put(static_cast<std::uint32_t>(c.to.size()));
  for (const auto& to : c.to) {
    out.put_text(to.name);
    out.put(static_cast<std::uint8_t>(to.kind));
  }
  put(out, c.message);
  out.put_flag(c.copy_to_own_devices);
  put(out, c.deduplication_id);
}
void put(word_writer& out, const core::post_to_alias& c) {
  out.put(c.request);
  out.put_text(c.alias);
  put(out, c.message);
  out.put_flag(c.copy_to_own_devices);
  put(out, c.deduplication_id);
}
void put(word_writer& out, const core::edit_list& c) {
  out.put(c.request);
  out.put_text(c.list);
  out.put(static_cast<std::uint8_t>(c.kind));
  out.put_text(c.member);
  put(out, c.invitation);
}
void put(word_writer& out, const core::acknowledge& c) {
  out.put(c.up_to.value());
}
void put(word_writer&, const core::close_session&) {}

template <class Variant>
void put_choice(word_writer& out, const Variant& what) {
  out.put(static_cast<std::uint8_t>(what.index()));
  std::visit([&](const auto& each) { put(out, each); }, what);
}

void put(word_writer& out, const words::beat&) { put(out, contents::beat); }
void put(word_writer& out, const words::configure& w) {
  put(out, contents::configure);
  out.put(w.version);
  out.put(w.worker);
  out.put(static_cast<std::uint32_t>(w.settings.size()));
  for (const auto& [name, value] : w.settings) {
    out.put_text(name);
    out.put_text(value);
  }
  out.put(static_cast<std::uint8_t>(w.doors.size()));
  for (const auto door : w.doors)
    out.put(static_cast<std::uint8_t>(door));
}
void put(word_writer& out, const words::event& w) {
  put(out, contents::event);
  out.put(w.client);
  put_choice(out, w.what);
}
void put(word_writer& out, const words::refused& w) {
  put(out, contents::refused);
  out.put(w.client);
  out.put(static_cast<std::uint8_t>(w.reason));
}
void put(word_writer& out, const words::reload&) { put(out, contents::reload); }
void put(word_writer& out, const words::drain&) { put(out, contents::drain); }
void put(word_writer& out, const words::stop&) { put(out, contents::stop); }
void put(word_writer& out, const words::ready& w) {
  put(out, contents::ready);
  out.put(w.version);
}
void put(word_writer& out, const words::counts& w) {
  put(out, contents::counts);
  const auto& t = w.totals;
  for (const auto number :
       {t.accepted, t.open, t.bytes_in, t.bytes_out, t.protocol_closes,
        t.protocol_errors, t.tls_handshakes, t.tls_failures, t.socket_errors,
        t.dropped_slow})
    out.put(number);
  for (const auto number : t.refused)
    out.put(number);
  out.put(static_cast<std::uint32_t>(t.open_by_protocol.size()));
  for (const auto& [name, count] : t.open_by_protocol) {
    out.put_text(name);
    out.put(count);
  }
  const auto& c = w.channels;
  for (const auto number :
       {c.delivered, c.delivered_bytes, c.filtered, c.dropped_backlog,
        c.replayed, c.events, c.events_bytes, c.echoed, c.ignored,
        c.dropped_slow, c.refused_login})
    out.put(number);
}
void put(word_writer& out, const words::opened& w) {
  put(out, contents::opened);
  out.put(w.client);
  out.put_text(w.peer);
  out.put_text(w.local);
}
void put(word_writer& out, const words::speaks& w) {
  put(out, contents::speaks);
  out.put(w.client);
  out.put_text(w.protocol);
  out.put_flag(w.tls);
  out.put_text(w.certificate);
}
void put(word_writer& out, const words::commands& w) {
  put(out, contents::commands);
  out.put(w.client);
  out.put(static_cast<std::uint32_t>(w.items.size()));
  for (const auto& item : w.items)
    put_choice(out, item);
}
void put(word_writer& out, const words::closed& w) {
  put(out, contents::closed);
  out.put(w.client);
  out.put(w.bytes_in);
  out.put(w.bytes_out);
}

std::size_t weight_of(const core::outgoing_message& m) {
  return m.meta.size() + m.payload.size();
}

std::size_t weight_of(const core::session_command& c) {
  constexpr std::size_t plain = 96;
  if (const auto* post = std::get_if<core::post>(&c))
    return plain + weight_of(post->message) + post->to.size() * 32;
  if (const auto* ping = std::get_if<core::post_to_alias>(&c))
    return plain + weight_of(ping->message);
  if (const auto* edit = std::get_if<core::edit_list>(&c))
    return plain + weight_of(edit->invitation);
  return plain;
}

} // namespace

void encode(const word& what, net::output_queue& out) {
  word_writer frame;
  std::visit([&](const auto& w) { put(frame, w); }, what);
  frame.append_to(out);
}

std::size_t weight(const word& what) {
  constexpr std::size_t plain = 128;
  if (const auto* e = std::get_if<words::event>(&what)) {
    const auto* delivery = std::get_if<core::delivery>(&e->what);
    return delivery == nullptr ? plain
                               : plain + core::weight(*delivery->message);
  }
  auto sum = plain + weight_of_seat_word(what);
  if (const auto* c = std::get_if<words::commands>(&what))
    for (const auto& item : c->items)
      sum += weight_of(item);
  return sum;
}

} // namespace troupe::app::workers
