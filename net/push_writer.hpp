// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"

#include <cstddef>
#include <deque>
#include <memory>

namespace troupe::net {

class connection;

/// Writes what protocols push to their peers, unasked, some connections a turn
/// of the loop: while a publication is being written to thousands, the next
/// ones are read and join it, and a connection whose turn comes later gets all
/// of them in one write. Answers to what a peer sent do not wait here. First
/// come, first written; a connection waits in it once.
///
/// One a loop, used on its thread; lives as long as that.
class push_writer final : public actors::runtime::loop::flushable,
                          public std::enable_shared_from_this<push_writer> {
public:
  /// Connections written to in a turn: what is published meanwhile is read
  /// after at most some 60 us (bench/README.md, channels).
  static constexpr std::size_t slice = 16;

  /// This thread's.
  static push_writer& here();

  void add(connection& which);

private:
  void flush() override;

  std::deque<std::shared_ptr<connection>> waiting_;
};

} // namespace troupe::net
