// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/banner.hpp"
#include "app/logging.hpp"
#include "app/settings.hpp"
#include "core/result.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::app {

/// What a node gets from the program around it; to be copied. The references
/// outlive the node.
struct service_context {
  const settings& values;  ///< as checked at the start
  std::string admin_token; ///< "" = none is asked for
  logger& log;
  /// The node can't go on (the disk failed, say); the program drains nothing
  /// and exits with 1. From any thread, at most once.
  std::function<void(core::error)> failed;
  std::string cluster_secret{}; ///< "" without cluster.listen
  /// Lets up to so much time pass before the node has started; true if the
  /// process was told to end. Only on the thread of start().
  std::function<bool(milliseconds)> pause = [](milliseconds) { return false; };
};

/// A node as the program sees it: started, reloaded, drained, destroyed, all
/// from the main thread. The destructor stops what still runs.
class service {
public:
  virtual ~service() = default;

  /// Opens the data, then the listeners; returns when clients are served.
  [[nodiscard]] virtual core::result<bound_addresses> start() = 0;

  /// After start().
  [[nodiscard]] virtual node_facts facts() const = 0;

  /// Takes over the settings that can change while it runs; the others are as
  /// before. An error leaves everything as it was.
  [[nodiscard]] virtual core::result<void> reload(const settings& fresh) = 0;

  /// Opens log files again that were moved away. An error leaves them.
  [[nodiscard]] virtual core::result<void> reopen_logs() { return {}; }

  /// Stops to accept, lets work in progress end, says goodbye to clients,
  /// makes everything durable; then calls `done` from any thread. The program
  /// waits for node.drain_timeout and then goes on.
  virtual void drain(std::function<void()> done) = 0;
};

using service_factory =
    std::function<std::unique_ptr<service>(const service_context&)>;

} // namespace troupe::app
