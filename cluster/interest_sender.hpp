// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/interest_board.hpp"
#include "cluster/interest_wire.hpp"
#include "core/shared_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace troupe::cluster {

/// Tells one other node which filters are held on this one: a whole table when
/// a link begins, then changes, and now and then a digest. No clock, no I/O:
/// the owner sends what next() says over the link, in order, tells of changes
/// and of the end of the link. One thread.
///
/// All frames of a table are one stream, numbered without a gap. What they say
/// is looked up when they are made, so that changes which wait for a slow link
/// come down to one a filter; if too many wait, the table begins anew.
class interest_sender {
public:
  struct options {
    /// Changes that may wait for the link.
    std::size_t changes_max = 65'536;
  };
  struct counters {
    std::uint64_t frames = 0;
    std::uint64_t tables = 0;   ///< begun, the first of a link included
    std::uint64_t restarts = 0; ///< begun anew: asked for, or too many changes
  };

  /// `board` outlives this; it is watched.
  interest_sender(const interest_board& board, options bounds)
      : board_(board), bounds_(bounds) {}

  /// A link has begun. The number names this node's streams to this peer from
  /// now on: random, never 0, so that it isn't taken for one of before.
  void link_up(std::uint64_t number);
  void link_down();

  /// From the board's take_changes().
  void changed(const std::vector<interest_board::filter_name>& names);
  /// The peer asks for a new table instead of that stream.
  void resync(std::uint64_t stream);
  /// A digest is to be sent when all else has been.
  void want_digest() { digest_wanted_ = digest_wanted_ || stream_ != 0; }

  /// The next frame for the link; the same one until sent() is called. Null:
  /// there is nothing to say, or the board's changes have to be taken first.
  const core::shared_bytes* next();
  void sent();

  /// The whole table has been said.
  [[nodiscard]] bool complete() const { return stream_ != 0 && !scanning_; }
  [[nodiscard]] std::size_t changes_waiting() const { return changes_.size(); }
  [[nodiscard]] const counters& stats() const { return stats_; }

private:
  void begin(std::uint64_t stream);
  void make(interest_words::any what);
  void make_part();
  void make_changes();

  const interest_board& board_;
  const options bounds_;
  std::uint64_t stream_ = 0;
  std::uint64_t sequence_ = 0; ///< of the last frame made
  bool scanning_ = false;
  bool part_is_next_ = false; ///< of the table, before more changes
  interest_board::page_mark mark_;
  std::set<interest_board::filter_name> changes_;
  bool digest_wanted_ = false;
  std::optional<core::shared_bytes> made_;
  counters stats_;
};

} // namespace troupe::cluster
