// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/metrics_text.hpp"
#include "app/session_records.hpp"
#include "net/zenconn/options.hpp"

namespace troupe::app {

/// Counters of ZenConn's door.
void add_zenconn(metrics_writer& out, const net::zenconn::zenconn_stats& s);
/// And of its sessions' records.
void add_records(metrics_writer& out, const session_records_stats& s);

} // namespace troupe::app
