// SPDX-License-Identifier: Apache-2.0
#include "app/workers/word_reader.hpp"

#include <memory>
#include <utility>

namespace troupe::app::workers {
namespace {

using ruled = net::msgbus::ruling::kind;
using welcomed = net::zenconn::welcome::kind;

core::publication_ptr take_publication(word_reader& in) {
  auto p = std::make_shared<core::publication>();
  p->node = core::node_id{in.take<core::node_id::rep>()};
  p->publisher = in.take<std::uint64_t>();
  p->number = in.take<std::uint64_t>();
  auto topic = core::topic::parse(in.take_text());
  in.require(bool{topic});
  if (topic)
    p->topic = std::move(*topic);
  p->sender = in.take_text();
  p->content_type = in.take_text();
  const auto headers = in.take_count(8);
  for (std::uint32_t i = 0; i < headers && in.ok(); ++i) {
    auto key = in.take_text();
    p->headers.emplace_back(std::move(key), in.take_text());
  }
  p->payload = in.take_bytes();
  return p;
}

std::vector<seat_number> take_seats(std::uint64_t count, word_reader& in) {
  std::vector<seat_number> seats;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i)
    seats.push_back(in.take<seat_number>());
  return seats;
}

word take_wish(client_number client, word_reader& in) {
  words::bus_wish w;
  w.client = client;
  w.seat = in.take<seat_number>();
  w.what.what = in.take_up_to(net::msgbus::deed::other);
  w.what.authorization = in.take_text();
  w.what.channel = in.take_text();
  w.what.type = in.take_text();
  w.what.poll = in.take_flag();
  const bool since = in.take_flag();
  net::msgbus::message_mark mark;
  mark.node = in.take<std::uint32_t>();
  mark.number = in.take<std::uint64_t>();
  in.require(since || mark == net::msgbus::message_mark{});
  if (since)
    w.what.since = mark;
  w.what.filters = in.take_text();
  w.what.body = in.take_bytes();
  return w;
}

word take_knock(client_number client, word_reader& in) {
  words::knock w;
  w.client = client;
  w.seat = in.take<seat_number>();
  w.who.bearer = in.take_text();
  w.who.how = in.take_up_to(net::zenconn::spelling::binary);
  return w;
}

word take_request(seat_number seat, word_reader& in) {
  words::request w;
  w.seat = seat;
  w.what.what = in.take_up_to(net::zenconn::request::kind::broadcast);
  w.what.channel = in.take_text();
  w.what.token = in.take_text();
  w.what.data = in.take_text();
  return w;
}

word take_ruling(seat_number seat, word_reader& in) {
  words::bus_ruling w;
  w.seat = seat;
  w.what = in.take_up_to(ruled::busy);
  w.sender = in.take_text();
  w.seated = in.take_flag();
  const auto count = in.take_count(36);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i)
    w.past.push_back(take_publication(in));
  return w;
}

word take_answer(seat_number seat, word_reader& in) {
  words::answer w;
  w.seat = seat;
  w.what.what = in.take_up_to(net::zenconn::answer::kind::error);
  w.what.channel = in.take_text();
  w.what.from = in.take_text();
  w.what.data = in.take_text();
  w.what.count = in.take<std::uint64_t>();
  w.what.missing = in.take<std::uint32_t>();
  w.what.errors = in.take_texts();
  return w;
}

} // namespace

core::result<word> take_seat_word(contents what, std::uint64_t number,
                                  word_reader& in) {
  switch (what) {
  case contents::bus_wish:
    return take_wish(number, in);
  case contents::knock:
    return take_knock(number, in);
  case contents::request:
    return take_request(number, in);
  case contents::seat_left:
    return word{words::seat_left{number, in.take_text()}};
  case contents::bus_ruling:
    return take_ruling(number, in);
  case contents::welcome: {
    const auto kind = in.take_up_to(welcomed::no_record);
    const auto why = in.take_up_to(core::deny_reason::busy);
    return word{words::welcome{number, kind, why, in.take_text()}};
  }
  case contents::answer:
    return take_answer(number, in);
  case contents::published: {
    words::published w;
    w.seats = take_seats(number, in);
    w.what = take_publication(in);
    return word{std::move(w)};
  }
  case contents::channel_event: {
    words::channel_event w;
    w.seats = take_seats(number, in);
    w.channel = in.take_text();
    w.what = take_publication(in);
    return word{std::move(w)};
  }
  case contents::seat_over: {
    const auto code = in.take<std::uint16_t>();
    return word{words::seat_over{number, code, in.take_text()}};
  }
  default:
    return malformed();
  }
}

} // namespace troupe::app::workers
