// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/metrics_text.hpp"
#include "storage/audit/recorder.hpp"

namespace troupe::app {

/// Records, losses, and how far the log is behind.
void add_audit(metrics_writer& out, const storage::audit::recorder& log);

} // namespace troupe::app
