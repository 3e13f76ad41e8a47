// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/terminal.hpp"

namespace troupe::app::workers {

/// `troupe worker`: what an agent starts, with its line as descriptor 3. Takes
/// its settings from the agent and serves clients until the agent, or its end,
/// says goodbye to them. Returns the exit code.
/// REQUIRES: called on the main thread before any other is started.
[[nodiscard]] int run_worker(const worker_options& options, terminal& screen);

} // namespace troupe::app::workers
