// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mq/frame_codec.hpp"
#include "net/mq/mq_over_draft.hpp"
#include "tests/net/support/protocol_driver.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace troupe::net::mq {

/// A draft-04 frame around a payload.
inline std::string framed(std::string_view payload) {
  std::byte header[frame_header_bytes_max];
  const auto size = write_frame_header(header, payload.size());
  std::string frame{core::as_text({header, size})};
  return frame.append(payload);
}

/// `LLLL` in front of a header, then the body.
inline std::string packed(std::string_view header, std::string_view body = {}) {
  char length[5];
  std::snprintf(length, sizeof length, "%-4zx", header.size());
  return std::string{length}.append(header).append(body);
}

/// A whole packet in its frame.
inline std::string packet(std::string_view header, std::string_view body = {}) {
  return framed(packed(header, body));
}

inline std::string quit_bytes(std::string_view info) {
  return packet(R"({"op":"quit","info":")" + std::string{info} + "\"}") +
         std::string{close_frame};
}

/// websocket.MQ in its own frames, ready to be talked to.
class mq_driver : public protocol_driver {
public:
  explicit mq_driver(const gate_options& options = default_options())
      : protocol_driver(std::make_unique<mq_over_draft>(options)) {}

  static const gate_options& default_options() {
    static const gate_options options;
    return options;
  }

  /// Logs in as alice/n0; `extra` goes into the login's header.
  void log_in(std::string_view extra = {}, core::logged_in answer = {}) {
    receive(packet(R"({"op":"login","userId":"alice","nodeId":"n0")" +
                   std::string{extra} + "}"));
    const auto command = take<core::login>();
    answer.request = command.request;
    if (answer.window == 1)
      answer.window = command.window;
    event(answer);
    info = take_output();
  }

  std::string info; ///< the answer to log_in
};

/// A posted message with the id "<millis>-0".
inline core::delivery delivery(std::uint64_t position,
                               std::string_view payload = {},
                               std::string_view meta = {}) {
  core::message message;
  message.id = {1795221369872 + static_cast<std::int64_t>(position), 0};
  message.sender = "alice";
  message.meta = core::shared_bytes::copy_of(meta);
  message.payload = core::shared_bytes::copy_of(payload);
  return {core::inbox_position{position},
          std::make_shared<const core::message>(std::move(message))};
}

} // namespace troupe::net::mq
