// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings_table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// From flags, environment, file and defaults to one set of values, in this
/// order of precedence. Nothing is ignored: what is not known is refused.
namespace troupe::app {

enum class value_source : std::uint8_t { built_in, file, environment, flag };

[[nodiscard]] std::string_view to_string(value_source source);

/// Where a value came from: `place` is "troupe.toml:3:1", the name of a
/// variable or of a flag, "" for a default.
struct value_origin {
  value_source source = value_source::built_in;
  std::string place;
};

/// One complaint for people; `place` as above.
struct config_problem {
  std::string place;
  std::string text;

  friend bool operator==(const config_problem&,
                         const config_problem&) = default;
};

/// "place: text".
[[nodiscard]] std::string to_string(const config_problem& problem);

/// A value given on the command line: `flag` as typed ("--listen"), `name` of
/// the setting ("listen.public").
struct flag_value {
  std::string flag;
  std::string name;
  std::string value;
};

using environment_list = std::vector<std::pair<std::string, std::string>>;

/// What a configuration is made of.
struct config_sources {
  std::optional<std::string> file; ///< path
  environment_list environment;
  std::vector<flag_value> flags;
};

/// The outcome. `values` is complete and usable only without problems.
struct configuration {
  settings values;
  std::vector<value_origin> origins; ///< one for each row of all_settings()
  std::vector<config_problem> problems;

  [[nodiscard]] bool ok() const { return problems.empty(); }
};

/// Reads the sources, then checks what the values mean together.
[[nodiscard]] configuration load_config(const config_sources& sources);

/// As load_config, of a text that calls itself `path` and nothing else.
[[nodiscard]] configuration check_config_text(std::string_view text,
                                              const std::string& path);

/// What is wrong with the values together: a TLS listener without a
/// certificate, an admin listener that anybody could reach, …
[[nodiscard]] std::vector<config_problem>
check_together(const settings& values,
               const std::vector<value_origin>& origins);

/// The variables of this process that begin with TROUPE_.
[[nodiscard]] environment_list process_environment();

/// The admin token: admin.token, or the first line of admin.token_file; ""
/// if none is asked for.
[[nodiscard]] core::result<std::string> admin_token(const settings& values);

/// The same of cluster.secret and cluster.secret_file, checked for its length.
[[nodiscard]] core::result<std::string> cluster_secret(const settings& values);
/// The secret of signed tokens, from the setting or its file; "" without one.
[[nodiscard]] core::result<std::string> jwt_secret(const settings& values);

/// The same of msgbus.password and msgbus.password_file.
[[nodiscard]] core::result<std::string>
channel_password(const settings& values);

/// The same of zenconn.secret and zenconn.secret_file.
[[nodiscard]] core::result<std::string> zenconn_secret(const settings& values);
/// The key of audit.key_file; "" without one.
[[nodiscard]] core::result<std::string> audit_key(const settings& values);

/// A TOML file with every setting at its default, explained.
[[nodiscard]] std::string default_config_text();
/// docs/configuration.md.
[[nodiscard]] std::string config_reference_text();
/// Value, origin, default and help of one row, or a line for each row.
[[nodiscard]] std::string explain(const configuration& config,
                                  const setting& row);
[[nodiscard]] std::string explain_all(const configuration& config);

} // namespace troupe::app
