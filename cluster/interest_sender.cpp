// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_sender.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cluster {

void interest_sender::link_up(std::uint64_t number) { begin(number); }

void interest_sender::link_down() {
  stream_ = 0;
  scanning_ = false;
  digest_wanted_ = false;
  changes_.clear();
  made_.reset();
}

void interest_sender::begin(std::uint64_t stream) {
  link_down();
  stream_ = std::max<std::uint64_t>(stream, 1);
  sequence_ = 0;
  scanning_ = true;
  part_is_next_ = true;
  mark_ = {};
  ++stats_.tables;
}

void interest_sender::changed(
    const std::vector<interest_board::filter_name>& names) {
  if (stream_ == 0)
    return;
  changes_.insert(names.begin(), names.end());
  if (changes_.size() <= bounds_.changes_max)
    return;
  ++stats_.restarts;
  begin(stream_ + 1);
}

void interest_sender::resync(std::uint64_t stream) {
  // 0: the peer saw no stream at all. One that has just begun is the answer to
  // all that was asked before.
  const bool just_begun = scanning_ && sequence_ == 0;
  if (stream_ == 0 || just_begun || (stream != 0 && stream != stream_))
    return;
  ++stats_.restarts;
  begin(stream_ + 1);
}

const core::shared_bytes* interest_sender::next() {
  if (made_)
    return &*made_;
  if (stream_ == 0)
    return nullptr;
  if (!changes_.empty() && !(scanning_ && part_is_next_)) {
    make_changes();
  } else if (scanning_) {
    make_part();
  } else if (digest_wanted_) {
    // What the peer is told by now is what the board holds.
    const auto table = board_.settled_digest();
    if (!table)
      return nullptr;
    digest_wanted_ = false;
    make(interest_words::digest{*table});
  }
  return made_ ? &*made_ : nullptr;
}

void interest_sender::sent() {
  made_.reset();
  ++stats_.frames;
}

void interest_sender::make(interest_words::any what) {
  made_ = encode({stream_, ++sequence_, std::move(what)});
}

void interest_sender::make_part() {
  interest_words::filters part;
  part.begins = sequence_ == 0;
  part.completes =
      !board_.scan(mark_, interest_changes_bytes_max, part.changes);
  part_is_next_ = false;
  if (part.completes) {
    scanning_ = false;
    digest_wanted_ = true;
  }
  make(std::move(part));
}

void interest_sender::make_changes() {
  interest_words::filters part;
  std::size_t bytes = 0;
  while (!changes_.empty()) {
    const auto& name = *changes_.begin();
    auto one = board_.change_of(name);
    bytes += cost(one);
    if (bytes > interest_changes_bytes_max)
      break;
    part.changes.push_back(std::move(one));
    changes_.erase(changes_.begin());
  }
  part_is_next_ = true;
  make(std::move(part));
}

} // namespace troupe::cluster
