// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/mqtt/lasting_window.hpp"
#include "net/mqtt/retained_feed.hpp"
#include "tests/net/mqtt/gate_client.hpp"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <optional>
#include <random>

namespace troupe::net::mqtt::test {

inline constexpr std::size_t client_bytes_max = 100;

class random_session;

/// One connection: what its gate asks for goes to the broker.
class connection final : public gate_driver, public retained_outlet {
public:
  connection(mqtt_options how, random_session& of)
      : gate_driver(std::move(how)), of_(of) {}

  void open_session(const session_request&) override;
  publish_state publish(core::publication what, std::string_view,
                        std::uint64_t ticket) override;
  void publish_once(core::publication what, std::string_view,
                    std::uint64_t ticket, packet_id id) override;
  void release(packet_id id) override;
  void settle(core::inbox_position up_to,
              std::vector<std::uint16_t> awaiting) override;
  void complete(packet_id id) override;
  void route(std::uint64_t ticket, std::vector<core::route_name> remove,
             std::vector<core::route> add) override;
  void queue_own(const core::publication& what, qos level, bool,
                 std::vector<std::uint32_t>) override;
  void send_retained(const core::topic_filter& what,
                     const core::topic_filter& of) override {
    feed.begin(what, of);
  }

  // retained_outlet
  void settle(std::uint64_t number) override;
  void read(key_query what, std::uint64_t number) override;
  [[nodiscard]] bool has_room() const override {
    return subject.takes_retained();
  }
  bool give(const core::topic_filter& of,
            const core::publication_ptr& what) override {
    const auto before = stats.dropped_slow.load();
    const bool there = subject.on_retained(of, what);
    EXPECT_EQ(stats.dropped_slow, before) << "given without room";
    return there;
  }

  retained_feed feed{*this, stats, "default"};
  /// SUBACK and UNSUBACK that wait for the directory, by packet id.
  std::map<std::uint16_t, std::uint64_t> waits_for_route;
  std::uint16_t asking = 0; ///< the packet id of the request under way
  std::uint64_t delivered_up_to = 0;
  std::map<std::uint16_t, qos> under_way; ///< as the client counts
  std::uint64_t last_position = 0;        ///< that came over this connection

private:
  random_session& of_;
};

/// The broker, the client, and what both must never do.
class random_session {
public:
  explicit random_session(std::uint64_t seed) : random_(seed) {
    options_.receive_maximum = static_cast<std::uint16_t>(1 + pick(4));
    options_.inflight_max = static_cast<std::uint16_t>(1 + pick(6));
    last_ = cursor_ = 65'530 + pick(12); // identifiers begin anew soon
    by_ = chance(3) ? version::v3_1_1 : version::v5;
    receive_maximum_ = by_ == version::v5
                           ? static_cast<std::uint16_t>(1 + pick(5))
                           : std::uint16_t{65'535};
    orderly_ = !chance(4);
    picky_ = chance(2);
    routes_[0] = {};
  }

  void play(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i)
      step();
    settle_all();
  }

  struct message {
    std::uint64_t number = 0;
    std::string topic;
    qos level = q1;
    core::timestamp queued{};
    std::optional<seconds> expiry{};
  };
  using routes = std::map<std::string, qos>;

  /// With TROUPE_TEST_TRACE set, what happens is printed.
  void note(const std::string& what) const {
    if (trace_)
      std::fprintf(stderr, "%s\n", what.c_str());
  }
  std::size_t pick(std::size_t below) { return random_() % below; }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }

  // ------------------------------------------------------------- the broker

  /// Becomes durable in this order, if the connection lives as long.
  void later(std::function<void()> what) {
    durable_.push_back(std::move(what));
  }
  /// Is told in this order, to this connection.
  void tell(std::function<void()> what) { answers_.push_back(std::move(what)); }

  void open(const session_request& what) {
    session_found found;
    found.present = present_;
    for (const auto& [filter, level] : routes_.rbegin()->second)
      found.routes.push_back(
          {{filter, {}}, {static_cast<std::uint8_t>(level), false, false, 0}});
    found.awaiting.assign(awaiting_.begin(), awaiting_.end());
    found.closed = closed_;
    EXPECT_EQ(what.expiry.count() > 0, true);
    present_ = true;
    opened_at_ = routes_.rbegin()->first;
    now_->delivered_up_to = cursor_;
    now_->subject.on_session(found);
  }

  std::string payload_of(std::uint64_t number) const {
    auto text = std::to_string(number);
    if (large_.contains(number))
      text += std::string(2 * client_bytes_max, 'x');
    return text;
  }
  core::publication publication_for(const message& one, bool retain = false) {
    message_properties properties;
    properties.expiry = one.expiry;
    auto what =
        publication_of(*parse_topic(one.topic), one.level, retain, properties,
                       core::shared_bytes::copy_of(payload_of(one.number)));
    what.number =
        static_cast<std::uint64_t>(core::to_millis(one.queued)) * 1000;
    return what;
  }
  void append(message one, qos level) {
    one.level = level;
    one.queued = time_;
    inbox_[++last_] = std::move(one);
  }
  void deliver_next() {
    if (!now_ || now_->closed)
      return;
    const auto at = inbox_.upper_bound(now_->delivered_up_to);
    if (at == inbox_.end() ||
        at->first > cursor_ + std::uint64_t{options_.inflight_max} + 3)
      return;
    now_->delivered_up_to = at->first;
    auto what = publication_for(at->second);
    outgoing to_send;
    to_send.level = at->second.level;
    to_send.what = std::make_shared<const core::publication>(std::move(what));
    now_->subject.on_delivery(core::inbox_position{at->first},
                              std::move(to_send), at->second.queued);
  }
  /// By somebody else, at a node that may not have heard of the last changes.
  void publish_elsewhere() {
    message one;
    one.number = ++last_number_;
    one.topic = "t/" + std::to_string(pick(3));
    one.level = static_cast<qos>(pick(3));
    one.queued = time_;
    if (by_ == version::v5 && chance(15))
      large_.insert(one.number);
    // What was sent out of turn, or behind what was refused, is not known to
    // have been under way.
    if (orderly_ && !picky_ && chance(10))
      one.expiry = seconds{2};
    auto at = std::prev(routes_.end());
    // Whoever has not heard that a route is gone queues by it what a gate that
    // has forgotten it takes for missed: see decision 0026, what stays open.
    while (now_ && shrinking_.empty() &&
           at->first > std::max(opened_at_, removed_at_) && chance(2))
      --at;
    qos wanted = q0;
    for (const auto& [filter, level] : at->second)
      if (core::topic_filter::parse(filter)->matches(*parse_topic(one.topic)))
        wanted = std::max(wanted, level);
    const auto level = std::min(wanted, one.level);
    note("publish " + std::to_string(one.number) + " " + one.topic + " qos" +
         std::to_string(static_cast<int>(one.level)) + " as of " +
         std::to_string(at->first) +
         (is_promised(one.topic) ? " promised" : ""));
    if (level != q0)
      append(one, level);
    if (one.level != q0 && is_promised(one.topic) &&
        !large_.contains(one.number))
      promised_[one.number] = one;
    if (!now_ || now_->closed)
      return;
    auto what = publication_for(one);
    if (one.level != q0)
      what.queued_as_of = at->first + 1; // 0 would say that nothing was matched
    now_->deliver(std::move(what));
  }
  bool is_promised(const std::string& topic) const {
    return std::any_of(granted_.begin(), granted_.end(), [&](const auto& each) {
      return each.second != q0 && core::topic_filter::parse(each.first)
                                      ->matches(*parse_topic(topic));
    });
  }
  void keep_key() {
    message one;
    one.number = ++last_number_;
    one.topic = "t/" + std::to_string(pick(3));
    one.level = static_cast<qos>(pick(3));
    one.queued = time_;
    auto what = publication_for(one, true);
    mark_revision(what, ++revision_);
    keys_[one.topic] = {
        std::make_shared<const core::publication>(std::move(what)),
        revision_,
        {}};
  }

  // ------------------------------------------------------------- the client

  void come();
  void drop();
  void subscribe_something();
  void publish_something();
  void answer_something();
  void look();
  void hear(const std::string& line);
  void take_publish(const std::string& line, std::uint16_t id);
  void step();
  void do_something_rare();
  void settle_all();
  void end_late();
  void forget(std::uint16_t id) {
    saying_.erase(id);
    std::erase(order_, id);
  }
  void work() {
    if (!durable_.empty()) {
      auto next = std::move(durable_.front());
      durable_.pop_front();
      next();
    }
  }
  void answer() {
    if (answers_.empty())
      return;
    auto next = std::move(answers_.front());
    answers_.pop_front();
    next();
  }

  const bool trace_ = std::getenv("TROUPE_TEST_TRACE") != nullptr;
  std::mt19937_64 random_;
  mqtt_options options_;
  version by_ = version::v5;
  std::uint16_t receive_maximum_ = 1;
  core::timestamp time_ = core::from_millis(1'700'000'000'000);

  // What is durable, or on its way to be.
  bool present_ = false;
  std::map<std::uint64_t, message> inbox_; ///< by position
  std::uint64_t last_ = 0;
  std::uint64_t cursor_ = 0;
  std::set<std::uint16_t> awaiting_;
  core::timestamp closed_{};
  std::map<std::uint64_t, routes> routes_; ///< as of each index
  std::uint64_t opened_at_ = 0;
  std::uint64_t removed_at_ = 0; ///< the last index that took away from them
  std::map<std::uint16_t, std::uint64_t> received_; ///< of QoS 2: its number
  std::set<std::uint64_t> taken_;                   ///< those numbers
  std::uint64_t last_taken_ = 0;
  std::multiset<std::string> published_;
  std::map<std::string, kept_key> keys_;
  std::uint64_t revision_ = 0;
  std::deque<std::function<void()>> durable_;
  std::deque<std::function<void()>> answers_;
  std::set<std::uint64_t> resolved_; ///< tickets of this connection
  bool calm_ = false;                ///< nothing fails any more

  // What the client knows.
  std::unique_ptr<connection> now_;
  std::map<std::string, qos> granted_;
  std::set<std::uint16_t> unreleased_; ///< of QoS 2, from the broker
  std::multiset<std::uint64_t> got_;
  std::set<std::uint64_t> refused_;
  std::set<std::uint64_t> large_;
  std::map<std::uint64_t, message> promised_;
  std::set<std::uint64_t> once_;      ///< those that came with QoS 2
  std::set<std::uint64_t> sent_ever_; ///< positions
  struct due {
    std::uint16_t id = 0;
    qos level = q1;
    bool refused = false;
  };
  std::deque<due> to_answer_;
  std::deque<std::uint16_t> to_complete_;
  struct said {
    std::string payload;
    qos level = q1;
    bool received = false; ///< PUBREC has come
    std::uint64_t ticket = 0;
  };
  std::map<std::uint16_t, said> saying_;
  std::deque<std::uint16_t> order_;       ///< of what it says
  std::deque<std::uint16_t> answers_due_; ///< PUBACK and PUBREC, in order
  std::map<std::uint16_t, std::pair<std::string, qos>> asked_; ///< SUBSCRIBE
  std::set<std::uint16_t> shrinking_;               ///< requests that want less
  std::map<std::string, std::uint16_t> last_about_; ///< filter: its request
  std::uint16_t last_request_ = 100;
  bool orderly_ = true; ///< answers in order
  bool picky_ = false;  ///< refuses some of what comes
  bool over_ = false;   ///< DISCONNECT has come
  std::multiset<std::string> acknowledged_;
  std::set<std::string> acknowledged_once_;
  std::uint64_t last_number_ = 0;
};

} // namespace troupe::net::mqtt::test
