// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_router.hpp"
#include "net/msgbus/bus_options.hpp"
#include "net/msgbus/desk.hpp"
#include "net/msgbus/target.hpp"
#include "net/responder.hpp"

#include <memory>
#include <string_view>

namespace troupe::net::msgbus {

/// The requests below /msgbus/: GET subscribes, POST publishes. Needs
/// http_limits::raw_prefix to be path_prefix. Shared by all loops; outlives
/// the network.
class bus final : public http_handler,
                  public std::enable_shared_from_this<bus> {
public:
  /// `elsewhere` gets what is not the bus though it looks like it
  /// ("/msgbus"); null: there is nothing there.
  explicit bus(std::shared_ptr<bus_context> shared,
               std::shared_ptr<http_handler> elsewhere = nullptr)
      : shared_(std::move(shared)), elsewhere_(std::move(elsewhere)) {}

  void handle(const http_request& request, responder answer) override;

private:
  struct work;

  void go_on(const work& what, ruling found);
  void seat(const work& what, ruling found);

  const std::shared_ptr<bus_context> shared_;
  const std::shared_ptr<http_handler> elsewhere_;
};

/// What is not on the bus, behind the same gatekeeper: `inner`, or, if there
/// is none, 404 in the bus's own words.
[[nodiscard]] std::shared_ptr<http_handler>
make_guarded(std::shared_ptr<bus_context> shared,
             std::shared_ptr<http_handler> inner = nullptr);

} // namespace troupe::net::msgbus
