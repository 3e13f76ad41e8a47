// SPDX-License-Identifier: Apache-2.0
#include "app/sys_publisher.hpp"

#include "app/version.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace troupe::app {
namespace {

constexpr std::string_view here = "$SYS/broker/";
constexpr std::string_view everywhere = "$SYS/brokers/";

/// A name as one level of a topic.
std::string as_level(std::string name) {
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return c == '/' || c == '+' || c == '#' || c == '*'; }, '_');
  return name;
}

} // namespace

struct sys_publisher::state : std::enable_shared_from_this<state> {
  explicit state(parts from)
      : with(std::move(from)),
        values(with.node, std::string{version()}, with.home.clock().now()),
        own(std::string{everywhere} + as_level(with.node) + '/') {}

  void turn() {
    if (ended)
      return;
    const auto now = with.home.clock().now();
    for (const auto& [topic, value] : values.update(with.sample(), now)) {
      publish(std::string{here} + topic, value, actors::topics::reach::node);
      publish(own + topic, value, actors::topics::reach::cluster);
    }
    with.home.call_at(now + with.interval, weak_from_this(),
                      [](state& of) { of.turn(); });
  }

  void publish(const std::string& topic, std::string_view value,
               actors::topics::reach how) {
    auto parsed = core::topic::parse(topic);
    if (!parsed)
      return; // the name of the node is too long for a topic
    // Others' counts are not to be about this.
    with.router.board().find(with.realm, *parsed, wanted);
    if (wanted.empty())
      return;
    core::publication what;
    what.realm = with.realm;
    what.topic = std::move(*parsed);
    what.content_type = "text/plain";
    what.payload = core::shared_bytes::copy_of(value);
    // Out of bounds it is refused and counted, as any.
    (void)with.router.publish(std::move(what), how);
  }

  const parts with;
  sys_values values;
  const std::string own;
  cluster::audience wanted; // of the last topic
  bool ended = false;
};

sys_publisher::sys_publisher(parts with)
    : state_(std::make_shared<state>(std::move(with))) {}

sys_publisher::~sys_publisher() = default;

void sys_publisher::start() {
  state_->with.home.post([all = state_] { all->turn(); });
}

void sys_publisher::stop() {
  std::promise<void> ended;
  state_->with.home.post([&] {
    state_->ended = true;
    ended.set_value();
  });
  ended.get_future().wait();
}

} // namespace troupe::app
