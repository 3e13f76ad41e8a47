// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/state_store.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::storage {

using core::errc;
using core::group_id;
using core::log_index;
using core::shared_bytes;
using test::temporary_folder;

inline shared_bytes text(std::string_view t) {
  return shared_bytes::copy_of(t);
}

inline state_options options_in(const temporary_folder& folder) {
  state_options options;
  options.folder = folder.path() / "state";
  options.groups = 3;
  options.map_bytes = std::size_t{1} << 30;
  // Commits only when a test asks for them.
  options.commit_interval = std::chrono::hours{1};
  options.reserve_bytes = 0;
  return options;
}

inline std::unique_ptr<state_store> open_in(const temporary_folder& folder) {
  auto opened = state_store::open(options_in(folder));
  EXPECT_TRUE(opened) << to_string(opened.error());
  return std::move(*opened);
}

inline std::map<std::string, std::string> all_of(const core::state_space& space,
                                                 std::string_view prefix = {},
                                                 std::string_view from = {}) {
  std::map<std::string, std::string> found;
  std::string last;
  space.scan(prefix, from, [&](std::string_view key, const auto& value) {
    EXPECT_TRUE(found.empty() || std::string_view{last} < key);
    last = key;
    found.emplace(key, value.text());
    return true;
  });
  return found;
}

} // namespace troupe::storage
