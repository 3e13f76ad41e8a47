// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/admin_client.hpp"
#include "app/terminal.hpp"
#include "core/result.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// How commands go through lists that come in pages, and through the nodes of a
/// cluster by way of the one they ask.
namespace troupe::app {

struct node_place {
  std::uint32_t node = 0; ///< 0: the one that is asked
  std::uint32_t id = 0;   ///< 0: it is alone
};

/// What a path begins with for a node; 0: the one that is asked.
[[nodiscard]] std::string at_node(std::uint32_t node);

/// The nodes that can be asked; those that can't are told of on screen.err.
[[nodiscard]] core::result<std::vector<node_place>>
all_nodes(const admin_client& admin, terminal& screen);

/// False: no more are wanted.
using row_visitor = std::function<bool(boost::json::object)>;

/// What is beside the rows of each page that is read.
using page_visitor = std::function<void(const boost::json::value&)>;

/// All rows of a list, until one is the last wanted. `path` has no query, but
/// what `query` says: "&name=value".
core::result<void> each_row(const admin_client& admin, const std::string& path,
                            std::string_view key, const row_visitor& visit,
                            std::string_view query = {},
                            const page_visitor& look = {});

} // namespace troupe::app
