// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/shared_bytes.hpp"
#include "net/zenconn/message.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::net::zenconn {

/// The header of a publication that says which session it is from. No client
/// can make one that begins with a colon (docs/crossing.md).
inline constexpr std::string_view from_header = ":zenconn-from";

/// What members of a channel are told of a publication, whoever published it:
/// JSON as it is, text as a string, other bytes as {"base64":"…"}.
[[nodiscard]] answer event_of(const core::publication& what,
                              std::string_view channel);

/// One event for many sessions: spelled once for each spelling that is wanted.
/// Used on one loop, during a delivery.
class shared_event {
public:
  /// Both outlive it.
  shared_event(const core::publication_ptr& what, std::string_view channel)
      : what_(what), channel_(channel) {}

  [[nodiscard]] const core::publication_ptr& what() const { return what_; }
  [[nodiscard]] std::string_view channel() const { return channel_; }
  [[nodiscard]] const core::shared_bytes& as(spelling how);

private:
  const core::publication_ptr& what_;
  const std::string_view channel_;
  std::optional<answer> event_;
  std::array<core::shared_bytes, 3> spelled_;
};

/// A whole message in one of the spellings.
[[nodiscard]] std::string spell(const answer& what, spelling how);

} // namespace troupe::net::zenconn
