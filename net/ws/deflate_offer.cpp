// SPDX-License-Identifier: Apache-2.0
#include "net/ws/deflate_offer.hpp"

#include <array>
#include <charconv>

namespace troupe::net::ws {

namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr std::uint8_t bits_min = 9; // zlib cannot do 8 for raw deflate
constexpr std::uint8_t bits_max = 15;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts the part before `separator` off the front of `text`. Quoted strings
/// do not occur with separators inside in this extension.
std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text =
      at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return trimmed(part);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

/// The parameters of one offer or answer.
struct parameters {
  bool well_formed = true;
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  std::optional<std::uint8_t> server_bits{};
  std::optional<std::uint8_t> client_bits{};
  bool client_bits_offered = false; // also without a value
};

std::optional<std::uint8_t> parse_bits(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || at != end || text.front() == '0' || value < 8 ||
      value > bits_max)
    return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

/// Each parameter at most once (RFC 7692 7).
parameters parse_parameters(std::string_view text) {
  parameters found;
  std::array<bool, 4> seen{};
  auto first_time = [&](std::size_t which) {
    found.well_formed = found.well_formed && !seen[which];
    seen[which] = true;
  };
  while (!text.empty() && found.well_formed) {
    auto parameter = take_until(text, ';');
    const bool valued = parameter.find('=') != std::string_view::npos;
    const auto name = take_until(parameter, '=');
    if (same_name(name, "server_no_context_takeover") && !valued) {
      first_time(0);
      found.server_no_takeover = true;
    } else if (same_name(name, "client_no_context_takeover") && !valued) {
      first_time(1);
      found.client_no_takeover = true;
    } else if (same_name(name, "server_max_window_bits") && valued) {
      first_time(2);
      found.server_bits = parse_bits(trimmed(parameter));
      found.well_formed = found.well_formed && found.server_bits.has_value();
    } else if (same_name(name, "client_max_window_bits")) {
      first_time(3);
      found.client_bits_offered = true;
      if (valued) {
        found.client_bits = parse_bits(trimmed(parameter));
        found.well_formed = found.well_formed && found.client_bits.has_value();
      }
    } else {
      found.well_formed = false;
    }
  }
  return found;
}

} // namespace

std::optional<deflate_agreement>
accept_deflate_offer(std::string_view extensions) {
  while (!extensions.empty()) {
    auto offer = take_until(extensions, ',');
    if (!same_name(take_until(offer, ';'), extension_name))
      continue;
    const auto asked = parse_parameters(offer);
    const auto bits = asked.server_bits.value_or(bits_max);
    if (!asked.well_formed || bits < bits_min)
      continue;
    // The client's window may stay at 15: our inflate takes any.
    return deflate_agreement{bits, bits_max};
  }
  return std::nullopt;
}

std::string deflate_response(const deflate_agreement& agreement) {
  std::string text{extension_name};
  text += "; server_no_context_takeover; client_no_context_takeover";
  if (agreement.server_window_bits != bits_max)
    text += "; server_max_window_bits=" +
            std::to_string(agreement.server_window_bits);
  return text;
}

std::string_view deflate_offer() {
  return "permessage-deflate; server_no_context_takeover; "
         "client_no_context_takeover; client_max_window_bits";
}

deflate_answer read_deflate_response(std::string_view extensions) {
  if (trimmed(extensions).empty())
    return {true, {}};
  if (extensions.find(',') != std::string_view::npos)
    return {}; // granted more than was asked for
  if (!same_name(take_until(extensions, ';'), extension_name))
    return {};
  const auto granted = parse_parameters(extensions);
  const bool client_bits_valueless =
      granted.client_bits_offered && !granted.client_bits;
  const auto client_bits = granted.client_bits.value_or(bits_max);
  if (!granted.well_formed || !granted.server_no_takeover ||
      client_bits_valueless || client_bits < bits_min)
    return {};
  return {true, deflate_agreement{granted.server_bits.value_or(bits_max),
                                  client_bits}};
}

} // namespace troupe::net::ws
