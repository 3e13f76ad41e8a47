// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/lasting_window.hpp"

#include "core/assert.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::mqtt {

lasting_window::lasting_window(std::uint16_t inflight_max,
                               const std::vector<std::uint16_t>& awaiting)
    : inflight_max_(inflight_max) {
  for (const auto id : awaiting)
    awaiting_.emplace(id, true);
}

packet_id lasting_window::id_of(core::inbox_position position) {
  return packet_id{static_cast<std::uint16_t>(position.value() % ids_max + 1)};
}

const queued_delivery* lasting_window::ready() const {
  if (waiting_.empty() || inflight() >= inflight_max_)
    return nullptr;
  const auto& next = waiting_.front();
  // An id is in use from its PUBLISH to its PUBCOMP.
  if (awaiting_.contains(id_of(next.position).value()))
    return nullptr;
  if (!sent_.empty() &&
      next.position.value() - sent_.front().position.value() >= ids_max)
    return nullptr;
  return &next;
}

void lasting_window::push(state as) {
  TROUPE_ASSERT(!waiting_.empty(), "nothing waits");
  const auto& next = waiting_.front();
  sent_.push_back({next.position, next.what.level, as});
  waiting_.pop_front();
}

void lasting_window::begin() {
  push(state::sent);
  ++open_;
}

void lasting_window::skip() {
  push(state::done);
  settle_first();
}

lasting_window::entry* lasting_window::find(packet_id id) {
  if (sent_.empty() || id == packet_id{})
    return nullptr;
  const auto first = sent_.front().position.value();
  const auto place = std::uint64_t{id.value()} - 1;
  const auto position = first + (place + ids_max - first % ids_max) % ids_max;
  const auto at = std::lower_bound(
      sent_.begin(), sent_.end(), position,
      [](const entry& e, std::uint64_t p) { return e.position.value() < p; });
  return at == sent_.end() || at->position.value() != position ? nullptr : &*at;
}

lasting_window::outcome lasting_window::on_puback(packet_id id) {
  auto* of = find(id);
  if (of == nullptr || of->is != state::sent)
    return outcome::unknown;
  if (of->level != qos::at_least_once)
    return outcome::violation;
  of->is = state::done;
  --open_;
  settle_first();
  return outcome::done;
}

lasting_window::outcome lasting_window::on_pubrec(packet_id id, bool failed) {
  if (const auto at = awaiting_.find(id.value()); at != awaiting_.end())
    return at->second ? outcome::release : outcome::done;
  auto* of = find(id);
  if (of == nullptr)
    return outcome::unknown;
  if (of->level != qos::exactly_once)
    return outcome::violation;
  if (of->is != state::sent)
    return outcome::done; // said twice
  of->is = failed ? state::done : state::received;
  if (failed)
    --open_;
  settle_first();
  return outcome::done;
}

lasting_window::outcome lasting_window::on_pubcomp(packet_id id) {
  const auto at = awaiting_.find(id.value());
  if (at == awaiting_.end())
    return outcome::unknown;
  if (!at->second)
    return outcome::violation;
  awaiting_.erase(at);
  return outcome::done;
}

void lasting_window::settle_first() {
  while (!sent_.empty() && sent_.front().is != state::sent) {
    const auto& first = sent_.front();
    if (!settled_)
      settled_.emplace();
    settled_->up_to = first.position;
    if (first.is == state::received) {
      const auto id = id_of(first.position).value();
      settled_->awaiting.push_back(id);
      awaiting_.emplace(id, false);
      --open_;
    }
    sent_.pop_front();
  }
}

std::optional<lasting_window::settlement> lasting_window::take_settled() {
  return std::exchange(settled_, {});
}

void lasting_window::on_released(packet_id id) {
  if (const auto at = awaiting_.find(id.value()); at != awaiting_.end())
    at->second = true;
}

} // namespace troupe::net::mqtt
