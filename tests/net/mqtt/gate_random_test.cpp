// SPDX-License-Identifier: Apache-2.0
// Random packets against what must always hold. The seed of a failure is in
// its message; TROUPE_TEST_SEQUENCES says how many are played.
#include "tests/net/mqtt/gate_driver.hpp"

#include <cstdlib>
#include <deque>
#include <optional>
#include <random>

namespace troupe::net::mqtt {
namespace {

constexpr auto q0 = qos::at_most_once;
constexpr auto q2 = qos::exactly_once;

/// One client that does whatever comes to its mind, and what it must see. It
/// knows by itself what of what it does is wrong.
class random_client final : public gate_driver {
public:
  explicit random_client(std::uint64_t seed)
      : gate_driver(options_of(seed)), random_(seed) {
    constexpr version all[]{version::v3_1, version::v3_1_1, version::v5};
    by_ = all[pick(3)];
    receive_maximum_ = static_cast<std::uint16_t>(1 + pick(4));
  }

  void play(int steps) {
    come_in();
    for (int i = 0; i < steps && !closed; ++i) {
      step();
      look();
    }
    if (!closed)
      subject.on_closed();
    EXPECT_TRUE(listened.empty());
    EXPECT_TRUE(shares.empty());
    EXPECT_EQ(stats.sessions, 0U);
    EXPECT_EQ(stats.subscriptions, 0U);
  }

private:
  static mqtt_options options_of(std::uint64_t seed) {
    mqtt_options how;
    how.receive_maximum = static_cast<std::uint16_t>(1 + seed % 5);
    how.inflight_max = static_cast<std::uint16_t>(1 + seed % 7);
    how.queue_messages_max = seed % 9;
    how.subscriptions_max = 2 + seed % 4;
    how.denied = static_cast<denial_policy>(seed % 3);
    how.queue_full = static_cast<overflow_policy>(seed % 2);
    how.topic_alias_max = static_cast<std::uint16_t>(seed % 3);
    return how;
  }
  std::size_t pick(std::size_t below) { return random_() % below; }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }
  packet_id any_id() {
    return packet_id{static_cast<std::uint16_t>(1 + pick(6))};
  }
  std::string any_topic() {
    constexpr const char* all[]{"a", "a/b", "a/c", "b", "denied", "$own"};
    return all[pick(std::size(all))];
  }
  std::string any_filter() {
    constexpr const char* all[]{"a",          "a/+",       "a/#", "#",
                                "+/b",        "denied",    "a/b", "a/#/b",
                                "$share/g/a", "$share/g/+"};
    return all[pick(std::size(all))];
  }

  void come_in() {
    can.shared = chance(2);
    can.retained = chance(2);
    denied = {"publish:denied", "subscribe:denied"};
    connect asked;
    asked.protocol = by_;
    asked.client_id = "me";
    asked.keep_alive = seconds{static_cast<std::uint32_t>(pick(3) * 10)};
    if (by_ == version::v5) {
      asked.receive_maximum = receive_maximum_;
      asked.topic_alias_maximum = static_cast<std::uint16_t>(pick(3));
    } else {
      receive_maximum_ = 65'535;
    }
    if (chance(2)) {
      will_message will;
      will.topic = "a";
      asked.will = will;
    }
    if (chance(50))
      return say_wrong(pingreq{}, std::nullopt);
    say(asked);
    ASSERT_EQ(take_one(), "CONNACK 0x00");
  }
  std::string take_one() {
    const auto all = take();
    return all.size() == 1 ? all[0] : std::to_string(all.size()) + " packets";
  }

  void step() {
    switch (pick(17)) {
    case 0:
    case 1:
      return subscribe_something();
    case 2:
      return unsubscribe_something();
    case 3:
    case 4:
    case 5:
      return publish_something();
    case 6:
      return release_something();
    case 7:
    case 8:
    case 9:
      return publish_here(any_topic(), "x", static_cast<qos>(pick(3)));
    case 10:
    case 11:
      return answer_something();
    case 12:
      return answer_wrongly();
    case 13:
      outcome = chance(3)   ? publish_state::pending
                : chance(9) ? publish_state::refused
                            : publish_state::done;
      return resolve_some();
    case 16:
      return retained_message();
    case 14:
      unsent = chance(2) ? 0 : options.backlog_bytes_max + 1;
      return subject.on_room();
    default:
      return do_something_rare();
    }
  }

  void subscribe_something() {
    subscribe asked;
    asked.id = any_id();
    bool denied_one = false;
    for (std::size_t i = 0; i <= pick(3); ++i) {
      filters_.push_back(any_filter());
      denied_one |= filters_.back() == "denied";
      asked.filters.push_back(
          {filters_.back(), static_cast<qos>(pick(3)), chance(4), chance(4)});
    }
    expected_sub_ = {asked.id, asked.filters.size()};
    say(asked);
    if (denied_one && options.denied == denial_policy::close && closed)
      expect_end(reason_code::not_authorized);
  }
  /// For a subscription that may be gone, or may never have been.
  void retained_message() {
    const auto of = core::topic_filter::parse(chance(2) ? "a" : "a/+");
    const auto room = subject.takes_retained();
    auto what =
        publication_of(*parse_topic(any_topic()), static_cast<qos>(pick(3)),
                       true, {}, core::shared_bytes::copy_of("kept"));
    const auto queued = stats.queued.load();
    const auto dropped = stats.dropped_slow.load();
    subject.on_retained(
        *of, std::make_shared<const core::publication>(std::move(what)));
    if (room) {
      EXPECT_EQ(stats.queued, queued);
      EXPECT_EQ(stats.dropped_slow, dropped);
    }
  }
  void unsubscribe_something() {
    unsubscribe asked;
    asked.id = any_id();
    filters_.push_back(any_filter());
    asked.filters.push_back(filters_.back());
    say(asked);
    ++unsubacks_;
  }

  void publish_something() {
    const auto level = static_cast<qos>(pick(3));
    const auto id = any_id();
    const bool repeated = level == q2 && held_.contains(id);
    const bool beyond = by_ == version::v5 && level != q0 && !repeated &&
                        held_.size() + due_once_ >= options.receive_maximum;
    mqtt::publish said;
    said.retain = can.retained && chance(3);
    const auto name = any_topic();
    said.topic = name;
    said.level = level;
    if (level != q0)
      said.id = id;
    if (beyond)
      return say_wrong(said, reason_code::receive_maximum_exceeded);
    const bool refused = name == "denied" || name == "$own";
    if (refused && !repeated && options.denied == denial_policy::close)
      return say_wrong(said, reason_code::not_authorized);
    if (level == q2) {
      if (!repeated || !due(id))
        due_.push_back({id, q2});
      held_.insert(id);
    } else if (level != q0) {
      due_.push_back({id, level});
      ++due_once_;
    }
    say(said);
    if (closed) { // before 5 there is no other way to say no
      EXPECT_TRUE(by_ != version::v5 && level != q0);
    }
  }
  [[nodiscard]] bool due(packet_id id) const {
    return std::any_of(due_.begin(), due_.end(), [&](const auto& each) {
      return each.first == id && each.second == q2;
    });
  }
  void release_something() {
    if (held_.empty())
      return;
    auto at = held_.begin();
    std::advance(at, pick(held_.size()));
    if (due(*at))
      return; // not before its PUBREC
    const auto id = *at;
    held_.erase(at);
    completes_.push_back(id);
    answer<pubrel>(id.value());
  }

  void answer_something() {
    if (sent_.empty())
      return;
    auto at = sent_.begin();
    std::advance(at, pick(sent_.size()));
    const auto [id, waits] = *at;
    const auto number = id.value();
    if (waits == waits_for::puback) {
      sent_.erase(at);
      answer<puback>(number);
    } else if (waits == waits_for::pubrec) {
      if (by_ == version::v5 && chance(5)) {
        sent_.erase(at);
        return answer<pubrec>(number, reason_code::unspecified_error);
      }
      at->second = waits_for::pubcomp;
      releases_.push_back(id);
      answer<pubrec>(number);
    } else {
      sent_.erase(at);
      answer<pubcomp>(number);
    }
  }
  void answer_wrongly() {
    if (sent_.empty() || !chance(10))
      return;
    const auto [id, waits] = *sent_.begin();
    if (waits == waits_for::puback)
      say_wrong(pubcomp{{id}}, reason_code::protocol_error);
    else
      say_wrong(puback{{id}}, reason_code::protocol_error);
  }
  void resolve_some() {
    while (!tickets.empty() && !closed && chance(2)) {
      const auto at = pick(tickets.size());
      const auto ticket = tickets[at];
      tickets.erase(tickets.begin() + static_cast<std::ptrdiff_t>(at));
      subject.on_published(ticket, chance(8) ? reason_code::quota_exceeded
                                             : reason_code::success);
    }
  }
  void do_something_rare() {
    switch (pick(8)) {
    case 0:
      if (chance(4))
        return say_wrong(connect{}, reason_code::protocol_error);
      return;
    case 1:
      say(pingreq{});
      ++pings_;
      return;
    case 2:
      subject.on_heard(now);
      return pass(core::milliseconds{1000 * pick(10)});
    case 3:
      subject.on_rights_changed();
      return;
    case 4:
      if (chance(10)) {
        expect_silence_ = true;
        subject.on_closed();
        closed = true;
      }
      return;
    case 5: {
      if (!chance(10))
        return;
      expect_silence_ = true;
      say(disconnect{});
      EXPECT_TRUE(closed);
      return;
    }
    default:
      return turn();
    }
  }

  /// The last thing that a client does; null: it hears nothing.
  void say_wrong(const any_packet& what, std::optional<reason_code> why) {
    look();
    if (closed)
      return;
    say(what);
    EXPECT_TRUE(closed) << "went on after a violation";
    if (why)
      return expect_end(*why);
    EXPECT_EQ(take(), lines{});
  }
  void expect_end(reason_code why) {
    const auto all = take();
    if (by_ == version::v5) {
      ASSERT_FALSE(all.empty());
      EXPECT_EQ(all.back(), "DISCONNECT " + hex(why));
    }
  }

  /// Everything that was sent must be what was due.
  void look() {
    for (const auto& each : take())
      judge(each);
    EXPECT_LE(sent_.size(), std::min(receive_maximum_, options.inflight_max));
  }
  void judge(const std::string& line) {
    const auto word = line.substr(0, line.find(' '));
    const auto number = [&](std::size_t from) {
      return packet_id{
          static_cast<std::uint16_t>(std::stoi(line.substr(from)))};
    };
    EXPECT_FALSE(expect_silence_) << line;
    if (word == "PUBLISH") {
      const auto at = line.find(" id=");
      if (at == std::string::npos)
        return;
      const auto id = number(at + 4);
      EXPECT_NE(id, packet_id{});
      const bool fresh =
          sent_
              .emplace(id, line.find(" qos2") != std::string::npos
                               ? waits_for::pubrec
                               : waits_for::puback)
              .second;
      EXPECT_TRUE(fresh) << "an id in use: " << line;
    } else if (word == "PUBACK" || word == "PUBREC") {
      ASSERT_FALSE(due_.empty()) << line;
      const auto [id, level] = due_.front();
      due_.pop_front();
      EXPECT_EQ(id, number(7)) << line;
      EXPECT_EQ(level == q2 ? "PUBREC" : "PUBACK", word);
      if (level != q2)
        --due_once_;
      else if (line.find(" 0x") != std::string::npos)
        held_.erase(id);
    } else if (word == "PUBREL") {
      ASSERT_FALSE(releases_.empty()) << line;
      EXPECT_EQ(releases_.front(), number(7));
      releases_.pop_front();
    } else if (word == "PUBCOMP") {
      ASSERT_FALSE(completes_.empty()) << line;
      EXPECT_EQ(completes_.front(), number(8));
      completes_.pop_front();
    } else if (word == "SUBACK") {
      EXPECT_EQ(expected_sub_.first, number(7));
      EXPECT_EQ(
          static_cast<std::size_t>(std::count(line.begin(), line.end(), 'x')),
          expected_sub_.second);
    } else if (word == "UNSUBACK") {
      EXPECT_GT(unsubacks_--, 0);
    } else if (word == "PINGRESP") {
      EXPECT_GT(pings_--, 0);
    } else if (word == "DISCONNECT") {
      EXPECT_TRUE(closed);
      EXPECT_EQ(by_, version::v5);
      // What a client here may do to deserve it, beside say_wrong().
      const auto why = line.substr(11);
      EXPECT_TRUE(why == "0x8D" || why == "0x97" || why == "0x87") << line;
    } else {
      ADD_FAILURE() << line;
    }
  }

  enum class waits_for : std::uint8_t { puback, pubrec, pubcomp };

  std::mt19937_64 random_;
  version by_ = version::v5;
  std::uint16_t receive_maximum_ = 1;
  std::deque<std::string> filters_; ///< keeps what packets borrow
  // What the client has under way, and what it has not been answered.
  std::set<packet_id> held_;
  std::deque<std::pair<packet_id, qos>> due_;
  std::size_t due_once_ = 0;
  std::deque<packet_id> completes_;
  // What the gate has under way.
  std::map<packet_id, waits_for> sent_;
  std::deque<packet_id> releases_;
  std::pair<packet_id, std::size_t> expected_sub_{};
  int unsubacks_ = 0;
  int pings_ = 0;
  bool expect_silence_ = false;
};

TEST(MqttGateRandom, WhateverAClientDoesTheRulesHold) {
  const char* wanted = std::getenv("TROUPE_TEST_SEQUENCES");
  const auto count = wanted ? std::stoull(wanted) : 20'000ULL;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_client it{seed};
    it.play(60);
    if (::testing::Test::HasFailure())
      break;
  }
}

} // namespace
} // namespace troupe::net::mqtt
