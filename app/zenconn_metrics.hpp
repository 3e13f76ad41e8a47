// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/metrics_text.hpp"
#include "net/zenconn/options.hpp"

namespace troupe::app {

/// Counters of ZenConn's door.
void add_zenconn(metrics_writer& out, const net::zenconn::zenconn_stats& s);

} // namespace troupe::app
