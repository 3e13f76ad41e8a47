// SPDX-License-Identifier: Apache-2.0
#include "app/cli_builder.hpp"

#include "app/cli_flags.hpp"

namespace troupe::app {

void cli_builder::add_admin_flags(admin_options& options) {
  add_parsed(last_, "--admin", options.address, parse_endpoint, "HOST:PORT",
             "Admin address of the node [127.0.0.1:9090]")
      ->envname("TROUPE_ADMIN");
  // Other users of the machine can read a flag, but not the environment.
  last_
      ->add_option("--token", options.token,
                   "Bearer token; better given as TROUPE_ADMIN_TOKEN")
      ->envname("TROUPE_ADMIN_TOKEN")
      ->type_name("TOKEN");
  last_->add_flag("--json", options.json, "Print the answer as JSON");
  add_duration(last_, "--timeout", options.timeout,
               "How long to wait for the answer [30s]");
}

} // namespace troupe::app
