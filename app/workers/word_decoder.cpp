// SPDX-License-Identifier: Apache-2.0
#include "app/workers/word_codec.hpp"
#include "app/workers/word_contents.hpp"
#include "app/workers/word_reader.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::app::workers {
namespace {

using reader = word_reader;

void take(reader& in, core::message& m) {
  m.id.millis = static_cast<std::int64_t>(in.take<std::uint64_t>());
  m.id.number = in.take<std::uint64_t>();
  m.kind = in.take_up_to(core::message_kind::list_changed);
  m.realm = in.take_text();
  m.sender = in.take_text();
  m.created =
      core::from_millis(static_cast<std::int64_t>(in.take<std::uint64_t>()));
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
}

void take(reader& in, core::outgoing_message& m) {
  if (const auto life = in.take_maybe())
    m.time_to_live = core::milliseconds{static_cast<std::int64_t>(*life)};
  m.meta = in.take_bytes();
  m.payload = in.take_bytes();
}

void take(reader& in, core::user_registered& e) {
  e.request = in.take<core::request_number>();
  e.failure = in.take_error();
  e.aliases = in.take_texts();
}
void take(reader& in, core::device_added& e) {
  e.request = in.take<core::request_number>();
  e.failure = in.take_error();
  if (const auto offset = in.take<std::uint8_t>(); offset != no_offset)
    e.offset = core::device_offset{offset};
}
void take(reader& in, core::logged_in& e) {
  e.request = in.take<core::request_number>();
  e.failure = in.take_error();
  e.resume = in.take_up_to(core::resume_outcome::gap);
  e.acknowledged = core::inbox_position{in.take<std::uint64_t>()};
  e.window = in.take<std::uint32_t>();
}
void take(reader& in, core::posted& e) {
  e.request = in.take<core::request_number>();
  e.accepted = in.take_flag();
  const auto count = in.take_count(6);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i)
    e.failures.push_back(in.take_error());
  const bool has_id = in.take_flag();
  core::message_id id;
  id.millis = static_cast<std::int64_t>(in.take<std::uint64_t>());
  id.number = in.take<std::uint64_t>();
  if (has_id)
    e.id = id;
}
void take(reader& in, core::list_edited& e) {
  e.request = in.take<core::request_number>();
  e.failure = in.take_error();
}
void take(reader& in, core::delivery& e) {
  e.position = core::inbox_position{in.take<std::uint64_t>()};
  auto message = std::make_shared<core::message>();
  take(in, *message);
  e.message = std::move(message);
}
void take(reader& in, core::session_ended& e) { e.reason = in.take_error(); }

void take(reader& in, core::register_user& c) {
  c.request = in.take<core::request_number>();
  c.uid = in.take_text();
  c.device = in.take_text();
  c.aliases = in.take_texts();
}
void take(reader& in, core::change_aliases& c) {
  c.request = in.take<core::request_number>();
  c.uid = in.take_text();
  c.aliases = in.take_texts();
}
void take(reader& in, core::add_device& c) {
  c.request = in.take<core::request_number>();
  c.uid = in.take_text();
  c.device = in.take_text();
  c.previous_device = in.take_text();
}
void take(reader& in, core::login& c) {
  c.request = in.take<core::request_number>();
  c.uid = in.take_text();
  c.device = in.take_text();
  c.window = in.take<std::uint32_t>();
  if (const auto from = in.take_maybe())
    c.resume_from = core::inbox_position{*from};
}
void take(reader& in, core::post& c) {
  c.request = in.take<core::request_number>();
  const auto count = in.take_count(5);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    auto name = in.take_text();
    c.to.push_back({std::move(name),
                    in.take_up_to(core::recipient_kind::list_with_sender)});
  }
  take(in, c.message);
  c.copy_to_own_devices = in.take_flag();
  c.deduplication_id = in.take_maybe_text();
}
void take(reader& in, core::post_to_alias& c) {
  c.request = in.take<core::request_number>();
  c.alias = in.take_text();
  take(in, c.message);
  c.copy_to_own_devices = in.take_flag();
  c.deduplication_id = in.take_maybe_text();
}
void take(reader& in, core::edit_list& c) {
  c.request = in.take<core::request_number>();
  c.list = in.take_text();
  c.kind = in.take_up_to(core::list_edit_kind::remove);
  c.member = in.take_text();
  take(in, c.invitation);
}
void take(reader& in, core::acknowledge& c) {
  c.up_to = core::inbox_position{in.take<std::uint64_t>()};
}
void take(reader&, core::close_session&) {}

/// The numbers of a variant's alternatives are those of the format.
template <class Variant, std::size_t I = 0>
bool take_choice(reader& in, std::size_t index, Variant& out) {
  if constexpr (I < std::variant_size_v<Variant>) {
    if (index != I)
      return take_choice<Variant, I + 1>(in, index, out);
    std::variant_alternative_t<I, Variant> value{};
    take(in, value);
    out = std::move(value);
    return in.ok();
  }
  return false;
}

void take(reader& in, words::configure& w) {
  w.version = in.take<std::uint16_t>();
  w.worker = in.take<std::uint32_t>();
  const auto rows = in.take_count(8);
  for (std::uint32_t i = 0; i < rows && in.ok(); ++i) {
    auto name = in.take_text();
    w.settings.emplace_back(std::move(name), in.take_text());
  }
  const auto doors = in.take<std::uint8_t>();
  for (std::uint8_t i = 0; i < doors && in.ok(); ++i)
    w.doors.push_back(in.take_between(door_kind::all, door_kind::channels));
}

void take(reader& in, words::counts& w) {
  auto& t = w.totals;
  for (auto* number :
       {&t.accepted, &t.open, &t.bytes_in, &t.bytes_out, &t.protocol_closes,
        &t.protocol_errors, &t.tls_handshakes, &t.tls_failures,
        &t.socket_errors, &t.dropped_slow})
    *number = in.take<std::uint64_t>();
  for (auto& number : t.refused)
    number = in.take<std::uint64_t>();
  const auto count = in.take_count(12);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    auto name = in.take_text();
    t.open_by_protocol[std::move(name)] = in.take<std::uint64_t>();
  }
  auto& c = w.channels;
  for (auto* number :
       {&c.delivered, &c.delivered_bytes, &c.filtered, &c.dropped_backlog,
        &c.replayed, &c.events, &c.events_bytes, &c.echoed, &c.ignored,
        &c.dropped_slow, &c.refused_login})
    *number = in.take<std::uint64_t>();
}

template <class Choice>
bool take_choice_of(reader& in, Choice& what) {
  const auto index = in.take<std::uint8_t>();
  return take_choice(in, index, what);
}

core::result<word> take_client_word(contents what, reader& in) {
  const auto client = in.take<std::uint64_t>();
  switch (what) {
  case contents::event: {
    words::event w;
    w.client = client;
    if (!take_choice_of(in, w.what))
      return malformed();
    return word{std::move(w)};
  }
  case contents::refused: {
    const auto reason = in.take_up_to(net::last_refusal);
    return word{words::refused{client, reason}};
  }
  case contents::opened: {
    auto peer = in.take_text();
    return word{words::opened{client, std::move(peer), in.take_text()}};
  }
  case contents::speaks: {
    auto protocol = in.take_text();
    const bool tls = in.take_flag();
    return word{
        words::speaks{client, std::move(protocol), tls, in.take_text()}};
  }
  case contents::commands: {
    words::commands w;
    w.client = client;
    const auto count = in.take_count(1);
    for (std::uint32_t i = 0; i < count; ++i) {
      core::session_command item;
      if (!take_choice_of(in, item))
        return malformed();
      w.items.push_back(std::move(item));
    }
    return word{std::move(w)};
  }
  case contents::closed: {
    const auto bytes_in = in.take<std::uint64_t>();
    return word{words::closed{client, bytes_in, in.take<std::uint64_t>()}};
  }
  default:
    return take_seat_word(what, client, in);
  }
}

core::result<word> take_word(contents what, reader& in) {
  switch (what) {
  case contents::beat:
    return word{words::beat{}};
  case contents::configure: {
    words::configure w;
    take(in, w);
    return word{std::move(w)};
  }
  case contents::reload:
    return word{words::reload{}};
  case contents::drain:
    return word{words::drain{}};
  case contents::stop:
    return word{words::stop{}};
  case contents::ready:
    return word{words::ready{in.take<std::uint16_t>()}};
  case contents::counts: {
    words::counts w;
    take(in, w);
    return word{std::move(w)};
  }
  default:
    return take_client_word(what, in);
  }
}

} // namespace

core::result<word> decode(core::bytes_view frame,
                          const core::shared_bytes* owner) {
  reader in{frame, owner};
  const auto what = static_cast<contents>(in.take<std::uint8_t>());
  auto taken = take_word(what, in);
  if (!taken)
    return taken.error();
  if (!in.done())
    return malformed();
  return taken;
}

} // namespace troupe::app::workers
