// SPDX-License-Identifier: Apache-2.0
#include "net/files/file_terms.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <zlib.h>

namespace troupe::net::files {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Without the mark of a weak tag: for a GET both are as good.
std::string_view strong(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr",
                                             "May", "Jun", "Jul", "Aug",
                                             "Sep", "Oct", "Nov", "Dec"};

} // namespace

range_found parse_range(std::string_view field, std::uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (field.size() < unit.size() ||
      !equal_ignoring_case(field.substr(0, unit.size()), unit))
    return {};
  const auto text = trimmed(field.substr(unit.size()));
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != text.npos)
    return {};
  const auto from = trimmed(text.substr(0, dash));
  const auto to = trimmed(text.substr(dash + 1));
  const auto last = number(to);
  if (from.empty()) { // the last so many
    if (!last)
      return {};
    if (*last == 0 || size == 0)
      return {range_kind::unsatisfiable, {}};
    const auto count = std::min(*last, size);
    return {range_kind::part, {size - count, count}};
  }
  const auto first = number(from);
  if (!first || (!to.empty() && (!last || *last < *first)))
    return {};
  if (*first >= size)
    return {range_kind::unsatisfiable, {}};
  const auto end = last ? std::min(*last, size - 1) : size - 1;
  return {range_kind::part, {*first, end - *first + 1}};
}

bool is_fresh(const http_request& request, const version& now) {
  const auto tags = request.header_list("If-None-Match");
  if (!tags.empty())
    return std::any_of(tags.begin(), tags.end(), [&](std::string_view tag) {
      return tag == "*" || strong(tag) == now.tag;
    });
  const auto since = parse_date(request.header("If-Modified-Since"));
  return since && now.modified <= *since;
}

bool range_holds(const http_request& request, const version& now) {
  const auto field = request.header("If-Range");
  if (field.empty() || field == now.tag)
    return true;
  const auto when = parse_date(field);
  return when && *when == now.modified;
}

bool accepts_gzip(const http_request& request) {
  for (const auto each : request.header_list("Accept-Encoding")) {
    const auto semicolon = std::min(each.find(';'), each.size());
    const auto name = trimmed(each.substr(0, semicolon));
    if (!equal_ignoring_case(name, "gzip") && name != "*")
      continue;
    // ";q=0", ";q=0.000": not that.
    const auto q = each.find("q=", semicolon);
    if (q == std::string_view::npos)
      return true;
    return each.find_first_of("123456789", q) != std::string_view::npos;
  }
  return false;
}

std::string date_text(std::time_t when) {
  constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed",
                                            "Thu", "Fri", "Sat"};
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::array<char, 40> text{};
  const auto length =
      std::strftime(text.data(), text.size(), "---, %d --- %Y %T GMT", &parts);
  std::copy_n(days[static_cast<std::size_t>(parts.tm_wday)], 3, text.data());
  std::copy_n(months[static_cast<std::size_t>(parts.tm_mon)], 3,
              text.data() + 8);
  return {text.data(), length};
}

std::optional<std::time_t> parse_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT", the one form that is still written.
  if (text.size() != 29 || !text.ends_with(" GMT") || text[3] != ',' ||
      text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' ||
      text[22] != ':')
    return std::nullopt;
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  std::tm parts{};
  const auto take = [&](std::size_t at, std::size_t count, int& to) {
    const auto value = number(text.substr(at, count));
    to = value ? static_cast<int>(*value) : -1;
    return value.has_value();
  };
  if (month == months.end() || !take(5, 2, parts.tm_mday) ||
      !take(12, 4, parts.tm_year) || !take(17, 2, parts.tm_hour) ||
      !take(20, 2, parts.tm_min) || !take(23, 2, parts.tm_sec))
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon = static_cast<int>(month - months.begin());
  return ::timegm(&parts);
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  const auto ready = ::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                    gzip_window, 8, Z_DEFAULT_STRATEGY);
  TROUPE_ASSERT(ready == Z_OK, "no memory for zlib");
  std::string out(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in =
      reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); // not written
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const auto done = ::deflate(&stream, Z_FINISH);
  TROUPE_ASSERT(done == Z_STREAM_END, "zlib's bound is none");
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

} // namespace troupe::net::files
