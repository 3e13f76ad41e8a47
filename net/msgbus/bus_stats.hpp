// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::net::msgbus {

/// Relaxed, written on any loop. "Dropped" and "refused" have a reason each.
struct bus_stats {
  using counter = std::atomic<std::uint64_t>;

  counter published{0};
  counter published_bytes{0};
  counter subscribers{0};   ///< now
  counter subscriptions{0}; ///< ever
  counter delivered{0};     ///< written for a subscriber
  counter delivered_bytes{0};
  counter filtered{0};        ///< kept from one by its filters
  counter dropped_backlog{0}; ///< too much waits for that subscriber
  counter dropped_line{0};    ///< the line to their worker was full
  counter ended_by_rights{0}; ///< subscribers that may not listen any more
  counter polls{0};           ///< long polls begun
  counter replayed{0};        ///< messages out of the history
  counter refused_unknown{0}; ///< 401
  counter refused_denied{0};  ///< 403
  counter refused_bad{0};     ///< no content type, an unknown method, too long
  counter refused_busy{0};    ///< the node takes no more just now
};

inline void count(bus_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_add(n, std::memory_order_relaxed);
}

} // namespace troupe::net::msgbus
