// SPDX-License-Identifier: Apache-2.0
#include "app/value_text.hpp"

#include "app/suggestions.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <ctime>
#include <limits>

namespace troupe::app {
namespace {

core::error expected(std::string_view text, std::string_view what) {
  return {core::errc::invalid_config,
          "'" + std::string{text} + "' is no " + std::string{what}};
}

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t second_us = 1'000'000;
constexpr std::array<unit, 6> time_units{{{"d", 86'400 * second_us},
                                          {"h", 3'600 * second_us},
                                          {"m", 60 * second_us},
                                          {"s", second_us},
                                          {"ms", 1'000},
                                          {"us", 1}}};

// The binary ones first: printing takes the first that divides.
constexpr std::array<unit, 9> byte_units{{{"TiB", 1ULL << 40},
                                          {"GiB", 1ULL << 30},
                                          {"MiB", 1ULL << 20},
                                          {"KiB", 1ULL << 10},
                                          {"TB", 1'000'000'000'000ULL},
                                          {"GB", 1'000'000'000ULL},
                                          {"MB", 1'000'000ULL},
                                          {"kB", 1'000ULL},
                                          {"B", 1}}};

constexpr std::string_view duration_form =
    "duration; expected a number and us, ms, s, m, h or d, for example 10s";
constexpr std::string_view bytes_form =
    "size; expected a number of bytes or KiB, MiB, GiB, for example 64MiB";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the digits at the front of `rest`.
std::optional<std::uint64_t> take_number(std::string_view& rest) {
  std::uint64_t value = 0;
  const auto* end = rest.data() + rest.size();
  const auto [stop, failure] = std::from_chars(rest.data(), end, value);
  if (failure != std::errc{})
    return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
  return value;
}

/// Takes everything up to the next digit.
std::string_view take_word(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && !is_digit(rest[length]))
    ++length;
  const auto word = rest.substr(0, length);
  rest.remove_prefix(length);
  return word;
}

template <class Units>
const unit* find_unit(std::string_view name, const Units& units) {
  for (const auto& each : units)
    if (each.name == name)
      return &each;
  return nullptr;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

} // namespace

core::result<microseconds> parse_duration(std::string_view text) {
  // Half of the range of int64 leaves room for arithmetic on deadlines.
  constexpr auto most =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2;
  auto rest = trim(text);
  if (rest == "0")
    return microseconds{0};
  if (rest.empty())
    return expected(text, duration_form);
  std::uint64_t sum = 0;
  while (!rest.empty()) {
    const auto number = take_number(rest);
    const auto* scale = find_unit(take_word(rest), time_units);
    if (!number || scale == nullptr || *number > (most - sum) / scale->factor)
      return expected(text, duration_form);
    sum += *number * scale->factor;
  }
  return microseconds{static_cast<std::int64_t>(sum)};
}

std::string print_duration(microseconds value) {
  auto left = static_cast<std::uint64_t>(value.count());
  if (left == 0)
    return "0";
  std::string text;
  for (const auto& [name, factor] : time_units) {
    if (left / factor != 0)
      text += std::to_string(left / factor) + std::string{name};
    left %= factor;
  }
  return text;
}

core::result<std::uint64_t> parse_bytes(std::string_view text) {
  auto rest = trim(text);
  const auto number = take_number(rest);
  const auto name = trim(rest);
  const auto* scale = find_unit(name.empty() ? "B" : name, byte_units);
  if (!number || scale == nullptr ||
      *number > std::numeric_limits<std::uint64_t>::max() / scale->factor)
    return expected(text, bytes_form);
  return *number * scale->factor;
}

std::string print_bytes(std::uint64_t value) {
  if (value != 0)
    for (const auto& [name, factor] : byte_units)
      if (value % factor == 0 && factor != 1)
        return std::to_string(value / factor) + std::string{name};
  return std::to_string(value);
}

core::result<std::uint64_t> parse_count(std::string_view text) {
  std::string digits;
  for (char c : trim(text))
    if (c != '_')
      digits += c;
  std::string_view rest = digits;
  const auto number = take_number(rest);
  if (!number || !rest.empty())
    return expected(text, "whole number");
  return *number;
}

core::result<bool> parse_flag(std::string_view text) {
  constexpr std::array<std::string_view, 8> words{"false", "true", "no", "yes",
                                                  "off",   "on",   "0",  "1"};
  const auto place = parse_choice(trim(text), words);
  if (!place)
    return expected(text, "switch; expected true or false");
  return *place % 2 == 1;
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> items;
  while (!trim(text).empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (const auto item = trim(text.substr(0, comma)); !item.empty())
      items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

std::string print_list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items)
    text += (text.empty() ? "" : ",") + item;
  return text;
}

std::string print_time(core::timestamp when) {
  const auto millis = core::to_millis(when);
  const auto seconds = static_cast<std::time_t>(millis / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                     parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, millis % 1000);
}

core::result<void> check_network(std::string_view text) {
  namespace ip = boost::asio::ip;
  const std::string whole{text};
  boost::system::error_code v4;
  boost::system::error_code v6;
  if (whole.find('/') == std::string::npos) {
    ip::make_address(whole, v4);
    v6 = v4;
  } else {
    ip::make_network_v4(whole, v4);
    ip::make_network_v6(whole, v6);
  }
  if (v4 && v6)
    return expected(text, "address or network, for example 10.0.0.0/8");
  return {};
}

std::span<const std::string_view> choices(proxy_protocol_mode) {
  static constexpr std::array<std::string_view, 3> names{"off", "optional",
                                                         "required"};
  return names;
}
std::span<const std::string_view> choices(tls_version) {
  static constexpr std::array<std::string_view, 2> names{"1.2", "1.3"};
  return names;
}
std::span<const std::string_view> choices(overflow_policy) {
  static constexpr std::array<std::string_view, 2> names{"refuse",
                                                         "drop_oldest"};
  return names;
}
std::span<const std::string_view> choices(log_level) {
  static constexpr std::array<std::string_view, 6> names{
      "trace", "debug", "info", "warn", "error", "off"};
  return names;
}
std::span<const std::string_view> choices(log_format) {
  static constexpr std::array<std::string_view, 2> names{"text", "json"};
  return names;
}
std::span<const std::string_view> choices(core::anonymous_policy) {
  static constexpr std::array<std::string_view, 3> names{"loopback", "allow",
                                                         "deny"};
  return names;
}

std::span<const std::string_view> choices(core::share_policy) {
  static constexpr std::array<std::string_view, 4> names{
      "round_robin", "local", "by_publisher", "by_topic"};
  return names;
}

std::span<const std::string_view> choices(storage::audit::answer_policy) {
  static constexpr std::array<std::string_view, 3> names{"at_once", "written",
                                                         "synced"};
  return names;
}
std::span<const std::string_view> choices(storage::audit::overflow_policy) {
  static constexpr std::array<std::string_view, 2> names{"drop", "refuse"};
  return names;
}
std::span<const std::string_view> choices(storage::audit::message_policy) {
  static constexpr std::array<std::string_view, 3> names{"all", "refused",
                                                         "none"};
  return names;
}
std::span<const std::string_view> choices(storage::audit::payload_policy) {
  static constexpr std::array<std::string_view, 3> names{"none", "hash",
                                                         "full"};
  return names;
}

std::span<const std::string_view> choices(net::mqtt::denial_policy) {
  static constexpr std::array<std::string_view, 3> names{"close", "answer",
                                                         "silent"};
  return names;
}
std::span<const std::string_view> choices(net::mqtt::expiry_policy) {
  static constexpr std::array<std::string_view, 2> names{"close", "refuse"};
  return names;
}
std::span<const std::string_view> choices(net::mqtt::overflow_policy) {
  static constexpr std::array<std::string_view, 2> names{"drop", "close"};
  return names;
}
std::span<const std::string_view> choices(listener_denial) {
  static constexpr std::array<std::string_view, 4> names{"default", "close",
                                                         "answer", "silent"};
  return names;
}

core::result<std::size_t>
parse_choice(std::string_view text, std::span<const std::string_view> names) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (edit_distance(text, names[i]) == 0) // ignores case
      return i;
    all += (all.empty() ? "" : ", ") + std::string{names[i]};
  }
  std::vector<std::string_view> candidates{names.begin(), names.end()};
  return core::error{core::errc::invalid_config,
                     "'" + std::string{text} + "' is none of " + all +
                         did_you_mean(text, candidates)};
}

} // namespace troupe::app
