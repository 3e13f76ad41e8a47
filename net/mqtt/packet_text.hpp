// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/gate_world.hpp"
#include "net/mqtt/packets.hpp"

#include <string>

/// Packets as a line for people: what they are about, with sizes in the place
/// of payloads, and never a password or what AUTH carries. What a peer has
/// chosen is cut where it is long.
namespace troupe::net::mqtt {

[[nodiscard]] std::string describe(const any_packet& what);
[[nodiscard]] std::string describe(const delivery& what);

} // namespace troupe::net::mqtt
