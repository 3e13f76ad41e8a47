// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/context.hpp"
#include "actors/topics/topic_router.hpp"
#include "core/command.hpp"
#include "core/route_table.hpp"
#include "net/topic_space.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe::app {

/// What would become of a publication.
struct topic_forecast {
  core::publication_ptr what; ///< as it would go to other nodes
  actors::topics::publish_forecast live;
  /// Routes of this node's copy that match, and those whose session wants
  /// nothing of its own; nothing with QoS 0.
  core::route_matches routes;
  std::vector<std::string> own;
  /// Those who would have it queued.
  std::vector<core::inbox_recipient> queued;
  /// It would wait until the routes of this node are the newest.
  bool waits_for_routes = false;
};

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
  /// What publish() would do with it; nothing is queued, nobody's turn is
  /// taken. `done` is called on this loop. REQUIRES: it fits.
  void foretell(core::publication what, const net::queue_terms& terms,
                std::size_t rows_max, std::function<void(topic_forecast)> done);
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
  /// Null: nothing of it is queued for anybody.
  [[nodiscard]] const core::route_table*
  routes_for(const core::publication& what,
             const net::queue_terms& terms) const;

  actors::topics::topic_router& router_;
  actors::broker_context& context_;
  std::atomic<std::uint64_t> turn_{0}; ///< of shares
};

} // namespace troupe::app
