// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "actors/topics/topic_router.hpp"
#include "app/sys_values.hpp"
#include "core/ids.hpp"
#include "core/topic_filter.hpp"
#include "net/key_space.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::app {

/// Tells under $SYS what the node counts, now and then, and to who asks:
/// $SYS/broker/… to who is connected to this node, $SYS/brokers/NAME/… to
/// everybody. What nobody listens to costs nothing but the look. Owned by the
/// node; begins with start(), ends with stop(), while the loops run.
class sys_publisher {
public:
  struct parts {
    /// Both outlive it, until stop().
    actors::topics::topic_router& router;
    actors::runtime::loop& home;
    std::string realm;
    std::string node; ///< its name
    core::milliseconds interval;
    /// Called on `home`.
    std::function<sys_sample()> sample;
  };

  explicit sys_publisher(parts with);
  ~sys_publisher();
  sys_publisher(const sys_publisher&) = delete;
  sys_publisher& operator=(const sys_publisher&) = delete;

  void start();
  /// Of a filter below $SYS: what matches it just now, with a revision each,
  /// newer than what was told before. `done` is called on the loop of this;
  /// any thread.
  using values_function = std::function<void(std::vector<net::kept_key>)>;
  void read(core::topic_filter filter, values_function done);
  /// Whether a filter of the realm is about what is told here.
  [[nodiscard]] bool tells(std::string_view realm,
                           const core::topic_filter& filter) const;
  /// Waits for the loop; not on it.
  void stop();

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::app
