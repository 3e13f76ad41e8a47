// SPDX-License-Identifier: Apache-2.0
// Messages as subscribers get them, read again as their clients do. The first
// byte chooses the way, the next three lines are sender, channel and type, the
// rest is the body.
#include "core/assert.hpp"
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/event_writer.hpp"
#include "net/msgbus/part_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

using namespace troupe;
using namespace troupe::net::msgbus;

namespace {

std::string_view take_until(std::string_view& rest, std::string_view end) {
  const auto at = rest.find(end);
  TROUPE_ASSERT(at != std::string_view::npos, "no end");
  const auto found = rest.substr(0, at);
  rest.remove_prefix(at + end.size());
  return found;
}

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

/// The inside of the only chunk.
std::string_view unchunked(std::string_view bytes) {
  const auto digits = take_until(bytes, "\r\n");
  std::size_t size = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  TROUPE_ASSERT(read.ptr == digits.data() + digits.size(), "no length");
  TROUPE_ASSERT(bytes.size() == size + 2 && bytes.ends_with("\r\n"),
                "not one chunk");
  return bytes.substr(0, size);
}

void check_parts(const part& message, std::string_view bytes, bool plain) {
  std::map<std::string, std::string> fields;
  for (;;) {
    auto line = take_until(bytes, "\n");
    if (line.empty())
      break;
    const auto name = take_until(line, ": ");
    TROUPE_ASSERT(fields.emplace(name, line).second, "a field comes twice");
  }
  const auto body = core::as_text(message.body);
  TROUPE_ASSERT(bytes == std::string{body} + "--00MsgBus00\n", "the body");
  const auto expect = [&](const char* name, bool there, std::string_view text) {
    TROUPE_ASSERT(fields.count(name) == (there ? 1U : 0U), "a field");
    if (there)
      TROUPE_ASSERT(fields[name] == text, "the value of a field");
    fields.erase(name);
  };
  expect("From", !message.sender.empty(), one_line(message.sender));
  expect("Content-Location", message.has_location,
         "/msgbus/" + std::string{message.location});
  expect("Content-Type", !message.type.empty(), one_line(message.type));
  expect("Content-Length", plain, std::to_string(body.size()));
  TROUPE_ASSERT(fields.empty(), "another field");
}

void check_event(const part& message, std::string_view bytes, bool json) {
  const std::string all{bytes};
  TROUPE_ASSERT(bytes.ends_with("\n\n"), "no end of an event");
  TROUPE_ASSERT(all.find("\n\n") == all.size() - 2, "two events");
  TROUPE_ASSERT(all.find('\r') == std::string::npos, "a CR");
  std::string data;
  bool plain = true;
  bool first = true;
  while (bytes.size() > 1) {
    auto line = take_until(bytes, "\n");
    if (line == "event: base64")
      plain = false;
    if (!line.starts_with("data: "))
      continue;
    data.append(first ? "" : "\n").append(line.substr(6));
    first = false;
  }
  if (json)
    TROUPE_ASSERT(data.starts_with('{') && data.ends_with('}'), "no object");
  else if (plain)
    TROUPE_ASSERT(data == core::as_text(message.body), "the data");
  else
    TROUPE_ASSERT(data == base64(message.body), "the data in base64");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  const auto how = static_cast<framing>(data[0] % framing_count);
  const bool located = (data[0] & 0x80U) != 0;
  std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  part message;
  message.sender = take_line(rest);
  const auto name = topic_of(take_line(rest));
  const auto location = name ? channel_of(*name) : std::string{};
  message.location = location;
  message.has_location = located;
  message.type = take_line(rest);
  message.body = core::as_bytes(rest);
  if (one_line(message.sender).empty())
    message.sender = {};
  if (one_line(message.type).empty())
    message.type = {};
  const auto bytes = encode(message, how);
  const auto inside = is_chunked(how) ? unchunked(bytes.text()) : bytes.text();
  if (is_parts(how))
    check_parts(message, inside, how == framing::parts_plain);
  else
    check_event(message, inside,
                how == framing::events_json_chunked ||
                    how == framing::events_json_plain);
  return 0;
}
