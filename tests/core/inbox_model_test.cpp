// SPDX-License-Identifier: Apache-2.0
#include "core/shard_machine.hpp"
#include "tests/support/memory_inbox_store.hpp"
#include "tests/support/memory_key_store.hpp"
#include "tests/support/memory_session_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace troupe::core;
using troupe::test::memory_inbox_store;

/// The rules again with nothing clever: every device has the set of what it
/// would still get, an entry lives in a plain list, and nothing is counted.
class naive_inboxes {
public:
  struct device {
    std::set<std::uint64_t> wanted;
    std::uint64_t acknowledged = 0;
    timestamp seen{};
  };
  struct entry {
    std::uint64_t position = 0;
    log_index source;
    bool single = false;
    std::optional<device_offset> except;
    std::optional<timestamp> expires;
    std::uint64_t weight = 0;
  };
  struct inbox {
    std::vector<entry> entries;
    std::map<device_offset, device> devices;
    std::uint64_t last = 0;
    std::uint64_t lost = 0;
  };

  errc apply(log_index index, const logged_shard_command& command) {
    index_ = index;
    now_ = command.time;
    if (command.key.origin != 0 &&
        !applied_.emplace(command.key.origin, command.key.sequence).second)
      return errc::duplicate;
    return std::visit([&](const auto& c) { return run(c); }, command.command);
  }

  std::map<owner, inbox> inboxes;

private:
  bool inactive(const inbox& all, device_offset offset) const {
    const auto& one = all.devices.at(offset);
    if (policy_.device_inactive_after.count() == 0 ||
        now_ - one.seen <= policy_.device_inactive_after)
      return false;
    // The last one seen, and of several the first, stays active.
    device_offset best = offset;
    for (const auto& [other, d] : all.devices)
      if (std::pair{d.seen, best} > std::pair{all.devices.at(best).seen, other})
        best = other;
    return best != offset;
  }
  bool needed(const inbox& all, const entry& e) const {
    return std::any_of(all.devices.begin(), all.devices.end(),
                       [&](const auto& d) {
                         return d.second.wanted.count(e.position) != 0 &&
                                !inactive(all, d.first);
                       });
  }
  static void lose(inbox& all, const entry& e) {
    for (auto& [offset, d] : all.devices)
      if (d.wanted.erase(e.position) != 0)
        all.lost = std::max(all.lost, e.position);
  }
  void trim(inbox& all) const {
    while (!all.entries.empty() && !needed(all, all.entries.front())) {
      lose(all, all.entries.front());
      all.entries.erase(all.entries.begin());
    }
  }
  bool over(const inbox& all, std::uint64_t more) const {
    std::uint64_t bytes = more;
    for (const auto& e : all.entries)
      bytes += e.weight;
    return (policy_.messages_max != 0 &&
            all.entries.size() >= policy_.messages_max) ||
           (policy_.bytes_max != 0 && bytes > policy_.bytes_max);
  }
  bool make_room(inbox& all, std::uint64_t more) const {
    if (!over(all, more))
      return true;
    trim(all);
    if (policy_.bytes_max != 0 && more > policy_.bytes_max)
      return false;
    while (over(all, more)) {
      if (policy_.overflow == overflow_policy::refuse)
        return false;
      lose(all, all.entries.front());
      all.entries.erase(all.entries.begin());
    }
    return true;
  }

  errc run(const append_message& c) {
    const auto before = client_ids_.find(c.deduplication_key);
    if (before != client_ids_.end() &&
        now_ < before->second.first + policy_.deduplication_window)
      return errc::duplicate;
    bool any = false;
    for (const auto& to : c.to) {
      const auto found = inboxes.find({c.message.realm, {}, to.name});
      if (found == inboxes.end())
        continue;
      any = append(found->second, c, to) || any;
    }
    if (any && !c.deduplication_key.empty())
      client_ids_[c.deduplication_key] = {now_,
                                          now_ + policy_.deduplication_window};
    return errc::ok;
  }
  bool append(inbox& all, const append_message& c, const inbox_recipient& to) {
    const auto limit =
        policy_.device_inactive_after + policy_.user_inactive_after;
    if (!to.own_copy && policy_.user_inactive_after.count() != 0 &&
        !all.devices.empty() &&
        std::all_of(all.devices.begin(), all.devices.end(),
                    [&](auto& d) { return now_ - d.second.seen > limit; }))
      return false;
    const auto getter = [&](device_offset d) { return to.except != d; };
    bool anybody = false;
    for (const auto& [offset, d] : all.devices)
      anybody = anybody || (getter(offset) && !inactive(all, offset));
    if (!anybody || !make_room(all, weight(c.message)))
      return false;
    entry e{++all.last, index_, to.single, to.except, {}, weight(c.message)};
    if (c.time_to_live)
      e.expires = now_ + *c.time_to_live;
    else if (policy_.default_time_to_live.count() != 0)
      e.expires = now_ + policy_.default_time_to_live;
    for (auto& [offset, d] : all.devices)
      if (getter(offset))
        d.wanted.insert(e.position);
    all.entries.push_back(e);
    return true;
  }

  errc run(const move_cursors& c) {
    for (const auto& u : c.updates) {
      const auto found = inboxes.find(u.inbox);
      if (found == inboxes.end() || found->second.devices.count(u.device) == 0)
        continue;
      auto& all = found->second;
      auto& mine = all.devices.at(u.device);
      mine.seen = std::max(mine.seen, now_);
      const auto up_to = std::min(u.up_to.value(), all.last);
      if (up_to <= mine.acknowledged)
        continue;
      mine.acknowledged = up_to;
      const auto done = std::set<std::uint64_t>{mine.wanted.begin(),
                                                mine.wanted.upper_bound(up_to)};
      std::erase_if(all.entries, [&](const entry& e) {
        if (!e.single || done.count(e.position) == 0)
          return false;
        for (auto& [offset, d] : all.devices)
          d.wanted.erase(e.position);
        return true;
      });
      for (auto position : done)
        mine.wanted.erase(position);
      trim(all);
    }
    return errc::ok;
  }

  errc run(const add_cursor& c) {
    auto& all = inboxes[c.inbox];
    if (all.devices.count(c.device) != 0)
      return errc::ok;
    device fresh;
    fresh.seen = now_;
    if (c.inherit && all.devices.count(*c.inherit) != 0) {
      fresh.wanted = all.devices.at(*c.inherit).wanted;
      fresh.acknowledged = all.devices.at(*c.inherit).acknowledged;
    } else {
      for (const auto& e : all.entries)
        fresh.wanted.insert(e.position);
      fresh.acknowledged =
          all.entries.empty() ? all.last : all.entries.front().position - 1;
    }
    for (const auto& e : all.entries)
      if (e.except == c.device) // of a device that had the offset before
        fresh.wanted.erase(e.position);
    all.devices[c.device] = fresh;
    return errc::ok;
  }
  errc run(const remove_cursor& c) {
    const auto found = inboxes.find(c.inbox);
    if (found == inboxes.end())
      return errc::user_unknown;
    if (found->second.devices.erase(c.device) == 0)
      return errc::device_unknown;
    trim(found->second);
    return errc::ok;
  }
  errc run(const drop_inbox& c) {
    return inboxes.erase(c.inbox) == 0 ? errc::user_unknown : errc::ok;
  }
  errc run(const import_inboxes& c) {
    for (const auto& one : c.cursors)
      (void)run(one);
    return errc::ok;
  }
  template <class Command>
  errc run(const Command&) {
    return errc::malformed; // for sessions and keys: not in this test
  }
  errc run(const set_inbox_policy& c) {
    policy_ = c.policy;
    return errc::ok;
  }
  errc run(const sweep_expired&) {
    for (auto& [name, all] : inboxes) {
      bool any = false;
      std::erase_if(all.entries, [&](const entry& e) {
        if (!e.expires || *e.expires >= now_)
          return false;
        lose(all, e);
        return any = true;
      });
      if (any)
        trim(all);
    }
    std::erase_if(client_ids_,
                  [&](const auto& id) { return id.second.second < now_; });
    return errc::ok;
  }

  log_index index_;
  timestamp now_{};
  inbox_policy policy_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> applied_;
  /// When it was used, and when it may be forgotten.
  std::map<std::string, std::pair<timestamp, timestamp>> client_ids_;
};

/// Commands over few names, so that they often meet.
class random_commands {
public:
  explicit random_commands(unsigned seed) : engine_(seed) {}

  logged_shard_command next() {
    now_ += milliseconds{below(100)};
    logged_shard_command command{{}, now_, {}};
    if (below(2) == 0) {
      command.key.origin = 1 + below(3);
      auto& newest = sequences_[command.key.origin];
      command.key.sequence =
          newest > 3 && below(8) == 0 ? newest - below(4) : ++newest;
    }
    switch (below(16)) {
    case 0:
      command.command = add();
      break;
    case 1:
      command.command = add();
      break;
    case 2:
      command.command = remove_cursor{inbox(), device()};
      break;
    case 3:
      if (below(3) == 0)
        command.command = drop_inbox{inbox()};
      else
        command.command = sweep_expired{100'000};
      break;
    case 4:
      command.command = sweep_expired{100'000};
      break;
    case 5:
      if (below(4) == 0)
        command.command = set_inbox_policy{policy()};
      else
        command.command = import_inboxes{{add(), add()}};
      break;
    case 6:
    case 7:
    case 8:
    case 9:
      command.command = moves();
      break;
    default:
      command.command = append();
      break;
    }
    return command;
  }

private:
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  owner inbox() { return {"default", {}, name()}; }
  std::string name() { return std::string{"user"} + char('0' + below(3)); }
  device_offset device() {
    return device_offset{static_cast<std::uint8_t>(below(4))};
  }
  add_cursor add() {
    add_cursor command{inbox(), device(), {}};
    if (below(2) == 0)
      command.inherit = device();
    return command;
  }
  move_cursors moves() {
    move_cursors command;
    for (auto n = 1 + below(3); n > 0; --n)
      command.updates.push_back(
          {inbox(), device(), inbox_position{below(60) + position_}});
    // Inboxes begin at 1 again when they are dropped; most stay near.
    position_ = below(4) == 0 ? below(400) : 0;
    return command;
  }
  append_message append() {
    append_message command;
    command.message.payload =
        shared_bytes::copy_of(std::string(below(40), 'x'));
    for (auto n = below(5); n > 0; --n) {
      inbox_recipient to{name(), below(4) == 0, false, {}};
      if (below(3) == 0)
        to = {name(), false, true, device()};
      command.to.push_back(to);
    }
    if (below(4) == 0)
      command.time_to_live = milliseconds{below(500)};
    if (below(4) == 0)
      command.deduplication_key = std::string{"key"} + char('0' + below(5));
    return command;
  }
  inbox_policy policy() {
    inbox_policy p;
    p.messages_max = below(3) == 0 ? 0 : 1 + below(20);
    p.bytes_max = below(2) == 0 ? 0 : 70 + below(1000);
    p.overflow = static_cast<overflow_policy>(below(2));
    p.default_time_to_live = milliseconds{below(2) * below(1000)};
    p.device_inactive_after = milliseconds{below(2) * below(500)};
    p.user_inactive_after = milliseconds{below(2) * below(500)};
    p.deduplication_window = milliseconds{below(2000)};
    return p;
  }

  std::mt19937_64 engine_;
  timestamp now_ = from_millis(1'000'000);
  std::map<std::uint64_t, std::uint64_t> sequences_;
  std::uint64_t position_ = 0;
};

class InboxModel : public testing::TestWithParam<unsigned> {
protected:
  static void expect_equal(const memory_inbox_store& store,
                           const naive_inboxes& naive) {
    std::map<log_index, std::uint32_t> references;
    std::size_t entries = 0;
    std::size_t expiries = 0;
    std::set<std::uint64_t> numbers;
    ASSERT_EQ(store.inbox_count(), naive.inboxes.size());
    for (const auto& [name, model] : naive.inboxes) {
      const auto head = store.head(name);
      ASSERT_TRUE(head);
      ASSERT_TRUE(numbers.insert(head->number).second);
      ASSERT_LT(head->number, store.next_inbox_number());
      ASSERT_EQ(head->last.value(), model.last);
      ASSERT_EQ(head->lost.value(), model.lost);
      ASSERT_LE(head->first.value(), model.entries.empty()
                                         ? model.last + 1
                                         : model.entries.front().position);
      std::vector<inbox_entry> found;
      store.each_entry(head->number, inbox_position{0},
                       [&](const inbox_entry& e) {
                         found.push_back(e);
                         return true;
                       });
      ASSERT_EQ(found.size(), model.entries.size());
      std::uint64_t bytes = 0;
      std::uint64_t singles = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& e = found[i];
        const auto& m = model.entries[i];
        ASSERT_EQ(e.position.value(), m.position);
        ASSERT_EQ(e.source, m.source);
        ASSERT_EQ(e.single, m.single);
        ASSERT_EQ(e.except, m.except);
        ASSERT_EQ(e.expires, m.expires);
        bytes += e.weight;
        singles += e.single ? 1 : 0;
        expiries += e.expires ? 1 : 0;
        ++references[e.source];
      }
      entries += found.size();
      ASSERT_EQ(head->count, found.size());
      ASSERT_EQ(head->bytes, bytes);
      ASSERT_EQ(head->singles, singles);
      expect_same_devices(*head, found, model);
    }
    ASSERT_EQ(store.entry_count(), entries) << "of nobody's inbox";
    ASSERT_EQ(store.expiry_count(), expiries);
    ASSERT_EQ(store.body_count(), references.size()) << "a leaked body";
    for (const auto& [source, count] : references)
      ASSERT_EQ(store.references(source), count);
  }

  static void expect_same_devices(const inbox_head& head,
                                  const std::vector<inbox_entry>& found,
                                  const naive_inboxes::inbox& model) {
    ASSERT_EQ(head.cursors.size(), model.devices.size());
    auto next = model.devices.begin();
    for (const auto& c : head.cursors) {
      ASSERT_EQ(c.device, next->first) << "cursors ascend";
      ASSERT_EQ(c.seen, next->second.seen);
      std::set<std::uint64_t> wanted;
      for (const auto& e : found)
        if (inbox_machine::wants(c, e))
          wanted.insert(e.position.value());
      ASSERT_EQ(wanted, next->second.wanted);
      ++next;
    }
  }
};

TEST_P(InboxModel, AgreesWithTheNaiveOneAndWithItself) {
  constexpr int commands = 3000;
  random_commands random{GetParam()};
  naive_inboxes naive;
  memory_inbox_store store;
  memory_inbox_store other_store;
  // The commands of this test are for inboxes alone.
  troupe::test::memory_key_store keys;
  troupe::test::memory_session_store sessions;
  shard_machine machine{group_id{1}, {store, keys, sessions}};
  std::optional<shard_machine> other;
  const auto restart = [&] {
    other.emplace(group_id{1}, shard_tables{other_store, keys, sessions});
  };
  restart();
  for (int i = 1; i <= commands; ++i) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", command " +
                 std::to_string(i));
    const log_index index{static_cast<std::uint64_t>(i)};
    const auto command = random.next();
    const auto raw = shared_bytes::copy_of(std::to_string(i));
    const auto outcome = machine.apply(index, command, raw);
    const auto again = other->apply(index, command, raw);
    ASSERT_EQ(outcome.failure, again.failure);
    ASSERT_EQ(outcome.failures, again.failures);
    ASSERT_EQ(outcome.id, again.id);
    ASSERT_EQ(outcome.failure.code, naive.apply(index, command));
    ASSERT_NO_FATAL_FAILURE(expect_equal(store, naive));
    if (i % 500 == 0) { // a restart forgets nothing
      ASSERT_TRUE(store == other_store);
      restart();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, InboxModel, testing::Range(1u, 13u));

} // namespace
