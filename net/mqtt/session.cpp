// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/session.hpp"

#include "net/mqtt/crossing.hpp"
#include "net/mqtt/decoder.hpp"
#include "net/mqtt/packet_text.hpp"
#include "net/mqtt/publish_cache.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace troupe::net::mqtt {

namespace {

publish_terms terms_of(const delivery& what) {
  publish_terms terms;
  terms.level = what.level;
  terms.retain = what.retain;
  terms.duplicate = what.duplicate;
  terms.id = what.id;
  if (what.alias != 0)
    terms.topic_alias = what.alias;
  terms.topic_known = what.alias_known;
  terms.subscription_ids = what.subscription_ids;
  return terms;
}

} // namespace

session::session(house& of, protocol_host& host, carrier by,
                 std::optional<denial_policy> denied)
    : house_(of), host_(host),
      endpoint_(by == carrier::websocket
                    ? std::make_unique<ws::endpoint>(ws::role::server)
                    : nullptr),
      gate_(of.options(), of.stats(), *this, denied) {}

session::~session() {
  gate_.on_closed();
  left();
}

// ------------------------------------------------------------------- protocol

void session::on_open(core::steady_time now, effects& out) {
  const scope here{*this, out};
  gate_.on_open(now);
}

std::size_t session::on_bytes(const input& in, core::steady_time now,
                              effects& out) {
  const scope here{*this, out};
  gate_.on_heard(now);
  frame_bytes_ = 0;
  const auto used =
      endpoint_ ? read_messages(in, now, out) : read_packets(in, now);
  go_on_with_retained();
  return gate_.closed() ? in.bytes.size() : used;
}

std::size_t session::read_packets(const input& in, core::steady_time now) {
  std::size_t used = 0;
  while (!paused() && !gate_.closed()) {
    const auto next =
        decode_frame(in.bytes.subspan(used), house_.options().packet_bytes_max,
                     gate_.speaking());
    switch (next.what) {
    case frame::status::need_more:
      frame_bytes_ = next.bytes;
      return used;
    case frame::status::violation:
      gate_.on_violation(next.broken, std::nullopt);
      return used;
    case frame::status::packet:
      break;
    }
    decode_options how;
    how.speaking = gate_.speaking();
    how.owner = in.owner;
    const auto read = decode(next, how);
    tell_trace(trace_way::received, [&] {
      return read ? describe(read.value)
                  : "no packet: " + std::string{to_string(read.broken)};
    });
    if (read)
      gate_.on_packet(read.value, now);
    else
      gate_.on_violation(read.broken, next.type == packet_type::connect
                                          ? version_of(next)
                                          : std::nullopt);
    used += next.bytes;
  }
  return used;
}

std::size_t session::read_messages(const input& in, core::steady_time now,
                                   effects& out) {
  std::size_t used = 0;
  while (!paused() && !gate_.closed()) {
    const auto next = endpoint_->read(in.bytes.subspan(used),
                                      house_.options().packet_bytes_max,
                                      out.output, in.owner);
    switch (next.what) {
    case ws::event::kind::need_more:
      frame_bytes_ = next.bytes;
      return used;
    case ws::event::kind::progress:
    case ws::event::kind::pong:
      break;
    case ws::event::kind::message:
      if (next.text) { // [MQTT-6.0.0-1]
        endpoint_->send_close(ws::close_code::unsupported_data,
                              "MQTT is binary", out.output);
        gate_.on_closed();
        left();
        out.close = "a text message";
        return in.bytes.size();
      }
      read_message(next.payload, now);
      break;
    case ws::event::kind::closed:
    case ws::event::kind::violation:
      endpoint_->send_close(next.code == ws::close_code::no_status
                                ? ws::close_code::normal
                                : next.code,
                            {}, out.output);
      gate_.on_closed();
      left();
      out.close = next.what == ws::event::kind::closed ? "the client closed"
                                                       : next.reason;
      return in.bytes.size();
    }
    used += next.bytes;
  }
  return used;
}

/// [MQTT-6.0.0-2]: packets may begin and end anywhere in messages.
void session::read_message(const core::shared_bytes& payload,
                           core::steady_time now) {
  if (!rest_.empty()) {
    rest_ += payload.text();
    return read_rest(now);
  }
  const auto used = read_packets({payload.view(), &payload}, now);
  frame_bytes_ = 0;
  if (!gate_.closed())
    rest_ = payload.text().substr(used);
}

void session::read_rest(core::steady_time now) {
  if (rest_.empty() || gate_.closed())
    return;
  const auto used = read_packets({core::as_bytes(rest_)}, now);
  frame_bytes_ = 0;
  rest_.erase(0, used);
  if (rest_.empty())
    std::string{}.swap(rest_);
}

void session::on_event(core::session_event event, core::steady_time,
                       effects& out) {
  const auto* ended = std::get_if<core::session_ended>(&event);
  if (ended == nullptr)
    return;
  const scope here{*this, out};
  const auto why = ended->reason.code;
  gate_.on_farewell(why == core::errc::draining        ? farewell::draining
                    : why == core::errc::not_permitted ? farewell::kicked
                    : house_.moved()                   ? farewell::moved
                                     : farewell::shutting_down);
}

void session::on_flushed(core::steady_time, effects& out) {
  const scope here{*this, out};
  gate_.on_room();
  go_on_with_retained();
}

void session::on_tick(core::steady_time now, effects& out) {
  const scope here{*this, out};
  if (expires_ && now >= *expires_) {
    expires_ = now + core::milliseconds{500}; // by the other clock it is not
    gate_.on_rights_changed();
  }
  if (line_is_full())
    gate_.on_heard(now); // nobody listens, so silence says nothing
  if (feed_)
    feed_->on_tick(now);
  const bool was_coming = !gate_.open() && !gate_.closed();
  gate_.on_tick(now);
  if (was_coming && gate_.closed())
    out.refused = refusal::opening_timeout;
}

std::optional<core::steady_time> session::deadline() const {
  if (gate_.closed())
    return std::nullopt;
  auto soonest = gate_.deadline();
  for (const auto& other : {expires_, feed_ ? feed_->deadline() : std::nullopt})
    if (other && (!soonest || *other < *soonest))
      soonest = other;
  return soonest;
}

void session::on_closed(effects&) {
  gate_.on_closed();
  left();
}

/// Work that was not asked for by the connection.
void session::run(const std::function<void()>& work) {
  // Last: the connection, and this with it, may end on the way.
  host_.run([&](effects& out) {
    const scope here{*this, out};
    work();
    read_rest(house_.with().clock.now());
  });
}

// ------------------------------------------------------------------ messages

void session::on_publication(const core::publication_ptr& what) {
  host_.run([&](effects& out) {
    const scope here{*this, out};
    gate_.on_publication(what);
    note_value(*what);
  });
}

/// Not by the cache: it belongs to what is published.
bool session::fits(const delivery& what) {
  return outgoing_publish{name_of(what.what->topic), properties_of(*what.what),
                          what.what->payload}
      .fits(gate_.speaking(), terms_of(what), gate_.packet_bytes_max());
}

void session::foretell(const core::publication_ptr& what, core::fate_list& to) {
  const auto filter = core::topic_filter::parse(to.at().filter);
  if (!filter)
    return;
  core::listener_fate one;
  one.door = name();
  one.session = host_.info().id.value();
  one.client = gate_.client_id();
  if (rights_)
    one.uid = rights_->who().uid;
  host_.run([&](effects& out) {
    const scope here{*this, out};
    if (gate_.foretell(what, *filter, to.at().share, one))
      to.add(std::move(one));
  });
}

delivered session::send(const delivery& what) {
  const auto outcome = send_publication(what);
  tell_trace(outcome == delivered::sent ? trace_way::sent : trace_way::event,
             [&] {
               return (outcome == delivered::sent ? "" : "too large: ") +
                      describe(what);
             });
  return outcome;
}

delivered session::send_publication(const delivery& what) {
  /// A larger one is not kept for the next one.
  constexpr std::size_t kept_bytes_max = 64 * 1024;
  if (what.age) {
    auto properties = properties_of(*what.what);
    if (properties.expiry)
      *properties.expiry -= std::min(*what.age, *properties.expiry);
    outgoing_publish own{name_of(what.what->topic), properties,
                         what.what->payload};
    return send(own, what);
  }
  auto& cache = publish_cache::here();
  const auto before = cache.encoded();
  auto& shared = cache.get(what.what);
  if (cache.encoded() != before && cache.size() > kept_bytes_max)
    house_.with().topics.later([] { publish_cache::here().clear(); });
  return send(shared, what);
}

delivered session::send(outgoing_publish& made, const delivery& what) {
  const auto terms = terms_of(what);
  const auto most = gate_.packet_bytes_max();
  if (!endpoint_) {
    const auto before = out_->output.size();
    if (made.append_to(out_->output, gate_.speaking(), terms, most) !=
        encode_status::whole)
      return delivered::too_large;
    count(house_.stats().sent_bytes, out_->output.size() - before);
    return delivered::sent;
  }
  const auto pieces = made.pieces(gate_.speaking(), terms, most);
  if (!pieces)
    return delivered::too_large;
  count(house_.stats().sent_bytes, (*pieces)[0].size() + (*pieces)[1].size());
  write(*pieces);
  return delivered::sent;
}

void session::write(const encoded_packet& what) {
  if (!endpoint_)
    return what.append_to(out_->output);
  const auto pieces = what.pieces();
  write(pieces);
}

void session::write(std::span<const core::shared_bytes> pieces) {
  endpoint_->send(ws::opcode::binary, pieces, out_->output);
}

void session::send(const any_packet& what) {
  tell_trace(trace_way::sent, [&] { return describe(what); });
  const auto type = type_of(what);
  const bool is_answer =
      type == packet_type::puback || type == packet_type::pubrec ||
      type == packet_type::suback || type == packet_type::unsuback;
  if (is_answer && (!held_.empty() || !house_.audit().is_kept(noted_)))
    return hold_back(what);
  encoded_packet encoded;
  const auto status =
      encode(encoded, what, gate_.speaking(), gate_.packet_bytes_max());
  if (status == encode_status::whole || status == encode_status::shortened)
    write(encoded);
}

std::size_t session::backlog() const { return out_->output.size(); }

void session::close(std::string_view why, bool at_once) {
  tell_trace(trace_way::event,
             [&] { return "the node ends it: " + std::string{why}; });
  if (endpoint_ && !at_once)
    endpoint_->send_close(ws::close_code::normal, {}, out_->output);
  out_->close = std::string{why};
  out_->abort = at_once;
  left();
}

/// Gives back what was held.
void session::left() {
  heard_.clear();
  rights_hold_ = {};
  dialogue_.reset();
  expires_.reset();
  held_.clear();
  rest_ = {};
  if (feed_)
    feed_->stop();
  commands_.clear();
  numbering_.clear();
  if (const auto port = std::exchange(port_, nullptr))
    port->close(false); // it has not got as far as to leave
  if (std::exchange(entered_, false)) {
    tell_trace(trace_way::event, [] { return std::string{"is gone"}; });
    trace_.reset();
    note(core::audit_kind::logout, {}, gate_.client_id());
    house_.leave(gate_.client_id(), host_.info().id.value());
  }
}

} // namespace troupe::net::mqtt
