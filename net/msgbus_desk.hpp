// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/msgbus/bus_options.hpp"
#include "net/msgbus/desk.hpp"

namespace troupe::net {

/// The desk of the process that has the topics. One a node; thread-safe.
class msgbus_desk final : public msgbus::desk {
public:
  /// `shared` outlives it and its seats, and has topics, a keeper and a log.
  explicit msgbus_desk(msgbus::bus_context& shared) : shared_(shared) {}

  void ask(const connection_info& from, msgbus::wish what,
           std::function<void(msgbus::ruling)> then) override;
  void later(std::function<void()> work) override;

private:
  struct errand;
  class chair;

  void carry_out(errand& of, const msgbus::verdict& found);
  void publish(errand& of, const msgbus::verdict& found);
  void subscribe(errand& of, const msgbus::verdict& found);
  void refuse(const errand& of, const msgbus::verdict& found, core::errc why);
  core::audit_ticket note(const errand& of, const msgbus::verdict& found,
                          std::string_view reason) const;

  msgbus::bus_context& shared_;
};

} // namespace troupe::net
