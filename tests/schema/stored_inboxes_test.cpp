// SPDX-License-Identifier: Apache-2.0
#include "schema/stored_inboxes.hpp"
#include "tests/support/memory_inbox_store.hpp"
#include "tests/support/memory_state_space.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using core::from_millis;
using core::inbox_position;
using core::log_index;

const std::array<core::owner, 6> owners{{
    {"default", core::owner_kind::user, "bob"},
    {"default", core::owner_kind::session, "bob"},
    {"default", core::owner_kind::user, "bobby"},
    {"defaul", core::owner_kind::user, "tbob"},
    {std::string{"a\0b", 3}, core::owner_kind::user, std::string{"\0", 1}},
    {"", core::owner_kind::user, ""},
}};

/// The same writes to both stores, then the same questions.
class StoredInboxes : public testing::Test {
protected:
  template <class Write>
  void both(const Write& write) {
    write(static_cast<core::inbox_store&>(memory_));
    write(static_cast<core::inbox_store&>(stored_));
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  const core::owner& owner() { return owners[below(owners.size())]; }

  void write_inboxes() {
    const auto inbox = below(3);
    const inbox_position position{below(20)};
    switch (below(4)) {
    case 0: {
      core::inbox_head head;
      head.number = below(10);
      head.cursors.resize(below(3));
      const auto& who = owner();
      both([&](auto& store) { store.put_head(who, head); });
      break;
    }
    case 1: {
      const auto& who = owner();
      both([&](auto& store) { store.erase_head(who); });
      break;
    }
    case 2: {
      core::inbox_entry entry;
      entry.position = position;
      entry.source = log_index{below(100)};
      entry.weight = static_cast<std::uint32_t>(below(1000));
      if (below(2) == 0)
        entry.expires = from_millis(static_cast<std::int64_t>(below(9)));
      both([&](auto& store) { store.put_entry(inbox, entry); });
      break;
    }
    default:
      both([&](auto& store) { store.erase_entry(inbox, position); });
    }
  }
  void write_bodies() {
    const log_index source{below(8)};
    if (below(3) == 0 && !memory_.body(source)) {
      const auto body = core::shared_bytes::copy_of(std::to_string(below(99)));
      const auto references = static_cast<std::uint32_t>(1 + below(4));
      both([&](auto& store) { store.put_body(source, body, references); });
    } else {
      both([&](auto& store) { store.release_body(source); });
    }
  }
  void write_times() {
    const auto when = from_millis(static_cast<std::int64_t>(below(20)) - 10);
    const auto inbox = below(3);
    const inbox_position position{below(5)};
    const auto& who = owner();
    switch (below(5)) {
    case 0:
      both([&](auto& store) { store.put_expiry(when, inbox, position, who); });
      break;
    case 1:
      both([&](auto& store) { store.erase_expiry(when, inbox, position); });
      break;
    case 2:
      // No limit: which of several that end at one time go first is the
      // store's own affair.
      both([&](auto& store) { store.erase_deduplicated(when, 1000); });
      break;
    default: {
      const auto key = client_key();
      both([&](auto& store) { store.put_deduplicated(key, {1, inbox}, when); });
    }
    }
  }
  void write_rest() {
    const auto id = below(4);
    const core::origin_record record{below(9), {below(9)}, {}};
    switch (below(5)) {
    case 0:
      both([&](auto& store) { store.put_origin(id, record); });
      break;
    case 1:
      both([&](auto& store) { store.erase_origin(id); });
      break;
    case 2:
      both([&](auto& store) { store.put_next_inbox_number(id); });
      break;
    case 3:
      both([&](auto& store) { store.put_inbox_count(id); });
      break;
    default: {
      core::inbox_policy policy;
      policy.messages_max = id;
      both([&](auto& store) { store.put_policy(policy); });
    }
    }
  }
  std::string client_key() {
    return std::string(below(2) * 1000, 'k') + std::to_string(below(4));
  }

  void expect_same() {
    for (const auto& who : owners) {
      ASSERT_EQ(stored_.head(who), memory_.head(who));
      ASSERT_EQ(heads(stored_, who), heads(memory_, who));
    }
    ASSERT_EQ(heads(stored_, {}), heads(memory_, {}));
    for (std::uint64_t inbox = 0; inbox < 3; ++inbox)
      for (std::uint64_t from = 0; from < 20; ++from) {
        const inbox_position position{from};
        ASSERT_EQ(stored_.entry(inbox, position),
                  memory_.entry(inbox, position));
        ASSERT_EQ(entries(stored_, inbox, position),
                  entries(memory_, inbox, position));
      }
    for (std::uint64_t source = 0; source < 8; ++source)
      ASSERT_EQ(stored_.body(log_index{source}),
                memory_.body(log_index{source}));
    for (std::size_t limit : {0, 1, 100})
      ASSERT_EQ(expiries(stored_, limit), expiries(memory_, limit));
    for (int i = 0; i < 10; ++i) {
      const auto key = client_key();
      ASSERT_EQ(stored_.deduplicated(key), memory_.deduplicated(key));
    }
    ASSERT_EQ(stored_.origins(), memory_.origins());
    for (std::uint64_t id = 0; id < 4; ++id)
      ASSERT_EQ(stored_.origin(id), memory_.origin(id));
    ASSERT_EQ(stored_.next_inbox_number(), memory_.next_inbox_number());
    ASSERT_EQ(stored_.inbox_count(), memory_.inbox_count());
    ASSERT_EQ(stored_.policy(), memory_.policy());
  }

  using head_list = std::vector<std::pair<core::owner, core::inbox_head>>;
  static head_list heads(const core::inbox_store& store,
                         const std::optional<core::owner>& after) {
    head_list result;
    store.each_head(after, [&](const auto& owner, const auto& head) {
      result.emplace_back(owner, head);
      return result.size() < 3;
    });
    return result;
  }
  static std::vector<core::inbox_entry> entries(const core::inbox_store& store,
                                                std::uint64_t inbox,
                                                inbox_position from) {
    std::vector<core::inbox_entry> result;
    store.each_entry(inbox, from, [&](const auto& entry) {
      result.push_back(entry);
      return result.size() < 5;
    });
    return result;
  }
  using expiry_key =
      std::tuple<core::timestamp, std::uint64_t, inbox_position, core::owner>;
  static std::vector<expiry_key> expiries(const core::inbox_store& store,
                                          std::size_t limit) {
    std::vector<expiry_key> result;
    for (const auto& e : store.expired(from_millis(5), limit))
      result.emplace_back(e.when, e.inbox, e.position, e.owner);
    return result;
  }

  std::mt19937_64 random_{17};
  test::memory_state_space space_;
  test::memory_inbox_store memory_;
  schema::stored_inboxes stored_{space_};
};

TEST_F(StoredInboxes, BehaveAsTheStoreInMemory) {
  ASSERT_NO_FATAL_FAILURE(expect_same());
  for (int i = 0; i < 10'000; ++i) {
    switch (below(4)) {
    case 0:
      write_inboxes();
      break;
    case 1:
      write_bodies();
      break;
    case 2:
      write_times();
      break;
    default:
      write_rest();
    }
    if (i % 20 == 0) {
      ASSERT_NO_FATAL_FAILURE(expect_same()) << i;
    }
  }
}

TEST_F(StoredInboxes, KeepTheCommandItselfAsTheBody) {
  const auto command = core::shared_bytes::copy_of("command");
  stored_.put_body(log_index{1}, command, 1);
  EXPECT_EQ(space_.all().size(), 1U);
  EXPECT_EQ(stored_.body(log_index{1})->data(), command.data());
  stored_.release_body(log_index{1});
  EXPECT_TRUE(space_.all().empty());
}

TEST_F(StoredInboxes, CountTheReferencesOfABodyDownToNothing) {
  stored_.put_body(log_index{1}, core::shared_bytes::copy_of("c"), 3);
  EXPECT_EQ(space_.all().size(), 2U);
  stored_.release_body(log_index{1});
  stored_.release_body(log_index{1});
  EXPECT_EQ(space_.all().size(), 1U);
  EXPECT_TRUE(stored_.body(log_index{1}));
  stored_.release_body(log_index{1});
  EXPECT_TRUE(space_.all().empty());
}

TEST_F(StoredInboxes, ForgetDeduplicationKeysWhole) {
  stored_.put_deduplicated("k", {1, 1}, from_millis(10));
  stored_.put_deduplicated("k", {1, 2}, from_millis(20));
  stored_.put_deduplicated(std::string(1000, 'x'), {1, 3}, from_millis(30));
  EXPECT_EQ(stored_.erase_deduplicated(from_millis(20), 10), 0U);
  EXPECT_EQ(stored_.deduplicated("k"), (core::message_id{1, 2}));
  EXPECT_EQ(stored_.erase_deduplicated(from_millis(31), 10), 2U);
  EXPECT_TRUE(space_.all().empty());
}

TEST_F(StoredInboxes, ForgetNoMoreDeduplicationKeysThanAsked) {
  for (const char* key : {"a", "b", "c"})
    stored_.put_deduplicated(key, {1, 1}, from_millis(key[0]));
  EXPECT_EQ(stored_.erase_deduplicated(from_millis(1000), 0), 0U);
  EXPECT_EQ(stored_.erase_deduplicated(from_millis(1000), 2), 2U);
  EXPECT_FALSE(stored_.deduplicated("b"));
  EXPECT_TRUE(stored_.deduplicated("c"));
}

TEST_F(StoredInboxes, DoNotFindAnOwnerThatIsTooLong) {
  EXPECT_FALSE(stored_.head(
      {"default", core::owner_kind::user, std::string(1000, 'x')}));
}

} // namespace
