// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/packets.hpp"

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>

namespace troupe::net::mqtt::test {

/// Packets that a seed decides. What they borrow lives as long as this.
class random_packets {
public:
  explicit random_packets(std::uint64_t seed) : random_(seed) {}

  /// One that `from` may send in that version.
  any_packet next(version by, sender from);
  /// One of that type. REQUIRES: the version has it and `from` may send it.
  any_packet next(packet_type type, version by, sender from);

  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(random_() % bound);
  }

private:
  bool maybe() { return below(2) == 0; }
  std::string_view text(std::uint32_t most = 12);
  std::string_view bytes();
  std::string_view topic();
  packet_id id() { return packet_id{std::uint16_t(1 + below(65535))}; }
  qos level() { return static_cast<qos>(below(3)); }
  core::shared_bytes payload();
  reason_code reason(packet_type type, sender from);
  void fill(user_properties& to);
  void fill(message_properties& to);
  void fill(connect& to, version by);
  void fill(connack& to, version by);
  void fill(publish& to, version by, sender from);
  void fill(acknowledgement& to, packet_type type, version by, sender from);
  void fill(subscribe& to, version by);
  void fill(suback& to, version by);
  void fill(disconnect& to, sender from);
  void fill(auth& to, sender from);

  template <class Value, class Make>
  void set(std::optional<Value>& to, Make&& make) {
    if (maybe())
      to = static_cast<Value>(make());
  }
  void set(std::optional<std::string_view>& to) {
    set(to, [&] { return text(); });
  }
  void set(std::optional<bool>& to) {
    set(to, [&] { return maybe(); });
  }
  void set(std::optional<seconds>& to) {
    set(to, [&] { return seconds{static_cast<std::uint32_t>(random_())}; });
  }

  std::mt19937_64 random_;
  std::deque<std::string> strings_;
};

} // namespace troupe::net::mqtt::test
