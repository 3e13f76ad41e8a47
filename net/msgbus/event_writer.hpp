// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/msgbus/part_writer.hpp"

#include <string>

namespace troupe::net::msgbus {

/// A message as an event of text/event-stream:
///
///   id: …              if it has one
///   event: message     or "base64", see below
///   data: …            a line each of the body's
///
/// A body that is no UTF-8, or that has a CR, which this format can't carry,
/// is written in base64.
[[nodiscard]] std::string text_event(const part& message);

/// The same with one data line, a JSON object: "channel" (where the part has
/// a location), "sender", "type", "id" as far as they are there, and "data" or,
/// for what is no UTF-8, "base64".
[[nodiscard]] std::string json_event(const part& message);

[[nodiscard]] std::string base64(core::bytes_view bytes);

} // namespace troupe::net::msgbus
