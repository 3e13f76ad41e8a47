// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Commands of a data shard about retained keys: topics that have a value.
/// What becomes of them is in key_machine.hpp.
namespace troupe::core {

/// What is published, apart from where and when.
struct publication_content {
  std::string sender;       ///< uid, "" if there is none
  std::string content_type; ///< "" if the protocol has none
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint8_t qos = 0; ///< as it was published
  shared_bytes payload;

  friend bool operator==(const publication_content&,
                         const publication_content&) = default;
};

/// Bytes of the names and values of headers.
[[nodiscard]] inline std::size_t bytes_of_headers(
    const std::vector<std::pair<std::string, std::string>>& headers) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers)
    bytes += name.size() + value.size();
  return bytes;
}

/// Bytes one counts for in the bounds of a shard.
[[nodiscard]] inline std::size_t weight(const publication_content& c) {
  return c.payload.size() + c.sender.size() + c.content_type.size() +
         bytes_of_headers(c.headers) + 64;
}

/// Gives a key a value, and makes the key if there is none.
struct set_key {
  std::string realm = "default";
  std::string topic; ///< a core::topic's text
  publication_content content;
  std::optional<milliseconds> time_to_live;
  /// Only if the key has this revision now; 0: only if there is none.
  std::optional<std::uint64_t> expected;

  friend bool operator==(const set_key&, const set_key&) = default;
};

/// Takes a key away. That there is none is no failure.
struct clear_key {
  std::string realm = "default";
  std::string topic;
  std::optional<std::uint64_t> expected;

  friend bool operator==(const clear_key&, const clear_key&) = default;
};

/// Bounds of the keys of a shard; 0 means "no limit". What is above them is
/// refused.
struct key_policy {
  std::uint64_t keys_max = 1'000'000;
  std::uint64_t bytes_max = 1ULL << 30;

  friend bool operator==(const key_policy&, const key_policy&) = default;
};

struct set_key_policy {
  key_policy policy;

  friend bool operator==(const set_key_policy&,
                         const set_key_policy&) = default;
};

} // namespace troupe::core
