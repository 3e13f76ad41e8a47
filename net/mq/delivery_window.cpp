// SPDX-License-Identifier: Apache-2.0
#include "net/mq/delivery_window.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::net::mq {

namespace {

/// Digits without a leading zero, as core::to_string writes them.
template <class Number>
bool parse_digits(std::string_view text, Number& number) {
  if (text.empty() || text.front() < '0' || text.front() > '9' ||
      (text.size() > 1 && text.front() == '0'))
    return false;
  const char* const end = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc{} && at == end;
}

std::optional<core::message_id> parse_message_id(std::string_view text) {
  const auto dash = text.find('-');
  core::message_id id;
  if (dash == std::string_view::npos ||
      !parse_digits(text.substr(0, dash), id.millis) ||
      !parse_digits(text.substr(dash + 1), id.number))
    return std::nullopt;
  return id;
}

} // namespace

void delivery_window::push(core::delivery delivery) {
  slots_.push_back({std::move(delivery), never});
}

const core::delivery* delivery_window::next() const {
  if (in_flight_ >= size_ || in_flight_ == count())
    return nullptr;
  return &slots_[first_ + in_flight_].what;
}

void delivery_window::mark_sent() {
  TROUPE_ASSERT(in_flight_ < count(), "nothing was waiting to be sent");
  ++in_flight_;
  ++unflushed_;
}

std::optional<core::inbox_position>
delivery_window::acknowledge(std::string_view text) {
  const auto id = parse_message_id(text);
  if (!id)
    return std::nullopt;
  for (std::size_t i = 0; i < in_flight_; ++i) {
    const auto& what = slots_[first_ + i].what;
    if (what.message->id != *id)
      continue;
    const auto position = what.position;
    drop_front(i + 1);
    return position;
  }
  return std::nullopt;
}

void delivery_window::flushed(core::steady_time now,
                              core::milliseconds retry_time) {
  // The newest are at the end; repeats can be anywhere before.
  for (auto i = in_flight_; unflushed_ > 0 && i-- > 0;) {
    auto& held = slots_[first_ + i];
    if (held.due != never)
      continue;
    held.due = now + retry_time;
    deadline_ = std::min(deadline_, held.due);
    --unflushed_;
  }
}

std::optional<core::steady_time> delivery_window::deadline() const {
  if (deadline_ == never)
    return std::nullopt;
  return deadline_;
}

void delivery_window::drop_front(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto& held = slots_[first_ + i];
    if (held.due == never)
      --unflushed_;
    held.what = {};
  }
  first_ += count;
  in_flight_ -= count;
  if (in_flight_ == 0)
    deadline_ = never;
  if (first_ == slots_.size()) {
    std::vector<slot>{}.swap(slots_);
    first_ = 0;
  } else if (first_ >= 64 && 2 * first_ >= slots_.size()) {
    slots_.erase(slots_.begin(),
                 slots_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void delivery_window::clear() {
  std::vector<slot>{}.swap(slots_);
  first_ = in_flight_ = unflushed_ = 0;
  deadline_ = never;
}

} // namespace troupe::net::mq
