// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/session_event.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::net::mq {

/// The deliveries of one connection: those in flight, at most `size` of them,
/// then those that wait for room. Owned by a gate. Bounded by what the session
/// hands out ahead of the window (its prefetch); owns no heap memory while
/// empty. Pure: time comes in as an argument.
class delivery_window {
public:
  /// How many may be in flight; 1 until set.
  void resize(std::uint32_t size) { size_ = size; }
  [[nodiscard]] std::uint32_t size() const { return size_; }

  void push(core::delivery delivery);

  /// The next to send, or nullptr if the window is full or nothing waits.
  /// Borrowed until the next call that is not const.
  [[nodiscard]] const core::delivery* next() const;
  /// It has been written; its time of retry starts with the next flushed().
  void mark_sent();

  /// The peer has received the delivery of this id. In a window of one that
  /// must be the one in flight; in a larger one it stands for all before it,
  /// too. Returns the position to acknowledge, or nothing if no delivery in
  /// flight has this id.
  std::optional<core::inbox_position> acknowledge(std::string_view id);

  /// Everything written is with the operating system: starts the clocks.
  void flushed(core::steady_time now, core::milliseconds retry_time);

  /// When something is to be sent again. May be early by what was
  /// acknowledged meanwhile.
  [[nodiscard]] std::optional<core::steady_time> deadline() const;

  /// Calls send(delivery) for each delivery in flight whose time has come;
  /// its clock stops until the next flushed().
  template <class Send>
  void retry(core::steady_time now, Send&& send) {
    deadline_ = never;
    for (std::size_t i = 0; i < in_flight_; ++i) {
      auto& held = slots_[first_ + i];
      if (held.due <= now) {
        send(held.what);
        held.due = never;
        ++unflushed_;
      } else {
        deadline_ = std::min(deadline_, held.due);
      }
    }
  }

  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  /// In flight and waiting.
  [[nodiscard]] std::size_t count() const { return slots_.size() - first_; }

  /// Forgets all; the inbox still has them.
  void clear();

private:
  static constexpr core::steady_time never = core::steady_time::max();

  struct slot {
    core::delivery what;
    core::steady_time due = never; // never: not flushed yet, or not sent
  };

  void drop_front(std::size_t count);

  std::vector<slot> slots_;
  std::size_t first_ = 0; // slots before it are gone
  std::size_t in_flight_ = 0;
  std::size_t unflushed_ = 0;
  core::steady_time deadline_ = never;
  std::uint32_t size_ = 1;
};

} // namespace troupe::net::mq
