// SPDX-License-Identifier: Apache-2.0
#include "net/access_log.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace troupe::net {
namespace {

void append_escaped(std::string& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (text.empty()) {
    to.push_back('-');
    return;
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      to.push_back(c);
      continue;
    }
    to += "\\x";
    to.push_back(digits[byte >> 4U]);
    to.push_back(digits[byte & 15U]);
  }
}

/// The user stands between blanks.
void append_user(std::string& to, std::string_view user) {
  std::string plain;
  append_escaped(plain, user);
  for (const char c : plain)
    if (c == ' ')
      to += "\\x20";
    else
      to.push_back(c);
}

void append_time(std::string& to, core::timestamp when) {
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(when.time_since_epoch());
  const auto time = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "[%02d/%s/%04d:%02d:%02d:%02d +0000]",
                parts.tm_mday, months[static_cast<std::size_t>(parts.tm_mon)],
                parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  to += text.data();
}

} // namespace

access_entry access_entry_of(const http_request& request, std::string address) {
  access_entry entry;
  entry.address = std::move(address);
  entry.request = request.line;
  entry.referer = request.header("Referer");
  entry.agent = request.header("User-Agent");
  return entry;
}

std::string combined_line(const access_entry& entry, core::timestamp when) {
  std::string line;
  append_escaped(line, entry.address);
  line += " - ";
  append_user(line, entry.user);
  line.push_back(' ');
  append_time(line, when);
  line += " \"";
  append_escaped(line, entry.request);
  line += "\" " + std::to_string(entry.status) + ' ' +
          std::to_string(entry.bytes) + " \"";
  append_escaped(line, entry.referer);
  line += "\" \"";
  append_escaped(line, entry.agent);
  line += "\"\n";
  return line;
}

unsigned status_in(std::string_view answer) {
  const auto blank = answer.find(' ');
  unsigned status = 0;
  if (answer.starts_with("HTTP/") && blank != std::string_view::npos)
    std::from_chars(answer.data() + blank + 1, answer.data() + answer.size(),
                    status);
  return status;
}

} // namespace troupe::net
