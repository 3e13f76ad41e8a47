// SPDX-License-Identifier: Apache-2.0
#include "net/mq/javascript.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace troupe::net::mq {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view white_space = " \t\n\v\f\r";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos)
    return {};
  const auto last = text.find_last_not_of(white_space);
  return text.substr(first, last - first + 1);
}

/// The base of "0x…", "0o…" and "0b…", else 10.
int base_of(std::string_view text) {
  if (text.size() < 3 || text[0] != '0')
    return 10;
  switch (text[1]) {
  case 'x':
  case 'X':
    return 16;
  case 'o':
  case 'O':
    return 8;
  case 'b':
  case 'B':
    return 2;
  default:
    return 10;
  }
}

double prefixed_integer(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, failure] = std::from_chars(digits.data(), end, value, base);
  if (failure != std::errc{} || at != end)
    return not_a_number; // also above 2^64, where no caller cares
  return static_cast<double>(value);
}

} // namespace

double to_number(std::string_view text) {
  text = trimmed(text);
  if (text.empty())
    return 0;
  if (const int base = base_of(text); base != 10)
    return prefixed_integer(text.substr(2), base);
  if (text.front() == '+') {
    text.remove_prefix(1);
    if (text.empty() || text.front() == '-')
      return not_a_number;
  }
  // from_chars also knows "inf" and "nan" in words; JavaScript does not.
  if (text.find_first_not_of("+-.0123456789eE") != std::string_view::npos)
    return text == "Infinity" ? std::numeric_limits<double>::infinity()
                              : not_a_number;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || at != end)
    return not_a_number;
  return value;
}

double to_number(const boost::json::value& value) {
  switch (value.kind()) {
  case boost::json::kind::null:
    return 0;
  case boost::json::kind::bool_:
    return value.get_bool() ? 1 : 0;
  case boost::json::kind::int64:
    return static_cast<double>(value.get_int64());
  case boost::json::kind::uint64:
    return static_cast<double>(value.get_uint64());
  case boost::json::kind::double_:
    return value.get_double();
  case boost::json::kind::string: {
    const auto& text = value.get_string();
    return to_number(std::string_view{text.data(), text.size()});
  }
  case boost::json::kind::array: {
    // An array is first joined to a text: [] is "", [x] is that of x.
    const auto& array = value.get_array();
    if (array.empty())
      return 0;
    if (array.size() > 1 || array[0].is_bool())
      return not_a_number;
    return to_number(array[0]);
  }
  case boost::json::kind::object:
    break;
  }
  return not_a_number;
}

bool is_truthy(const boost::json::value& value) {
  switch (value.kind()) {
  case boost::json::kind::null:
    return false;
  case boost::json::kind::bool_:
    return value.get_bool();
  case boost::json::kind::int64:
    return value.get_int64() != 0;
  case boost::json::kind::uint64:
    return value.get_uint64() != 0;
  case boost::json::kind::double_:
    return value.get_double() != 0 && !std::isnan(value.get_double());
  case boost::json::kind::string:
    return !value.get_string().empty();
  case boost::json::kind::array:
  case boost::json::kind::object:
    break;
  }
  return true;
}

} // namespace troupe::net::mq
