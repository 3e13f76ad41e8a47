// SPDX-License-Identifier: Apache-2.0
#include "app/topic_gateway.hpp"

#include "actors/runtime/loop.hpp"

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

  net::topic_listener& target_;
  topics::topic_subscription subscription_;
};

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

core::result<std::size_t> topic_gateway::publish(core::publication what) {
  auto done = router_.publish(std::move(what));
  if (!done)
    return done.error();
  return done->peers;
}

void topic_gateway::later(std::function<void()> work) {
  actors::runtime::loop::current()->post(std::move(work));
}

} // namespace troupe::app
