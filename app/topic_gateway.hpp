// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/topics/topic_router.hpp"
#include "net/topic_space.hpp"

#include <atomic>
#include <cstdint>

namespace troupe::app {

/// The node's topics for protocols: calls through to the router, and hands what
/// is to be queued for sessions to the loop's courier. Owned by the node,
/// outlives the network. Thread-safe.
class topic_gateway final : public net::topic_space {
public:
  /// Both outlive the network's connections.
  topic_gateway(actors::topics::topic_router& router,
                actors::broker_context& context)
      : router_(router), context_(context) {}

  core::result<std::unique_ptr<net::topic_hold>>
  listen(std::string_view realm, const core::topic_filter& filter,
         net::topic_listener& target, const core::listener_about& who) override;
  core::result<std::unique_ptr<net::topic_hold>>
  share(std::string_view realm, const core::topic_filter& filter,
        std::string_view name, net::topic_listener& target,
        const core::listener_about& who) override;
  /// publish() with all that the router says.
  core::result<actors::topics::publish_outcome>
  publish_here(core::publication what);
  core::result<std::size_t> publish(core::publication what) override;
  core::result<bool> publish(core::publication what,
                             net::queue_terms terms) override;
  void queue_for(const core::inbox_recipient& to, const core::publication& what,
                 const net::queue_terms& terms) override;
  void later(std::function<void()> work) override;

private:
  struct order;
  [[nodiscard]] order order_for(core::publication& what,
                                net::queue_terms& terms);
  void hand_over(order& what, net::queue_terms& terms);

  actors::topics::topic_router& router_;
  actors::broker_context& context_;
  std::atomic<std::uint64_t> turn_{0}; ///< of shares
};

} // namespace troupe::app
