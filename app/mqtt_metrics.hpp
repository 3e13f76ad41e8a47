// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "app/metrics_text.hpp"
#include "net/mqtt/options.hpp"

namespace troupe::app {

/// Counters of MQTT's door.
void add_mqtt(metrics_writer& out, const net::mqtt::mqtt_stats& s);
/// Of the sessions behind it, and of what is queued for them.
void add_mqtt_sessions(metrics_writer& out, const actors::broker_stats& s);

} // namespace troupe::app
