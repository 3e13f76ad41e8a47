// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/broker.hpp"
#include "app/metrics_text.hpp"

namespace troupe::app {

/// Counters of publish and subscribe, on this node and between nodes.
void add_topics(metrics_writer& out, broker& engine);

} // namespace troupe::app
