// SPDX-License-Identifier: Apache-2.0
#include "app/config.hpp"

#include "app/suggestions.hpp"
#include "app/value_text.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <system_error>

extern char** environ; // POSIX: unistd.h declares it only with _GNU_SOURCE

namespace troupe::app {
namespace {

configuration built_in_config() {
  configuration config;
  config.origins.resize(all_settings().size());
  return config;
}

std::vector<std::string_view> section_names() {
  std::vector<std::string_view> names;
  for (const auto& each : all_sections())
    names.push_back(each.name);
  return names;
}

std::vector<std::string_view> key_names(std::string_view section) {
  std::vector<std::string_view> names;
  for (const auto& row : all_settings())
    if (row.section == section)
      names.push_back(row.key);
  return names;
}

/// Puts one text into a configuration and keeps where it came from.
void apply(configuration& config, const setting& row, std::string_view text,
           value_origin origin) {
  if (auto stored = assign(row, config.values, text); !stored)
    config.problems.push_back(
        {origin.place, name_of(row) + ": " + stored.error().detail});
  else
    config.origins[index_of(row)] = std::move(origin);
}

std::string position(const std::string& path, const toml::source_region& at) {
  return path + ':' + std::to_string(at.begin.line) + ':' +
         std::to_string(at.begin.column);
}

/// Whether a TOML value is written the way the row's type is.
bool fits(const setting& row, const toml::node& value) {
  settings any;
  const auto where = row.access(any);
  if (std::holds_alternative<bool*>(where))
    return value.is_boolean();
  if (std::holds_alternative<std::vector<std::string>*>(where))
    return value.is_array();
  if (std::holds_alternative<std::uint64_t*>(where))
    return value.is_integer() ||
           (row.traits.counts == quantity::bytes && value.is_string());
  // A duration of nothing needs no unit.
  if (type_of(row) == "duration" && value.is_integer())
    return value.value_or(std::int64_t{1}) == 0;
  return value.is_string();
}

std::string expected_form(const setting& row) {
  const auto type = type_of(row);
  if (type == "switch")
    return "true or false";
  if (type == "duration")
    return "a duration in quotes, for example \"10s\"";
  if (type == "size")
    return "a size, for example \"64MiB\"";
  if (type == "number")
    return "a whole number without quotes";
  if (type == "list of texts")
    return "a list, for example [\"a\", \"b\"]";
  return "a text in quotes";
}

/// Reads one file's tables.
class file_reader {
public:
  file_reader(configuration& config, const std::string& path)
      : config_(config), path_(path) {}

  void read(const toml::table& document) {
    for (const auto& [key, value] : document) {
      const auto names = section_names();
      const auto* table = value.as_table();
      if (std::find(names.begin(), names.end(), key.str()) == names.end())
        complain(key.source(), "unknown section '" + std::string{key.str()} +
                                   "'" + did_you_mean(key.str(), names));
      else if (table == nullptr)
        complain(key.source(), "'" + std::string{key.str()} +
                                   "' is a section; write [" +
                                   std::string{key.str()} + "]");
      else
        read_section(key.str(), *table);
    }
  }

private:
  void read_section(std::string_view section, const toml::table& table) {
    for (const auto& [key, value] : table) {
      const auto* row =
          find_setting(std::string{section} + '.' + std::string{key.str()});
      if (row == nullptr || row->key != key.str())
        complain(key.source(), "unknown key '" + std::string{key.str()} +
                                   "' in [" + std::string{section} + "]" +
                                   did_you_mean(key.str(), key_names(section)));
      else if (!fits(*row, value))
        complain(value.source(),
                 name_of(*row) + ": expected " + expected_form(*row));
      else
        read_value(*row, value);
    }
  }

  void read_value(const setting& row, const toml::node& value) {
    const value_origin origin{value_source::file,
                              position(path_, value.source())};
    if (const auto* list = value.as_array())
      return read_list(row, *list, origin);
    if (const auto text = value.value_exact<std::string>())
      return apply(config_, row, *text, origin);
    if (const auto flag = value.value_exact<bool>())
      return apply(config_, row, *flag ? "true" : "false", origin);
    const auto number = value.value_or(std::int64_t{0});
    apply(config_, row, std::to_string(number), origin);
  }

  void read_list(const setting& row, const toml::array& list,
                 const value_origin& origin) {
    std::vector<std::string> items;
    for (const auto& item : list) {
      const auto text = item.value_exact<std::string>();
      if (!text)
        return complain(item.source(),
                        name_of(row) + ": expected " + expected_form(row));
      items.push_back(*text);
    }
    apply(config_, row, print_list(items), origin);
  }

  void complain(const toml::source_region& at, std::string text) {
    config_.problems.push_back({position(path_, at), std::move(text)});
  }

  configuration& config_;
  const std::string& path_;
};

std::uint64_t number_at(std::string_view text, std::size_t offset) {
  std::uint64_t number = 0;
  std::from_chars(text.data() + offset, text.data() + text.size(), number);
  return number;
}

void read_text(configuration& config, std::string_view text,
               const std::string& path) {
  try {
    const auto document = toml::parse(text, path);
    file_reader{config, path}.read(document);
  } catch (const toml::parse_error& failure) {
    config.problems.push_back(
        {position(path, failure.source()), std::string{failure.description()}});
  }
  // The reader walks keys by name; people read from top to bottom.
  std::stable_sort(config.problems.begin(), config.problems.end(),
                   [](const config_problem& a, const config_problem& b) {
                     const auto line = [](const std::string& place) {
                       const auto column = place.rfind(':');
                       const auto start = place.rfind(':', column - 1);
                       return std::pair{number_at(place, start + 1),
                                        number_at(place, column + 1)};
                     };
                     return line(a.place) < line(b.place);
                   });
}

void read_file(configuration& config, const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof())
    text << in.rdbuf();
  if (!in.is_open() || in.bad()) {
    config.problems.push_back(
        {path, "cannot be read: " + std::generic_category().message(errno)});
    return;
  }
  read_text(config, text.str(), path);
}

/// Whether `name` is a variable that Kubernetes sets in every container of a
/// name space which has a service named troupe or troupe-something.
bool is_service_link(std::string_view name) {
  const auto ends = [name](std::string_view tail) {
    return name.size() > tail.size() &&
           name.substr(name.size() - tail.size()) == tail;
  };
  return ends("_SERVICE_HOST") || ends("_PORT") ||
         name.find("_SERVICE_PORT") != std::string_view::npos ||
         (name.find("_PORT_") != std::string_view::npos &&
          (ends("_TCP") || ends("_TCP_ADDR") || ends("_TCP_PROTO")));
}

/// TROUPE_ variables that are no settings: the file to read, what the client
/// commands use, and what the tests from outside hand to each other.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 8> names{
      "TROUPE_CONFIG", "TROUPE_SERVER", "TROUPE_ADMIN",    "TROUPE_ADMIN_TOKEN",
      "TROUPE_BIN",    "TROUPE_KEEP",   "TROUPE_PASSWORD", "TROUPE_TOKEN"};
  return std::find(names.begin(), names.end(), name) != names.end() ||
         name.substr(0, 12) == "TROUPE_TEST_";
}

const setting* find_variable(std::string_view name) {
  for (const auto& row : all_settings()) {
    const auto own = environment_name(row);
    if (own.size() == name.size() && edit_distance(own, name) == 0)
      return &row;
  }
  return nullptr;
}

void read_environment(configuration& config,
                      const environment_list& environment) {
  std::vector<std::string> own;
  for (const auto& row : all_settings())
    own.push_back(environment_name(row));
  const std::vector<std::string_view> names{own.begin(), own.end()};
  for (const auto& [name, value] : environment) {
    if (const auto* row = find_variable(name))
      apply(config, *row, value, {value_source::environment, name});
    else if (!is_reserved(name) && !is_service_link(name))
      config.problems.push_back(
          {name, "unknown variable" + did_you_mean(name, names)});
  }
}

void read_flags(configuration& config, const std::vector<flag_value>& flags) {
  for (const auto& each : flags) {
    if (const auto* row = find_setting(each.name)) {
      apply(config, *row, each.value, {value_source::flag, each.flag});
      continue;
    }
    std::vector<std::string> own;
    for (const auto& row : all_settings())
      own.push_back(name_of(row));
    config.problems.push_back(
        {each.flag, "unknown setting '" + each.name + "'" +
                        did_you_mean(each.name, {own.begin(), own.end()})});
  }
}

void append(std::vector<config_problem>& to, std::vector<config_problem> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()),
            std::make_move_iterator(more.end()));
}

} // namespace

std::string_view to_string(value_source source) {
  switch (source) {
  case value_source::built_in:
    return "default";
  case value_source::file:
    return "file";
  case value_source::environment:
    return "environment";
  case value_source::flag:
    return "flag";
  }
  return "default";
}

std::string to_string(const config_problem& problem) {
  return problem.place.empty() ? problem.text
                               : problem.place + ": " + problem.text;
}

configuration load_config(const config_sources& sources) {
  auto config = built_in_config();
  if (sources.file)
    read_file(config, *sources.file);
  read_environment(config, sources.environment);
  read_flags(config, sources.flags);
  // Of half-read values only half would be true.
  if (config.ok())
    append(config.problems, check_together(config.values, config.origins));
  return config;
}

configuration check_config_text(std::string_view text,
                                const std::string& path) {
  auto config = built_in_config();
  read_text(config, text, path);
  if (config.ok())
    append(config.problems, check_together(config.values, config.origins));
  return config;
}

environment_list process_environment() {
  environment_list found;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view variable{*each};
    const auto equals = variable.find('=');
    if (variable.substr(0, 7) == "TROUPE_" && equals != std::string_view::npos)
      found.emplace_back(variable.substr(0, equals),
                         variable.substr(equals + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

} // namespace troupe::app
