// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "net/msgbus/bus_options.hpp"
#include "net/session_port.hpp"

#include <string_view>

namespace troupe::net::msgbus {

/// What somebody did on a channel; for one call.
struct channel_note {
  core::audit_kind kind = core::audit_kind::publish;
  std::string_view user{};
  std::string_view channel{};
  std::string_view type{};
  std::string_view reason{}; ///< why it was refused; "": it was not
  std::uint64_t size = 0;
  core::shared_bytes payload{};
};

/// Records it, if there is an audit; else 0.
core::audit_ticket record(const bus_context& shared,
                          const connection_info& from,
                          const channel_note& what);

} // namespace troupe::net::msgbus
