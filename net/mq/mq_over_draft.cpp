// SPDX-License-Identifier: Apache-2.0
#include "net/mq/mq_over_draft.hpp"

#include "net/mq/frame_codec.hpp"
#include "net/mq/message_decoder.hpp"

namespace troupe::net::mq {

void mq_over_draft::on_open(core::steady_time now, effects&) {
  gate_.on_open(now);
}

std::size_t mq_over_draft::on_bytes(const input& in, core::steady_time,
                                    effects& out) {
  std::size_t used = 0;
  frame_bytes_ = 0;
  message_decoder decoder;
  while (gate_.accepts()) {
    const auto next =
        decode_frame(in.bytes.subspan(used), gate_.message_bytes_max());
    switch (next.what) {
    case frame::status::need_more:
      frame_bytes_ = next.bytes;
      return used;
    case frame::status::message:
      gate_.on_message(decoder, next.payload, in, out);
      break;
    case frame::status::close:
      gate_.on_peer_close(out);
      break;
    case frame::status::empty:
      gate_.fail("invalid length header", out);
      break;
    case frame::status::too_large:
      gate_.fail("message too large", out);
      break;
    }
    used += next.bytes;
  }
  // What stands behind a quit is not looked at (A.6).
  return gate_.closed() ? in.bytes.size() : used;
}

void mq_over_draft::on_event(core::session_event event, core::steady_time,
                             effects& out) {
  gate_.on_event(std::move(event), out);
}

void mq_over_draft::on_flushed(core::steady_time now, effects& out) {
  gate_.on_flushed(now, out);
}

void mq_over_draft::on_tick(core::steady_time now, effects& out) {
  gate_.on_tick(now, out);
}

std::optional<core::steady_time> mq_over_draft::deadline() const {
  return gate_.deadline();
}

void mq_over_draft::on_closed(effects& out) { gate_.on_closed(out); }

void mq_over_draft::send(packet_head& head, const core::shared_bytes& etc,
                         const core::shared_bytes& data, output_queue& out) {
  const auto payload = head.size() + etc.size() + data.size();
  out.append(head.framed(
      [&](std::byte* header) { return write_frame_header(header, payload); }));
  out.append(etc);
  out.append(data);
}

void mq_over_draft::send_close(goodbye, std::string_view, output_queue& out) {
  out.append(close_frame);
}

} // namespace troupe::net::mq
