// SPDX-License-Identifier: Apache-2.0
#include "core/message_number.hpp"
#include "core/shard_machine.hpp"
#include "core/topic.hpp"
#include "tests/support/memory_inbox_store.hpp"
#include "tests/support/memory_key_store.hpp"
#include "tests/support/memory_session_store.hpp"
#include "tests/support/random_sessions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace troupe::core;
using namespace troupe::test;

constexpr group_id shard{1};

/// The rules again with nothing clever: everything lies in plain maps, and what
/// is due is looked for.
class naive_shard {
public:
  struct key {
    std::uint64_t revision = 0;
    std::optional<timestamp> expires;
    std::uint64_t weight = 0;
  };
  struct session {
    session_record record;
    std::map<std::uint16_t, std::uint64_t> received;
    std::vector<std::uint16_t> awaiting;
    /// Position, and when it ends.
    std::map<std::uint64_t, std::optional<timestamp>> waiting;
    std::uint64_t last = 0;
  };

  shard_outcome apply(std::uint64_t index,
                      const logged_shard_command& command) {
    index_ = index;
    now_ = command.time;
    if (command.key.origin != 0 &&
        !applied_.emplace(command.key.origin, command.key.sequence).second)
      return {.failure = {errc::duplicate, {}}};
    return std::visit([&](const auto& c) { return run(c); }, command.command);
  }

  std::map<std::pair<std::string, std::string>, key> keys;
  std::map<std::string, session> sessions;

private:
  static shard_outcome failed(errc code) { return {.failure = {code, {}}}; }

  // ------------------------------------------------------------------ keys

  key* living(const std::string& realm, const std::string& topic) {
    const auto found = keys.find({realm, topic});
    if (found == keys.end() ||
        (found->second.expires && *found->second.expires < now_))
      return nullptr;
    return &found->second;
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [name, k] : keys)
      sum += k.weight;
    return sum;
  }
  shard_outcome run(const set_key& c) {
    if (!topic::parse(c.topic))
      return failed(errc::name_invalid);
    shard_outcome outcome;
    const auto* before = living(c.realm, c.topic);
    outcome.present = before != nullptr;
    outcome.number = before != nullptr ? before->revision : 0;
    if (c.expected && *c.expected != outcome.number) {
      outcome.failure.code = errc::conflict;
      return outcome;
    }
    const auto kept = keys;
    const auto bytes_kept = bytes();
    auto& fresh = keys[{c.realm, c.topic}];
    fresh = {index_, {}, weight(c.content) + c.topic.size()};
    if (c.time_to_live)
      fresh.expires = now_ + *c.time_to_live;
    if ((key_policy_.keys_max != 0 && keys.size() > kept.size() &&
         keys.size() > key_policy_.keys_max) ||
        (key_policy_.bytes_max != 0 && bytes() > bytes_kept &&
         bytes() > key_policy_.bytes_max)) {
      keys = kept;
      outcome.failure.code = errc::storage_full;
      return outcome;
    }
    outcome.number = index_;
    return outcome;
  }
  shard_outcome run(const clear_key& c) {
    if (!topic::parse(c.topic))
      return failed(errc::name_invalid);
    shard_outcome outcome;
    const auto* before = living(c.realm, c.topic);
    outcome.present = before != nullptr;
    const auto revision = before != nullptr ? before->revision : 0;
    if (c.expected && *c.expected != revision) {
      outcome.failure.code = errc::conflict;
      outcome.number = revision;
      return outcome;
    }
    keys.erase({c.realm, c.topic});
    outcome.number = index_;
    return outcome;
  }
  shard_outcome run(const set_key_policy& c) {
    key_policy_ = c.policy;
    return {};
  }

  // -------------------------------------------------------------- sessions

  bool over(const session_record& r) const {
    return r.expired || (r.closed && r.expiry && *r.closed + *r.expiry <= now_);
  }
  shard_outcome run(const open_session& c) {
    if (c.receive_max == 0)
      return failed(errc::malformed);
    if (c.will && !topic::parse(c.will->topic))
      return failed(errc::name_invalid);
    shard_outcome outcome;
    auto found = sessions.find(c.name);
    if (found != sessions.end()) {
      const bool ended = over(found->second.record);
      if (!ended && found->second.record.uid != c.uid)
        return failed(errc::not_permitted);
      if (ended || c.clean_start) {
        sessions.erase(found);
        outcome.replaced = true;
        found = sessions.end();
      }
    }
    outcome.present = found != sessions.end();
    if (!outcome.present) {
      if (session_policy_.sessions_max != 0 &&
          sessions.size() >= session_policy_.sessions_max) {
        outcome.failure.code = errc::storage_full;
        return outcome;
      }
      auto& fresh = sessions[c.name].record;
      fresh.generation = index_;
      fresh.created = now_;
      fresh.uid = c.uid;
    }
    auto& r = sessions[c.name].record;
    r.epoch = outcome.number = index_;
    r.protocol = c.protocol;
    r.expiry = c.expiry;
    r.receive_max = c.receive_max;
    outcome.closed = r.closed.value_or(now_);
    outcome.awaiting = sessions[c.name].awaiting;
    r.closed = {};
    r.will = c.will;
    r.will_due = false;
    outcome.generation = r.generation;
    return outcome;
  }

  errc find(const session_ref& ref, session*& to, bool expired_too = false) {
    const auto found = sessions.find(ref.name);
    if (found == sessions.end() ||
        (found->second.record.expired && !expired_too))
      return errc::not_found;
    if (ref.epoch != 0 && ref.epoch != found->second.record.epoch)
      return errc::not_logged_in;
    to = &found->second;
    return errc::ok;
  }
  template <class Change>
  shard_outcome change(const session_ref& ref, const Change& what) {
    session* s = nullptr;
    if (const auto code = find(ref, s); code != errc::ok)
      return failed(code);
    what(*s);
    return {};
  }
  template <class Items, class Change>
  shard_outcome change_all(const Items& items, const Change& what) {
    shard_outcome outcome;
    for (const auto& item : items) {
      session* s = nullptr;
      if (const auto code = find(item.session, s); code != errc::ok)
        outcome.failures.push_back({code, item.session.name});
      else
        what(*s, item);
    }
    return outcome;
  }
  shard_outcome run(const set_session_expiry& c) {
    return change(c.session, [&](session& s) { s.record.expiry = c.expiry; });
  }
  shard_outcome run(const close_session_record& c) {
    return change(c.session, [&](session& s) {
      if (!s.record.closed)
        s.record.closed = std::min(now_, c.when.value_or(now_));
      if (c.drop_will) {
        s.record.will = {};
        s.record.will_due = false;
      }
    });
  }
  shard_outcome run(const begin_receive& c) {
    shard_outcome outcome;
    std::uint16_t place = 0;
    for (const auto& item : c.items) {
      const auto number = message_number(shard, log_index{index_}, place++);
      session* s = nullptr;
      auto& receipt = outcome.receipts.emplace_back();
      receipt.code = item.packet == 0 ? errc::malformed : find(item.session, s);
      if (receipt.code != errc::ok)
        continue;
      if (s->received.contains(item.packet))
        receipt = {errc::ok, s->received[item.packet], true};
      else if (s->received.size() >= s->record.receive_max)
        receipt.code = errc::too_many;
      else
        receipt.number = s->received[item.packet] = number;
    }
    return outcome;
  }
  shard_outcome run(const end_receive& c) {
    return change_all(c.items, [](session& s, const session_packet_ids& item) {
      for (const auto packet : item.packets)
        s.received.erase(packet);
    });
  }
  shard_outcome run(const delivered& c) {
    return change_all(c.items, [](session& s, const delivered_item& item) {
      s.waiting.erase(s.waiting.begin(),
                      s.waiting.upper_bound(item.up_to.value()));
      for (const auto packet : item.awaiting)
        if (packet != 0 &&
            std::count(s.awaiting.begin(), s.awaiting.end(), packet) == 0)
          s.awaiting.push_back(packet);
    });
  }
  shard_outcome run(const completed& c) {
    return change_all(c.items, [](session& s, const session_packet_ids& item) {
      for (const auto packet : item.packets)
        std::erase(s.awaiting, packet);
    });
  }
  shard_outcome run(const drop_will& c) {
    session* s = nullptr;
    const auto code = find(c.session, s, true);
    if (sessions.contains(c.session.name) &&
        !sessions[c.session.name].record.will)
      return failed(errc::not_found);
    if (code != errc::ok)
      return failed(code);
    s->record.will = {};
    s->record.will_due = false;
    return {};
  }
  shard_outcome run(const drop_session& c) {
    session* s = nullptr;
    if (const auto code = find(c.session, s, true); code != errc::ok)
      return failed(code);
    if (c.only_expired && (!s->record.expired || s->record.will))
      return failed(errc::conflict);
    sessions.erase(c.session.name);
    return {};
  }
  shard_outcome run(const set_session_policy& c) {
    session_policy_ = c.policy;
    return {};
  }

  shard_outcome run(const append_message& c) {
    shard_outcome outcome;
    outcome.id = message_id{to_millis(now_),
                            message_number(shard, log_index{index_}, 0)};
    for (const auto& to : c.to) {
      const auto found = sessions.find(to.name);
      if (found == sessions.end() || found->second.record.expired) {
        outcome.failures.push_back({errc::user_unknown, to.name});
        continue;
      }
      auto& slot = found->second.waiting[++found->second.last];
      if (c.time_to_live)
        slot = now_ + *c.time_to_live;
    }
    return outcome;
  }

  shard_outcome run(const sweep_expired&) {
    std::erase_if(keys, [&](const auto& k) {
      return k.second.expires && *k.second.expires < now_;
    });
    for (auto& [name, s] : sessions) {
      std::erase_if(s.waiting, [&](const auto& w) {
        return w.second && *w.second < now_;
      });
      auto& r = s.record;
      if (r.expired)
        continue;
      if (r.closed && r.will && *r.closed + r.will->delay <= now_)
        r.will_due = true;
      if (over(r)) {
        r.expired = true;
        r.will_due = r.will.has_value();
        s.waiting.clear();
        s.received.clear();
        s.awaiting.clear();
      }
    }
    return {};
  }
  template <class Command>
  shard_outcome run(const Command&) {
    ADD_FAILURE() << "not among the commands";
    return {};
  }

  std::uint64_t index_ = 0;
  timestamp now_{};
  key_policy key_policy_;
  session_policy session_policy_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> applied_;
};

struct replica {
  memory_inbox_store inboxes;
  memory_key_store keys;
  memory_session_store sessions;
  std::optional<shard_machine> machine;

  replica() { restart(); }
  void restart() {
    machine.emplace(shard, shard_tables{inboxes, keys, sessions});
  }
};

void expect_same_session(const replica& is, const owner& name,
                         const naive_shard::session& expected) {
  ASSERT_EQ(is.sessions.session(name), expected.record);
  const auto packets = is.sessions.packets(name);
  std::map<std::uint16_t, std::uint64_t> received;
  for (const auto& [packet, number] : packets.received)
    received[packet] = number;
  ASSERT_EQ(received, expected.received);
  ASSERT_TRUE(std::is_sorted(
      packets.received.begin(), packets.received.end(),
      [](const auto& a, const auto& b) { return a.packet < b.packet; }));
  ASSERT_EQ(packets.awaiting, expected.awaiting);
  const auto head = is.inboxes.head(name);
  ASSERT_EQ(head.has_value(), !expected.record.expired);
  if (!head)
    return;
  std::vector<std::uint64_t> waiting;
  for (const auto& [position, expires] : expected.waiting)
    waiting.push_back(position);
  std::vector<std::uint64_t> found;
  is.inboxes.each_entry(head->number, inbox_position{0},
                        [&](const inbox_entry& e) {
                          found.push_back(e.position.value());
                          return true;
                        });
  ASSERT_EQ(found, waiting);
  ASSERT_EQ(head->last.value(), expected.last);
}

void expect_same(const replica& is, const naive_shard& expected) {
  ASSERT_EQ(is.keys.key_count(), expected.keys.size());
  ASSERT_EQ(is.keys.value_count(), expected.keys.size()) << "a leaked value";
  std::size_t expiries = 0;
  key_totals totals;
  for (const auto& [name, k] : expected.keys) {
    const auto record = is.keys.key(name.first, name.second);
    ASSERT_TRUE(record);
    ASSERT_EQ(record->revision(), k.revision);
    ASSERT_EQ(record->expires, k.expires);
    expiries += k.expires ? 1 : 0;
    totals.bytes += k.weight;
    ++totals.keys;
  }
  ASSERT_EQ(is.keys.expiry_count(), expiries);
  ASSERT_EQ(is.keys.totals_of_keys(), totals);

  ASSERT_EQ(is.sessions.record_count(), expected.sessions.size());
  ASSERT_EQ(is.sessions.session_count(), expected.sessions.size());
  std::size_t due = 0;
  std::size_t pending = 0;
  std::size_t packets = 0;
  std::size_t inboxes = 0;
  for (const auto& [name, s] : expected.sessions) {
    ASSERT_NO_FATAL_FAILURE(
        expect_same_session(is, {"default", owner_kind::session, name}, s));
    const auto& r = s.record;
    due += !r.expired && r.closed && (r.expiry || (r.will && !r.will_due));
    pending += r.is_pending() ? 1 : 0;
    packets += s.received.empty() && s.awaiting.empty() ? 0 : 1;
    inboxes += r.expired ? 0 : 1;
  }
  ASSERT_EQ(is.sessions.due_count(), due);
  ASSERT_EQ(is.sessions.pending_count(), pending);
  ASSERT_EQ(is.sessions.packets_count(), packets);
  ASSERT_EQ(is.inboxes.inbox_count(), inboxes);
}

class SessionModel : public testing::TestWithParam<unsigned> {};

TEST_P(SessionModel, AgreesWithTheNaiveOneAndWithItself) {
  random_sessions random{GetParam()};
  naive_shard naive;
  replica one;
  replica other;
  std::map<errc, int> failures;
  for (std::uint64_t i = 1; i <= 4000; ++i) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", command " +
                 std::to_string(i));
    const auto command = random.next();
    const auto raw = shared_bytes::copy_of(std::to_string(i));
    auto outcome = one.machine->apply(log_index{i}, command, raw);
    ASSERT_EQ(outcome, other.machine->apply(log_index{i}, command, raw));
    const auto expected = naive.apply(i, command);
    ASSERT_EQ(to_string(outcome.failure.code),
              to_string(expected.failure.code));
    ++failures[outcome.failure.code];
    outcome.failure = expected.failure; // but for the words
    ASSERT_EQ(outcome, expected);
    if (const auto* opening = std::get_if<open_session>(&command.command);
        opening != nullptr && outcome.failure.code == errc::ok)
      random.opened(opening->name, outcome.number);
    ASSERT_NO_FATAL_FAILURE(expect_same(one, naive));
    if (i % 500 == 0) { // a restart forgets nothing
      ASSERT_TRUE(one.inboxes == other.inboxes);
      ASSERT_TRUE(one.keys == other.keys);
      ASSERT_TRUE(one.sessions == other.sessions);
      other.restart();
    }
  }
  // The commands get everywhere.
  for (const auto code :
       {errc::ok, errc::duplicate, errc::conflict, errc::not_found,
        errc::not_logged_in, errc::not_permitted, errc::storage_full,
        errc::malformed, errc::name_invalid})
    EXPECT_GT(failures[code], 0) << to_string(code);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SessionModel, testing::Range(1U, 13U));

} // namespace
