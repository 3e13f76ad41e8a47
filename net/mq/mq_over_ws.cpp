// SPDX-License-Identifier: Apache-2.0
#include "net/mq/mq_over_ws.hpp"

#include "net/mq/message_decoder.hpp"

#include <array>

namespace troupe::net::mq {

namespace {

bool is_off(core::milliseconds time) { return time.count() <= 0; }

} // namespace

void mq_over_ws::on_open(core::steady_time now, effects&) {
  heard_ = now;
  gate_.on_open(now);
}

std::size_t mq_over_ws::on_bytes(const input& in, core::steady_time now,
                                 effects& out) {
  heard_ = now;
  pinged_ = false;
  std::size_t used = 0;
  frame_bytes_ = 0;
  message_decoder decoder;
  while (gate_.accepts()) {
    auto next = endpoint_.read(in.bytes.subspan(used),
                               gate_.message_bytes_max(), out.output, in.owner);
    switch (next.what) {
    case ws::event::kind::need_more:
      frame_bytes_ = next.bytes;
      return used;
    case ws::event::kind::progress:
    case ws::event::kind::pong:
      break;
    case ws::event::kind::message: {
      const input body{next.payload.view(), &next.payload};
      gate_.on_message(decoder, body.bytes, body, out);
      break;
    }
    case ws::event::kind::closed:
      quit_code_ = next.code;
      gate_.on_peer_close(out);
      break;
    case ws::event::kind::violation:
      fail(next.code, next.reason, out);
      break;
    }
    used += next.bytes;
  }
  return gate_.closed() ? in.bytes.size() : used;
}

/// A peer that breaks the framing gets the close frame only; one whose
/// message is too large learns of it in its own protocol, too.
void mq_over_ws::fail(ws::close_code code, std::string_view reason,
                      effects& out) {
  if (code == ws::close_code::message_too_big) {
    quit_code_ = code;
    return gate_.fail(reason, out);
  }
  endpoint_.send_close(code, reason, out.output);
  out.close = std::string{reason};
  gate_.on_closed(out);
}

void mq_over_ws::on_event(core::session_event event, core::steady_time,
                          effects& out) {
  gate_.on_event(std::move(event), out);
}

void mq_over_ws::on_flushed(core::steady_time now, effects& out) {
  gate_.on_flushed(now, out);
}

void mq_over_ws::on_tick(core::steady_time now, effects& out) {
  gate_.on_tick(now, out);
  if (!gate_.closed())
    keep_alive(now, out);
}

void mq_over_ws::keep_alive(core::steady_time now, effects& out) {
  if (gate_.paused())
    heard_ = now; // nobody listens, so silence says nothing
  if (!is_off(options_->silence_time) &&
      now - heard_ >= options_->silence_time) {
    out.close = "silent for too long";
    out.abort = true;
    return gate_.on_closed(out);
  }
  if (!pinged_ && !is_off(options_->ping_time) &&
      now - heard_ >= options_->ping_time) {
    pinged_ = true;
    endpoint_.send_ping(out.output);
  }
}

std::optional<core::steady_time> mq_over_ws::silence_deadline() const {
  if (!pinged_ && !is_off(options_->ping_time))
    return heard_ + options_->ping_time;
  if (!is_off(options_->silence_time))
    return heard_ + options_->silence_time;
  return std::nullopt;
}

std::optional<core::steady_time> mq_over_ws::deadline() const {
  if (gate_.closed())
    return std::nullopt;
  const auto gate_deadline = gate_.deadline();
  const auto silence = silence_deadline();
  if (!gate_deadline || (silence && *silence < *gate_deadline))
    return silence;
  return gate_deadline;
}

void mq_over_ws::on_closed(effects& out) { gate_.on_closed(out); }

void mq_over_ws::send(packet_head& head, const core::shared_bytes& etc,
                      const core::shared_bytes& data, output_queue& out) {
  const auto size = head.size() + etc.size() + data.size();
  if (endpoint_.compresses(size)) {
    const std::array pieces{core::shared_bytes::copy_of(head.view()), etc,
                            data};
    return endpoint_.send(ws::opcode::binary, pieces, out);
  }
  out.append(head.framed([&](std::byte* to) {
    // A server's header has no mask: at most 10 bytes.
    return ws::write_frame_header(to,
                                  {ws::opcode::binary, true, false, {}, size});
  }));
  out.append(etc);
  out.append(data);
}

void mq_over_ws::send_close(goodbye why, std::string_view reason,
                            output_queue& out) {
  switch (why) {
  case goodbye::quit:
    endpoint_.send_close(quit_code_, reason, out);
    break;
  case goodbye::server_stop:
    endpoint_.send_close(ws::close_code::going_away, reason, out);
    break;
  case goodbye::moved:
    endpoint_.send_close(ws::close_code::service_restart, reason, out);
    break;
  case goodbye::answer_to_peer:
    endpoint_.send_close(quit_code_, {}, out);
    break;
  }
}

} // namespace troupe::net::mq
