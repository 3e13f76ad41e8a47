// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_receiver.hpp"

#include <utility>

namespace troupe::cluster {

void interest_receiver::link_down() {
  drop(table_);
  drop(before_);
  stream_ = last_ = 0;
  waiting_ = complete_ = overflowed_ = false;
}

void interest_receiver::drop(
    std::optional<interest_board::table_number>& table) {
  if (table)
    board_.drop_table(*table);
  table.reset();
}

void interest_receiver::take_bad_frame() {
  ++stats_.bad_frames;
  waiting_ = true;
  stream_ = 0; // it may have been the beginning of another one
}

void interest_receiver::take(const interest_frame& frame) {
  ++stats_.frames;
  const auto* part = std::get_if<interest_words::filters>(&frame.what);
  if (part != nullptr && part->begins)
    begin(frame.stream);
  else if (waiting_)
    return; // nothing but a new stream helps
  else if (frame.stream != stream_ || frame.sequence != last_ + 1) {
    ++stats_.gaps;
    waiting_ = true;
    stream_ = frame.stream; // the one to be replaced
    return;
  }
  last_ = frame.sequence;
  if (part != nullptr)
    take_filters(*part);
  else if (const auto* digest =
               std::get_if<interest_words::digest>(&frame.what))
    take_digest(digest->table);
}

void interest_receiver::begin(std::uint64_t stream) {
  if (complete_) {
    drop(before_);
    before_ = std::exchange(table_, std::nullopt);
  } else {
    drop(table_);
  }
  stream_ = stream;
  waiting_ = complete_ = overflowed_ = false;
  table_ = board_.open_table(peer_);
  if (!table_)
    waiting_ = true; // there is room when dropped tables are gone
}

void interest_receiver::take_filters(const interest_words::filters& part) {
  if (!table_)
    return;
  board_.apply(*table_, part.changes);
  if (!std::exchange(overflowed_, board_.info(*table_).overflowed) &&
      overflowed_)
    ++stats_.overflows;
  if (part.completes) {
    complete_ = true;
    drop(before_);
  }
}

void interest_receiver::take_digest(const interest_digest& digest) {
  if (!table_ || overflowed_)
    return;
  if (complete_ && digest == board_.info(*table_).digest) {
    ++stats_.digests;
    return;
  }
  ++stats_.divergences;
  waiting_ = true;
}

std::optional<interest_frame> interest_receiver::request() const {
  if (!waiting_)
    return std::nullopt;
  return interest_frame{stream_, last_ + 1, interest_words::resync{}};
}

interest_board::table_info interest_receiver::info() const {
  return table_ ? board_.info(*table_)
                : interest_board::table_info{peer_, {}, false};
}

} // namespace troupe::cluster
