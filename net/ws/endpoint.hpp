// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shared_bytes.hpp"
#include "net/output_queue.hpp"
#include "net/ws/deflate_offer.hpp"
#include "net/ws/frame_codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::net::ws {

enum class role : std::uint8_t { server, client };

/// What the bytes at the front turned out to be.
struct event {
  enum class kind : std::uint8_t {
    need_more, ///< `bytes` is how many are needed in all, 0 if not yet known
    progress,  ///< a frame that is no message yet: a fragment, a ping
    message,
    pong,
    closed,    ///< the peer's close; answer it with send_close()
    violation, ///< fail the connection: send_close(code, reason)
  };
  kind what = kind::need_more;
  std::size_t bytes = 0; ///< used, but with need_more
  bool text = false;     ///< of a message
  core::shared_bytes payload{};
  close_code code = close_code::normal; ///< of closed and violation
  std::string reason{};
};

/// One end of an RFC 6455 connection behind its handshake: frames to messages
/// and back, with fragments, masks, control frames, UTF-8 and
/// permessage-deflate. Pure; owned by a protocol object. Owns heap memory only
/// between the fragments of a message.
class endpoint {
public:
  explicit endpoint(role side,
                    std::optional<deflate_agreement> deflate = std::nullopt)
      : deflate_(deflate), role_(side) {}

  /// Reads the frame at the front of `in`. Messages above
  /// `message_bytes_max`, also after expansion, are a violation (1009).
  /// Answers pings into `out`, but leaves them out while more than
  /// `control_backlog_max` bytes wait there. `owner`, if set, holds `in`.
  event read(core::bytes_view in, std::size_t message_bytes_max,
             output_queue& out, const core::shared_bytes* owner = nullptr);

  /// Writes a message out of pieces; a client's is masked with `key`.
  void send(opcode op, std::span<const core::shared_bytes> pieces,
            output_queue& out, mask_key key = {});
  /// Whether send() would try to compress a message of this size.
  [[nodiscard]] bool compresses(std::size_t bytes) const {
    return deflate_.has_value() && bytes >= compress_bytes_min;
  }
  void send_ping(output_queue& out, mask_key key = {});
  /// Writes the close frame, once; a long reason is cut.
  void send_close(close_code code, std::string_view reason, output_queue& out,
                  mask_key key = {});
  [[nodiscard]] bool close_sent() const { return close_sent_; }

  static constexpr std::size_t compress_bytes_min = 256;
  static constexpr std::size_t control_backlog_max = std::size_t{64} << 10;

private:
  event read_control(const frame_header& header, core::bytes_view payload,
                     std::size_t bytes, output_queue& out);
  event read_data(const frame_header& header, core::bytes_view payload,
                  std::size_t bytes, std::size_t message_bytes_max,
                  const core::shared_bytes* owner);
  event complete(core::shared_bytes payload, bool compressed, std::size_t bytes,
                 std::size_t message_bytes_max);
  void send_control(opcode op, core::bytes_view payload, output_queue& out,
                    mask_key key);

  std::string fragments_;
  std::optional<deflate_agreement> deflate_;
  role role_;
  bool in_fragments_ = false;
  bool message_text_ = false;
  bool message_compressed_ = false;
  bool close_sent_ = false;
};

} // namespace troupe::net::ws
