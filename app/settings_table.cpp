// SPDX-License-Identifier: Apache-2.0
#include "app/settings_table.hpp"

#include "app/settings/section.hpp"

#include <array>
#include <vector>

namespace troupe::app {
namespace {

/// In the order of files and of docs/configuration.md.
const std::array<table::section_table, 19>& tables() {
  using namespace table;
  static const std::array all{
      node_section(),   listen_section(),  workers_section(), tls_section(),
      admin_section(),  mq_section(),      auth_section(),    ws_section(),
      msgbus_section(), zenconn_section(), mqtt_section(),    files_section(),
      inbox_section(),  keys_section(),    topics_section(),  storage_section(),
      audit_section(),  cluster_section(), log_section(),
  };
  return all;
}

} // namespace

std::span<const setting> all_settings() {
  static const auto all = [] {
    std::vector<setting> joined;
    for (const auto& each : tables())
      joined.insert(joined.end(), each.rows.begin(), each.rows.end());
    return joined;
  }();
  return all;
}

std::span<const section> all_sections() {
  static const auto all = [] {
    std::vector<section> named;
    for (const auto& each : tables())
      named.push_back(each.about);
    return named;
  }();
  return all;
}

} // namespace troupe::app
