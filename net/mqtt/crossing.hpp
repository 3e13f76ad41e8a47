// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/topic.hpp"
#include "net/mqtt/packets.hpp"

#include <cstdint>
#include <optional>

/// How a PUBLISH becomes a publication and the other way round, so that other
/// doors understand as much of it as they can (docs/crossing.md).
///
/// User properties are headers. What else MQTT says of a message are headers,
/// too, whose names begin with ':', which no other header's does: a user
/// property that begins so gets one more in front of it.
namespace troupe::net::mqtt {

inline constexpr char own_header = ':';

/// What a message says about itself, borrowed from its publication.
struct message_terms {
  qos level = qos::at_most_once;
  bool retain = false;
  message_properties properties{};
};

/// Everything but the realm and who it is that publishes.
[[nodiscard]] core::publication
publication_of(core::topic name, qos level, bool retain,
               const message_properties& properties,
               core::shared_bytes payload);

/// Only what every delivery needs to know.
struct message_marks {
  qos level = qos::at_most_once;
  bool retain = false;
  std::optional<seconds> expiry{};
  /// Of the key that it has set or cleared; 0: none that is known.
  std::uint64_t revision = 0;
};
[[nodiscard]] message_marks marks_of(const core::publication& what);

/// Says in a publication which revision its key has by it.
void mark_revision(core::publication& what, std::uint64_t revision);

/// All of it, for clients of MQTT 5. What can't be said in MQTT is left out.
[[nodiscard]] message_properties properties_of(const core::publication& what);

/// How long ago it was published, by the clocks of both nodes; never negative.
[[nodiscard]] seconds age_of(const core::publication& what,
                             core::timestamp now);

/// Its expiry, if it has one, becomes what is left of it: for what begins to
/// wait now as if it had just been published.
void lessen_expiry(core::publication& what, core::timestamp now);

} // namespace troupe::net::mqtt
