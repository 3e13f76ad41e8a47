// SPDX-License-Identifier: Apache-2.0
#include "net/net_stats.hpp"

namespace troupe::net {

std::string_view to_string(refusal reason) noexcept {
  switch (reason) {
  case refusal::address_connections:
    return "address_connections";
  case refusal::total_connections:
    return "total_connections";
  case refusal::accept_rate:
    return "accept_rate";
  case refusal::login_rate:
    return "login_rate";
  case refusal::no_descriptors:
    return "no_descriptors";
  case refusal::proxy_header:
    return "proxy_header";
  case refusal::unknown_protocol:
    return "unknown_protocol";
  case refusal::tls_not_served:
    return "tls_not_served";
  case refusal::opening_timeout:
    return "opening_timeout";
  case refusal::draining:
    return "draining";
  case refusal::request_timeout:
    return "request_timeout";
  }
  return "unknown";
}

void net_stats::add(const net_stats& other) {
  accepted += other.accepted;
  open += other.open;
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  protocol_closes += other.protocol_closes;
  protocol_errors += other.protocol_errors;
  tls_handshakes += other.tls_handshakes;
  tls_failures += other.tls_failures;
  socket_errors += other.socket_errors;
  dropped_slow += other.dropped_slow;
  for (std::size_t i = 0; i < refused.size(); ++i)
    refused[i] += other.refused[i];
  for (const auto& [name, count] : other.open_by_protocol)
    open_by_protocol[name] += count;
}

void net_stats::add(const loop_stats& loop) noexcept {
  accepted += loop.accepted.value();
  open += loop.open.value();
  bytes_in += loop.bytes_in.value();
  bytes_out += loop.bytes_out.value();
  protocol_closes += loop.protocol_closes.value();
  protocol_errors += loop.protocol_errors.value();
  tls_handshakes += loop.tls_handshakes.value();
  tls_failures += loop.tls_failures.value();
  socket_errors += loop.socket_errors.value();
  dropped_slow += loop.dropped_slow.value();
  for (std::size_t i = 0; i < refusal_count; ++i)
    refused[i] += loop.refused[i].value();
}

named_counters::slot& named_counters::find(std::string_view name) noexcept {
  for (auto& s : slots_) {
    const auto* known = s.name.load(std::memory_order_relaxed);
    if (known == nullptr) {
      s.length = name.size();
      s.name.store(name.data(), std::memory_order_release);
      return s;
    }
    if (std::string_view{known, s.length} == name)
      return s;
  }
  return slots_.back();
}

void named_counters::add(std::string_view name) noexcept {
  find(name).count.add();
}

void named_counters::subtract(std::string_view name) noexcept {
  find(name).count.subtract();
}

void named_counters::collect(
    std::map<std::string, std::uint64_t, std::less<>>& sum) const {
  for (const auto& s : slots_) {
    const auto* name = s.name.load(std::memory_order_acquire);
    if (name == nullptr)
      return;
    if (auto count = s.count.value(); count != 0)
      sum[std::string{name, s.length}] += count;
  }
}

} // namespace troupe::net
