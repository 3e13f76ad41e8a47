// SPDX-License-Identifier: Apache-2.0
#include "net/loop_sockets.hpp"

#include "net/connection.hpp"

#include <random>
#include <utility>

namespace troupe::net {

loop_sockets::loop_sockets(actors::runtime::loop& home)
    : home_(home), poller_(std::make_shared<poller>(home)),
      scratch_(std::make_unique<std::array<std::byte, scratch_bytes>>()) {}

loop_sockets::~loop_sockets() = default;

void loop_sockets::add(std::shared_ptr<connection> fresh) {
  fresh->slot_ = connections_.size();
  connections_.push_back(std::move(fresh));
}

void loop_sockets::remove(connection& gone) {
  auto slot = gone.slot_;
  connections_[slot].swap(connections_.back());
  connections_[slot]->slot_ = slot;
  connections_.pop_back();
  load.fetch_sub(1, std::memory_order_relaxed);
}

void loop_sockets::send_away(std::chrono::milliseconds within) {
  sending_away_ = std::make_shared<char>();
  std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<std::int64_t> moment{0, within.count()};
  for (const auto& open : connections_)
    home_.call_at(
        home_.clock().now() + std::chrono::milliseconds{moment(random)},
        [order = std::weak_ptr{sending_away_}, target = std::weak_ptr{open}] {
          const auto connection = target.lock();
          if (connection && !order.expired())
            connection->send_away();
        });
}

void loop_sockets::keep_clients() { sending_away_.reset(); }

void loop_sockets::drain() {
  // A copy: a connection without output may go at once.
  for (const auto& open : std::vector{connections_})
    open->drain();
}

void loop_sockets::stop() {
  stopped_ = true;
  while (!connections_.empty())
    std::shared_ptr { connections_.back() } -> abort("the node stops");
  poller_->stop();
}

} // namespace troupe::net
