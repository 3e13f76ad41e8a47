// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/runtime/loop.hpp"
#include "actors/topics/topic_router.hpp"
#include "app/sys_values.hpp"
#include "core/ids.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::app {

/// Tells under $SYS what the node counts, now and then:
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
  /// Waits for the loop; not on it.
  void stop();

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace troupe::app
