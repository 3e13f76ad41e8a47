// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/client_actor.hpp"
#include "actors/courier_actor.hpp"
#include "actors/messages.hpp"
#include "actors/route_fan.hpp"
#include "actors/runtime/pinned.hpp"
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

/// The connection of a client that publishes and subscribes: its actor, and
/// what that has said.
class client_peer final : public core::client_link {
public:
  client_peer(caf::actor_system& system, actors::broker_context& context,
              std::uint64_t number)
      : context_(context) {
    line_->link = this;
    actor_ = actors::runtime::spawn_pinned<actors::client_actor,
                                           actors::client_state>(
        system, nullptr, actors::client_behavior,
        actors::client_deps{&context, line_, number});
  }
  ~client_peer() override {
    line_->link = nullptr;
    caf::anon_send_exit(actor_, caf::exit_reason::kill);
  }
  client_peer(const client_peer&) = delete;
  client_peer& operator=(const client_peer&) = delete;

  void on_event(core::client_event event) override {
    events.push_back(std::move(event));
  }

  // Nothing runs yet.
  void send(core::client_command what) {
    caf::anon_send(actor_, actors::client_commands{{std::move(what)}});
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
    line_->link = nullptr;
    send(core::close_client{drop_will});
  }
  /// Its process is gone.
  void die() {
    line_->link = nullptr;
    caf::anon_send_exit(actor_, caf::exit_reason::kill);
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
  actors::broker_context& context_;
  std::shared_ptr<actors::client_line> line_ =
      std::make_shared<actors::client_line>();
  actors::client_actor actor_;
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
        [outcome](core::errc code) { *outcome = code; });
  };
  caf::anon_send(at.couriers.front(), std::move(order));
}

} // namespace troupe::test_support
