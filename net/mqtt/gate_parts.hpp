// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/gate.hpp"
#include "net/mqtt/lasting_window.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

/// What the sources of a gate share and nobody else needs.
namespace troupe::net::mqtt {

/// An alias takes three bytes, and whoever uses one gets bytes of its own
/// instead of those that others get, too: not for topics that are short.
inline constexpr std::size_t alias_topic_bytes_min = 24;

/// A will, as it will be published.
struct gate::kept_will {
  core::publication what;
  std::string shown; ///< the topic, in the client's spelling
  qos level = qos::at_most_once;
  bool retain = false;
  seconds delay{0};
  std::optional<seconds> expiry{};
};

struct gate::lasting {
  lasting(std::uint16_t inflight_max, const std::vector<std::uint16_t>& waiting)
      : window(inflight_max, waiting) {}

  lasting_window window;
  core::timestamp closed{}; ///< the connection before
  std::size_t resumed = 0;  ///< messages that it may have had under way
  /// Answers that wait until the directory has what they say.
  struct answer {
    std::variant<suback, unsuback> told;
    /// Of a SUBACK: which of its reasons each route is about.
    std::vector<std::size_t> places{};
    std::size_t removed = 0; ///< routes, before those that are added
    std::vector<core::route_name> names{};
  };
  std::map<std::uint64_t, answer> answers; ///< by ticket
  std::vector<core::route_name> gone;      ///< with the next change
  std::set<std::uint16_t> releasing;       ///< PUBCOMP is due
};

struct gate::exchange {
  enum class turn : std::uint8_t { nobody, client, node };

  std::string method;
  turn whose_turn = turn::nobody; ///< nobody: none is under way
  core::steady_time until{};      ///< it has to be over
  std::string last_words;         ///< for the CONNACK
};

/// What a CONNECT asks for, until it is answered.
struct gate::arrival {
  bool clean_start = true;
  bool assigned_id = false;
  bool response_information = false;
  seconds asked_keep_alive{};
  seconds keep_alive{}; ///< as granted
  std::optional<seconds> session_expiry{};
  seconds expiry{}; ///< as granted
  std::uint16_t receive_maximum = 65'535;
  std::uint16_t topic_alias_maximum = 0;
  std::string uid; ///< once it is known
};

/// What a client of MQTT 5 is told that may not do something.
[[nodiscard]] reason_code reason_of(core::deny_reason why) noexcept;

} // namespace troupe::net::mqtt
