// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shard_machine.hpp"
#include "tests/support/memory_inbox_store.hpp"
#include "tests/support/memory_key_store.hpp"
#include "tests/support/memory_session_store.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

using namespace troupe::core;

/// Keeps what it is told about keys and sessions.
struct shard_recorder final : key_observer, session_observer {
  void on_key_set(std::string_view, std::string_view topic,
                  const key_record& record,
                  const publication_content& content) override {
    told.push_back("set " + std::string{topic} + " " +
                   std::to_string(record.revision()) + " " +
                   std::string{content.payload.text()});
  }
  void on_key_gone(std::string_view, std::string_view topic) override {
    told.push_back("gone " + std::string{topic});
  }
  void on_session_pending(const owner& name,
                          const session_record& record) override {
    told.push_back("pending " + name.name + (record.will_due ? " will" : "") +
                   (record.expired ? " expired" : ""));
  }
  void on_will_replaced(const owner& name, const session_record&) override {
    told.push_back("will replaced " + name.name);
  }
  void on_session_dropped(const owner& name, const session_record&) override {
    told.push_back("dropped " + name.name);
  }

  std::vector<std::string> told;
};

/// One machine over tables in memory, with words for keys and sessions.
class ShardMachine : public testing::Test {
protected:
  using texts = std::vector<std::string>;

  shard_outcome apply(shard_command command, idempotency_key key = {}) {
    ++index_;
    return machine_.apply(
        log_index{index_}, {key, now_, std::move(command)},
        shared_bytes::copy_of("command " + std::to_string(index_)));
  }

  static publication_content content(const std::string& payload) {
    publication_content c;
    c.payload = shared_bytes::copy_of(payload);
    return c;
  }
  shard_outcome set(const std::string& topic, const std::string& payload,
                    std::optional<milliseconds> time_to_live = {},
                    std::optional<std::uint64_t> expected = {}) {
    return apply(
        set_key{"default", topic, content(payload), time_to_live, expected});
  }
  shard_outcome clear(const std::string& topic,
                      std::optional<std::uint64_t> expected = {}) {
    return apply(clear_key{"default", topic, expected});
  }

  static owner session_of(const std::string& name) {
    return {"default", owner_kind::session, name};
  }
  static open_session opening(const std::string& name,
                              std::optional<milliseconds> expiry = {}) {
    open_session command;
    command.name = name;
    command.uid = "alice";
    command.expiry = expiry;
    return command;
  }
  static session_will will_of(const std::string& payload,
                              milliseconds delay = milliseconds{0}) {
    session_will will;
    will.topic = "gone";
    will.content = content(payload);
    will.delay = delay;
    return will;
  }
  /// Opens a session and answers how its connection calls it.
  session_ref open(const std::string& name,
                   std::optional<milliseconds> expiry = {}) {
    const auto outcome = apply(opening(name, expiry));
    EXPECT_EQ(outcome.failure.code, errc::ok);
    return {"default", name, outcome.number};
  }
  shard_outcome close(const session_ref& session, bool drop_will = false) {
    return apply(close_session_record{session, {}, drop_will});
  }
  shard_outcome publish(std::vector<std::string> sessions,
                        const std::string& payload = "hello") {
    append_message command;
    command.message.kind = message_kind::publication;
    command.message.topic = "a/b";
    command.message.qos = 2;
    command.message.payload = shared_bytes::copy_of(payload);
    for (auto& name : sessions) {
      inbox_recipient to;
      to.name = std::move(name);
      to.kind = owner_kind::session;
      to.qos = 1;
      command.to.push_back(std::move(to));
    }
    return apply(std::move(command));
  }
  /// What waits for a session.
  std::vector<std::uint64_t> queue(const std::string& name) const {
    std::vector<std::uint64_t> all;
    if (const auto head = store_.head(session_of(name)))
      store_.each_entry(head->number, inbox_position{0},
                        [&](const inbox_entry& e) {
                          all.push_back(e.position.value());
                          return true;
                        });
    return all;
  }
  session_record record(const std::string& name) const {
    const auto found = sessions_.session(session_of(name));
    EXPECT_TRUE(found) << name;
    return found.value_or(session_record{});
  }
  bool has(const std::string& name) const {
    return sessions_.session(session_of(name)).has_value();
  }
  receipt receive(const session_ref& session, std::uint16_t packet) {
    const auto outcome = apply(begin_receive{{{session, packet}}});
    return outcome.receipts.empty() ? receipt{outcome.failure.code, 0, false}
                                    : outcome.receipts.front();
  }

  using numbers = std::vector<std::uint64_t>;
  timestamp now_ = from_millis(1'000'000);
  std::uint64_t index_ = 0;
  memory_inbox_store store_;
  memory_key_store keys_;
  memory_session_store sessions_;
  shard_recorder seen_;
  shard_machine machine_{
      group_id{3}, {store_, keys_, sessions_}, {nullptr, &seen_, &seen_}};
};

} // namespace troupe::test
