// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/admin_options.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// troupe key …
namespace troupe::app {

struct key_list_options {
  admin_options admin;
  std::string filter = "#";
  std::string realm = "default";
  std::uint64_t limit = 1000; ///< 0 = all
};

struct key_get_options {
  admin_options admin;
  std::string topic;
  std::string realm = "default";
};

struct key_set_options {
  admin_options admin;
  std::string topic;
  std::optional<std::string> text; ///< unset = standard input
  std::string realm = "default";
  std::string content_type;
  std::uint32_t qos = 0;
  std::optional<milliseconds> ttl;
};

struct key_clear_options {
  admin_options admin;
  std::string topic;
  std::string realm = "default";
};

} // namespace troupe::app
