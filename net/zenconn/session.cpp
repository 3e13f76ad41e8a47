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

session::session(const zenconn_options& options, zenconn_stats& stats,
                 protocol_host& host, spelling how, std::unique_ptr<guest> who)
    : options_(options), stats_(stats), host_(host), how_(how),
      endpoint_(ws::role::server), guest_(std::move(who)) {}

session::~session() { end("the connection ended"); }

// ------------------------------------------------------------------- protocol

void session::on_open(core::steady_time now, effects& out) {
  const scope here{*this, out};
  heard_ = now;
  open_ = guest_->enter(*this);
  if (!open_)
    close(ws::close_code::internal_error, "no room", out);
}

std::size_t session::on_bytes(const input& in, core::steady_time now,
                              effects& out) {
  const scope here{*this, out};
  heard_ = now;
  pinged_ = false;
  frame_bytes_ = 0;
  std::size_t used = 0;
  while (open_ && !guest_->paused()) {
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
    return decode_request(what.payload.text(), how_ == spelling::compact);
  if (how_ == spelling::binary)
    return decode_binary_request(what.payload.view(),
                                 options_.message_bytes_max);
  return stranger{};
}

void session::on_message(const ws::event& what, core::steady_time now,
                         effects& out) {
  auto read = decode(what);
  if (auto* asked = std::get_if<request>(&read))
    return guest_->ask(std::move(*asked), now);
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
  if (ended->reason.code == core::errc::not_permitted)
    return close(ws::close_code::policy_violation, "ended by an operator", out);
  close(ws::close_code::going_away, "the node shuts down", out);
}

void session::on_tick(core::steady_time now, effects& out) {
  const scope here{*this, out};
  if (!open_)
    return;
  guest_->on_tick(now);
  if (guest_->paused())
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
  const auto counts = guest_->deadline();
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
  open_ = false;
  guest_->depart(why);
}

void session::write(const core::shared_bytes& message, effects& out) {
  const std::array pieces{message};
  endpoint_.send(how_ == spelling::binary ? ws::opcode::binary
                                          : ws::opcode::text,
                 pieces, out.output);
}

// ----------------------------------------------------------------- guest_user

void session::together(const std::function<void()>& work) {
  // Last: the connection, and this with it, may end on the way.
  host_.run([&](effects& out) {
    const scope here{*this, out};
    if (open_)
      work();
  });
}

void session::tell(const answer& what) {
  write(core::shared_bytes::copy_of(spell(what, how_)), *out_);
}

void session::dismiss(ws::close_code code, std::string_view why) {
  close(code, why, *out_);
}

void session::tell_event(shared_event& what) {
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
    const auto& message = what.as(how_);
    count(stats_.delivered);
    count(stats_.delivered_bytes, message.size());
    write(message, out);
  });
}

void session::on_room() {
  host_.run([](effects&) {}); // the connection looks whether it may read
}

} // namespace troupe::net::zenconn
