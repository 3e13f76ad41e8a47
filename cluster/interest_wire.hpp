// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What nodes tell each other about the topic filters of their subscribers;
/// docs/formats/interest-frames.md has every byte.
///
///   frame = version u8 (2), what u8, stream u64, sequence u64, body, crc32c
///   u32
namespace troupe::cluster {

/// Frames are made no larger than this, and larger ones are not read.
inline constexpr std::size_t interest_frame_bytes_max = std::size_t{32} * 1024;

/// Longest name of a group that shares a subscription, in bytes.
inline constexpr std::size_t share_bytes_max = 255;

/// A filter has its first subscriber on the sender's node, or has lost its
/// last one. Of a shared subscription also: it has more or fewer than before.
struct interest_change {
  std::string realm;
  std::string filter;
  bool held = true;
  /// Who shares the subscription; "": it is nobody's but the subscriber's.
  std::string share{};
  /// Subscribers on the sender's node, if it is shared.
  std::uint32_t members = 1;

  friend bool operator==(const interest_change&,
                         const interest_change&) = default;
};

/// What a table of filters comes down to: how many, and the sum of their
/// hashes. Equal for equal sets.
struct interest_digest {
  std::uint64_t filters = 0;
  std::uint64_t sum = 0;

  void add(std::uint64_t hash) {
    ++filters;
    sum += hash;
  }
  void remove(std::uint64_t hash) {
    --filters;
    sum -= hash;
  }
  friend bool operator==(const interest_digest&,
                         const interest_digest&) = default;
};
/// The same on all nodes and in all versions.
[[nodiscard]] std::uint64_t interest_hash(std::string_view realm,
                                          std::string_view filter,
                                          std::string_view share = {}) noexcept;

namespace interest_words {

/// Part of a table or changes of it, to be applied in order.
struct filters {
  bool begins = false;    ///< a new table: only with sequence 1
  bool completes = false; ///< from here on the table is all there is
  std::vector<interest_change> changes;

  friend bool operator==(const filters&, const filters&) = default;
};
/// The sender's table when it sent this.
struct digest {
  interest_digest table;
  friend bool operator==(const digest&, const digest&) = default;
};
/// To whom sent the stream: begin a new one.
struct resync {
  friend bool operator==(const resync&, const resync&) = default;
};

/// Asks for a `marked` of the same number, once all that was said before is
/// known. Both stand beside the streams: their stream is 0, and their sequence
/// is their number.
struct mark {
  friend bool operator==(const mark&, const mark&) = default;
};
struct marked {
  friend bool operator==(const marked&, const marked&) = default;
};

using any = std::variant<filters, digest, resync, mark, marked>;

} // namespace interest_words

struct interest_frame {
  /// One table from its beginning on; never 0 but in a resync, and always in
  /// a mark.
  std::uint64_t stream = 0;
  /// From 1 on, without a gap. In a resync: the next one wanted. In a mark: its
  /// number.
  std::uint64_t sequence = 0;
  interest_words::any what;

  friend bool operator==(const interest_frame&,
                         const interest_frame&) = default;
};

/// Bytes that a change takes in a frame, at most.
[[nodiscard]] inline std::size_t cost(const interest_change& c) {
  return 9 + c.realm.size() + c.filter.size() + c.share.size();
}
/// Room for changes in a frame.
inline constexpr std::size_t interest_changes_bytes_max =
    interest_frame_bytes_max - 64;

/// REQUIRES: the changes cost no more than there is room for.
[[nodiscard]] core::shared_bytes encode(const interest_frame& frame);
/// Errors: corrupt, newer_format, malformed, too_large. Never throws. Realms
/// and filters are checked.
[[nodiscard]] core::result<interest_frame>
decode_interest(core::bytes_view bytes);

} // namespace troupe::cluster
