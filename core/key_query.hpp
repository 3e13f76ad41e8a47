// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/key_store.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic_filter.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reads of the retained keys of one shard.
namespace troupe::core {

struct found_key {
  std::string topic;
  key_record record;
  /// The command that set it (schema::decode_key_value reads it).
  shared_bytes command;
};

struct key_page_limits {
  std::size_t count_max = 1000;
  /// Of weights. One key is in a page however big it is.
  std::size_t bytes_max = std::size_t{1} << 20U;
  /// Keys looked at: a filter that begins with a wildcard may match few.
  std::size_t looked_at_max = 10'000;
};

struct key_page {
  std::vector<found_key> keys; ///< in the order of key_store::each_key
  /// There may be more: go on behind this topic.
  std::optional<std::string> next;
};

/// One key, unless it has expired.
[[nodiscard]] std::optional<found_key> find_key(const key_store& store,
                                                std::string_view realm,
                                                std::string_view topic,
                                                timestamp now);

/// The keys whose topic a filter matches, from behind `after` on. Costs what
/// lies under the literal beginning of the filter: a/b/+ looks at a/b/… alone,
/// +/b at all keys of the realm. A key that is set or cleared between two pages
/// may or may not be seen.
[[nodiscard]] key_page find_keys(const key_store& store, std::string_view realm,
                                 const topic_filter& filter,
                                 const std::optional<std::string>& after,
                                 const key_page_limits& limits, timestamp now);

/// What all topics that a filter matches begin with, but perhaps for the
/// topic that ends before the last '/' of it (a/# matches a).
[[nodiscard]] std::string literal_beginning(const topic_filter& filter);

} // namespace troupe::core
