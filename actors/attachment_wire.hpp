// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/messages.hpp"
#include "core/command.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/session_event.hpp"
#include "core/shared_bytes.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

/// What a session and its inbox say to each other when they live on different
/// nodes; docs/formats/attachment-frames.md has every byte.
///
///   frame = version u8 (1 or 2), what u8, attachment u64, body, crc32c u32
///
/// What is about the session of a client has the second version, and more in
/// it; nodes that do not know such sessions refuse it.
namespace troupe::actors {

/// One session's side to its inbox's, or back: two rows of frames, each of
/// which keeps its order.
enum class attachment_way : std::uint8_t { to_inbox, to_session };

namespace attachment_words {

// ------------------------------------------------------------------- to inbox

struct attach {
  /// Comes back as the key of all frames to the session: its loop.
  std::uint64_t reply_key = 0;
  /// Names the session on its node.
  std::uint64_t session = 0;
  core::owner inbox;
  core::device_offset device;
  std::optional<core::device_offset> inherit;
  std::uint32_t window = 1;
  std::optional<core::inbox_position> resume_from;
  std::optional<returning_session> returns;
  /// See attach_request; of clients' sessions.
  std::uint64_t epoch = 0;

  friend bool operator==(const attach&, const attach&) = default;
};
struct detach {
  friend bool operator==(const detach&, const detach&) = default;
};
struct acknowledge {
  core::inbox_position up_to;
  friend bool operator==(const acknowledge&, const acknowledge&) = default;
};
struct fence {
  std::uint64_t ticket = 0;
  friend bool operator==(const fence&, const fence&) = default;
};

// ----------------------------------------------------------------- to session

struct attached {
  core::error failure;
  /// With errc::not_leader: who leads, 0 if unknown.
  core::node_id leader;
  core::resume_outcome resume = core::resume_outcome::not_asked;
  core::inbox_position acknowledged;
  std::uint32_t devices = 0;

  friend bool operator==(const attached&, const attached&) = default;
};
struct deliveries {
  std::vector<core::delivery> items;
  /// Also compares the messages.
  bool operator==(const deliveries& other) const;
};
struct devices {
  std::uint32_t count = 0;
  friend bool operator==(const devices&, const devices&) = default;
};
struct fence_passed {
  std::uint64_t ticket = 0;
  friend bool operator==(const fence_passed&, const fence_passed&) = default;
};
struct stop {
  core::error reason;
  friend bool operator==(const stop&, const stop&) = default;
};
/// Not attached here, or not any more. Both ways: also the answer to a frame
/// about an attachment nobody knows. To an inbox it is no goodbye: the session
/// may be back already.
struct released {
  friend bool operator==(const released&, const released&) = default;
};

using any = std::variant<attach, detach, acknowledge, fence, attached,
                         deliveries, devices, fence_passed, stop, released>;

} // namespace attachment_words

struct attachment_message {
  /// Drawn by the session's node, never twice; not 0.
  std::uint64_t attachment = 0;
  attachment_words::any what;

  friend bool operator==(const attachment_message&,
                         const attachment_message&) = default;
};

/// REQUIRES: no delivery without a message.
[[nodiscard]] core::shared_bytes encode(std::uint64_t number,
                                        const attachment_words::any& what);

/// Errors: corrupt, newer_format, malformed. Never throws. The larger part of
/// a frame is referenced, smaller ones are copied.
[[nodiscard]] core::result<attachment_message>
decode_attachment(const core::shared_bytes& frame);

/// Which attachment a frame is about, without a look at the rest.
[[nodiscard]] std::optional<std::uint64_t>
attachment_of(core::bytes_view frame);

} // namespace troupe::actors
