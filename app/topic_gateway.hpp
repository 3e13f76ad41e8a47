// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/topics/topic_router.hpp"
#include "net/topic_space.hpp"

namespace troupe::app {

/// The node's topics for protocols: calls through to the router. Owned by the
/// node, outlives the network. Thread-safe.
class topic_gateway final : public net::topic_space {
public:
  /// `router` outlives the network's connections.
  explicit topic_gateway(actors::topics::topic_router& router)
      : router_(router) {}

  core::result<std::unique_ptr<net::topic_hold>>
  listen(std::string_view realm, const core::topic_filter& filter,
         net::topic_listener& target, const core::listener_about& who) override;
  core::result<std::unique_ptr<net::topic_hold>>
  share(std::string_view realm, const core::topic_filter& filter,
        std::string_view name, net::topic_listener& target,
        const core::listener_about& who) override;
  core::result<std::size_t> publish(core::publication what) override;
  void later(std::function<void()> work) override;

private:
  actors::topics::topic_router& router_;
};

} // namespace troupe::app
