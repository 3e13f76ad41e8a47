// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::core {

/// Every way in which a request can fail, over all layers. The numbers are
/// stable: they are written into logs, metrics and replicated answers. Each
/// protocol maps these codes to its own texts or reason codes in one table.
enum class errc : std::uint16_t {
  ok = 0,

  // What the client asked for.
  user_exists = 10,             ///< register: the uid is taken.
  user_unknown = 11,            ///< no user of that uid.
  user_inactive = 12,           ///< suspended: no device seen for too long.
  device_unknown = 13,          ///< the user has no device of that name.
  device_exists = 14,           ///< add device: the name is taken by this user.
  device_name_required = 15,    ///< an empty device name.
  device_busy = 16,             ///< login: the device has a live session.
  previous_device_invalid = 17, ///< add device / re-register: wrong name.
  no_device_offset = 18,        ///< the user has the most devices allowed.
  alias_unknown = 19,           ///< no user goes by that alias.
  list_unknown = 20,            ///< no list of that name.
  not_a_member = 21,            ///< the caller is not in the list.
  no_recipients = 22,           ///< a post that would reach nobody.
  not_permitted = 23,           ///< e.g. changing the aliases of somebody else.
  not_logged_in = 24,           ///< the request needs a session.
  already_logged_in = 25,       ///< a second login on one connection.
  name_invalid = 26,            ///< empty, too long or with control characters.
  conflict = 27,                ///< it has changed: not what was expected.

  // Bounds.
  too_large = 40,    ///< message, header or body above its limit.
  inbox_full = 41,   ///< the inbox has reached its bound and refuses.
  overloaded = 42,   ///< a queue inside the node is full; try again later.
  storage_full = 43, ///< disk or quota: no new durable work for now.
  rate_limited = 44, ///< too many logins, connections or requests.
  too_many = 45, ///< more recipients, aliases, … than one request may have.

  // The node and the cluster.
  not_leader = 60,    ///< the replica asked does not lead its group.
  unavailable = 61,   ///< no leader, or the node is starting.
  timed_out = 62,     ///< no answer within the request's time limit.
  shutting_down = 63, ///< the node drains; connect elsewhere.
  draining = 65,  ///< the node gives its clients away; connect to another one.
  duplicate = 64, ///< applied before under the same idempotency key.

  // Bytes.
  malformed = 80,      ///< input that does not follow its format.
  corrupt = 81,        ///< stored bytes whose checksum does not match.
  newer_format = 82,   ///< written by a newer version of Troupe.
  wrong_cluster = 83,  ///< the data folder belongs to another cluster.
  in_use = 84,         ///< another process holds the data folder.
  io_error = 85,       ///< the operating system refused; detail says what.
  not_found = 86,      ///< no such thing (admin requests).
  invalid_config = 87, ///< an option or a setting is wrong.
};

/// A short English text for logs and for the command line.
std::string_view to_string(errc code) noexcept;

} // namespace troupe::core
