// SPDX-License-Identifier: Apache-2.0
#include "app/sys_publisher.hpp"

#include "app/version.hpp"
#include "core/shared_bytes.hpp"
#include "core/topic.hpp"
#include "net/mqtt/crossing.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <utility>

namespace troupe::app {
namespace {

constexpr std::string_view below = "$SYS/";
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

  [[nodiscard]] core::publication publication_of(core::topic topic,
                                                 std::string_view value) const {
    core::publication what;
    what.realm = with.realm;
    what.topic = std::move(topic);
    what.content_type = "text/plain";
    what.payload = core::shared_bytes::copy_of(value);
    return what;
  }

  /// Which of two values is newer. Ascends also over a restart.
  [[nodiscard]] std::uint64_t revision() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(
            with.home.clock().wall().time_since_epoch())
            .count());
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
    auto what = publication_of(std::move(*parsed), value);
    net::mqtt::mark_revision(what, revision());
    // Out of bounds it is refused and counted, as any.
    (void)with.router.publish(std::move(what), how);
  }

  [[nodiscard]] std::vector<net::kept_key>
  matching(const core::topic_filter& filter) const {
    std::vector<net::kept_key> found;
    if (ended)
      return found;
    const auto number = revision();
    const auto take = [&](const std::string& topic, std::string_view value) {
      auto parsed = core::topic::parse(topic);
      if (parsed && filter.matches(*parsed))
        found.push_back({std::make_shared<const core::publication>(
                             publication_of(std::move(*parsed), value)),
                         number,
                         {}});
    };
    for (const auto& [topic, value] :
         values.peek(with.sample(), with.home.clock().now())) {
      take(std::string{here} + topic, value);
      take(own + topic, value);
    }
    return found;
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

bool sys_publisher::tells(std::string_view realm,
                          const core::topic_filter& filter) const {
  return realm == state_->with.realm && filter.text().starts_with(below);
}

void sys_publisher::read(core::topic_filter filter, values_function done) {
  state_->with.home.post(
      [all = state_, filter = std::move(filter), done = std::move(done)] {
        done(all->matching(filter));
      });
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
