// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>

/// What groups of commands are put together with; for cli.cpp and its kind.
namespace troupe::app {

/// The root of the tree of commands, and what the line asks for. Lives as long
/// as one parse.
class cli_builder {
public:
  cli_builder() { only_one(&root_); }
  cli_builder(const cli_builder&) = delete;
  cli_builder& operator=(const cli_builder&) = delete;

  [[nodiscard]] CLI::App& root() { return root_; }
  [[nodiscard]] const CLI::App& root() const { return root_; }
  /// Known once the line was parsed.
  [[nodiscard]] const std::optional<command>& chosen() const { return chosen_; }

  CLI::App* add_group(const char* name, const char* help) {
    auto* group = root_.add_subcommand(name, help);
    only_one(group);
    return group;
  }

  /// Options that live as long as the tree and become the command if `at` is
  /// what the line asks for.
  template <class Options>
  Options& options_of(CLI::App* at) {
    auto options = std::make_shared<Options>();
    at->final_callback([this, options] { chosen_ = *options; });
    return *options;
  }

  /// A command that asks a node's admin listener.
  template <class Options>
  Options& add_admin_command(CLI::App* to, const char* name, const char* help) {
    last_ = to->add_subcommand(name, help);
    auto& options = options_of<Options>(last_);
    add_admin_flags(options.admin);
    return options;
  }
  /// The admin command added last.
  [[nodiscard]] CLI::App* last() const { return last_; }

private:
  /// Behind a command its siblings' names are plain words: a text may be
  /// "list", a user may be called "post".
  static void only_one(CLI::App* group) { group->require_subcommand(0, 1); }
  void add_admin_flags(admin_options& options);

  CLI::App root_{"Troupe, a message broker: durable inboxes for users and "
                 "their devices.",
                 "troupe"};
  std::optional<command> chosen_;
  CLI::App* last_ = nullptr;
};

/// Groups that have a file of their own: cli_audit.cpp, cli_channels.cpp,
/// cli_keys.cpp, cli_mqtt.cpp, cli_rights.cpp, cli_sessions.cpp.
void add_audit_commands(cli_builder& to);
void add_channel_commands(cli_builder& to);
void add_key_commands(cli_builder& to);
void add_mqtt_commands(cli_builder& to);
void add_rights_commands(cli_builder& to);
void add_session_commands(cli_builder& to);

} // namespace troupe::app
