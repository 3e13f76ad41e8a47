// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/shard_machine.hpp"
#include "tests/support/memory_inbox_store.hpp"
#include "tests/support/memory_key_store.hpp"
#include "tests/support/memory_session_store.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

using namespace troupe::core;

inline constexpr group_id group{3};

inline owner inbox_of(const std::string& uid) { return {"default", {}, uid}; }
constexpr device_offset device(int offset) {
  return device_offset{static_cast<std::uint8_t>(offset)};
}

/// Says yes to every inbox and keeps what it is told.
struct recorder final : inbox_observer {
  bool observes(const owner&) override { return true; }
  void on_appended(const owner&, const inbox_entry& entry,
                   message_ptr message) override {
    appended.emplace_back(entry, std::move(message));
  }
  void on_removed(const owner&, inbox_position position) override {
    removed.push_back(position.value());
  }
  void on_devices_changed(const owner&, const inbox_head& head) override {
    device_counts.push_back(head.cursors.size());
  }
  void on_inbox_dropped(const owner& inbox) override {
    dropped.push_back(inbox.name);
  }

  std::vector<std::pair<inbox_entry, message_ptr>> appended;
  std::vector<std::uint64_t> removed;
  std::vector<std::size_t> device_counts;
  std::vector<std::string> dropped;
};

/// One machine over tables in memory, with words for what happens to inboxes.
class InboxMachine : public testing::Test {
protected:
  shard_outcome apply(shard_command command, idempotency_key key = {}) {
    ++index_;
    return machine_.apply(log_index{index_}, {key, now_, std::move(command)},
                          shared_bytes::copy_of("command"));
  }

  void add(const std::string& uid, int offset, std::optional<int> from = {}) {
    add_cursor command{inbox_of(uid), device(offset), {}};
    if (from)
      command.inherit = device(*from);
    ASSERT_EQ(apply(command).failure.code, errc::ok);
  }
  static append_message letter(std::vector<inbox_recipient> to,
                               const std::string& text = "0123456789") {
    append_message command;
    command.message.payload = shared_bytes::copy_of(text);
    command.to = std::move(to);
    return command;
  }
  static inbox_recipient all_of(const std::string& uid) {
    return {uid, false, false, {}};
  }
  static inbox_recipient one_of(const std::string& uid) {
    return {uid, true, false, {}};
  }
  static inbox_recipient own_copy(const std::string& uid, int posted_by) {
    return {uid, false, true, device(posted_by)};
  }
  shard_outcome post(std::vector<inbox_recipient> to) {
    return apply(letter(std::move(to)));
  }
  void ack(const std::string& uid, int offset, std::uint64_t up_to) {
    apply(
        move_cursors{{{inbox_of(uid), device(offset), inbox_position{up_to}}}});
  }
  void set_policy(inbox_policy policy) { apply(set_inbox_policy{policy}); }

  inbox_head head(const std::string& uid) const {
    const auto found = store_.head(inbox_of(uid));
    EXPECT_TRUE(found) << uid;
    return found.value_or(inbox_head{});
  }
  std::vector<std::uint64_t> positions(const std::string& uid) const {
    std::vector<std::uint64_t> all;
    store_.each_entry(head(uid).number, inbox_position{0},
                      [&](const inbox_entry& e) {
                        all.push_back(e.position.value());
                        return true;
                      });
    return all;
  }
  /// What a device would still get.
  std::vector<std::uint64_t> queue(const std::string& uid, int offset) const {
    const auto all = head(uid);
    std::vector<std::uint64_t> wanted;
    for (const auto& c : all.cursors)
      if (c.device == device(offset))
        store_.each_entry(all.number, inbox_position{0},
                          [&](const inbox_entry& e) {
                            if (inbox_machine::wants(c, e))
                              wanted.push_back(e.position.value());
                            return true;
                          });
    return wanted;
  }

  using list = std::vector<std::uint64_t>;
  timestamp now_ = from_millis(1'000'000);
  std::uint64_t index_ = 0;
  memory_inbox_store store_;
  memory_key_store keys_;
  memory_session_store sessions_;
  recorder seen_;
  shard_machine machine_{group, {store_, keys_, sessions_}, {&seen_}};
};

} // namespace troupe::test
