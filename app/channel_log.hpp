// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/logging.hpp"
#include "net/msgbus/bus_options.hpp"

namespace troupe::app {

/// What the bus says, in the node's log.
class channel_log final : public net::msgbus::bus_log {
public:
  /// `log` outlives it.
  explicit channel_log(logger& log) : log_(log) {}

  [[nodiscard]] bool wants_debug() const override {
    return log_.enabled(log_level::debug);
  }
  void debug(std::string_view text) override {
    log_.write(log_level::debug, "msgbus", text);
  }
  void warn(std::string_view what, std::string_view which) override {
    log_.write_limited(log_level::warn, "msgbus", what, {{"what", which}});
  }

private:
  logger& log_;
};

} // namespace troupe::app
