// SPDX-License-Identifier: Apache-2.0
// A session that outlives its connections, a broker whose answers come late,
// and a client that drops connections and answers as it likes: what is promised
// comes, QoS 2 once, and nothing is told before it is durable. The seed of a
// failure is in its message; TROUPE_TEST_SEQUENCES says how many are played,
// TROUPE_TEST_SEED plays one.
#include "tests/net/mqtt/random_session.hpp"

#include <cstdlib>
#include <tuple>

namespace troupe::net::mqtt::test {

// ------------------------------------------------------------- the connection

void random_session::come() {
  now_ = std::make_unique<connection>(options_, *this);
  now_->can = {never, true, false};
  now_->time = time_;
  resolved_.clear();
  connect asked;
  asked.protocol = by_;
  asked.client_id = "me";
  asked.clean_start = false;
  if (by_ == version::v5) {
    asked.session_expiry = seconds{60};
    asked.receive_maximum = receive_maximum_;
    asked.maximum_packet_size = client_bytes_max;
  }
  const auto expected = present_ ? "CONNACK 0x00 present" : "CONNACK 0x00";
  now_->say(asked);
  ASSERT_FALSE(now_->sent.empty());
  EXPECT_EQ(now_->sent.front(), expected);
  now_->sent.erase(now_->sent.begin());
  look();
  // [MQTT-4.4.0-1], in their order.
  for (const auto id : std::exchange(order_, {})) {
    auto& each = saying_.at(id);
    order_.push_back(id);
    if (each.received) {
      now_->answer<pubrel>(id);
      continue;
    }
    answers_due_.push_back(id);
    now_->tell("c", each.payload, each.level, id);
  }
  look();
}

/// What was asked for is done up to some point.
void random_session::drop() {
  for (auto done = pick(durable_.size() + 1); done > 0; --done)
    work();
  durable_.clear();
  answers_.clear();
  answers_due_.clear();
  to_answer_.clear();
  to_complete_.clear();
  asked_.clear();
  shrinking_.clear();
  now_->subject.on_closed();
  EXPECT_TRUE(now_->listened.empty());
  EXPECT_EQ(now_->stats.sessions, 0U);
  EXPECT_EQ(now_->stats.subscriptions, 0U);
  now_.reset();
  closed_ = time_;
  time_ += core::milliseconds{1};
}

void random_session::subscribe_something() {
  constexpr const char* all[]{"t/0", "t/1", "t/+", "t/#", "#/wrong"};
  const std::string filter = all[pick(std::size(all))];
  now_->asking = ++last_request_;
  last_about_[filter] = last_request_;
  if (chance(4)) {
    granted_.erase(filter);
    shrinking_.insert(last_request_);
    unsubscribe asked;
    asked.id = packet_id{last_request_};
    asked.filters.push_back(filter);
    now_->say(asked);
  } else {
    const auto level = static_cast<qos>(pick(3));
    if (const auto at = granted_.find(filter); at != granted_.end()) {
      at->second = std::min(at->second, level);
    }
    if (level == q0)
      shrinking_.insert(last_request_);
    asked_[last_request_] = {filter, level};
    subscribe asked;
    asked.id = packet_id{last_request_};
    asked.filters.push_back({filter, level});
    now_->say(asked);
  }
  now_->asking = 0;
}

void random_session::publish_something() {
  const auto id = static_cast<std::uint16_t>(1 + pick(6));
  if (saying_.contains(id) ||
      (by_ == version::v5 && saying_.size() >= options_.receive_maximum))
    return;
  said what;
  what.payload = "c" + std::to_string(++last_number_);
  what.level = chance(2) ? q1 : q2;
  saying_[id] = what;
  order_.push_back(id);
  answers_due_.push_back(id);
  now_->tell("c", what.payload, what.level, id);
}

/// In their order, as MQTT wants it; some clients do not.
void random_session::answer_something() {
  if (!to_complete_.empty() && chance(2)) {
    const auto id = to_complete_.front();
    to_complete_.pop_front();
    now_->under_way.erase(id);
    return now_->answer<pubcomp>(id);
  }
  if (to_answer_.empty())
    return;
  const auto at = orderly_ ? 0 : pick(to_answer_.size());
  const auto one = to_answer_[at];
  to_answer_.erase(to_answer_.begin() + static_cast<std::ptrdiff_t>(at));
  const auto code =
      one.refused ? reason_code::quota_exceeded : reason_code::success;
  if (one.level == q1 || one.refused)
    now_->under_way.erase(one.id);
  if (one.level == q1)
    now_->answer<puback>(one.id, code);
  else
    now_->answer<pubrec>(one.id, code);
}

// ------------------------------------------------------ what the client hears

void random_session::look() {
  if (!now_)
    return;
  for (const auto& line : now_->take()) {
    EXPECT_FALSE(over_) << "behind DISCONNECT: " << line;
    hear(line);
  }
  over_ = false;
}

void random_session::hear(const std::string& line) {
  note("  < " + line);
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  const auto failed = line.find(" 0x") != std::string::npos;
  if (word == "PUBLISH") {
    const auto at = line.find(" id=");
    if (at != std::string::npos)
      take_publish(line,
                   static_cast<std::uint16_t>(std::stoi(line.substr(at + 4))));
    return;
  }
  if (word == "DISCONNECT") {
    EXPECT_EQ(line, "DISCONNECT 0x89");
    EXPECT_TRUE(now_->closed);
    over_ = true;
    return;
  }
  const auto id = static_cast<std::uint16_t>(std::stoi(line.substr(space)));
  if (word == "PUBREL") {
    EXPECT_TRUE(awaiting_.contains(id)) << "not durable: " << line;
    EXPECT_FALSE(failed) << line;
    unreleased_.erase(id);
    to_complete_.push_back(id);
  } else if (word == "PUBACK" || word == "PUBREC") {
    ASSERT_FALSE(answers_due_.empty()) << line;
    EXPECT_EQ(answers_due_.front(), id) << line;
    answers_due_.pop_front();
    auto& each = saying_.at(id);
    EXPECT_EQ(word, each.level == q1 ? "PUBACK" : "PUBREC");
    EXPECT_TRUE(resolved_.contains(each.ticket)) << "not durable: " << line;
    if (word == "PUBREC" && !failed) {
      each.received = true;
      return now_->answer<pubrel>(id);
    }
    if (!failed)
      acknowledged_.insert(each.payload);
    forget(id);
  } else if (word == "PUBCOMP") {
    EXPECT_FALSE(received_.contains(id)) << "not durable: " << line;
    EXPECT_TRUE(saying_.at(id).received);
    acknowledged_.insert(saying_.at(id).payload);
    acknowledged_once_.insert(saying_.at(id).payload);
    forget(id);
  } else if (word == "SUBACK" || word == "UNSUBACK") {
    shrinking_.erase(id);
    if (const auto at = now_->waits_for_route.find(id);
        at != now_->waits_for_route.end()) {
      EXPECT_TRUE(resolved_.contains(at->second)) << "not durable: " << line;
    }
    const auto asked = asked_.find(id);
    if (word == "UNSUBACK" || asked == asked_.end())
      return;
    const auto& [filter, level] = asked->second;
    if (!line.ends_with(hex(static_cast<reason_code>(level)))) {
      EXPECT_TRUE(line.ends_with("0x8F") || line.ends_with("0x97")) << line;
    } else if (last_about_.at(filter) == id) { // else it wants something else
      granted_[filter] = level;
    }
    asked_.erase(asked);
  } else {
    ADD_FAILURE() << line;
  }
}

void random_session::take_publish(const std::string& line, std::uint16_t id) {
  const bool again = line.find(" again") != std::string::npos;
  const auto level = line.find(" qos2") != std::string::npos ? q2 : q1;
  auto& under_way = now_->under_way;
  EXPECT_TRUE(under_way.emplace(id, level).second) << "an id in use: " << line;
  EXPECT_LE(under_way.size(),
            std::min(receive_maximum_, options_.inflight_max));
  auto position = now_->delivered_up_to;
  while (lasting_window::id_of(core::inbox_position{position}).value() != id)
    --position;
  EXPECT_GT(position, now_->last_position) << "out of order: " << line;
  now_->last_position = position;
  const auto& what = inbox_.at(position);
  EXPECT_EQ(line.substr(8, 4), what.topic + " ");
  EXPECT_EQ(std::stoull(line.substr(12)), what.number) << line;
  if (!sent_ever_.insert(position).second) {
    EXPECT_TRUE(again) << line;
  }
  if (again) {
    EXPECT_LE(what.queued, closed_) << line;
  } else // a client takes it for the message before
    EXPECT_FALSE(unreleased_.contains(id)) << "of another one: " << line;
  const bool fresh = level == q1 || !unreleased_.contains(id);
  const bool refuses =
      fresh && picky_ && !calm_ && by_ == version::v5 && chance(15);
  if (refuses) {
    refused_.insert(what.number);
  } else if (fresh) {
    got_.insert(what.number);
    if (level == q2) {
      unreleased_.insert(id);
      once_.insert(what.number);
    }
  }
  to_answer_.push_back({id, level, refuses});
}

// --------------------------------------------------------------------- a life

void random_session::step() {
  if (!now_)
    return chance(2) ? come() : publish_elsewhere();
  if (now_->closed)
    return drop();
  switch (pick(16)) {
  case 0:
  case 1:
  case 2:
    for (auto i = pick(4); i > 0; --i)
      deliver_next();
    break;
  case 3:
  case 4:
    publish_elsewhere();
    break;
  case 5:
  case 6:
    subscribe_something();
    break;
  case 7:
    publish_something();
    break;
  case 8:
  case 9:
  case 10:
    answer_something();
    break;
  case 11:
  case 12:
    work();
    break;
  case 13:
  case 14:
    answer();
    break;
  default:
    do_something_rare();
  }
  look();
}

void random_session::do_something_rare() {
  switch (pick(6)) {
  case 0:
    return drop();
  case 1:
    return keep_key();
  case 2:
    now_->unsent = chance(2) ? 0 : options_.backlog_bytes_max + 1;
    return now_->subject.on_room();
  case 3:
    time_ += core::milliseconds{700};
    return now_->pass(core::milliseconds{700});
  case 4:
    return now_->subject.on_rights_changed();
  default:
    return now_->feed.pump(now_->now);
  }
}

/// Nothing fails any more, and everybody answers: all that was promised comes.
void random_session::settle_all() {
  calm_ = true;
  if (now_ && now_->closed)
    drop();
  if (!now_)
    come();
  now_->unsent = 0;
  now_->subject.on_room();
  for (int idle = 0; idle < 3 && !testing::Test::HasFailure(); ++idle) {
    const auto before = std::tuple{cursor_,           last_,
                                   answers_.size(),   durable_.size(),
                                   to_answer_.size(), to_complete_.size(),
                                   saying_.size()};
    if (now_->closed) { // by something that was lost before
      drop();
      come();
    }
    work();
    answer();
    deliver_next();
    now_->feed.pump(now_->now);
    look();
    answer_something();
    look();
    if (before != std::tuple{cursor_, last_, answers_.size(), durable_.size(),
                             to_answer_.size(), to_complete_.size(),
                             saying_.size()} ||
        !answers_.empty() || !durable_.empty() || !to_answer_.empty() ||
        !to_complete_.empty())
      idle = 0;
  }
  EXPECT_EQ(cursor_, last_);
  EXPECT_TRUE(awaiting_.empty());
  EXPECT_TRUE(unreleased_.empty());
  EXPECT_TRUE(saying_.empty());
  for (const auto& [number, what] : promised_)
    if (!what.expiry && !refused_.contains(number)) {
      EXPECT_TRUE(got_.contains(number)) << "lost: " << number;
    }
  for (const auto number : once_)
    if (promised_.contains(number)) {
      EXPECT_EQ(got_.count(number), 1U) << number;
    }
  for (const auto& payload : acknowledged_)
    EXPECT_TRUE(published_.contains(payload)) << "lost: " << payload;
  for (const auto& payload : acknowledged_once_)
    EXPECT_EQ(published_.count(payload), 1U) << payload;
  end_late();
}

/// Behind the end nothing that comes late is heard of.
void random_session::end_late() {
  auto& gate = now_->subject;
  gate.on_farewell(farewell::shutting_down);
  EXPECT_TRUE(now_->closed); // from here on anything sent fails
  now_->take();
  now_->take_asked();
  for (std::uint64_t ticket = 1; ticket < 4; ++ticket) {
    gate.on_published(ticket, reason_code::success);
    gate.on_routed({ticket, {}, core::log_index{9}, {}});
  }
  gate.on_released({1, 2});
  gate.on_completed({1, 2});
  gate.on_room();
  gate.on_rights_changed();
  gate.on_tick(now_->now + core::milliseconds{100'000});
  gate.on_farewell(farewell::kicked);
  message late;
  late.topic = "t/0";
  const auto what =
      std::make_shared<const core::publication>(publication_for(late));
  gate.on_publication(what);
  gate.on_delivery(core::next(core::inbox_position{last_}), {what, q1}, time_);
  EXPECT_FALSE(gate.on_retained(*core::topic_filter::parse("t/0"), what));
  now_->say(pingreq{});
  EXPECT_EQ(now_->take(), lines{});
  EXPECT_EQ(now_->take_asked(), lines{});
}

TEST(MqttGateRandom, ASessionThatStaysKeepsWhatWasPromised) {
  const char* wanted = std::getenv("TROUPE_TEST_SEQUENCES");
  const char* only = std::getenv("TROUPE_TEST_SEED");
  const auto first = only ? std::stoull(only) : 1ULL;
  const auto last = only ? first : wanted ? std::stoull(wanted) : 4'000ULL;
  for (auto seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_session it{seed};
    it.play(150);
    if (::testing::Test::HasFailure())
      break;
  }
}

} // namespace troupe::net::mqtt::test
