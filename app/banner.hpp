// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/settings.hpp"
#include "core/ids.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe::app {

/// Where a node listens, with the ports it really got.
struct bound_addresses {
  endpoint public_address;
  std::optional<endpoint> mq;
  std::optional<endpoint> tls;
  std::optional<endpoint> admin;
  std::optional<endpoint> cluster{};
  std::optional<endpoint> msgbus{};
  std::optional<endpoint> mqtt{};
  std::optional<endpoint> mqtts{};
};

/// The cluster a node is in.
struct cluster_facts {
  std::string id; ///< 32 hexadecimal digits
  bool founded = false;
  std::vector<core::node_id> peers;
  bool encrypted = false;
};

/// What the banner tells beside the settings.
struct node_facts {
  core::node_id id;
  std::string name;
  std::string data; ///< absolute path
  bool asks_for_admin_token = false;
  std::string command = "troupe"; ///< what a shell here starts this program by
  std::optional<cluster_facts> cluster{}; ///< nothing: alone
};

/// What `serve` prints on standard output when it is ready: every listener,
/// the node, one command to try next, loud notices about what is open, and as
/// its last line, for programs:
/// "troupe ready public=HOST:PORT [mq=…] [tls=…] [msgbus=…]
/// [admin=http://HOST:PORT] [cluster=HOST:PORT]".
[[nodiscard]] std::string banner_text(const settings& values,
                                      const bound_addresses& bound,
                                      const node_facts& node);

/// The notices alone, one a line, for the log; empty if there is none.
[[nodiscard]] std::vector<std::string>
security_notices(const settings& values, const bound_addresses& bound);

} // namespace troupe::app
