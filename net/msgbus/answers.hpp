// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_message.hpp"
#include "net/msgbus/part_writer.hpp"

#include <string>
#include <string_view>

/// The heads and whole answers of the bus, byte for byte as its clients know
/// them: other fields, and in another order, than those of the rest of the
/// node.
namespace troupe::net::msgbus {

/// How a request is answered, of what the answer depends on.
struct answer_terms {
  unsigned version = 11;
  bool keep_alive = true;
  bool head_only = false;

  [[nodiscard]] static answer_terms of(const http_request& request);
};

/// "204 OK": the bus has always called it so.
[[nodiscard]] std::string published(const answer_terms& terms);

/// A page with the phrase as its heading. `fields` are whole lines, each with
/// its CR LF, and come behind "Server".
[[nodiscard]] std::string page(const answer_terms& terms, unsigned status,
                               std::string_view phrase,
                               std::string_view fields = {});

[[nodiscard]] std::string unauthorized(const answer_terms& terms);

/// What a long poll brings: the message itself, its other parts as fields.
[[nodiscard]] std::string polled(unsigned version, const part& message);
/// That nothing came.
[[nodiscard]] std::string polled_nothing(unsigned version);

/// The head of a stream.
[[nodiscard]] std::string stream_head(framing how);

} // namespace troupe::net::msgbus
