// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/links/batch_codec.hpp"
#include "actors/links/link_types.hpp"
#include "actors/runtime/loop.hpp"
#include "core/result.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace troupe::actors::links {

/// What one loop has packed for one peer in one turn.
struct packed_messages {
  link_id link; ///< for which it was packed
  std::array<std::vector<batch>, lanes> batches;

  [[nodiscard]] std::uint64_t messages() const noexcept;
  [[nodiscard]] std::size_t bytes(std::size_t lane) const noexcept;
};

/// The side of a peer that every loop may touch: packs messages where they
/// are made, keeps the bound of the queue, counts. The mesh owns the other
/// side and outlives none of this: shared by whoever holds it.
class peer_port : public std::enable_shared_from_this<peer_port> {
public:
  /// Takes what a loop has packed, on that loop.
  using sink =
      std::function<void(const std::shared_ptr<peer_port>&, packed_messages)>;
  struct limits {
    std::array<std::size_t, lanes> queue_bytes_max{};
    std::size_t message_bytes_max = 0;
  };

  peer_port(core::node_id peer, std::size_t loops, limits bounds, sink to);
  ~peer_port();

  [[nodiscard]] core::node_id peer() const noexcept { return peer_; }

  /// On a loop. unavailable: no link; overloaded: the queue is full;
  /// too_large: above message_bytes_max.
  core::result<void> send(runtime::loop& here, kind k, std::uint64_t key,
                          core::bytes_view body);

  /// From the mesh: which link is up; none: down.
  void open(link_id link) noexcept {
    link_.store(link.value(), std::memory_order_release);
  }
  void close() noexcept { open(link_id{}); }
  [[nodiscard]] link_id link() const noexcept {
    return link_id{link_.load(std::memory_order_acquire)};
  }
  /// Bytes left the queue of a lane, sent or dropped.
  void release(std::size_t lane, std::size_t bytes) noexcept {
    queued_[lane].fetch_sub(bytes, std::memory_order_relaxed);
  }
  void drop(drop_reason why, std::uint64_t messages) noexcept {
    dropped_[static_cast<std::size_t>(why)].fetch_add(
        messages, std::memory_order_relaxed);
  }
  /// All of it, and their bytes.
  void drop(drop_reason why, const packed_messages& packed) noexcept;

  /// Any thread.
  [[nodiscard]] std::uint64_t queued_bytes(std::size_t lane) const noexcept {
    return queued_[lane].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t dropped(drop_reason why) const noexcept {
    return dropped_[static_cast<std::size_t>(why)].load(
        std::memory_order_relaxed);
  }

private:
  class outbox;

  const core::node_id peer_;
  const limits limits_;
  const sink sink_;
  std::atomic<std::uint64_t> link_{0};
  std::array<std::atomic<std::uint64_t>, lanes> queued_{};
  std::array<std::atomic<std::uint64_t>, drop_reasons> dropped_{};
  // One a loop, touched on it alone.
  std::vector<std::shared_ptr<outbox>> outboxes_;
};

/// The ports by node: looked up on every loop for every message, changed
/// rarely.
class port_table {
public:
  explicit port_table(std::size_t loops) : views_(loops) {}

  /// Null if there is none. On loop `index`.
  [[nodiscard]] peer_port* find(std::size_t index, core::node_id peer);
  /// Any thread.
  void put(std::shared_ptr<peer_port> port);
  void erase(core::node_id peer);

private:
  using map = std::unordered_map<core::node_id, std::shared_ptr<peer_port>>;
  struct alignas(64) view {
    std::uint64_t version = 0;
    map ports;
  };

  std::mutex mutex_;
  map ports_; // guarded by mutex_
  std::atomic<std::uint64_t> version_{0};
  std::vector<view> views_; // each touched on its loop alone
};

} // namespace troupe::actors::links
