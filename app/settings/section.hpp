// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings_table.hpp"

#include <cstdint>
#include <span>
#include <string_view>

/// How a section of the table is written down: a file a section, a row a
/// setting, in the order in which people read them.
namespace troupe::app::table {

struct section_table {
  section about;
  std::span<const setting> rows;
};

/// Makes the rows of the section that is this member of `settings`.
template <auto Section>
struct row_maker {
  std::string_view name;

  template <auto Member>
  [[nodiscard]] constexpr setting row(std::string_view key,
                                      std::string_view help,
                                      setting_traits traits = {}) const {
    constexpr auto access = [](settings& of) -> field {
      return &((of.*Section).*Member);
    };
    return {name, key, access, traits, help};
  }
};

inline constexpr std::uint64_t us = 1;
inline constexpr std::uint64_t ms = 1'000 * us;
inline constexpr std::uint64_t s = 1'000 * ms;
inline constexpr std::uint64_t day = 86'400 * s;
inline constexpr std::uint64_t years = 36'500 * day;
inline constexpr std::uint64_t kib = 1ULL << 10;
inline constexpr std::uint64_t mib = 1ULL << 20;
inline constexpr std::uint64_t gib = 1ULL << 30;
inline constexpr std::uint64_t tib = 1ULL << 40;

constexpr setting_traits size_between(std::uint64_t min, std::uint64_t max) {
  return {.min = min, .max = max, .counts = quantity::bytes};
}
constexpr setting_traits between(std::uint64_t min, std::uint64_t max) {
  return {.min = min, .max = max};
}
constexpr setting_traits on_reload(setting_traits traits = {}) {
  traits.effect = takes_effect::at_reload;
  return traits;
}
constexpr setting_traits secret(setting_traits traits = {}) {
  traits.secret = true;
  return traits;
}

section_table node_section();
section_table listen_section();
section_table workers_section();
section_table tls_section();
section_table admin_section();
section_table mq_section();
section_table auth_section();
section_table ws_section();
section_table msgbus_section();
section_table zenconn_section();
section_table mqtt_section();
section_table files_section();
section_table inbox_section();
section_table keys_section();
section_table topics_section();
section_table storage_section();
section_table audit_section();
section_table cluster_section();
section_table log_section();

} // namespace troupe::app::table
