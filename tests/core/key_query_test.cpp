// SPDX-License-Identifier: Apache-2.0
#include "core/key_query.hpp"
#include "tests/core/shard_machine_case.hpp"

#include <random>
#include <set>

namespace troupe::test {
namespace {

class KeyQuery : public ShardMachine {
protected:
  static topic_filter filter_of(const std::string& text) {
    const auto parsed = topic_filter::parse(text);
    EXPECT_TRUE(parsed) << text;
    return *parsed;
  }
  key_page page(const std::string& filter,
                const std::optional<std::string>& after = {},
                const key_page_limits& limits = {}) const {
    return find_keys(keys_, "default", filter_of(filter), after, limits, now_);
  }
  /// All pages.
  texts found(const std::string& filter,
              const key_page_limits& limits = {}) const {
    texts all;
    std::optional<std::string> after;
    do {
      const auto one = page(filter, after, limits);
      for (const auto& key : one.keys)
        all.push_back(key.topic);
      after = one.next;
    } while (after);
    return all;
  }
};

TEST_F(KeyQuery, OneKeyIsFoundUnlessItHasExpired) {
  set("a", "1", milliseconds{10});
  const auto one = find_key(keys_, "default", "a", now_);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->command.text(), "command 1");
  EXPECT_EQ(one->record.revision(), 1U);
  EXPECT_FALSE(find_key(keys_, "default", "b", now_));
  EXPECT_FALSE(find_key(keys_, "other", "a", now_));
  EXPECT_FALSE(find_key(keys_, "default", "a", now_ + milliseconds{11}));
}

TEST_F(KeyQuery, WildcardsFindWhatTheyMatch) {
  for (const auto* topic :
       {"", "a", "a/b", "a/b/c", "a/bb", "a!", "ab", "b/b", "$SYS/b"})
    set(topic, "1");
  EXPECT_EQ(found("a"), (texts{"a"}));
  EXPECT_EQ(found("none"), texts{});
  EXPECT_EQ(found("a/#"), (texts{"a", "a/b", "a/b/c", "a/bb"}));
  EXPECT_EQ(found("a/+"), (texts{"a/b", "a/bb"}));
  EXPECT_EQ(found("a/b*"), (texts{"a/b", "a/b/c", "a/bb"}));
  EXPECT_EQ(found("+/b"), (texts{"a/b", "b/b"}));
  EXPECT_EQ(found("#/c"), (texts{"a/b/c"}));
  EXPECT_EQ(found("a/#/c"), (texts{"a/b/c"}));
  EXPECT_EQ(found("#"),
            (texts{"", "a", "a!", "a/b", "a/b/c", "a/bb", "ab", "b/b"}))
      << "the broker's topics are passed over";
  EXPECT_EQ(found("$SYS/#"), (texts{"$SYS/b"}));
}

TEST_F(KeyQuery, APageIsBoundedByCountAndBytes) {
  for (const auto* topic : {"a", "a/1", "a/2", "a/3", "a/4"})
    set(topic, std::string(100, 'x'));
  const auto two = page("a/#", {}, {2, 1 << 20, 100});
  EXPECT_EQ(two.keys.size(), 2U);
  EXPECT_EQ(two.next, "a/1");
  const auto weight = two.keys.front().record.weight;
  EXPECT_EQ(page("a/#", {}, {100, 2 * weight + 5, 100}).keys.size(), 2U);
  EXPECT_EQ(page("a/#", {}, {100, 1, 100}).keys.size(), 1U) << "at least one";
  for (std::size_t count = 1; count < 7; ++count)
    EXPECT_EQ(found("a/#", {count, 1 << 20, 100}).size(), 5U);
  for (std::size_t bytes = 1; bytes < 1000; bytes += 50)
    EXPECT_EQ(found("a/#", {100, bytes, 100}).size(), 5U);
}

TEST_F(KeyQuery, AScanThatFindsLittleEndsAndGoesOn) {
  for (int i = 0; i < 100; ++i)
    set("x/" + std::to_string(i), "1");
  set("y/wanted", "1");
  const auto first = page("+/wanted", {}, {10, 1 << 20, 30});
  EXPECT_TRUE(first.keys.empty());
  EXPECT_TRUE(first.next);
  EXPECT_EQ(found("+/wanted", {10, 1 << 20, 30}), (texts{"y/wanted"}));
}

TEST_F(KeyQuery, ExpiredKeysAreNotFound) {
  set("a/1", "1", milliseconds{10});
  set("a/2", "1");
  now_ += milliseconds{11};
  EXPECT_EQ(found("a/+"), (texts{"a/2"}));
}

TEST_F(KeyQuery, TheLiteralBeginningIsWhatStandsBeforeTheWildcards) {
  EXPECT_EQ(literal_beginning(filter_of("a/b")), "a/b");
  EXPECT_EQ(literal_beginning(filter_of("a/+/b")), "a/");
  EXPECT_EQ(literal_beginning(filter_of("a/#")), "a/");
  EXPECT_EQ(literal_beginning(filter_of("a/bc*")), "a/bc");
  EXPECT_EQ(literal_beginning(filter_of("+/b")), "");
  EXPECT_EQ(literal_beginning(filter_of("#")), "");
}

TEST_F(KeyQuery, AgreesWithLookingAtEveryTopic) {
  std::mt19937 random{3};
  const auto level = [&] {
    return std::string{"$ab!"}.substr(random() % 4, random() % 3);
  };
  const auto text = [&](const std::string& wildcard) {
    std::string all;
    for (auto n = 1 + random() % 4; n > 0; --n) {
      all += random() % 3 == 0 ? wildcard : level();
      if (n > 1)
        all += '/';
    }
    return all;
  };
  std::set<std::string> topics;
  for (int i = 0; i < 300; ++i)
    if (const auto name = text("a"); set(name, "1").failure.code == errc::ok)
      topics.insert(name);
  ASSERT_GT(topics.size(), 50U);
  for (int i = 0; i < 2000; ++i) {
    const auto parsed = topic_filter::parse(
        i % 5 == 0 ? text("+") + "*" : text(i % 2 == 0 ? "+" : "#"));
    if (!parsed)
      continue;
    texts expected;
    for (const auto& name : topics)
      if (parsed->matches(*topic::parse(name)))
        expected.push_back(name);
    ASSERT_EQ(
        found(parsed->text(), {1 + random() % 5, 1 << 20, 1 + random() % 50}),
        expected)
        << parsed->text();
  }
}

} // namespace
} // namespace troupe::test
