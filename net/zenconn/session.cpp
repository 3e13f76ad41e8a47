// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/session.hpp"

#include "net/zenconn/binary_codec.hpp"
#include "net/zenconn/event.hpp"
#include "net/zenconn/json_codec.hpp"

#include <array>
#include <utility>
#include <variant>

namespace troupe::net::zenconn {

/// Where the gate's answers go, for the length of a call.
class session::scope {
public:
  scope(session& of, effects& out) : of_(of) { of_.out_ = &out; }
  ~scope() { of_.out_ = nullptr; }
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

private:
  session& of_;
};

session::session(floor& at, protocol_host& host, session_terms terms)
    : member(host.info().id.value(), terms.id), floor_(at), host_(host),
      terms_(std::move(terms)), options_(at.owner().options()),
      stats_(at.owner().stats()), endpoint_(ws::role::server),
      gate_(options_, stats_, *this) {}

session::~session() { end("the connection ended"); }

// ------------------------------------------------------------------- protocol

void session::on_open(core::steady_time now, effects& out) {
  const scope here{*this, out};
  heard_ = now;
  if (!floor_.enter(*this))
    return close(ws::close_code::internal_error, "no room", out);
  open_ = true;
  epoch_ = terms_.powers->epoch();
  answer welcome;
  welcome.from = id();
  send(welcome);
}

std::size_t session::on_bytes(const input& in, core::steady_time now,
                              effects& out) {
  const scope here{*this, out};
  heard_ = now;
  pinged_ = false;
  frame_bytes_ = 0;
  std::size_t used = 0;
  while (open_ && !gate_.paused()) {
    const auto next =
        endpoint_.read(in.bytes.subspan(used), options_.message_bytes_max,
                       out.output, in.owner);
    switch (next.what) {
    case ws::event::kind::need_more:
      frame_bytes_ = next.bytes;
      return used;
    case ws::event::kind::progress:
    case ws::event::kind::pong:
      break;
    case ws::event::kind::message:
      on_message(next, now, out);
      break;
    case ws::event::kind::closed:
      close(next.code == ws::close_code::no_status ? ws::close_code::normal
                                                   : next.code,
            "the client closed", out);
      break;
    case ws::event::kind::violation:
      close(next.code, next.reason, out);
      break;
    }
    used += next.bytes;
  }
  return open_ ? used : in.bytes.size();
}

incoming session::decode(const ws::event& what) const {
  if (what.text)
    return decode_request(what.payload.text(), terms_.how == spelling::compact);
  if (terms_.how == spelling::binary)
    return decode_binary_request(what.payload.view(),
                                 options_.message_bytes_max);
  return stranger{};
}

void session::on_message(const ws::event& what, core::steady_time now,
                         effects& out) {
  auto read = decode(what);
  if (auto* asked = std::get_if<request>(&read))
    return gate_.on_request(std::move(*asked), now);
  if (!options_.echo)
    return count(stats_.ignored);
  count(stats_.echoed);
  const std::array pieces{what.payload};
  endpoint_.send(what.text ? ws::opcode::text : ws::opcode::binary, pieces,
                 out.output);
}

void session::on_event(core::session_event event, core::steady_time,
                       effects& out) {
  const auto* ended = std::get_if<core::session_ended>(&event);
  if (ended == nullptr || !open_)
    return;
  const scope here{*this, out};
  if (ended->reason.code == core::errc::draining)
    return close(ws::close_code::service_restart, "the node drains", out);
  close(ws::close_code::going_away, "the node shuts down", out);
}

void session::on_tick(core::steady_time now, effects& out) {
  const scope here{*this, out};
  if (!open_)
    return;
  gate_.on_tick(now);
  if (gate_.paused())
    heard_ = now; // nobody listens, so silence says nothing
  if (options_.silence_time.count() > 0 &&
      now - heard_ >= options_.silence_time) {
    end("silent for too long");
    out.close = "silent for too long";
    out.abort = true;
    return;
  }
  if (!pinged_ && options_.ping_time.count() > 0 &&
      now - heard_ >= options_.ping_time) {
    pinged_ = true;
    endpoint_.send_ping(out.output);
  }
}

std::optional<core::steady_time> session::silence_deadline() const {
  if (!pinged_ && options_.ping_time.count() > 0)
    return heard_ + options_.ping_time;
  if (options_.silence_time.count() > 0)
    return heard_ + options_.silence_time;
  return std::nullopt;
}

std::optional<core::steady_time> session::deadline() const {
  if (!open_)
    return std::nullopt;
  const auto counts = gate_.deadline();
  const auto silence = silence_deadline();
  if (!counts || (silence && *silence < *counts))
    return silence;
  return counts;
}

void session::on_closed(effects&) { end("the connection ended"); }

/// Says goodbye by what the peer may expect, and leaves.
void session::close(ws::close_code code, std::string_view why, effects& out) {
  endpoint_.send_close(code, code == ws::close_code::normal ? "" : why,
                       out.output);
  out.close = std::string{why};
  end(why);
}

void session::end(std::string_view why) {
  if (std::exchange(open_, false)) {
    gate_.on_closed();
    floor_.exit(*this);
  }
  if (std::exchange(ended_, true))
    return;
  note(core::audit_kind::logout, {}, why);
  held_.clear();
  if (terms_.on_end)
    terms_.on_end(why);
}

// --------------------------------------------------------------------- member

void session::on_event(shared_event& what) {
  // Last: the connection, and this with it, may end on the way.
  host_.run([&](effects& out) {
    if (!open_)
      return;
    if (out.output.size() > options_.backlog_bytes_max) {
      count(stats_.dropped_slow);
      end("does not keep up");
      out.close = "does not keep up";
      out.abort = true;
      return;
    }
    const auto& message = what.as(terms_.how);
    count(stats_.delivered);
    count(stats_.delivered_bytes, message.size());
    write(message, out);
  });
}

void session::on_counted(std::uint64_t number, core::node_id node,
                         std::uint64_t members) {
  host_.run([&](effects& out) {
    const scope here{*this, out};
    if (open_)
      gate_.on_counted(number, node, members);
  });
}

void session::on_look() {
  const auto why = terms_.powers->standing();
  const bool changed = terms_.powers->epoch() != epoch_;
  if (why == core::deny_reason::none && !changed)
    return;
  host_.run([&](effects& out) {
    const scope here{*this, out};
    if (!open_)
      return;
    if (why != core::deny_reason::none) {
      count(stats_.rights_ended);
      return close(ws::close_code::policy_violation, core::to_string(why), out);
    }
    epoch_ = terms_.powers->epoch();
    gate_.on_rights_changed();
  });
}

// ----------------------------------------------------------------- gate_world

void session::send(const answer& what) {
  auto message = core::shared_bytes::copy_of(spell(what, terms_.how));
  if (held_.empty() && floor_.owner().audit().is_kept(noted_))
    return write(message, *out_);
  held_.push_back({noted_, std::move(message)});
  if (held_.size() == 1)
    wait_for_record();
}

void session::wait_for_record() {
  floor_.owner().audit().when_kept(held_.front().ticket, host_.home(),
                                   [weak = std::weak_ptr<session*>{self_}] {
                                     if (const auto still = weak.lock())
                                       (*still)->send_what_is_kept();
                                   });
}

/// In the order of the requests: what follows waits behind the first.
void session::send_what_is_kept() {
  host_.run([&](effects& out) {
    const auto& audit = floor_.owner().audit();
    while (!held_.empty() && audit.is_kept(held_.front().ticket)) {
      write(held_.front().message, out);
      held_.pop_front();
    }
    if (!held_.empty())
      wait_for_record();
  });
}

void session::note(core::audit_kind what, std::string_view channel,
                   std::string_view type, std::string_view why,
                   core::shared_bytes payload) {
  noted_ = floor_.owner().audit().note(
      host_.info(), {what, terms_.uid, channel, type, why, std::move(payload)});
}

void session::refused(core::audit_kind what, std::string_view channel,
                      std::string_view why, std::string_view data) {
  if (floor_.owner().audit().writes())
    note(what, channel, {}, why, core::shared_bytes::copy_of(data));
}

void session::write(const core::shared_bytes& message, effects& out) {
  const std::array pieces{message};
  endpoint_.send(terms_.how == spelling::binary ? ws::opcode::binary
                                                : ws::opcode::text,
                 pieces, out.output);
}

core::deny_reason session::check(core::right what, const core::topic& on) {
  return terms_.powers->check(what, on);
}

core::deny_reason session::allow_message() {
  return floor_.owner().audit().has_room() ? terms_.powers->allow_message()
                                           : core::deny_reason::busy;
}

bool session::token_fits(std::string_view channel, std::string_view token) {
  return terms_.powers->token_fits(id(), channel, token);
}

core::result<void> session::join(const std::string& channel) {
  if (!floor_.owner().audit().has_room())
    return core::errc::overloaded;
  auto joined = floor_.join(channel, *this);
  if (joined)
    note(core::audit_kind::join, channel, {});
  return joined;
}

void session::leave(const std::string& channel) {
  floor_.leave(channel, *this);
  note(core::audit_kind::leave, channel, {});
}

void session::announce(const std::string& channel, bool came) {
  floor_.announce(channel, *this, came);
}

core::result<spoken> session::speak(const std::string& channel,
                                    std::string data, std::uint64_t number) {
  const auto payload = floor_.owner().audit().writes()
                           ? core::shared_bytes::copy_of(data)
                           : core::shared_bytes{};
  auto done = floor_.speak(channel, *this, std::move(data), terms_.uid, number);
  note(core::audit_kind::publish, channel, "application/json",
       done ? "" : "too large", payload);
  return done;
}

} // namespace troupe::net::zenconn
