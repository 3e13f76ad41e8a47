// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace troupe::test {

/// Commands about retained keys and sessions over few names, so that they meet
/// often. The same seed gives the same commands on every machine (no std
/// distributions).
class random_sessions {
public:
  /// With `long_topics`, some do not fit into a key of a state space.
  explicit random_sessions(std::uint64_t seed, bool long_topics = false)
      : random_(seed), long_topics_(long_topics) {}

  core::logged_shard_command next() {
    core::logged_shard_command command;
    ++index_;
    time_ += core::milliseconds{below(100)};
    command.time = time_;
    if (below(3) == 0) {
      command.key.origin = 1 + below(3);
      auto& newest = sequences_[command.key.origin];
      command.key.sequence =
          newest > 3 && below(8) == 0 ? newest - below(4) : ++newest;
    }
    command.command = body();
    return command;
  }
  /// The epoch that an open_session at this place of the log answered.
  void opened(const std::string& name, std::uint64_t epoch) {
    epochs_[name] = epoch;
  }

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

private:
  core::shard_command body() {
    switch (below(20)) {
    case 0:
    case 1:
    case 2:
      return core::set_key{realm(), topic(), content(), lifetime(), revision()};
    case 3:
      return core::clear_key{realm(), topic(), revision()};
    case 4:
    case 5:
    case 6:
      return opening();
    case 7:
      return core::set_session_expiry{session(), lifetime()};
    case 8:
    case 9: {
      core::close_session_record command{session(), {}, below(4) == 0};
      if (below(3) == 0)
        command.when =
            time_ - core::milliseconds{50} + core::milliseconds{below(100)};
      return command;
    }
    case 10:
    case 11: {
      core::begin_receive command;
      for (auto n = below(4); n > 0; --n)
        command.items.push_back({session(), packet()});
      return command;
    }
    case 12: {
      core::end_receive command;
      for (auto n = below(3); n > 0; --n)
        command.items.push_back({session(), {packet(), packet()}});
      return command;
    }
    case 13:
    case 14: {
      core::delivered command;
      for (auto n = below(3); n > 0; --n)
        command.items.push_back(
            {session(), core::inbox_position{below(12)}, {packet(), packet()}});
      return command;
    }
    case 15: {
      core::completed command;
      for (auto n = below(3); n > 0; --n)
        command.items.push_back({session(), {packet(), packet()}});
      return command;
    }
    case 16:
      if (below(2) == 0)
        return core::drop_will{session()};
      return core::drop_session{session(), below(3) != 0};
    case 17:
      if (below(6) == 0)
        return core::set_key_policy{{below(8), below(2) * 3000}};
      if (below(6) == 0)
        return core::set_session_policy{{below(5)}};
      return core::sweep_expired{100'000};
    case 18:
      return core::sweep_expired{100'000};
    default:
      return publication();
    }
  }

  std::string realm() { return below(4) == 0 ? "other" : "default"; }
  std::string name() { return std::string{"c"} + char('0' + below(4)); }
  std::uint16_t packet() { return static_cast<std::uint16_t>(below(6)); }
  std::string topic() {
    std::string text{"abc"[below(3)]};
    if (below(2) == 0)
      text += std::string{"/"} + "abc"[below(3)];
    if (long_topics_ && below(3) == 0)
      text += "/" + std::string(290 + below(20), 'x') + "abc"[below(3)];
    if (below(40) == 0)
      text += "/+"; // none
    return text;
  }
  core::publication_content content() {
    core::publication_content c;
    c.sender = name();
    if (below(3) == 0)
      c.headers = {{"k", "v"}};
    c.qos = static_cast<std::uint8_t>(below(3));
    c.payload = core::shared_bytes::copy_of(std::string(below(200), 'x'));
    return c;
  }
  std::optional<core::milliseconds> lifetime() {
    if (below(2) == 0)
      return std::nullopt;
    return core::milliseconds{below(600)};
  }
  std::optional<std::uint64_t> revision() {
    switch (below(6)) {
    case 0:
      return 0;
    case 1:
      return index_ - below(20);
    default:
      return std::nullopt;
    }
  }
  core::session_ref session() {
    core::session_ref ref;
    ref.name = name();
    const auto known = epochs_.find(ref.name);
    if (known != epochs_.end() && below(4) != 0)
      ref.epoch = known->second;
    else if (below(3) == 0)
      ref.epoch = 1 + below(index_);
    return ref;
  }
  core::open_session opening() {
    core::open_session command;
    command.name = name();
    command.uid = below(8) == 0 ? "mallory" : "alice";
    command.protocol = below(2) == 0 ? "mqtt5" : "";
    command.clean_start = below(5) == 0;
    command.expiry = lifetime();
    command.receive_max = static_cast<std::uint16_t>(below(5));
    if (below(3) == 0) {
      command.will = core::session_will{};
      command.will->topic = topic();
      command.will->content = content();
      command.will->retain = below(2) == 0;
      command.will->delay = core::milliseconds{below(400)};
      command.will->time_to_live = lifetime();
    }
    return command;
  }
  core::append_message publication() {
    core::append_message command;
    command.message.kind = core::message_kind::publication;
    command.message.topic = "a/b";
    command.message.qos = static_cast<std::uint8_t>(below(3));
    command.message.retain = below(2) == 0;
    command.message.payload =
        core::shared_bytes::copy_of(std::string(below(50), 'x'));
    for (auto n = below(4); n > 0; --n) {
      core::inbox_recipient to;
      to.name = name();
      to.kind = core::owner_kind::session;
      to.qos = static_cast<std::uint8_t>(below(3));
      to.retain_as_published = below(2) == 0;
      for (auto ids = below(3); ids > 0; --ids)
        to.subscription_ids.push_back(
            static_cast<std::uint32_t>(1 + below(100)));
      command.to.push_back(std::move(to));
    }
    command.time_to_live = lifetime();
    return command;
  }

  std::mt19937_64 random_;
  bool long_topics_;
  std::uint64_t index_ = 0;
  core::timestamp time_ = core::from_millis(1'000'000);
  std::map<std::uint64_t, std::uint64_t> sequences_;
  std::map<std::string, std::uint64_t> epochs_;
};

} // namespace troupe::test
