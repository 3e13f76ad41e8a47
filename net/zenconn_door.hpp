// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http_router.hpp"
#include "net/zenconn/desk.hpp"
#include "net/zenconn/options.hpp"

#include <string>

namespace troupe::net {

/// Where ZenConn's clients come in: takes requests for an upgrade to the desk
/// and puts a session behind those that are let in. One a process, outlives
/// its network.
class zenconn_door {
public:
  /// All but `options` outlive it.
  zenconn_door(zenconn::zenconn_options options, zenconn::zenconn_stats& stats,
               zenconn::desk& at)
      : options_(std::move(options)), stats_(stats), desk_(at) {}

  /// A websocket_starter for the path "/".
  void upgrade(const websocket_terms& terms, std::string head,
               responder answer);

private:
  void let_in(const responder& to, std::string head, zenconn::spelling how,
              std::string_view field, zenconn::welcome found);

  const zenconn::zenconn_options options_;
  zenconn::zenconn_stats& stats_;
  zenconn::desk& desk_;
};

} // namespace troupe::net
