// SPDX-License-Identifier: Apache-2.0
#include "app/topic_gateway.hpp"

#include "actors/courier_actor.hpp"
#include "actors/messages.hpp"
#include "actors/route_fan.hpp"
#include "actors/runtime/loop.hpp"
#include "core/own_topics.hpp"
#include "core/route_table.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace troupe::app {
namespace {

namespace topics = actors::topics;

class router_hold final : public net::topic_hold,
                          private topics::topic_subscriber {
public:
  explicit router_hold(net::topic_listener& target) : target_(target) {}

  core::result<void> begin(topics::topic_router& router, std::string_view realm,
                           const core::topic_filter& filter,
                           const core::listener_about& who,
                           std::string_view share = {}) {
    topics::subscribe_options options;
    options.about = who;
    options.share = share;
    auto made = router.subscribe(realm, filter, *this, options);
    if (!made)
      return made.error();
    subscription_ = std::move(*made);
    return {};
  }

  void came(const core::listener_about& who) override {
    subscription_.came(who);
  }
  void went(std::uint64_t session) override { subscription_.went(session); }
  void handed_on(std::size_t listeners) override {
    subscription_.handed_on(listeners);
  }

private:
  void deliver(const core::publication_ptr& what, std::uint64_t) override {
    target_.on_publication(what); // last: may end this
  }
  void foretell(const core::publication_ptr& what, std::uint64_t,
                core::fate_list& to) override {
    target_.foretell(what, to);
  }

  net::topic_listener& target_;
  topics::topic_subscription subscription_;
};

/// Sessions that stay serve these.
std::vector<topics::share_name> shares_of(const core::route_matches& found) {
  std::vector<topics::share_name> all;
  for (const auto& each : found.shared)
    all.push_back({each.share, each.filter});
  return all;
}

} // namespace

core::result<std::unique_ptr<net::topic_hold>>
topic_gateway::listen(std::string_view realm, const core::topic_filter& filter,
                      net::topic_listener& target,
                      const core::listener_about& who) {
  auto hold = std::make_unique<router_hold>(target);
  if (auto begun = hold->begin(router_, realm, filter, who); !begun)
    return begun.error();
  return std::unique_ptr<net::topic_hold>{std::move(hold)};
}

core::result<std::unique_ptr<net::topic_hold>>
topic_gateway::share(std::string_view realm, const core::topic_filter& filter,
                     std::string_view name, net::topic_listener& target,
                     const core::listener_about& who) {
  auto hold = std::make_unique<router_hold>(target);
  if (auto begun = hold->begin(router_, realm, filter, who, name); !begun)
    return begun.error();
  return std::unique_ptr<net::topic_hold>{std::move(hold)};
}

/// What is to be queued of one publication.
struct topic_gateway::order {
  bool wanted = false;
  actors::queued_publication queued;
  std::size_t bytes = 0; ///< of it, without its recipients
  std::vector<topics::share_name> shares;
  /// Set while the routes of this node may be old: asks them later.
  std::function<actors::queued_publication()> find;
};

const core::route_table*
topic_gateway::routes_for(const core::publication& what,
                          const net::queue_terms& terms) const {
  if (terms.qos == 0 || context_.couriers.empty() ||
      core::is_own_topic(what.topic.text()))
    return nullptr;
  return context_.directory->routes();
}

/// Matches it against the routes of this node, and says so in it.
topic_gateway::order topic_gateway::order_for(core::publication& what,
                                              net::queue_terms& terms) {
  order made;
  const auto* routes = routes_for(what, terms);
  if (routes == nullptr)
    return made;
  const auto turn = turn_.fetch_add(1, std::memory_order_relaxed);
  const auto fill = [&] {
    made.wanted = true;
    made.queued.message = actors::message_of(what, terms.qos, terms.retain);
    made.queued.time_to_live = terms.time_to_live;
    made.queued.deduplication_key = std::move(terms.deduplication_key);
    made.bytes = actors::bytes_of(made.queued, 1);
  };
  if (terms.done && !context_.routes_are_fresh()) {
    // By then they have all that anybody was told is done until now.
    what.queued_as_of = std::numeric_limits<std::uint64_t>::max();
    fill();
    made.find = [queued = std::move(made.queued), routes, turn,
                 by = terms.publisher]() mutable {
      const auto name = core::topic::parse(queued.message.topic);
      queued.to = actors::recipients_of(
          routes->match(queued.message.realm, *name, by), turn);
      return std::move(queued);
    };
    return made;
  }
  auto found = routes->match(what.realm, what.topic, terms.publisher);
  what.queued_as_of = found.as_of.value();
  made.shares = shares_of(found);
  made.queued.to = actors::recipients_of(std::move(found), turn);
  if (!made.queued.to.empty())
    fill();
  return made;
}

void topic_gateway::hand_over(order& what, net::queue_terms& terms) {
  actors::courier_order work;
  if (what.find)
    work.work = [find = std::move(what.find), bytes = what.bytes,
                 done =
                     std::move(terms.done)](actors::courier_state& by) mutable {
      by.queue_when_fresh(std::move(find), bytes, std::move(done));
    };
  else
    work.work = [queued = std::move(what.queued), done = std::move(terms.done)](
                    actors::courier_state& by) mutable {
      by.queue(std::move(queued), std::move(done));
    };
  caf::anon_send(context_.courier(), std::move(work));
}

void topic_gateway::foretell(core::publication what,
                             const net::queue_terms& terms,
                             std::size_t rows_max,
                             std::function<void(topic_forecast)> done) {
  auto made = std::make_shared<topic_forecast>();
  std::vector<topics::share_name> shares;
  if (const auto* routes = routes_for(what, terms)) {
    made->waits_for_routes = !context_.routes_are_fresh();
    made->routes = routes->match(what.realm, what.topic, terms.publisher);
    what.queued_as_of = made->routes.as_of.value();
    shares = shares_of(made->routes);
    made->queued = actors::recipients_of(made->routes,
                                         turn_.load(std::memory_order_relaxed));
    if (!terms.publisher.empty())
      for (const auto& each : routes->match(what.realm, what.topic).direct)
        if (each.session == terms.publisher &&
            std::none_of(made->routes.direct.begin(), made->routes.direct.end(),
                         [&](const auto& known) {
                           return known.session == terms.publisher;
                         }))
          made->own.push_back(each.session);
  }
  made->what = std::make_shared<const core::publication>(what);
  router_.foretell(
      std::move(what), shares, rows_max,
      [made, done = std::move(done)](topics::publish_forecast live) {
        made->live = std::move(live);
        done(std::move(*made));
      });
}

core::result<std::size_t> topic_gateway::publish(core::publication what) {
  const auto done = publish_here(std::move(what));
  if (!done)
    return done.error();
  return done->peers;
}

core::result<topics::publish_outcome>
topic_gateway::publish_here(core::publication what) {
  if (auto fits = core::check(what, router_.options().publication); !fits)
    return fits.error();
  net::queue_terms terms;
  auto made = order_for(what, terms);
  auto done =
      router_.publish(std::move(what), topics::reach::cluster, made.shares);
  if (!done)
    return done.error();
  if (made.wanted)
    hand_over(made, terms);
  return done;
}

core::result<bool> topic_gateway::publish(core::publication what,
                                          net::queue_terms terms) {
  // What is not queued the router looks at alone.
  if (terms.qos != 0)
    if (auto fits = core::check(what, router_.options().publication); !fits)
      return fits.error();
  auto made = order_for(what, terms);
  if (!terms.only_queue)
    if (auto done = router_.publish(std::move(what), topics::reach::cluster,
                                    made.shares);
        !done)
      return done.error();
  if (!made.wanted)
    return false;
  const bool waits = static_cast<bool>(terms.done);
  hand_over(made, terms);
  return waits;
}

void topic_gateway::queue_for(const core::inbox_recipient& to,
                              const core::publication& what,
                              const net::queue_terms& terms) {
  if (context_.couriers.empty())
    return;
  order made;
  made.queued.message = actors::message_of(what, terms.qos, terms.retain);
  made.queued.time_to_live = terms.time_to_live;
  made.queued.to.push_back(to);
  net::queue_terms nobody_waits;
  hand_over(made, nobody_waits);
}

void topic_gateway::later(std::function<void()> work) {
  actors::runtime::loop::current()->post(std::move(work));
}

} // namespace troupe::app
