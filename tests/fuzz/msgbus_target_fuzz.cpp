// SPDX-License-Identifier: Apache-2.0
// Targets, channels and filters of /msgbus/. First line: a target; second: a
// text that its filters look at; third: the value of an Authorization field.
#include "core/assert.hpp"
#include "net/msgbus/basic_credentials.hpp"
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/history.hpp"
#include "net/msgbus/pattern_list.hpp"
#include "net/msgbus/target.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe;
using namespace troupe::net::msgbus;

namespace {

std::string_view take_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

/// By the book: every way to cut the text.
bool matches_slowly(std::string_view text, std::string_view pattern) {
  if (pattern.empty())
    return text.empty();
  if (pattern.front() == '*')
    return matches_slowly(text, pattern.substr(1)) ||
           (!text.empty() && matches_slowly(text.substr(1), pattern));
  return !text.empty() &&
         (pattern.front() == '?' || pattern.front() == text.front()) &&
         matches_slowly(text.substr(1), pattern.substr(1));
}

bool passes_slowly(const std::string& list, std::string_view text) {
  bool found = false;
  bool out = false;
  std::string_view rest = list;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    auto pattern = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const bool negated = pattern.starts_with('!');
    pattern.remove_prefix(negated ? 1 : 0);
    if (pattern.size() >= pattern_list::pattern_bytes_max)
      return false;
    if (matches_slowly(text, pattern))
      (negated ? out : found) = true;
  }
  return found && !out;
}

void check_channel(const std::string& channel) {
  const auto name = topic_of(channel);
  if (!name)
    return;
  const auto only = filter_of(channel);
  TROUPE_ASSERT(only && only->matches(*name), "a channel is not its own");
  TROUPE_ASSERT(filter_of("")->matches(*name), "the root does not hear it");
  TROUPE_ASSERT(!core::is_reserved(name->text()), "a topic of the broker");
  const auto back = channel_of(*name);
  const auto in_target = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != '?';
  };
  TROUPE_ASSERT(std::all_of(back.begin(), back.end(), in_target), "a line");
  if (std::all_of(channel.begin(), channel.end(), in_target))
    TROUPE_ASSERT(back == channel, "a channel does not come back");
}

void check_filter(const std::string& list, std::string_view text) {
  const pattern_list read{list};
  // The slow way takes exponential time.
  if (std::count(list.begin(), list.end(), '*') <= 6 && text.size() <= 40)
    TROUPE_ASSERT(read.passes(text) == passes_slowly(list, text),
                  "two ways to match differ");
  else
    static_cast<void>(read.passes(text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size > 16 * 1024)
    return 0;
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const auto line = take_line(rest);
  const auto text = take_line(rest);
  if (const auto found = parse_target(line)) {
    TROUPE_ASSERT(line.substr(path_prefix.size()).starts_with(found->channel),
                  "a channel is decoded");
    check_channel(found->channel);
    for (const auto* list : {&found->type, &found->sender})
      if (*list)
        check_filter(**list, text);
    if (found->since)
      if (const auto mark = message_mark::parse(*found->since))
        TROUPE_ASSERT(message_mark::parse(mark->text()) == *mark,
                      "a mark changes");
  }
  if (const auto who = parse_basic(rest)) {
    TROUPE_ASSERT(who->user.find(':') == std::string::npos, "a user's colon");
    TROUPE_ASSERT(same_secret(who->password, who->password), "not the same");
    TROUPE_ASSERT(same_secret(who->password, text) == (who->password == text),
                  "secrets differ");
  }
  return 0;
}
