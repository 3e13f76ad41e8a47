// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>

/// The one table of settings. The reader of files, the reader of the
/// environment, the flags, `config default|check|explain` and
/// docs/configuration.md all follow from it.
namespace troupe::app {

/// Points at the member of a `settings` a row is about; its type says how the
/// value is read and written.
using field = std::variant<
    bool*, std::uint64_t*, milliseconds*, microseconds*, std::string*,
    std::vector<std::string>*, endpoint*, std::optional<endpoint>*,
    proxy_protocol_mode*, tls_version*, overflow_policy*, log_level*,
    log_format*, core::anonymous_policy*, storage::audit::answer_policy*,
    storage::audit::overflow_policy*, storage::audit::message_policy*,
    storage::audit::payload_policy*, core::share_policy*,
    net::mqtt::denial_policy*, net::mqtt::expiry_policy*,
    net::mqtt::overflow_policy*, listener_denial*>;

/// When a changed value counts.
enum class takes_effect : std::uint8_t {
  at_start,  ///< at the next start
  at_reload, ///< at SIGHUP, too
  once,      ///< fixed by the first start of a data folder
};

/// What a number stands for.
enum class quantity : std::uint8_t { count, bytes };

struct setting_traits {
  /// Inclusive; numbers as they are, durations in microseconds.
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  quantity counts = quantity::count;
  takes_effect effect = takes_effect::at_start;
  bool secret = false; ///< never printed or logged
};

/// One row.
struct setting {
  std::string_view section;
  std::string_view key;
  field (*access)(settings&);
  setting_traits traits;
  std::string_view help; ///< one sentence
};

struct section {
  std::string_view name;
  std::string_view help;
};

/// All rows, those of a section side by side in the order of all_sections().
[[nodiscard]] std::span<const setting> all_settings();
[[nodiscard]] std::span<const section> all_sections();

/// "section.key"; case is ignored.
[[nodiscard]] const setting* find_setting(std::string_view name);
/// Place of a row in all_settings().
[[nodiscard]] std::size_t index_of(const setting& row);

[[nodiscard]] std::string name_of(const setting& row);
/// TROUPE_SECTION__KEY.
[[nodiscard]] std::string environment_name(const setting& row);

/// Reads `text` into the row's member if it has the row's type and range;
/// else errc::invalid_config with a detail for people and no change.
[[nodiscard]] core::result<void> assign(const setting& row, settings& target,
                                        std::string_view text);

/// The value in the form assign() reads.
[[nodiscard]] std::string print(const setting& row, const settings& source);
/// The value as it stands in a TOML file.
[[nodiscard]] std::string print_toml(const setting& row,
                                     const settings& source);

/// For people: "duration", "size", "one of text, json", …
[[nodiscard]] std::string type_of(const setting& row);
/// For people: "1 to 256", "at least 1s", or "" if anything goes.
[[nodiscard]] std::string range_of(const setting& row);
/// For people: "start", "reload", "first start".
[[nodiscard]] std::string_view to_string(takes_effect effect);

/// The rows in which two sets of values differ, for a reload.
[[nodiscard]] std::vector<const setting*> differences(const settings& a,
                                                      const settings& b);

} // namespace troupe::app
