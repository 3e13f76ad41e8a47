// SPDX-License-Identifier: Apache-2.0
#include "app/workers/word_writer.hpp"
#include "core/assert.hpp"

#include <string>
#include <variant>

namespace troupe::app::workers {
namespace {

void put(word_writer& out, const core::publication& p) {
  out.put(p.node.value());
  out.put(p.publisher);
  out.put(p.number);
  out.put_text(p.topic.text());
  out.put_text(p.sender);
  out.put_text(p.content_type);
  out.put(static_cast<std::uint32_t>(p.headers.size()));
  for (const auto& [key, value] : p.headers) {
    out.put_text(key);
    out.put_text(value);
  }
  out.put_bytes(p.payload);
}

void put(word_writer& out, const core::publication_ptr& what) {
  TROUPE_ASSERT(what != nullptr, "a publication of nothing");
  put(out, *what);
}

/// A word begins with one of them, as it does with a client.
void put(word_writer& out, const std::vector<seat_number>& seats) {
  out.put(static_cast<std::uint64_t>(seats.size()));
  for (const auto seat : seats)
    out.put(seat);
}

} // namespace

void put(word_writer& out, const words::bus_wish& w) {
  put(out, contents::bus_wish);
  out.put(w.client);
  out.put(w.seat);
  put_enum(out, w.what.what);
  out.put_text(w.what.authorization);
  out.put_text(w.what.channel);
  out.put_text(w.what.type);
  out.put_flag(w.what.poll);
  const auto since = w.what.since.value_or(net::msgbus::message_mark{});
  out.put_flag(w.what.since.has_value());
  out.put(since.node);
  out.put(since.number);
  out.put_text(w.what.filters);
  out.put_bytes(w.what.body);
}

void put(word_writer& out, const words::knock& w) {
  put(out, contents::knock);
  out.put(w.client);
  out.put(w.seat);
  out.put_text(w.who.bearer);
  put_enum(out, w.who.how);
}

void put(word_writer& out, const words::request& w) {
  put(out, contents::request);
  out.put(w.seat);
  put_enum(out, w.what.what);
  out.put_text(w.what.channel);
  out.put_text(w.what.token);
  out.put_text(w.what.data);
}

void put(word_writer& out, const words::seat_left& w) {
  put(out, contents::seat_left);
  out.put(w.seat);
  out.put_text(w.why);
}

void put(word_writer& out, const words::bus_ruling& w) {
  put(out, contents::bus_ruling);
  out.put(w.seat);
  put_enum(out, w.what);
  out.put_text(w.sender);
  out.put_flag(w.seated);
  out.put(static_cast<std::uint32_t>(w.past.size()));
  for (const auto& each : w.past)
    put(out, each);
}

void put(word_writer& out, const words::welcome& w) {
  put(out, contents::welcome);
  out.put(w.seat);
  put_enum(out, w.what);
  put_enum(out, w.why);
  out.put_text(w.uid);
}

void put(word_writer& out, const words::answer& w) {
  put(out, contents::answer);
  out.put(w.seat);
  put_enum(out, w.what.what);
  out.put_text(w.what.channel);
  out.put_text(w.what.from);
  out.put_text(w.what.data);
  out.put(w.what.count);
  out.put(w.what.missing);
  out.put(static_cast<std::uint32_t>(w.what.errors.size()));
  for (const auto& each : w.what.errors)
    out.put_text(each);
}

void put(word_writer& out, const words::published& w) {
  put(out, contents::published);
  put(out, w.seats);
  put(out, w.what);
}

void put(word_writer& out, const words::channel_event& w) {
  put(out, contents::channel_event);
  put(out, w.seats);
  out.put_text(w.channel);
  put(out, w.what);
}

void put(word_writer& out, const words::seat_over& w) {
  put(out, contents::seat_over);
  out.put(w.seat);
  out.put(w.code);
  out.put_text(w.why);
}

std::size_t weight_of_seat_word(const word& what) {
  if (const auto* w = std::get_if<words::bus_wish>(&what))
    return w->what.body.size() + w->what.channel.size() +
           w->what.authorization.size();
  if (const auto* w = std::get_if<words::request>(&what))
    return w->what.data.size() + w->what.channel.size();
  if (const auto* w = std::get_if<words::published>(&what))
    return core::weight(*w->what) + w->seats.size() * sizeof(seat_number);
  if (const auto* w = std::get_if<words::channel_event>(&what))
    return core::weight(*w->what) + w->seats.size() * sizeof(seat_number);
  std::size_t sum = 0;
  if (const auto* w = std::get_if<words::bus_ruling>(&what))
    for (const auto& each : w->past)
      sum += core::weight(*each);
  return sum;
}

} // namespace troupe::app::workers
