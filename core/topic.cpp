// SPDX-License-Identifier: Apache-2.0
#include "core/topic.hpp"

#include <algorithm>

namespace troupe::core {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";
constexpr std::string_view meaningful = "%/+#*";

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7F &&
         meaningful.find(c) == std::string_view::npos;
}

/// What two digits stand for, -1 if they are none.
int decoded(char high, char low) {
  const auto h = digits.find(high);
  const auto l = digits.find(low);
  if (h == std::string_view::npos || l == std::string_view::npos)
    return -1;
  return static_cast<int>(h * 16 + l);
}

} // namespace

void append_level(std::string& text, std::string_view level) {
  for (const char c : level) {
    if (is_plain(c)) {
      text += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text += '%';
    text += digits[byte / 16U];
    text += digits[byte % 16U];
  }
}

std::string plain_level(std::string_view text) {
  std::string level;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      level += static_cast<char>(decoded(text[i + 1], text[i + 2]));
      i += 2;
    } else {
      level += text[i];
    }
  }
  return level;
}

bool is_level(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i]))
      continue;
    if (text[i] != '%' || i + 2 >= text.size())
      return false;
    // Only what must be written so is: a topic has one spelling.
    const int byte = decoded(text[i + 1], text[i + 2]);
    if (byte < 0 || is_plain(static_cast<char>(byte)))
      return false;
    i += 2;
  }
  return true;
}

result<void> check_topic_text(std::string_view text,
                              const topic_limits& limits) {
  if (text.size() > limits.bytes_max)
    return error{errc::too_large,
                 "a topic of " + std::to_string(text.size()) + " bytes; " +
                     std::to_string(limits.bytes_max) + " are allowed"};
  const auto levels =
      static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) + 1;
  if (levels > limits.levels_max)
    return error{errc::too_large,
                 "a topic of " + std::to_string(levels) + " levels; " +
                     std::to_string(limits.levels_max) + " are allowed"};
  return {};
}

result<topic> topic::parse(std::string_view text, const topic_limits& limits) {
  if (auto fits = check_topic_text(text, limits); !fits)
    return fits.error();
  for (level_reader in{text}; !in.done();)
    if (const auto level = in.next(); !is_level(level))
      return error{errc::name_invalid, "a level of a topic can't be read"};
  return topic{std::string{text}};
}

result<topic> topic::of(std::span<const std::string_view> levels,
                        const topic_limits& limits) {
  if (levels.empty())
    return error{errc::name_invalid, "a topic without a level"};
  std::string text;
  for (const auto& level : levels) {
    if (&level != levels.data())
      text += '/';
    append_level(text, level);
    if (text.size() > limits.bytes_max)
      break;
  }
  if (auto fits = check_topic_text(text, limits); !fits)
    return fits.error();
  return topic{std::move(text)};
}

std::vector<std::string> topic::levels() const {
  std::vector<std::string> all;
  for (level_reader in{text_}; !in.done();)
    all.push_back(plain_level(in.next()));
  return all;
}

} // namespace troupe::core
