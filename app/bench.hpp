// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"
#include "app/terminal.hpp"

namespace troupe::app {

/// `troupe bench`: puts load on a node and prints what it measured. Returns
/// the exit code (cli.hpp).
[[nodiscard]] int run_bench(const bench_options& options, terminal& screen);

} // namespace troupe::app
