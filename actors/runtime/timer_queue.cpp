// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/timer_queue.hpp"

namespace troupe::actors::runtime {

namespace {

// An empty queue keeps this much, so that a lone timer does not allocate.
constexpr std::size_t kept_slots_max = 1024;

core::steady_time round_up(core::steady_time deadline,
                           core::steady_time::duration grain) {
  if (deadline > core::steady_time::max() - grain)
    return core::steady_time::max();
  const auto past = deadline.time_since_epoch() % grain;
  return past.count() == 0 ? deadline : deadline + (grain - past);
}

} // namespace

timer_handle timer_queue::add(core::steady_time deadline, task callback,
                              std::chrono::milliseconds grain) {
  auto index = first_free_;
  if (index == no_slot) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    first_free_ = slots_[index].position;
  }
  const auto serial = ++last_serial_;
  slots_[index].callback = std::move(callback);
  slots_[index].serial = serial;
  heap_.push_back({round_up(deadline, grain), serial, index});
  slots_[index].position = static_cast<std::uint32_t>(heap_.size() - 1);
  sift_up(heap_.size() - 1);
  return {index, serial};
}

bool timer_queue::cancel(timer_handle handle) {
  if (!handle || handle.slot_ >= slots_.size() ||
      slots_[handle.slot_].serial != handle.serial_)
    return false;
  // The callback dies after the queue is whole again: its captures may cancel
  // other timers on their way out.
  const auto dropped = remove(slots_[handle.slot_].position);
  return true;
}

std::optional<task> timer_queue::take_due(core::steady_time now) {
  if (heap_.empty() || heap_.front().deadline > now)
    return std::nullopt;
  return remove(0);
}

bool timer_queue::before(const node& a, const node& b) noexcept {
  return a.deadline != b.deadline ? a.deadline < b.deadline
                                  : a.serial < b.serial;
}

void timer_queue::place(std::size_t position, const node& n) {
  heap_[position] = n;
  slots_[n.slot].position = static_cast<std::uint32_t>(position);
}

void timer_queue::sift_up(std::size_t position) {
  const auto moving = heap_[position];
  while (position != 0) {
    const auto parent = (position - 1) / 2;
    if (!before(moving, heap_[parent]))
      break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, moving);
}

void timer_queue::sift_down(std::size_t position) {
  const auto moving = heap_[position];
  for (;;) {
    auto child = 2 * position + 1;
    if (child >= heap_.size())
      break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child]))
      ++child;
    if (!before(heap_[child], moving))
      break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, moving);
}

task timer_queue::remove(std::size_t position) {
  const auto index = heap_[position].slot;
  auto callback = std::move(slots_[index].callback);
  slots_[index].serial = 0;
  slots_[index].position = first_free_;
  first_free_ = index;
  const auto last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    place(position, last);
    sift_up(position);
    sift_down(slots_[last.slot].position);
  }
  if (heap_.empty() && slots_.size() > kept_slots_max) {
    std::vector<node>{}.swap(heap_);
    std::vector<slot>{}.swap(slots_);
    first_free_ = no_slot;
  }
  return callback;
}

} // namespace troupe::actors::runtime
