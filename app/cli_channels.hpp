// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/options.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace troupe::app {

/// `troupe pub` and `troupe sub`; for cli.cpp. What the line asks for goes to
/// `choose`, during the parse.
void add_channel_commands(CLI::App& root,
                          const std::function<void(command)>& choose);

} // namespace troupe::app
