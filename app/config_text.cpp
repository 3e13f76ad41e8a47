// SPDX-License-Identifier: Apache-2.0
#include "app/config.hpp"

#include <algorithm>

namespace troupe::app {
namespace {

constexpr std::size_t text_columns = 78;

/// Breaks a sentence into comment lines.
std::string comment(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    auto length = text.size();
    if (length > text_columns - 2) {
      length = text.rfind(' ', text_columns - 2);
      if (length == std::string_view::npos)
        length = std::min(text.find(' '), text.size());
    }
    out += "# " + std::string{text.substr(0, length)} + '\n';
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return out;
}

std::string form_of(const setting& row) {
  const auto range = range_of(row);
  return type_of(row) + (range.empty() ? "" : ", " + range);
}

std::string shown(const setting& row, const settings& values) {
  const auto text = print(row, values);
  if (row.traits.secret)
    return text.empty() ? "(not set)" : "(set, not shown)";
  return text.empty() ? "(empty)" : text;
}

std::string origin_text(const value_origin& origin) {
  std::string text{to_string(origin.source)};
  return origin.place.empty() ? text : text + ' ' + origin.place;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

} // namespace

std::string default_config_text() {
  const settings values;
  std::string out =
      comment("Configuration of a Troupe node. Every setting is here at its "
              "default; delete what you do not change. A variable "
              "TROUPE_SECTION__KEY goes before this file, a flag before "
              "both.");
  for (const auto& part : all_sections()) {
    out += '\n' + comment(part.help) + '[' + std::string{part.name} + "]\n";
    for (const auto& row : all_settings()) {
      if (row.section != part.name)
        continue;
      out += '\n' + comment(row.help) + comment("(" + form_of(row) + ")") +
             std::string{row.key} + " = " + print_toml(row, values) + '\n';
    }
  }
  return out;
}

std::string config_reference_text() {
  const settings values;
  std::string out = R"(# Configuration

<!-- Written by `troupe config reference`; a test compares the two. -->

A value comes from the first of these that has it: a flag (`--set
section.key=value`, and short ones such as `--listen`), the environment
(`TROUPE_SECTION__KEY`), the file (`--config FILE` or `TROUPE_CONFIG`), the
default. What is not known is refused.

- `troupe config default` prints a file with every setting, explained.
- `troupe config check FILE` names every mistake by line and column.
- `troupe config explain [KEY]` shows the value in force and where it is from.

A *duration* is a number with a unit (`500us`, `500ms`, `10s`, `5m`, `28h`,
`30d`, `1h30m`), a *size* a number of bytes or one with `KiB`, `MiB`, `GiB`,
`TiB`, an *address* `HOST:PORT` (`[::1]:8080`; `:8080` is every IPv4 address of
the machine). Lists are `["a", "b"]` in the file and `a,b` elsewhere. *Counts
from* says when a change does: at the next start, already at a reload
(`SIGHUP`), or only at the first start of a data folder.
)";
  for (const auto& part : all_sections()) {
    out += "\n## " + std::string{part.name} + "\n\n" + std::string{part.help} +
           "\n\n| key | default | form | counts from | |\n"
           "| --- | --- | --- | --- | --- |\n";
    for (const auto& row : all_settings()) {
      if (row.section != part.name)
        continue;
      out += "| `" + std::string{row.key} + "` | `" + print_toml(row, values) +
             "` | " + form_of(row) + " | " +
             std::string{to_string(row.traits.effect)} + " | " +
             std::string{row.help} + " |\n";
    }
  }
  return out;
}

std::string explain(const configuration& config, const setting& row) {
  const settings built_in;
  std::string out = name_of(row) + '\n';
  const auto line = [&out](std::string label, const std::string& text) {
    out += "  " + padded(std::move(label), 12) + text + '\n';
  };
  line("value", shown(row, config.values));
  line("from", origin_text(config.origins[index_of(row)]));
  line("default", shown(row, built_in));
  line("form", form_of(row));
  line("variable", environment_name(row));
  line("counts from", std::string{to_string(row.traits.effect)});
  return out + "  " + std::string{row.help} + '\n';
}

std::string explain_all(const configuration& config) {
  std::size_t name_width = 0;
  std::size_t value_width = 0;
  for (const auto& row : all_settings()) {
    name_width = std::max(name_width, name_of(row).size());
    value_width = std::max(value_width, shown(row, config.values).size());
  }
  std::string out;
  for (const auto& row : all_settings())
    out += padded(name_of(row), name_width + 2) +
           padded(shown(row, config.values), value_width + 2) +
           origin_text(config.origins[index_of(row)]) + '\n';
  return out;
}

} // namespace troupe::app
