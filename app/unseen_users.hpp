// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/admin_query.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "net/http_message.hpp"
#include "storage/state_store.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Devices that have not been seen for long, as one shard's tables know them.
namespace troupe::app {

using http_query = std::vector<std::pair<std::string, std::string>>;

/// A page that is asked for.
struct unseen_question {
  core::milliseconds unseen_for{0};
  std::size_t limit = 0; ///< devices; those of one user stay together
  /// Users behind this one, all if there is none.
  std::optional<std::string> after;

  /// From a query `unseen_for_ms`, `limit`, `after`; nothing if it is none.
  [[nodiscard]] static std::optional<unseen_question>
  of(const net::http_request& request);
  [[nodiscard]] http_query query() const;
};

struct unseen_device {
  std::string uid;
  std::uint64_t device = 0;   ///< its offset
  std::int64_t last_seen = 0; ///< ms since the epoch
  bool all = false;           ///< none of the user's devices was seen
};

struct unseen_page {
  std::vector<unseen_device> rows;
  /// There are more, behind the last user of this page.
  bool more = false;
};

/// Walks over the tables: not on a loop.
[[nodiscard]] unseen_page read_unseen(storage::state_store& state,
                                      core::group_id group,
                                      const unseen_question& question,
                                      core::timestamp now);

[[nodiscard]] boost::json::value to_json(const unseen_page& page);
/// What to_json wrote, here or on another node; nothing if it is something
/// else.
[[nodiscard]] std::optional<unseen_page> unseen_page_of(std::string_view text);

} // namespace troupe::app
