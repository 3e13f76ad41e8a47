// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/part_writer.hpp"

#include "net/msgbus/event_writer.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace troupe::net::msgbus {
namespace {

constexpr std::string_view boundary_line = "--00MsgBus00\n";

void append_line(std::string& out, std::string_view name,
                 std::string_view value) {
  out.append(name);
  if (value.find_first_of("\r\n") == std::string_view::npos)
    out.append(value);
  else
    out.append(one_line(value));
  out.push_back('\n');
}

/// Pieces one after the other, as a chunk if there are to be any.
core::shared_bytes join(std::string_view head, core::bytes_view body,
                        std::string_view tail, bool chunked) {
  const auto inner = head.size() + body.size() + tail.size();
  const auto before = chunked ? chunk_head(inner) : std::string{};
  const std::string_view after = chunked ? "\r\n" : "";
  return core::shared_bytes::build(
      before.size() + inner + after.size(), [&](std::byte* to) {
        for (const auto piece :
             {core::as_bytes(before), core::as_bytes(head), body,
              core::as_bytes(tail), core::as_bytes(after)}) {
          if (piece.empty())
            continue;
          std::memcpy(to, piece.data(), piece.size());
          to += piece.size();
        }
      });
}

std::string head_of(const part& message, framing how) {
  std::string head;
  head.reserve(128);
  if (!message.sender.empty())
    append_line(head, "From: ", message.sender);
  if (message.has_location) {
    head.append("Content-Location: /msgbus/");
    append_line(head, "", message.location);
  }
  if (!message.type.empty())
    append_line(head, "Content-Type: ", message.type);
  if (how == framing::parts_plain)
    append_line(head, "Content-Length: ", std::to_string(message.body.size()));
  head.push_back('\n');
  return head;
}

} // namespace

std::string chunk_head(std::size_t bytes) {
  std::array<char, 20> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), bytes, 16).ptr;
  return std::string(text.data(), end) + "\r\n";
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text)
    if (c != '\r' && c != '\n')
      out.push_back(c);
  return out;
}

core::shared_bytes encode(const part& message, framing how) {
  if (is_parts(how))
    // The boundary follows the body at once, and goes with it: a reader knows
    // that the message is whole.
    return join(head_of(message, how), message.body, boundary_line,
                is_chunked(how));
  const bool json =
      how == framing::events_json_chunked || how == framing::events_json_plain;
  return join(json ? json_event(message) : text_event(message), {}, {},
              is_chunked(how));
}

std::string opening(framing how) {
  if (!is_parts(how))
    return heart_beat(how);
  std::string text{boundary_line};
  return is_chunked(how) ? chunk_head(text.size()) + text + "\r\n" : text;
}

std::string heart_beat(framing how) {
  // A line that begins with a colon is a comment.
  const std::string text = ":\n\n";
  return is_chunked(how) ? chunk_head(text.size()) + text + "\r\n" : text;
}

} // namespace troupe::net::msgbus
