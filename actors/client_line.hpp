// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/handles.hpp"
#include "core/client_event.hpp"

namespace troupe::actors {

/// The way to a client's connection, shared by both sides; used on the
/// connection's loop only.
struct client_line {
  /// Null once the connection is gone.
  core::client_link* link = nullptr;
  /// What its session is carried out by, if that has, or ends, a record; else
  /// it is the loop's desk. Let go by the connection.
  client_actor actor{};
};

} // namespace troupe::actors
