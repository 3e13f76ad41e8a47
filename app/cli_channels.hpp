// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/channel_options.hpp"

namespace CLI {
class App;
}

/// The flags of `troupe pub` and `troupe sub`; for cli.cpp.
namespace troupe::app {

/// REQUIRES (both): `options` lives as long as the parse.
void add_pub_flags(CLI::App* to, pub_options& options);
void add_sub_flags(CLI::App* to, sub_options& options);

} // namespace troupe::app
