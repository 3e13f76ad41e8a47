// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/send_window.hpp"

#include "core/assert.hpp"

#include <utility>

namespace troupe::net::mqtt {

packet_id send_window::begin(qos level) {
  TROUPE_ASSERT(open(), "no room for another packet id");
  const auto turn = turn_ + span();
  states_.push_back(level == qos::exactly_once ? state::pubrec : state::puback);
  ++inflight_;
  return packet_id{static_cast<std::uint16_t>(turn % ids_max + 1)};
}

send_window::state* send_window::find(packet_id id) {
  if (id == packet_id{})
    return nullptr;
  const auto place = id.value() - std::size_t{1};
  const auto oldest = static_cast<std::size_t>(turn_ % ids_max);
  const auto offset = (place + ids_max - oldest) % ids_max;
  if (offset >= span())
    return nullptr;
  auto& found = states_[first_ + offset];
  return found == state::none ? nullptr : &found;
}

void send_window::end(state& of) {
  of = state::none;
  --inflight_;
  while (first_ < states_.size() && states_[first_] == state::none) {
    ++first_;
    ++turn_;
  }
  if (first_ == states_.size()) {
    // What a burst needed is given back.
    if (states_.capacity() > 1024)
      std::vector<state>{}.swap(states_);
    states_.clear();
    first_ = 0;
  } else if (first_ > 256 && first_ > states_.size() / 2) {
    states_.erase(states_.begin(),
                  states_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void send_window::take_back(packet_id id) {
  if (auto* of = find(id))
    end(*of);
}

send_window::outcome send_window::on_puback(packet_id id) {
  auto* of = find(id);
  if (of == nullptr)
    return outcome::unknown;
  if (*of != state::puback)
    return outcome::violation;
  end(*of);
  return outcome::done;
}

send_window::outcome send_window::on_pubrec(packet_id id, bool failed) {
  auto* of = find(id);
  if (of == nullptr)
    return outcome::unknown;
  if (*of == state::puback)
    return outcome::violation;
  if (failed) {
    end(*of);
    return outcome::done;
  }
  *of = state::pubcomp;
  return outcome::release;
}

send_window::outcome send_window::on_pubcomp(packet_id id) {
  auto* of = find(id);
  if (of == nullptr)
    return outcome::unknown;
  if (*of != state::pubcomp)
    return outcome::violation;
  end(*of);
  return outcome::done;
}

bool send_window::takes(const core::publication& what) const {
  const auto count = waiting();
  return count < bounds_.messages_max &&
         (count == 0 ||
          waiting_bytes_ + core::weight(what) <= bounds_.bytes_max);
}

bool send_window::wait(outgoing what) {
  if (!takes(*what.what))
    return false;
  const auto bytes = core::weight(*what.what);
  if (!waiting_)
    waiting_ = std::make_unique<std::deque<outgoing>>();
  waiting_->push_back(std::move(what));
  waiting_bytes_ += bytes;
  return true;
}

outgoing send_window::take_first() {
  auto first = std::move(waiting_->front());
  waiting_->pop_front();
  waiting_bytes_ -= core::weight(*first.what);
  if (waiting_->empty())
    waiting_.reset();
  return first;
}

void send_window::clear() {
  waiting_.reset();
  waiting_bytes_ = 0;
  turn_ += span();
  std::vector<state>{}.swap(states_);
  first_ = 0;
  inflight_ = 0;
}

} // namespace troupe::net::mqtt
