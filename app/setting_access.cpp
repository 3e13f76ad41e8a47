// SPDX-License-Identifier: Apache-2.0
#include "app/settings_table.hpp"
#include "app/suggestions.hpp"
#include "app/value_text.hpp"

#include <type_traits>

namespace troupe::app {
namespace {

core::error out_of_range(const setting& row, std::string_view text) {
  return {core::errc::invalid_config,
          "'" + std::string{text} + "' is out of range: " + range_of(row)};
}

bool in_range(const setting& row, std::uint64_t value) {
  return value >= row.traits.min && value <= row.traits.max;
}

core::result<void> store_number(const setting& row, std::uint64_t& target,
                                std::string_view text) {
  const auto value = row.traits.counts == quantity::bytes ? parse_bytes(text)
                                                          : parse_count(text);
  if (!value)
    return value.error();
  if (!in_range(row, *value))
    return out_of_range(row, text);
  target = *value;
  return {};
}

template <class Duration>
core::result<void> store_duration(const setting& row, Duration& target,
                                  std::string_view text) {
  const auto value = parse_duration(text);
  if (!value)
    return value.error();
  if (!in_range(row, static_cast<std::uint64_t>(value->count())))
    return out_of_range(row, text);
  const auto rounded = std::chrono::duration_cast<Duration>(*value);
  if (rounded != *value)
    return core::error{core::errc::invalid_config,
                       "'" + std::string{text} +
                           "' is finer than milliseconds"};
  target = rounded;
  return {};
}

core::result<void> store_endpoint(endpoint& target, std::string_view text) {
  auto value = parse_endpoint(text);
  if (!value)
    return value.error();
  target = *value;
  return {};
}

/// Reads a text into whatever a field points at.
struct store {
  const setting& row;
  std::string_view text;

  core::result<void> operator()(bool* target) const {
    const auto value = parse_flag(text);
    if (!value)
      return value.error();
    *target = *value;
    return {};
  }
  core::result<void> operator()(std::uint64_t* target) const {
    return store_number(row, *target, text);
  }
  core::result<void> operator()(milliseconds* target) const {
    return store_duration(row, *target, text);
  }
  core::result<void> operator()(microseconds* target) const {
    return store_duration(row, *target, text);
  }
  core::result<void> operator()(std::string* target) const {
    *target = text;
    return {};
  }
  core::result<void> operator()(std::vector<std::string>* target) const {
    *target = parse_list(text);
    return {};
  }
  core::result<void> operator()(endpoint* target) const {
    return store_endpoint(*target, text);
  }
  core::result<void> operator()(std::optional<endpoint>* target) const {
    if (text.empty() || edit_distance(text, "off") == 0) {
      target->reset();
      return {};
    }
    endpoint value;
    if (auto stored = store_endpoint(value, text); !stored)
      return stored;
    *target = value;
    return {};
  }
  template <class Enum>
  requires std::is_enum_v<Enum> core::result<void>
  operator()(Enum* target) const {
    const auto place = parse_choice(text, choices(Enum{}));
    if (!place)
      return place.error();
    *target = static_cast<Enum>(*place);
    return {};
  }
};

/// Writes whatever a field points at in the form `store` reads.
struct show {
  const setting& row;

  std::string operator()(const bool* source) const {
    return *source ? "true" : "false";
  }
  std::string operator()(const std::uint64_t* source) const {
    return row.traits.counts == quantity::bytes ? print_bytes(*source)
                                                : std::to_string(*source);
  }
  std::string operator()(const milliseconds* source) const {
    return print_duration(*source);
  }
  std::string operator()(const microseconds* source) const {
    return print_duration(*source);
  }
  std::string operator()(const std::string* source) const { return *source; }
  std::string operator()(const std::vector<std::string>* source) const {
    return print_list(*source);
  }
  std::string operator()(const endpoint* source) const {
    return to_string(*source);
  }
  std::string operator()(const std::optional<endpoint>* source) const {
    return *source ? to_string(**source) : "off";
  }
  template <class Enum>
  requires std::is_enum_v<Enum> std::string
  operator()(const Enum* source) const {
    return std::string{choices(*source)[static_cast<std::size_t>(*source)]};
  }
};

struct describe {
  const setting& row;

  std::string operator()(const bool*) const { return "switch"; }
  std::string operator()(const std::uint64_t*) const {
    return row.traits.counts == quantity::bytes ? "size" : "number";
  }
  std::string operator()(const milliseconds*) const { return "duration"; }
  std::string operator()(const microseconds*) const { return "duration"; }
  std::string operator()(const std::string*) const { return "text"; }
  std::string operator()(const std::vector<std::string>*) const {
    return "list of texts";
  }
  std::string operator()(const endpoint*) const { return "address"; }
  std::string operator()(const std::optional<endpoint>*) const {
    return "address or off";
  }
  template <class Enum>
  requires std::is_enum_v<Enum> std::string operator()(const Enum*) const {
    std::string text = "one of ";
    for (auto name : choices(Enum{}))
      text += (text.back() == ' ' ? "" : ", ") + std::string{name};
    return text;
  }
};

/// A field of values that are only looked at.
field field_of(const setting& row, const settings& source) {
  return row.access(const_cast<settings&>(source));
}

/// A TOML basic string.
std::string quoted(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out = "\"";
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += '\\';
    if (code >= 0x20 && code != 0x7F)
      out += c;
    else
      out += std::string{"\\u00"} + hex[code >> 4] + hex[code & 15];
  }
  return out + '"';
}

bool is_duration(const setting& row) {
  settings any;
  const auto where = row.access(any);
  return std::holds_alternative<milliseconds*>(where) ||
         std::holds_alternative<microseconds*>(where);
}

std::string upper(std::string_view text) {
  std::string out;
  for (char c : text)
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

} // namespace

const setting* find_setting(std::string_view name) {
  for (const auto& row : all_settings())
    if (upper(name_of(row)) == upper(name))
      return &row;
  return nullptr;
}

std::size_t index_of(const setting& row) {
  return static_cast<std::size_t>(&row - all_settings().data());
}

std::string name_of(const setting& row) {
  return std::string{row.section} + '.' + std::string{row.key};
}

std::string environment_name(const setting& row) {
  return "TROUPE_" + upper(row.section) + "__" + upper(row.key);
}

core::result<void> assign(const setting& row, settings& target,
                          std::string_view text) {
  return std::visit(store{row, text}, row.access(target));
}

std::string print(const setting& row, const settings& source) {
  return std::visit(show{row}, field_of(row, source));
}

std::string print_toml(const setting& row, const settings& source) {
  const auto where = field_of(row, source);
  if (const auto* list = std::get_if<std::vector<std::string>*>(&where)) {
    std::string text = "[";
    for (const auto& item : **list)
      text += (text.size() == 1 ? "" : ", ") + quoted(item);
    return text + ']';
  }
  const bool bare = std::holds_alternative<bool*>(where) ||
                    (std::holds_alternative<std::uint64_t*>(where) &&
                     row.traits.counts == quantity::count);
  const auto text = print(row, source);
  return bare ? text : quoted(text);
}

std::string type_of(const setting& row) {
  settings any;
  return std::visit(describe{row}, row.access(any));
}

std::string range_of(const setting& row) {
  constexpr setting_traits open;
  const auto shown = [&row](std::uint64_t value) {
    if (is_duration(row))
      return print_duration(microseconds{static_cast<std::int64_t>(value)});
    return row.traits.counts == quantity::bytes ? print_bytes(value)
                                                : std::to_string(value);
  };
  if (row.traits.max == open.max)
    return row.traits.min == open.min ? ""
                                      : "at least " + shown(row.traits.min);
  return shown(row.traits.min) + " to " + shown(row.traits.max);
}

std::string_view to_string(takes_effect effect) {
  switch (effect) {
  case takes_effect::at_start:
    return "start";
  case takes_effect::at_reload:
    return "reload";
  case takes_effect::once:
    return "first start";
  }
  return "start";
}

std::vector<const setting*> differences(const settings& a, const settings& b) {
  std::vector<const setting*> rows;
  for (const auto& row : all_settings())
    if (print(row, a) != print(row, b))
      rows.push_back(&row);
  return rows;
}

} // namespace troupe::app
