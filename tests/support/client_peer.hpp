// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/client_way.hpp"
#include "actors/courier_actor.hpp"
#include "actors/messages.hpp"
#include "actors/route_fan.hpp"
#include "core/route_table.hpp"

#include <caf/send.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::test_support {

/// The connection of a client that publishes and subscribes: the way to its
/// session, and what that has said.
class client_peer final : public core::client_link {
public:
  client_peer(caf::actor_system& system, actors::broker_context& context,
              std::uint64_t number)
      : context_(context), way_(system, context, nullptr, *this, number) {}
  ~client_peer() override {
    if (!std::exchange(closed_, true))
      leave();
  }
  client_peer(const client_peer&) = delete;
  client_peer& operator=(const client_peer&) = delete;

  void on_event(core::client_event event) override {
    events.push_back(std::move(event));
  }

  // Nothing runs yet.
  void send(core::client_command what) {
    std::vector<core::client_command> one;
    one.push_back(std::move(what));
    way_.send(std::move(one));
  }
  /// `expiry` nothing: it ends with the connection.
  void open(const std::string& name,
            std::optional<core::milliseconds> expiry = std::chrono::hours{1},
            bool clean_start = false) {
    core::open_client c;
    c.name = name;
    c.uid = "anna";
    c.lasting = expiry.has_value();
    c.expiry = expiry.value_or(core::milliseconds{0});
    c.clean_start = clean_start;
    c.window = 10;
    send(std::move(c));
  }
  void subscribe(const std::string& filter, std::uint8_t qos = 1) {
    core::route_client c;
    c.ticket = ++tickets_;
    c.add.push_back({{filter, {}}, {qos, false, false, 0}});
    send(std::move(c));
  }
  void close(bool drop_will = true) {
    if (!std::exchange(closed_, true))
      way_.close(drop_will);
  }
  /// Its process is gone.
  void die() {
    if (!std::exchange(closed_, true))
      leave();
  }
  /// Acknowledges all that has come.
  void settle() {
    send(core::settle_client{last<core::client_delivery>().position, {}});
  }

  template <class Event>
  [[nodiscard]] std::vector<Event> all() const {
    std::vector<Event> found;
    for (const auto& event : events)
      if (const auto* one = std::get_if<Event>(&event))
        found.push_back(*one);
    return found;
  }
  template <class Event>
  [[nodiscard]] Event last() const {
    auto found = all<Event>();
    return found.empty() ? Event{} : std::move(found.back());
  }
  [[nodiscard]] bool opened() const {
    const auto found = all<core::client_opened>();
    return !found.empty() && found.back().failure.code == core::errc::ok;
  }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] core::errc end() const {
    const auto found = all<core::client_ended>();
    return found.empty() ? core::errc::ok : found.back().reason.code;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> found;
    for (const auto& d : all<core::client_delivery>())
      found.emplace_back(d.message->payload.text());
    return found;
  }

  std::vector<core::client_event> events;

private:
  void leave() {
    if (way_.actor())
      caf::anon_send_exit(way_.actor(), caf::exit_reason::kill);
    else if (!context_.desks.empty()) // its node is up
      way_.close(true);
  }

  actors::broker_context& context_;
  actors::client_way way_;
  bool closed_ = false;
  std::uint64_t tickets_ = 0;
};

/// Publishes for sessions by a node's courier, as its doors do; what becomes of
/// it is in `outcome`.
inline void
publish_to_sessions(actors::broker_context& at, const std::string& topic,
                    const std::string& text,
                    std::shared_ptr<std::optional<core::errc>> outcome,
                    std::uint8_t qos = 1, const std::string& key = {}) {
  actors::courier_order order;
  order.work = [&at, topic, text, outcome, qos,
                key](actors::courier_state& by) {
    core::publication what;
    what.topic = *core::topic::parse(topic);
    what.payload = core::shared_bytes::copy_of(text);
    actors::queued_publication queued;
    queued.message = actors::message_of(what, qos, false);
    queued.deduplication_key = key;
    by.queue_when_fresh(
        [&at, queued]() mutable {
          queued.to = actors::recipients_of(
              at.directory->routes()->match(
                  "default", *core::topic::parse(queued.message.topic)),
              0);
          return queued;
        },
        actors::bytes_of(queued, 1),
        [outcome](core::errc code) { *outcome = code; });
  };
  caf::anon_send(at.couriers.front(), std::move(order));
}

} // namespace troupe::test_support
