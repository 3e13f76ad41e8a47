// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cluster/interest_board.hpp"
#include "cluster/interest_wire.hpp"
#include "core/ids.hpp"

#include <cstdint>
#include <optional>

namespace troupe::cluster {

/// Keeps what one other node is interested in, as its interest_sender tells
/// it. A frame that is missing, damaged or makes no sense, and a digest that
/// does not fit, have the peer asked for a new table; until that is complete
/// the one before stays in use beside it, so that nothing is lost meanwhile.
/// No clock, no I/O. One thread.
class interest_receiver {
public:
  struct counters {
    std::uint64_t frames = 0;
    std::uint64_t bad_frames = 0;  ///< could not be read
    std::uint64_t gaps = 0;        ///< a frame was not the next one
    std::uint64_t divergences = 0; ///< a digest did not fit
    std::uint64_t digests = 0;     ///< that did
    std::uint64_t overflows = 0;   ///< tables with too many filters
    std::uint64_t resyncs = 0;     ///< new tables asked for
  };

  /// `board` outlives this.
  interest_receiver(interest_board& board, core::node_id peer)
      : board_(board), peer_(peer) {}
  ~interest_receiver() { link_down(); }
  interest_receiver(const interest_receiver&) = delete;
  interest_receiver& operator=(const interest_receiver&) = delete;

  /// What the peer wanted is out of use at once.
  void link_down();
  /// REQUIRES: no resync, which is for the sender, and no mark.
  void take(const interest_frame& frame);
  void take_bad_frame();

  /// What to send to the peer: a request for a new table, while one is needed.
  /// Send it, and again after a while, until it is null.
  [[nodiscard]] std::optional<interest_frame> request() const;
  /// The request was sent.
  void asked() { ++stats_.resyncs; }

  /// All that the peer wants is known.
  [[nodiscard]] bool complete() const { return complete_; }
  /// Of the newest table.
  [[nodiscard]] interest_board::table_info info() const;
  [[nodiscard]] const counters& stats() const { return stats_; }

private:
  void begin(std::uint64_t stream);
  void take_filters(const interest_words::filters& part);
  void take_digest(const interest_digest& digest);
  void drop(std::optional<interest_board::table_number>& table);

  interest_board& board_;
  const core::node_id peer_;
  std::uint64_t stream_ = 0;
  std::uint64_t last_ = 0; ///< sequence number of the last frame taken
  bool waiting_ = false;   ///< for a new stream
  bool complete_ = false;
  bool overflowed_ = false;
  std::optional<interest_board::table_number> table_;
  /// The complete one that table_ will replace.
  std::optional<interest_board::table_number> before_;
  counters stats_;
};

} // namespace troupe::cluster
