// SPDX-License-Identifier: Apache-2.0
#include "app/channel_history.hpp"

#include <future>
#include <utility>

namespace troupe::app {

core::result<void>
channel_history::start(actors::topics::topic_router& router,
                       actors::channels::channel_host& channels,
                       actors::runtime::loop& home) {
  router_ = &router;
  channels_ = &channels;
  home_ = &home;
  channels.kept = [this](std::string_view realm, std::string_view topic) {
    const auto found = kept_.look(realm, std::string{topic});
    actors::channels::kept_messages told;
    if (found.messages > 0)
      told = {found.messages, found.bytes, found.oldest.text(),
              found.newest.text()};
    return told;
  };
  router.set_recorder(this);
  std::promise<core::result<void>> begun;
  home.post([&] {
    auto made =
        router.subscribe(realm_, *core::topic_filter::parse("#"), *this, {});
    if (made)
      all_ = std::move(*made);
    begun.set_value(made ? core::result<void>{} : made.error());
  });
  return begun.get_future().get();
}

void channel_history::stop() {
  if (router_ == nullptr)
    return;
  router_->set_recorder(nullptr);
  std::promise<void> ended;
  home_->post([&] {
    all_.end();
    ended.set_value();
  });
  ended.get_future().wait();
  router_ = nullptr;
}

} // namespace troupe::app
