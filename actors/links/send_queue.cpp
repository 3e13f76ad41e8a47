// SPDX-License-Identifier: Apache-2.0
#include "actors/links/send_queue.hpp"

namespace troupe::actors::links {

void send_queue::open(const std::array<std::uint32_t, lanes>& windows) {
  for (std::size_t i = 0; i < lanes; ++i)
    lanes_[i].window = windows[i];
}

void send_queue::push(lane l, std::vector<batch> batches) {
  auto& state = at(l);
  for (auto& each : batches) {
    if (each.empty())
      continue;
    state.queued += each.size();
    if (!state.waiting.empty() && state.waiting.back().room() >= each.size())
      state.waiting.back().append(each);
    else
      state.waiting.push_back(std::move(each));
  }
}

bool send_queue::may_send(const lane_state& s) noexcept {
  if (s.waiting.empty())
    return false;
  // With nothing under way one batch may always go: a window smaller than a
  // batch would never open otherwise.
  const auto under_way = s.sent - s.consumed;
  return under_way == 0 || under_way + s.waiting.front().size() <= s.window;
}

std::optional<send_queue::outgoing> send_queue::take() {
  for (const auto l : {lane::control, lane::bulk}) {
    auto& state = at(l);
    if (!may_send(state))
      continue;
    auto next = std::move(state.waiting.front());
    state.waiting.pop_front();
    outgoing out;
    out.lane = l;
    out.messages = next.messages();
    out.bytes = next.take();
    state.queued -= out.bytes.size();
    state.sent += out.bytes.size();
    return out;
  }
  return std::nullopt;
}

bool send_queue::on_consumed(lane l, std::uint64_t total) {
  auto& state = at(l);
  if (total > state.sent)
    return false;
  if (total > state.consumed)
    state.consumed = total;
  return true;
}

bool send_queue::blocked() const noexcept {
  for (const auto& state : lanes_)
    if (!state.waiting.empty() && !may_send(state))
      return true;
  return false;
}

std::uint64_t send_queue::progress() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& state : lanes_)
    sum += state.consumed;
  return sum;
}

std::uint64_t send_queue::credit_bytes(lane l) const noexcept {
  const auto& state = at(l);
  const auto under_way = state.sent - state.consumed;
  return under_way >= state.window ? 0 : state.window - under_way;
}

std::uint64_t send_queue::queued_messages() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& state : lanes_)
    for (const auto& each : state.waiting)
      sum += each.messages();
  return sum;
}

} // namespace troupe::actors::links
