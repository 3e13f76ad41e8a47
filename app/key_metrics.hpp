// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "app/metrics_text.hpp"

namespace troupe::app {

/// Retained keys: of the shards that this node leads, and what it was asked.
void add_keys(metrics_writer& out, const actors::broker_context& context);

} // namespace troupe::app
