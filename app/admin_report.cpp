// SPDX-License-Identifier: Apache-2.0
#include "app/admin_report.hpp"

#include "app/cli.hpp"
#include "app/value_text.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <ostream>

namespace troupe::app {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  if (const auto* text = value.if_string())
    return {text->data(), text->size()};
  if (value.is_number() || value.is_bool())
    return json::serialize(value);
  return {};
}

namespace {

const json::value* member(const json::value& value, std::string_view key) {
  const auto* object = value.if_object();
  return object ? object->if_contains({key.data(), key.size()}) : nullptr;
}

} // namespace

std::string text_at(const json::value& value, std::string_view key) {
  const auto* found = member(value, key);
  return found ? text_of(*found) : std::string{};
}

json::array array_at(const json::value& value, std::string_view key) {
  const auto* found = member(value, key);
  const auto* array = found ? found->if_array() : nullptr;
  return array ? *array : json::array{};
}

std::optional<std::int64_t> number_at(const json::value& value,
                                      std::string_view key) {
  const auto* found = member(value, key);
  boost::system::error_code no_number;
  const auto number =
      found ? found->to_number<std::int64_t>(no_number) : std::int64_t{0};
  if (found == nullptr || no_number)
    return std::nullopt;
  return number;
}

std::string time_at(const json::value& value, std::string_view key) {
  const auto millis = number_at(value, key);
  if (!millis)
    return {};
  return *millis == 0 ? "never" : print_time(core::from_millis(*millis));
}

std::string joined(const json::array& texts) {
  std::string out;
  for (const auto& each : texts)
    out += (out.empty() ? "" : " ") + text_of(each);
  return out.empty() ? "-" : out;
}

void print_table(const std::vector<std::vector<std::string>>& rows,
                 std::ostream& out) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] + 2 - row[i].size(), ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

int fail(std::string_view name, const core::error& why, terminal& screen) {
  screen.err << "troupe " << name << ": " << core::to_string(why) << '\n';
  return exit_failed;
}

int report(std::string_view name, const core::result<json::value>& answer,
           const admin_options& options, terminal& screen,
           const std::function<void(const json::value&)>& print) {
  if (!answer)
    return fail(name, answer.error(), screen);
  if (options.json)
    screen.out << json::serialize(*answer) << '\n';
  else
    print(*answer);
  return exit_ok;
}

} // namespace troupe::app
