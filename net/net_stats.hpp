// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace troupe::net {

/// Why a connection was refused or cut; each has a counter and is what the
/// log and /metrics show.
enum class refusal : std::uint8_t {
  address_connections, ///< too many connections from one address
  total_connections,   ///< the node's bound on connections is reached
  accept_rate,         ///< connects from one address come too fast
  login_rate,          ///< log-ins from one address come too fast
  no_descriptors,      ///< the process is out of file descriptors
  proxy_header,        ///< PROXY header missing, malformed or not trusted
  unknown_protocol,    ///< the first bytes are of no protocol served here
  tls_not_served,      ///< a TLS hello, but no certificate is set
  opening_timeout,     ///< no protocol chosen, or no CONNECT of MQTT, in time
  draining,            ///< the node shuts down
  request_timeout,     ///< an HTTP request that did not come whole in time
};
inline constexpr auto last_refusal = refusal::request_timeout;
inline constexpr auto refusal_count =
    static_cast<std::size_t>(last_refusal) + 1;
std::string_view to_string(refusal reason) noexcept;

/// A counter written by one thread and read by any: a plain add, no lock
/// prefix.
class loop_counter {
public:
  void add(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + count,
                 std::memory_order_relaxed);
  }
  void subtract(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - count,
                 std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one loop counts. Written on that loop only.
struct loop_stats {
  loop_counter accepted;
  loop_counter open;
  loop_counter bytes_in;
  loop_counter bytes_out;
  loop_counter protocol_closes; ///< a protocol said goodbye and closed
  loop_counter protocol_errors; ///< cut at once: bytes of no sense
  loop_counter tls_handshakes;
  loop_counter tls_failures;
  loop_counter socket_errors;
  loop_counter dropped_slow; ///< cut because the peer did not read
  std::array<loop_counter, refusal_count> refused;

  void refuse(refusal reason) noexcept {
    refused[static_cast<std::size_t>(reason)].add();
  }
};

/// The sum over all loops at one moment.
struct net_stats {
  std::uint64_t accepted = 0;
  std::uint64_t open = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t protocol_closes = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t tls_handshakes = 0;
  std::uint64_t tls_failures = 0;
  std::uint64_t socket_errors = 0;
  std::uint64_t dropped_slow = 0;
  std::array<std::uint64_t, refusal_count> refused{};
  /// Open connections by protocol::name(); "opening" before one is chosen.
  std::map<std::string, std::uint64_t, std::less<>> open_by_protocol;

  /// Adds one loop's counters (open_by_protocol apart).
  void add(const loop_stats& loop) noexcept;
  /// Adds all of another sum.
  void add(const net_stats& other);
  [[nodiscard]] std::uint64_t refused_for(refusal reason) const noexcept {
    return refused[static_cast<std::size_t>(reason)];
  }
};

/// Counts by a name out of a small set of literals (protocol names). Written
/// on one loop, read by any thread; names beyond the capacity share the last
/// place.
class named_counters {
public:
  static constexpr std::size_t capacity = 24;

  /// `name` must live for ever (a literal).
  void add(std::string_view name) noexcept;
  void subtract(std::string_view name) noexcept;
  /// Adds the counts into `sum`, zeros left out.
  void collect(std::map<std::string, std::uint64_t, std::less<>>& sum) const;

private:
  struct slot {
    std::atomic<const char*> name{nullptr};
    std::size_t length = 0;
    loop_counter count;
  };
  slot& find(std::string_view name) noexcept;

  std::array<slot, capacity> slots_{};
};

} // namespace troupe::net
