// SPDX-License-Identifier: Apache-2.0
#include "net/ws/endpoint.hpp"

#include "core/assert.hpp"
#include "net/ws/deflate.hpp"
#include "net/ws/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace troupe::net::ws {

namespace {

constexpr std::size_t close_code_bytes = 2;
constexpr std::size_t close_reason_bytes_max =
    control_payload_bytes_max - close_code_bytes;

event violation(close_code code, std::string_view why, std::size_t bytes) {
  event result;
  result.what = event::kind::violation;
  result.bytes = bytes;
  result.code = code;
  result.reason = why;
  return result;
}

/// The payload of one frame as the application sees it, in memory of its own
/// or shared with the input.
core::shared_bytes unmasked(const frame_header& header,
                            core::bytes_view payload,
                            const core::shared_bytes* owner) {
  if (header.mask)
    return core::shared_bytes::build(payload.size(), [&](std::byte* to) {
      apply_mask(to, payload, *header.mask);
    });
  if (owner != nullptr && payload.size() >= owner->size() / 2)
    return owner->slice(
        static_cast<std::size_t>(payload.data() - owner->data()),
        payload.size());
  return core::shared_bytes::copy_of(payload);
}

void append_header(const frame_header& header, output_queue& out) {
  std::byte bytes[frame_header_bytes_max];
  const auto size = write_frame_header(bytes, header);
  out.append(core::bytes_view{bytes, size});
}

} // namespace

event endpoint::read(core::bytes_view in, std::size_t message_bytes_max,
                     output_queue& out, const core::shared_bytes* owner) {
  const auto front = decode_frame_header(in);
  if (front.what == header_result::status::violation)
    return violation(close_code::protocol_error, front.violation, in.size());
  if (front.what == header_result::status::need_more)
    return {};
  const auto& header = front.header;
  if (header.mask.has_value() != (role_ == role::server))
    return violation(
        close_code::protocol_error,
        role_ == role::server ? "frame not masked" : "frame masked", in.size());
  const auto room =
      message_bytes_max - std::min(message_bytes_max, fragments_.size());
  if (!is_control(header.op) && header.payload_bytes > room)
    return violation(close_code::message_too_big, "message too large",
                     in.size());
  const auto size =
      front.bytes + static_cast<std::size_t>(header.payload_bytes);
  if (in.size() < size) {
    event result;
    result.bytes = size;
    return result;
  }
  const auto payload = in.subspan(front.bytes, size - front.bytes);
  if (is_control(header.op))
    return read_control(header, payload, size, out);
  return read_data(header, payload, size, message_bytes_max, owner);
}

event endpoint::read_control(const frame_header& header,
                             core::bytes_view payload, std::size_t bytes,
                             output_queue& out) {
  std::array<std::byte, control_payload_bytes_max> clear;
  if (header.mask)
    apply_mask(clear.data(), payload, *header.mask);
  else if (!payload.empty())
    std::memcpy(clear.data(), payload.data(), payload.size());
  const core::bytes_view content{clear.data(), payload.size()};
  event result;
  result.bytes = bytes;
  if (header.op == opcode::pong) {
    result.what = event::kind::pong;
    return result;
  }
  if (header.op == opcode::ping) {
    result.what = event::kind::progress;
    // A key of zeros is a key; our client has nothing to hide in a pong.
    if (!close_sent_ && out.size() <= control_backlog_max)
      send_control(opcode::pong, content, out, {});
    return result;
  }
  result.what = event::kind::closed;
  result.code = close_code::no_status;
  if (content.empty())
    return result;
  if (content.size() < close_code_bytes)
    return violation(close_code::protocol_error, "bad close frame", bytes);
  const auto code =
      static_cast<std::uint16_t>(std::to_integer<unsigned>(content[0]) << 8 |
                                 std::to_integer<unsigned>(content[1]));
  if (!is_valid_close_code(code))
    return violation(close_code::protocol_error, "bad close code", bytes);
  const auto reason = content.subspan(close_code_bytes);
  if (!is_utf8(reason))
    return violation(close_code::invalid_payload, "close reason not UTF-8",
                     bytes);
  result.code = static_cast<close_code>(code);
  result.reason = core::as_text(reason);
  return result;
}

event endpoint::read_data(const frame_header& header, core::bytes_view payload,
                          std::size_t bytes, std::size_t message_bytes_max,
                          const core::shared_bytes* owner) {
  const bool continuation = header.op == opcode::continuation;
  if (continuation != in_fragments_)
    return violation(close_code::protocol_error,
                     continuation ? "continuation of nothing"
                                  : "message inside of a message",
                     bytes);
  if (header.compressed && !deflate_)
    return violation(close_code::protocol_error, "reserved bits set", bytes);
  if (!continuation) {
    message_text_ = header.op == opcode::text;
    message_compressed_ = header.compressed;
  }
  if (header.final && !continuation)
    return complete(unmasked(header, payload, owner), message_compressed_,
                    bytes, message_bytes_max);
  const auto before = fragments_.size();
  fragments_.append(core::as_text(payload));
  auto* const added = reinterpret_cast<std::byte*>(fragments_.data()) + before;
  if (header.mask)
    apply_mask(added, {added, payload.size()}, *header.mask);
  in_fragments_ = !header.final;
  if (!header.final) {
    event result;
    result.what = event::kind::progress;
    result.bytes = bytes;
    return result;
  }
  auto whole = core::shared_bytes::copy_of(std::string_view{fragments_});
  std::string{}.swap(fragments_);
  return complete(std::move(whole), message_compressed_, bytes,
                  message_bytes_max);
}

event endpoint::complete(core::shared_bytes payload, bool compressed,
                         std::size_t bytes, std::size_t message_bytes_max) {
  if (compressed) {
    std::string expanded;
    switch (inflate_message(payload.view(), message_bytes_max, expanded)) {
    case inflate_outcome::ok:
      break;
    case inflate_outcome::too_large:
      return violation(close_code::message_too_big, "message too large", bytes);
    case inflate_outcome::corrupt:
      return violation(close_code::invalid_payload, "bad compressed data",
                       bytes);
    }
    payload = core::shared_bytes::copy_of(std::string_view{expanded});
  }
  if (message_text_ && !is_utf8(payload.view()))
    return violation(close_code::invalid_payload, "text not UTF-8", bytes);
  event result;
  result.what = event::kind::message;
  result.bytes = bytes;
  result.text = message_text_;
  result.payload = std::move(payload);
  return result;
}

void endpoint::send(opcode op, std::span<const core::shared_bytes> pieces,
                    output_queue& out, mask_key key) {
  TROUPE_ASSERT(!is_control(op), "control frames have senders of their own");
  std::size_t size = 0;
  for (const auto& piece : pieces)
    size += piece.size();
  frame_header header{op, true, false, {}, size};
  core::shared_bytes compressed;
  if (compresses(size)) {
    std::vector<core::bytes_view> views;
    for (const auto& piece : pieces)
      views.push_back(piece.view());
    const auto bits = role_ == role::server ? deflate_->server_window_bits
                                            : deflate_->client_window_bits;
    const auto packed = deflate_message(views, bits);
    // Data that does not shrink goes as it is.
    if (packed.size() < size) {
      compressed = core::shared_bytes::copy_of(std::string_view{packed});
      pieces = {&compressed, 1};
      header.compressed = true;
      header.payload_bytes = packed.size();
    }
  }
  if (role_ == role::client)
    header.mask = key;
  append_header(header, out);
  std::size_t offset = 0;
  for (const auto& piece : pieces) {
    if (!header.mask) {
      out.append(piece);
      continue;
    }
    out.append(core::shared_bytes::build(piece.size(), [&](std::byte* to) {
      apply_mask(to, piece.view(), key, offset);
    }));
    offset += piece.size();
  }
}

void endpoint::send_ping(output_queue& out, mask_key key) {
  if (!close_sent_)
    send_control(opcode::ping, {}, out, key);
}

void endpoint::send_close(close_code code, std::string_view reason,
                          output_queue& out, mask_key key) {
  if (close_sent_)
    return;
  close_sent_ = true;
  std::array<std::byte, control_payload_bytes_max> payload;
  std::size_t size = 0;
  if (code != close_code::no_status) {
    const auto number = static_cast<unsigned>(code);
    payload[0] = static_cast<std::byte>(number >> 8);
    payload[1] = static_cast<std::byte>(number & 0xff);
    auto length = std::min(reason.size(), close_reason_bytes_max);
    // Not in the middle of a character.
    while (length > 0 && length < reason.size() &&
           (static_cast<unsigned char>(reason[length]) & 0xc0) == 0x80)
      --length;
    if (!is_utf8(core::as_bytes(reason.substr(0, length))))
      length = 0;
    const auto text = core::as_bytes(reason.substr(0, length));
    std::copy(text.begin(), text.end(), payload.begin() + close_code_bytes);
    size = close_code_bytes + length;
  }
  send_control(opcode::close, {payload.data(), size}, out, key);
}

void endpoint::send_control(opcode op, core::bytes_view payload,
                            output_queue& out, mask_key key) {
  frame_header header{op, true, false, {}, payload.size()};
  if (role_ == role::client)
    header.mask = key;
  append_header(header, out);
  std::array<std::byte, control_payload_bytes_max> masked;
  if (header.mask) {
    apply_mask(masked.data(), payload, key);
    payload = {masked.data(), payload.size()};
  }
  out.append(payload);
}

} // namespace troupe::net::ws
