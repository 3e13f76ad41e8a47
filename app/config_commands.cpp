// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"
#include "app/commands.hpp"
#include "app/suggestions.hpp"
#include "app/version.hpp"

#include <ostream>

namespace troupe::app {
namespace {

void print_problems(const configuration& config, terminal& screen) {
  for (const auto& problem : config.problems)
    screen.err << to_string(problem) << '\n';
}

} // namespace

int run(const config_default_options&, terminal& screen) {
  screen.out << default_config_text();
  return exit_ok;
}

int run(const config_check_options& options, terminal& screen) {
  const auto config = load_config({options.file, {}, {}});
  print_problems(config, screen);
  if (!config.ok())
    return exit_usage;
  screen.out << options.file << ": ok\n";
  return exit_ok;
}

int run(const config_explain_options& options, terminal& screen) {
  const auto config = load_config(
      {options.config.file, process_environment(), options.config.flags});
  const setting* row = nullptr;
  if (options.name) {
    row = find_setting(*options.name);
    if (row == nullptr) {
      std::vector<std::string> names;
      for (const auto& each : all_settings())
        names.push_back(name_of(each));
      screen.err << "troupe config explain: unknown setting '" << *options.name
                 << "'"
                 << did_you_mean(*options.name, {names.begin(), names.end()})
                 << '\n';
      return exit_usage;
    }
  }
  screen.out << (row != nullptr ? explain(config, *row) : explain_all(config));
  print_problems(config, screen);
  return config.ok() ? exit_ok : exit_usage;
}

int run(const config_reference_options&, terminal& screen) {
  screen.out << config_reference_text();
  return exit_ok;
}

int run(const version_options&, terminal& screen) {
  screen.out << version_text();
  return exit_ok;
}

} // namespace troupe::app
