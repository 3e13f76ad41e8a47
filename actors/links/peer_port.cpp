// SPDX-License-Identifier: Apache-2.0
#include "actors/links/peer_port.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors::links {
namespace {

/// What may wait in a lane with a message of a kind: publications may be lost
/// and tables of filters can wait, so they leave room for what is durable, and
/// for votes.
std::size_t room_for(kind k, std::size_t bound) {
  switch (k) {
  case kind::publish:
    return std::min(bound, std::size_t{4} << 20U);
  case kind::interest:
    return std::min(bound, std::size_t{256} << 10U);
  default:
    return bound;
  }
}

} // namespace

std::uint64_t packed_messages::messages() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& each_lane : batches)
    for (const auto& each : each_lane)
      sum += each.messages();
  return sum;
}

std::size_t packed_messages::bytes(std::size_t lane) const noexcept {
  std::size_t sum = 0;
  for (const auto& each : batches[lane])
    sum += each.size();
  return sum;
}

// ------------------------------------------------------------------------ port

class peer_port::outbox final : public runtime::loop::flushable {
public:
  explicit outbox(peer_port& port) : port_(port.weak_from_this()) {}

  packed_messages packed;
  bool filled = false;

private:
  void flush() override {
    filled = false;
    auto all = std::exchange(packed, {});
    if (const auto port = port_.lock())
      port->sink_(port, std::move(all));
  }

  const std::weak_ptr<peer_port> port_;
};

peer_port::peer_port(core::node_id peer, std::size_t loops, limits bounds,
                     sink to)
    : peer_(peer), limits_(bounds), sink_(std::move(to)), outboxes_(loops) {}

peer_port::~peer_port() = default;

core::result<void> peer_port::send(runtime::loop& here, kind k,
                                   std::uint64_t key, core::bytes_view body) {
  const auto link = this->link();
  if (link == link_id{}) {
    drop(drop_reason::not_connected, 1);
    return core::errc::unavailable;
  }
  if (body.size() > limits_.message_bytes_max)
    return core::errc::too_large;
  const auto lane = static_cast<std::size_t>(lane_of(k));
  const auto cost = encoded_size(body.size());
  const auto before = queued_[lane].fetch_add(cost, std::memory_order_relaxed);
  // An empty queue takes any message, however small the bound.
  if (before != 0 &&
      before + cost > room_for(k, limits_.queue_bytes_max[lane])) {
    release(lane, cost);
    drop(drop_reason::overloaded, 1);
    return core::errc::overloaded;
  }
  auto& box = outboxes_[here.index()];
  if (!box)
    box = std::make_shared<outbox>(*this);
  if (box->packed.link != link) {
    drop(drop_reason::link_lost, box->packed);
    box->packed = {};
    box->packed.link = link;
  }
  pack(box->packed.batches[lane], k, key, body);
  if (!std::exchange(box->filled, true))
    here.mark_dirty(box);
  return {};
}

void peer_port::drop(drop_reason why, const packed_messages& packed) noexcept {
  drop(why, packed.messages());
  for (std::size_t lane = 0; lane < lanes; ++lane)
    release(lane, packed.bytes(lane));
}

// ----------------------------------------------------------------------- table

peer_port* port_table::find(std::size_t index, core::node_id peer) {
  auto& seen = views_[index];
  if (seen.version != version_.load(std::memory_order_acquire)) {
    const std::lock_guard lock{mutex_};
    seen.version = version_.load(std::memory_order_relaxed);
    seen.ports = ports_;
  }
  const auto found = seen.ports.find(peer);
  return found == seen.ports.end() ? nullptr : found->second.get();
}

void port_table::put(std::shared_ptr<peer_port> port) {
  const std::lock_guard lock{mutex_};
  ports_.insert_or_assign(port->peer(), std::move(port));
  version_.fetch_add(1, std::memory_order_release);
}

void port_table::erase(core::node_id peer) {
  const std::lock_guard lock{mutex_};
  ports_.erase(peer);
  version_.fetch_add(1, std::memory_order_release);
}

} // namespace troupe::actors::links
