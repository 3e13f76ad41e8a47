// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "net/mqtt/packets.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe::net::mqtt {

/// What becomes of a publication or a subscription that is not permitted.
enum class denial_policy : std::uint8_t {
  close,  ///< the connection ends
  answer, ///< the client is told by a reason code, where its version has one
  silent, ///< it looks as if it had worked
};

/// What becomes of a session whose credentials have expired.
enum class expiry_policy : std::uint8_t {
  close,  ///< it ends, within a second
  refuse, ///< it stays; what it asks for next is denied
};

/// What becomes of a message for a client that does not keep up.
enum class overflow_policy : std::uint8_t {
  drop,  ///< the message is dropped
  close, ///< the session ends
};

struct mqtt_options {
  std::string realm = "default";

  // Who comes.
  /// User names that say: the password is a token, and the user is whom that
  /// names.
  std::vector<std::string> token_users{"JWT"};
  /// Whether the subject of a client certificate names the user, if neither
  /// user name nor password are shown.
  bool certificate_users = false;
  denial_policy denied = denial_policy::close;
  expiry_policy expired = expiry_policy::close;
  std::size_t client_id_bytes_max = 1024;
  /// From the beginning of the connection to its CONNECT.
  core::milliseconds connect_time{10'000};
  /// The longest keep alive; clients that want another get this one, if their
  /// version can be told. 0: as they like.
  std::uint16_t keep_alive_max = 0;

  // What a client may send.
  std::size_t packet_bytes_max = std::size_t{1} << 20U;
  /// Publications of QoS 1 and 2 that it may have under way.
  std::uint16_t receive_maximum = 1024;
  std::uint16_t topic_alias_max = 64;
  std::size_t subscriptions_max = 10'000;

  // What stays of it.
  /// Whether sessions outlive their connections.
  bool sessions_last = true;
  /// For how long at most; MQTT's "never" is no bound.
  seconds session_expiry_max{never};

  // What waits for a client.
  /// Messages of QoS 1 and 2 under way to it, if it allows for so many.
  std::uint16_t inflight_max = 1024;
  /// Messages of QoS 1 and 2 that wait behind those.
  std::size_t queue_messages_max = 10'000;
  std::size_t queue_bytes_max = std::size_t{8} << 20U;
  overflow_policy queue_full = overflow_policy::drop;
  /// Bytes unsent at which messages of QoS 0 are dropped, and others wait.
  std::size_t backlog_bytes_max = std::size_t{1} << 20U;

  /// Whether retained messages are kept, where keys are served.
  bool retained = true;

  /// For MQTT 5's response information; %c is the client id. "": none.
  std::string response_prefix;
  /// Where a client may go when the node drains, for MQTT 5. "": as the other
  /// nodes say.
  std::string server_reference;
};

/// Relaxed, written on any loop.
struct mqtt_stats {
  using counter = std::atomic<std::uint64_t>;

  counter sessions{0};      ///< now
  counter sessions_ever{0}; ///< since the start
  counter subscriptions{0}; ///< now
  counter received_qos0{0}; ///< publications of clients, by QoS
  counter received_qos1{0};
  counter received_qos2{0};
  counter received_bytes{0}; ///< of their payloads
  counter repeated{0};       ///< of those of QoS 2: had been received before
  counter sent_qos0{0};      ///< publications to clients, by QoS
  counter sent_qos1{0};
  counter sent_qos2{0};
  counter sent_bytes{0}; ///< of them, as packets
  counter queued{0};     ///< of QoS 1 and 2: had to wait
  // Messages that a client did not get, by reason.
  counter dropped_slow{0};       ///< QoS 0, too much was unsent
  counter dropped_queue_full{0}; ///< QoS 1 and 2
  counter dropped_expired{0};    ///< waited for too long
  counter dropped_too_large{0};  ///< for the client's maximum
  // Connections that were refused, by reason.
  counter refused_login{0};
  counter refused_busy{0};
  counter refused_protocol{0}; ///< no CONNECT, or one that is wrong
  counter refused_subscribe{0};
  counter refused_publish{0};
  // Sessions that were ended, by reason.
  counter ended_protocol{0};
  counter ended_keep_alive{0};
  counter ended_taken_over{0};
  counter ended_rights{0};
  counter ended_slow{0};
  counter wills{0}; ///< published
  // Retained messages.
  counter retained_sent{0};       ///< to who has subscribed
  counter retained_superseded{0}; ///< not sent: a newer one was
  counter retained_incomplete{0}; ///< reads for a subscription that missed some
  // PUBLISH whose message could not be kept, by reason.
  counter unkept_quota{0};
  counter unkept_invalid{0}; ///< no topic for a key, or too large
  counter unkept_late{0};    ///< no leader in time: it may be kept or not
  counter unkept_busy{0};
};

inline void count(mqtt_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_add(n, std::memory_order_relaxed);
}
inline void uncount(mqtt_stats::counter& what, std::uint64_t n = 1) {
  what.fetch_sub(n, std::memory_order_relaxed);
}

} // namespace troupe::net::mqtt
