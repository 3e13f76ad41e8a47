// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// A publication on its way to another node; docs/formats/interest-frames.md
/// has every byte.
namespace troupe::actors::topics {

/// A shared subscription of which a member on the receiving node has the turn.
struct share_turn {
  std::string share;
  std::string filter;
  std::uint32_t which = 0; ///< see share_seat

  friend bool operator==(const share_turn&, const share_turn&) = default;
};

/// More are not sent in one frame.
inline constexpr std::size_t share_turns_max = 1024;

/// What goes to another node.
struct sent_publication {
  core::publication what;
  /// For all there whose subscriptions are their own.
  bool for_all = true;
  /// And for one of those that share one, each.
  std::vector<share_turn> turns{};

  friend bool operator==(const sent_publication&,
                         const sent_publication&) = default;
};

/// Without its node, which the link knows. REQUIRES: check() is fine with it,
/// and no more turns than may be.
[[nodiscard]] core::shared_bytes
encode(const core::publication& p, bool for_all = true,
       const std::vector<share_turn>& turns = {});

/// Errors: corrupt, newer_format, malformed, and those of check(). Never
/// throws. A payload that is most of the frame is a slice of it.
[[nodiscard]] core::result<sent_publication>
decode_publication(const core::shared_bytes& frame,
                   const core::publication_limits& limits);

} // namespace troupe::actors::topics
