// SPDX-License-Identifier: Apache-2.0
#include "net/address_limits.hpp"

#include "net/ip_endpoint.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace troupe::net {

namespace ip = boost::asio::ip;

namespace {

// A full table is searched for forgettable entries at most this often, so
// that a flood of addresses does not make every connect a table scan.
constexpr auto sweep_interval = std::chrono::seconds{1};

} // namespace

address_lease& address_lease::operator=(address_lease&& other) noexcept {
  if (this != &other) {
    release();
    limits_ = std::move(other.limits_);
    key_ = other.key_;
    counted_by_address_ = other.counted_by_address_;
  }
  return *this;
}

void address_lease::release() noexcept {
  if (auto limits = std::exchange(limits_, nullptr))
    limits->release(key_, counted_by_address_);
}

std::shared_ptr<address_limits>
address_limits::make(address_limits_options options) {
  return std::shared_ptr<address_limits>{new address_limits{options}};
}

std::size_t address_limits::key_hash::operator()(const key& k) const noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, k.data(), sizeof bits);
  return static_cast<std::size_t>(bits * 0x9e3779b97f4a7c15ULL >> 7);
}

bool address_limits::bucket::take(const rate_limit& limit,
                                  core::steady_time now) {
  if (limit.per_second <= 0)
    return true;
  if (tokens < 0) {
    tokens = limit.burst;
  } else {
    std::chrono::duration<double> passed = now - filled;
    tokens = std::min(limit.burst, tokens + passed.count() * limit.per_second);
  }
  filled = now;
  if (tokens < 1)
    return false;
  tokens -= 1;
  return true;
}

bool address_limits::bucket::full(const rate_limit& limit,
                                  core::steady_time now) const {
  if (tokens < 0)
    return true;
  std::chrono::duration<double> passed = now - filled;
  return tokens + passed.count() * limit.per_second >= limit.burst;
}

address_limits::key address_limits::key_of(const ip::address& address) {
  key k{};
  auto plain = unmapped(address);
  if (plain.is_v4()) {
    // No IPv6 /64 of the Internet begins so: 64:ff9b:1::/48 is local use.
    auto bytes = plain.to_v4().to_bytes();
    k = {0x00, 0x64, 0xff, 0x9b};
    std::copy(bytes.begin(), bytes.end(), k.begin() + 4);
  } else {
    auto bytes = plain.to_v6().to_bytes();
    std::copy_n(bytes.begin(), k.size(), k.begin());
  }
  return k;
}

bool address_limits::exempt(const ip::address& address) const {
  return options_.exempt_loopback && unmapped(address).is_loopback();
}

address_limits::key address_limits::admit_key(const ip::address& address,
                                              core::steady_time now) {
  auto k = key_of(address);
  if (table_.count(k) != 0)
    return k;
  if (table_.size() >= options_.table_max)
    forget_idle(now);
  // Bound reached: strangers share one entry, so a flood of addresses limits
  // itself and nobody who is already known.
  return table_.size() >= options_.table_max ? key{} : k;
}

void address_limits::forget_idle(core::steady_time now) {
  if (now - swept_ < sweep_interval)
    return;
  swept_ = now;
  std::erase_if(table_, [&](const auto& item) {
    const auto& e = item.second;
    return e.connections == 0 && e.accepts.full(options_.accepts, now) &&
           e.logins.full(options_.logins, now);
  });
}

address_limits::admission address_limits::admit(const ip::address& address,
                                                core::steady_time now) {
  std::lock_guard lock{mutex_};
  if (options_.total_connections_max != 0 &&
      total_ >= options_.total_connections_max)
    return {{}, refusal::total_connections};
  admission admitted;
  if (!exempt(address)) {
    auto k = admit_key(address, now);
    auto& e = table_[k];
    if (options_.address_connections_max != 0 &&
        e.connections >= options_.address_connections_max)
      return {{}, refusal::address_connections};
    if (!e.accepts.take(options_.accepts, now))
      return {{}, refusal::accept_rate};
    ++e.connections;
    admitted.lease.key_ = k;
    admitted.lease.counted_by_address_ = true;
  }
  ++total_;
  admitted.lease.limits_ = shared_from_this();
  return admitted;
}

bool address_limits::allow_login(const ip::address& address,
                                 core::steady_time now) {
  if (options_.logins.per_second <= 0 || exempt(address))
    return true;
  std::lock_guard lock{mutex_};
  return table_[admit_key(address, now)].logins.take(options_.logins, now);
}

std::uint32_t address_limits::connections() const {
  std::lock_guard lock{mutex_};
  return total_;
}

void address_limits::release(const key& k, bool by_address) {
  std::lock_guard lock{mutex_};
  --total_;
  if (by_address)
    --table_[k].connections;
}

} // namespace troupe::net
