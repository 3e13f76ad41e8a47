// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/key_query.hpp"
#include "core/topic_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe::actors::keys {

/// Where a reader of all shards goes on.
struct key_mark {
  core::group_id group; ///< 0: at the beginning
  std::optional<std::string> after{};

  friend bool operator==(const key_mark&, const key_mark&) = default;
};

/// What somebody wants to read of the retained keys of all shards.
struct key_question {
  std::string realm = "default";
  core::topic_filter filter;
  key_mark from{};
  /// Of the whole page; one key is in it however big it is.
  std::size_t count_max = 128;
  std::size_t bytes_max = std::size_t{128} << 10U;
};

struct key_found_page {
  std::vector<core::found_key> keys;
  /// There may be more: go on here.
  std::optional<key_mark> next;
  /// Shards of this page that could not be read to their end.
  std::vector<core::group_id> unread;
};

/// Gathers one page from the shards, one after the other: a filter without
/// wildcards has its topic in one of them. Decides only; who asks the shards
/// is keys_actor.
class key_scan {
public:
  /// Keys that a shard looks at for one answer.
  static constexpr std::size_t looked_at_max = 2'000;
  /// Answers of shards that make a page: one that has found nothing by then is
  /// given as it is, so that whoever waits for it can go.
  static constexpr std::size_t answers_max = 64;

  key_scan(key_question what, std::uint16_t shards);

  [[nodiscard]] bool done() const { return done_; }
  /// Which shard is to be asked now, and from where on. REQUIRES: !done().
  [[nodiscard]] const key_mark& at() const { return at_; }
  [[nodiscard]] core::key_page_limits limits() const;
  [[nodiscard]] const key_question& what() const { return what_; }

  /// What that shard has answered.
  void take(core::key_page part);
  /// It has not, and will not be asked any more.
  void skip();
  /// REQUIRES: done().
  [[nodiscard]] key_found_page page() { return std::move(found_); }

private:
  void next_shard();

  key_question what_;
  std::uint16_t shards_;
  key_mark at_;
  key_found_page found_;
  std::size_t bytes_ = 0;
  std::size_t answers_ = 0;
  bool done_ = false;
};

} // namespace troupe::actors::keys
