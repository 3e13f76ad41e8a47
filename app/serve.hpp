// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/service.hpp"
#include "app/terminal.hpp"

namespace troupe::app {

/// `troupe serve`: configuration, log, signals and banner around a node.
/// Returns the exit code when the node has drained or failed. A second
/// SIGTERM or SIGINT ends the process at once (exit code 130).
/// REQUIRES: called on the main thread before any other is started.
[[nodiscard]] int run_serve(const serve_options& options,
                            const environment_list& environment,
                            const service_factory& make_service,
                            terminal& screen);

} // namespace troupe::app
