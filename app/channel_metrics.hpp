// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/metrics_text.hpp"
#include "net/msgbus/bus_stats.hpp"

namespace troupe::app {

/// Counters of the bus at /msgbus/.
void add_channels(metrics_writer& out, const net::msgbus::bus_stats& s);

} // namespace troupe::app
