// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/value_text.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <string>
#include <vector>

/// What options of the command line have in common; for cli.cpp.
namespace troupe::app {

/// Flags of their own for what is set most often; the rest goes by --set.
struct short_flag {
  const char* flag;
  const char* name;
  const char* form;
};
inline constexpr std::array<short_flag, 18> short_flags{{
    {"--data", "node.data", "DIR"},
    {"--listen", "listen.public", "HOST:PORT"},
    {"--admin", "listen.admin", "HOST:PORT"},
    {"--admin-token-file", "admin.token_file", "FILE"},
    {"--mq-listen", "listen.mq", "HOST:PORT"},
    {"--msgbus-listen", "listen.msgbus", "HOST:PORT"},
    {"--docroot", "files.root", "DIR"},
    {"--tls-listen", "listen.tls", "HOST:PORT"},
    {"--tls-certificate", "tls.certificate", "FILE"},
    {"--tls-key", "tls.key", "FILE"},
    {"--cluster-listen", "cluster.listen", "HOST:PORT"},
    {"--join", "cluster.join", "HOST:PORT[,...]"},
    {"--cluster-advertise", "cluster.advertise", "HOST:PORT"},
    {"--cluster-secret-file", "cluster.secret_file", "FILE"},
    {"--loops", "node.loops", "N"},
    {"--workers", "workers.count", "N"},
    {"--log-level", "log.level", "LEVEL"},
    {"--log-format", "log.format", "text|json"},
}};

/// An option whose text goes through one of our own parsers.
template <class Target, class Parse>
CLI::Option* add_parsed(CLI::App* to, const std::string& name, Target& target,
                        Parse parse, const std::string& form,
                        const std::string& help) {
  return to
      ->add_option_function<std::string>(
          name,
          [&target, parse, name](const std::string& text) {
            const auto value = parse(text);
            if (!value)
              throw CLI::ValidationError(name, value.error().detail);
            target = Target(*value);
          },
          help)
      ->type_name(form);
}

CLI::Option* add_duration(CLI::App* to, const std::string& name,
                          milliseconds& target, const std::string& help);

/// Names with commas between or the flag again; never the words behind.
CLI::Option* add_names(CLI::App* to, const std::string& name,
                       std::vector<std::string>& target,
                       const std::string& help);

/// NAME[=HOST,…], once for each.
CLI::Option* add_holders(CLI::App* to, const std::string& name,
                         std::vector<certificate_holder>& target,
                         const std::string& help);

} // namespace troupe::app
