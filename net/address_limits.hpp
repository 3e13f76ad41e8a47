// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "net/net_stats.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace troupe::net {

/// How often something may happen: `burst` at once, `per_second` in the long
/// run. A rate of 0 is no limit.
struct rate_limit {
  double per_second = 0;
  double burst = 0;
};

struct address_limits_options {
  /// Open connections of the node; 0 is no limit.
  std::uint32_t total_connections_max = 0;
  /// Open connections from one address; 0 is no limit.
  std::uint32_t address_connections_max = 4096;
  rate_limit accepts{200, 2000};
  rate_limit logins{50, 1000};
  /// Loopback is the machine itself (proxies, tools, tests): not limited by
  /// address.
  bool exempt_loopback = true;
  /// Addresses remembered; newcomers beyond share one entry.
  std::uint32_t table_max = 65'536;
};

class address_limits;

/// One admitted connection; gives its place back when destroyed.
class address_lease {
public:
  address_lease() = default;
  address_lease(address_lease&& other) noexcept = default;
  address_lease& operator=(address_lease&& other) noexcept;
  ~address_lease() { release(); }

  [[nodiscard]] explicit operator bool() const noexcept {
    return limits_ != nullptr;
  }
  void release() noexcept;

private:
  friend class address_limits;
  std::shared_ptr<address_limits> limits_;
  std::array<std::uint8_t, 8> key_{};
  bool counted_by_address_ = false;
};

/// Who may connect and log in how often, over all loops and listeners. An
/// IPv4 address or an IPv6 /64 counts as one client. Thread-safe; one short
/// lock a connect or login.
class address_limits : public std::enable_shared_from_this<address_limits> {
public:
  static std::shared_ptr<address_limits> make(address_limits_options options);

  struct admission {
    address_lease lease;            ///< holds if admitted
    std::optional<refusal> refused; ///< set if not
  };
  admission admit(const boost::asio::ip::address& address,
                  core::steady_time now);

  /// Takes one login's worth; false if there is none left.
  bool allow_login(const boost::asio::ip::address& address,
                   core::steady_time now);

  [[nodiscard]] std::uint32_t connections() const;

private:
  friend class address_lease;
  using key = std::array<std::uint8_t, 8>;
  struct key_hash {
    std::size_t operator()(const key& k) const noexcept;
  };
  struct bucket {
    double tokens = -1; // < 0: not used yet, full
    core::steady_time filled{};
    bool take(const rate_limit& limit, core::steady_time now);
    [[nodiscard]] bool full(const rate_limit& limit,
                            core::steady_time now) const;
  };
  struct entry {
    std::uint32_t connections = 0;
    bucket accepts;
    bucket logins;
  };

  explicit address_limits(address_limits_options options) : options_(options) {}
  static key key_of(const boost::asio::ip::address& address);
  [[nodiscard]] bool exempt(const boost::asio::ip::address& address) const;
  /// The key that counts for an address: its own, or the shared one.
  key admit_key(const boost::asio::ip::address& address, core::steady_time now);
  void forget_idle(core::steady_time now);
  void release(const key& k, bool by_address);

  const address_limits_options options_;
  mutable std::mutex mutex_;
  std::uint32_t total_ = 0;
  std::unordered_map<key, entry, key_hash> table_;
  core::steady_time swept_{};
};

} // namespace troupe::net
