// SPDX-License-Identifier: Apache-2.0
#include "app/cli_flags.hpp"

#include <algorithm>
#include <string_view>

namespace troupe::app {
namespace {

/// What may stand in a certificate and be the name of a file: nothing that
/// either of them reads as more than a letter.
bool is_plain(std::string_view text, std::string_view marks) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 64 && text.front() != '.' &&
         text.front() != '-' && std::all_of(text.begin(), text.end(), letter);
}

certificate_holder holder_of(const std::string& flag, const std::string& text) {
  const auto equals = text.find('=');
  certificate_holder made;
  made.name = text.substr(0, equals);
  if (!is_plain(made.name, ".-_") || made.name == "ca")
    throw CLI::ValidationError(
        flag, "'" + made.name +
                  "' is no name for a node here: up to 64 letters, digits, "
                  "'.', '-' and '_', and not 'ca'");
  if (equals == std::string::npos)
    return made;
  made.hosts = parse_list(text.substr(equals + 1));
  for (const auto& host : made.hosts)
    if (!is_plain(host, ".-_:"))
      throw CLI::ValidationError(flag, "'" + host +
                                           "' is no name or IP address of a "
                                           "host (without a port)");
  if (made.hosts.empty())
    throw CLI::ValidationError(flag, "no hosts behind '" + text + "'");
  return made;
}

} // namespace

CLI::Option* add_duration(CLI::App* to, const std::string& name,
                          milliseconds& target, const std::string& help) {
  const auto parse = [](const std::string& text) -> core::result<milliseconds> {
    const auto value = parse_duration(text);
    if (!value)
      return value.error();
    return std::chrono::duration_cast<milliseconds>(*value);
  };
  return add_parsed(to, name, target, parse, "DURATION", help);
}

CLI::Option* add_names(CLI::App* to, const std::string& name,
                       std::vector<std::string>& target,
                       const std::string& help) {
  return to->add_option(name, target, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME[,NAME]");
}

CLI::Option* add_holders(CLI::App* to, const std::string& name,
                         std::vector<certificate_holder>& target,
                         const std::string& help) {
  return to
      ->add_option_function<std::vector<std::string>>(
          name,
          [&target, name](const std::vector<std::string>& all) {
            for (const auto& each : all)
              target.push_back(holder_of(name, each));
          },
          help)
      ->allow_extra_args(false)
      ->type_name("NAME[=HOST,...]");
}

} // namespace troupe::app
