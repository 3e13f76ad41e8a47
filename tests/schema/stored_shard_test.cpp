// SPDX-License-Identifier: Apache-2.0
//
// stored_keys and stored_sessions against the same in plain maps: whatever
// commands are applied, both say the same.
#include "core/key_query.hpp"
#include "core/shard_machine.hpp"
#include "schema/command_wire.hpp"
#include "schema/record_wire.hpp"
#include "schema/stored_inboxes.hpp"
#include "schema/stored_keys.hpp"
#include "schema/stored_sessions.hpp"
#include "tests/support/memory_inbox_store.hpp"
#include "tests/support/memory_key_store.hpp"
#include "tests/support/memory_session_store.hpp"
#include "tests/support/memory_state_space.hpp"
#include "tests/support/random_sessions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace troupe;

constexpr core::group_id shard{1};

struct stored_tables {
  test::memory_state_space space;
  schema::stored_inboxes inboxes{space};
  schema::stored_keys keys{space};
  schema::stored_sessions sessions{space};
};
struct plain_tables {
  test::memory_inbox_store inboxes;
  test::memory_key_store keys;
  test::memory_session_store sessions;
};

using session_list = std::vector<std::pair<core::owner, core::session_record>>;
session_list all_sessions(const core::session_store& store) {
  session_list all;
  store.each_session({}, [&](const auto& name, const auto& record) {
    all.emplace_back(name, record);
    return true;
  });
  return all;
}

using key_list = std::set<std::pair<std::string, std::uint64_t>>;
key_list all_keys(const core::key_store& store, const std::string& realm,
                  const core::topic_filter& filter,
                  const core::key_page_limits& limits, core::timestamp now) {
  key_list all;
  std::optional<std::string> after;
  do {
    const auto page = core::find_keys(store, realm, filter, after, limits, now);
    for (const auto& key : page.keys)
      EXPECT_TRUE(all.emplace(key.topic, key.record.revision()).second)
          << "twice: " << key.topic;
    after = page.next;
  } while (after);
  return all;
}

void expect_same(const stored_tables& stored, const plain_tables& plain,
                 core::timestamp now) {
  ASSERT_EQ(all_sessions(stored.sessions), all_sessions(plain.sessions));
  for (const auto& [name, record] : all_sessions(plain.sessions)) {
    ASSERT_EQ(stored.sessions.session(name), record);
    ASSERT_EQ(stored.sessions.packets(name), plain.sessions.packets(name));
    ASSERT_EQ(stored.inboxes.head(name), plain.inboxes.head(name));
  }
  const auto forever = core::timestamp::max();
  ASSERT_EQ(stored.sessions.due_sessions(forever, 1000),
            plain.sessions.due_sessions(forever, 1000));
  ASSERT_EQ(stored.sessions.due_sessions(now, 2),
            plain.sessions.due_sessions(now, 2));
  const auto pending = plain.sessions.pending_sessions({}, 1000);
  ASSERT_EQ(stored.sessions.pending_sessions({}, 1000), pending);
  if (!pending.empty()) {
    ASSERT_EQ(stored.sessions.pending_sessions(pending.front(), 1),
              plain.sessions.pending_sessions(pending.front(), 1));
  }
  ASSERT_EQ(stored.sessions.session_count(), plain.sessions.session_count());
  ASSERT_EQ(stored.sessions.policy_of_sessions(),
            plain.sessions.policy_of_sessions());

  ASSERT_EQ(stored.keys.expired_keys(forever, 1000),
            plain.keys.expired_keys(forever, 1000));
  ASSERT_EQ(stored.keys.expired_keys(now, 1), plain.keys.expired_keys(now, 1));
  ASSERT_EQ(stored.keys.totals_of_keys(), plain.keys.totals_of_keys());
  ASSERT_EQ(stored.keys.policy_of_keys(), plain.keys.policy_of_keys());
  for (const std::string realm : {"default", "other"})
    for (const auto* text : {"#", "a/#", "a/+", "a/b*", "+/b", "b", "a/b/#"}) {
      const auto filter = *core::topic_filter::parse(text);
      const core::key_page_limits few{2, 1 << 20, 5};
      const auto expected = all_keys(plain.keys, realm, filter, {}, now);
      ASSERT_EQ(all_keys(stored.keys, realm, filter, few, now), expected)
          << text;
      ASSERT_EQ(all_keys(stored.keys, realm, filter, {}, now), expected)
          << text;
    }
}

TEST(StoredShard, AgreesWithThePlainTables) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    test::random_sessions random{seed, true};
    stored_tables stored;
    plain_tables plain;
    core::shard_machine machine{shard,
                                {stored.inboxes, stored.keys, stored.sessions}};
    core::shard_machine expected{shard,
                                 {plain.inboxes, plain.keys, plain.sessions}};
    for (std::uint64_t i = 1; i <= 1500; ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", command " +
                   std::to_string(i));
      auto command = random.next();
      const auto raw = schema::encode(command);
      const auto decoded = schema::decode_shard_command(raw);
      ASSERT_TRUE(decoded);
      ASSERT_EQ(*decoded, command);
      const auto outcome = machine.apply(core::log_index{i}, *decoded, raw);
      ASSERT_EQ(outcome, expected.apply(core::log_index{i}, command, raw));
      if (const auto* opening =
              std::get_if<core::open_session>(&command.command);
          opening != nullptr && outcome.failure.code == core::errc::ok)
        random.opened(opening->name, outcome.number);
      if (i % 10 == 0) {
        ASSERT_NO_FATAL_FAILURE(expect_same(stored, plain, command.time));
      }
    }
  }
}

TEST(StoredShard, ReplicasHoldTheSameBytes) {
  test::random_sessions random{77, true};
  stored_tables one;
  stored_tables other;
  core::shard_machine first{shard, {one.inboxes, one.keys, one.sessions}};
  core::shard_machine second{shard,
                             {other.inboxes, other.keys, other.sessions}};
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    const auto command = random.next();
    const auto raw = schema::encode(command);
    const auto outcome = first.apply(core::log_index{i}, command, raw);
    ASSERT_EQ(outcome, second.apply(core::log_index{i}, command, raw));
  }
  EXPECT_GT(one.space.all().size(), 20U);
  EXPECT_EQ(one.space.all(), other.space.all());
}

TEST(StoredShard, NothingIsLeftOfWhatIsGone) {
  stored_tables tables;
  core::shard_machine machine{shard,
                              {tables.inboxes, tables.keys, tables.sessions}};
  std::uint64_t index = 0;
  auto now = core::from_millis(1000);
  const auto run = [&](core::shard_command body) {
    const core::logged_shard_command command{{}, now, std::move(body)};
    return machine.apply(core::log_index{++index}, command,
                         schema::encode(command));
  };
  core::open_session opening;
  opening.name = "c";
  opening.expiry = core::milliseconds{10};
  opening.will = core::session_will{};
  run(opening);
  run(core::drop_session{{"default", "c", 0}, false});
  const auto empty = tables.space.all(); // the numbers stay
  for (const auto& topic : {std::string{"a"}, "b/" + std::string(1000, 'x')}) {
    core::set_key set;
    set.topic = topic;
    set.time_to_live = core::milliseconds{5};
    EXPECT_EQ(run(set).failure.code, core::errc::ok);
    EXPECT_EQ(run(set).failure.code, core::errc::ok);
    EXPECT_EQ(run(core::clear_key{"default", topic, {}}).present, true);
    EXPECT_EQ(run(set).failure.code, core::errc::ok);
  }
  const core::session_ref c{"default", "c", run(opening).number};
  run(core::begin_receive{{{c, 1}}});
  run(core::delivered{{{c, core::inbox_position{0}, {1}}}});
  run(core::close_session_record{c, {}, false});
  EXPECT_GT(tables.space.all().size(), empty.size() + 8);
  now += core::milliseconds{100};
  run(core::sweep_expired{100});
  run(core::drop_will{c});
  run(core::drop_session{c, true});
  std::set<std::string> left;
  for (const auto& [key, value] : tables.space.all())
    left.insert(key);
  for (const auto& [key, value] : empty)
    left.erase(key);
  // Counts of keys, which were not written before.
  EXPECT_LE(left.size(), 2U);
  EXPECT_EQ(tables.keys.totals_of_keys(), core::key_totals{});
}

TEST(StoredShard, TopicsOfOneHashAreNotTakenForEachOther) {
  // Under 300 bytes and a hash there is room for one; a made-up record stands
  // for another topic of the same hash.
  stored_tables tables;
  const auto topic = "a/" + std::string(400, 'x');
  core::key_record record;
  record.source = core::log_index{1};
  ASSERT_TRUE(tables.keys.put_key("default", topic, record));
  ASSERT_EQ(tables.space.all().size(), 1U);
  const auto place = tables.space.all().begin()->first;
  tables.space.put(place, schema::encode_record(schema::retained_key_record{
                              record, "a/" + std::string(400, 'y')}));
  EXPECT_FALSE(tables.keys.key("default", topic));
  EXPECT_FALSE(tables.keys.put_key("default", topic, record));
  tables.keys.erase_key("default", topic);
  EXPECT_EQ(tables.space.all().size(), 1U);
}

} // namespace
