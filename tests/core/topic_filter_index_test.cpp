// SPDX-License-Identifier: Apache-2.0
#include "core/topic_filter_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace troupe::core;
using texts = std::vector<std::string>;

topic_filter filter(std::string_view text) {
  return *topic_filter::parse(text);
}

texts found(const topic_filter_index& index, std::string_view name) {
  std::vector<topic_filter_index::place> places;
  index.match(*topic::parse(name), places);
  texts all;
  for (const auto each : places)
    all.push_back(*index.at(each));
  std::sort(all.begin(), all.end());
  return all;
}

TEST(TopicFilterIndex, FindsAllThatMatch) {
  topic_filter_index index;
  for (const auto* text : {"a/b/c", "a/+/c", "a/#", "#", "+/b/#", "a/b/c/#",
                           "a/#/c", "a/b*", "a/*", "x", "a/b", "a/b/d"})
    index.add(filter(text));
  EXPECT_EQ(found(index, "a/b/c"),
            (texts{"#", "+/b/#", "a/#", "a/#/c", "a/*", "a/+/c", "a/b*",
                   "a/b/c", "a/b/c/#"}));
  EXPECT_EQ(found(index, "a"), (texts{"#", "a/#"}));
  EXPECT_EQ(found(index, "y"), texts{"#"});
  EXPECT_EQ(found(index, "$x"), texts{});
  EXPECT_EQ(index.size(), 12U);
}

TEST(TopicFilterIndex, KnowsAFilterByItsPlace) {
  topic_filter_index index;
  const auto [first, fresh] = index.add(filter("a/+"));
  EXPECT_TRUE(fresh);
  EXPECT_EQ(index.add(filter("a/+")), std::pair(first, false));
  const auto second = index.add(filter("a/b")).first;
  EXPECT_NE(first, second);
  EXPECT_EQ(index.find("a/+"), first);
  EXPECT_EQ(index.find("a/c"), std::nullopt);
  index.remove(first);
  EXPECT_EQ(index.find("a/+"), std::nullopt);
  EXPECT_EQ(index.at(first), nullptr);
  EXPECT_EQ(found(index, "a/b"), texts{"a/b"});
  EXPECT_EQ(index.add(filter("z/#")).first, first); // used again
  EXPECT_EQ(index.end(), 2U);
}

TEST(TopicFilterIndex, RemovesOneOfManyThatShareParts) {
  topic_filter_index index;
  const auto end = index.add(filter("a/+/c")).first;
  index.add(filter("a/+/c/d*"));
  index.add(filter("a/+/c/dd*"));
  index.add(filter("a/+"));
  index.remove(end);
  EXPECT_EQ(found(index, "a/b/c"), texts{});
  EXPECT_EQ(found(index, "a/b/c/dde"), (texts{"a/+/c/d*", "a/+/c/dd*"}));
  index.remove(*index.find("a/+/c/d*"));
  EXPECT_EQ(found(index, "a/b/c/dde"), texts{"a/+/c/dd*"});
  index.remove(*index.find("a/+/c/dd*"));
  EXPECT_EQ(found(index, "a/b"), texts{"a/+"});
  index.remove(*index.find("a/+"));
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(found(index, "a/b"), texts{});
}

// --------------------------------------------------- against a simple matcher

/// The rules once more, with nothing in common with the code under test.
bool simple_match(const texts& parts, std::size_t i, const texts& levels,
                  std::size_t j) {
  if (i == parts.size())
    return j == levels.size();
  const auto& part = parts[i];
  const bool reserved = !levels[0].empty() && levels[0][0] == '$';
  if (reserved && i == 0 && (part == "+" || part == "#" || part == "*"))
    return false;
  if (part == "#") {
    for (auto k = j; k <= levels.size(); ++k)
      if (simple_match(parts, i + 1, levels, k))
        return true;
    return false;
  }
  if (j == levels.size())
    return false;
  if (!part.empty() && part.back() == '*')
    return levels[j].compare(0, part.size() - 1, part, 0, part.size() - 1) == 0;
  return (part == "+" || part == levels[j]) &&
         simple_match(parts, i + 1, levels, j + 1);
}

class words {
public:
  explicit words(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
  }
  std::string level() {
    static const texts some{"a", "b", "ab", "abc", "", "$s", "%2Fx", "ba"};
    return some[below(some.size())];
  }
  texts topic_levels() {
    texts all(1 + below(5));
    for (auto& each : all)
      each = level();
    return all;
  }
  texts filter_parts() {
    auto all = topic_levels();
    for (auto& each : all)
      if (below(4) == 0)
        each = "+";
    switch (below(4)) {
    case 0:
      all[below(all.size())] = "#";
      break;
    case 1:
      all.back() = level() + "*";
      break;
    case 2:
      all.back() = "#";
      break;
    default:
      break;
    }
    return all;
  }
  static std::string joined(const texts& all) {
    std::string text;
    for (std::size_t i = 0; i < all.size(); ++i)
      text += (i == 0 ? "" : "/") + all[i];
    return text;
  }

private:
  std::mt19937_64 random_;
};

class TopicFilterModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(TopicFilterModel, FindsWhatASimpleMatcherFinds) {
  words make{GetParam()};
  topic_filter_index index;
  std::map<std::string, std::pair<topic_filter_index::place, texts>> model;
  for (int round = 0; round < 1'500; ++round) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", round " +
                 std::to_string(round));
    const auto choice = make.below(10);
    if (choice < 4) {
      const auto parts = make.filter_parts();
      const auto text = words::joined(parts);
      const auto [where, fresh] = index.add(filter(text));
      ASSERT_EQ(fresh, model.count(text) == 0) << text;
      if (!fresh) {
        ASSERT_EQ(where, model[text].first);
      }
      model[text] = {where, parts};
    } else if (choice < 7 && !model.empty()) {
      auto victim = model.begin();
      std::advance(victim, static_cast<long>(make.below(model.size())));
      index.remove(victim->second.first);
      model.erase(victim);
    }
    const auto levels = make.topic_levels();
    const auto name = words::joined(levels);
    texts expected;
    for (const auto& [text, entry] : model) {
      const bool yes = simple_match(entry.second, 0, levels, 0);
      if (yes)
        expected.push_back(text);
      ASSERT_EQ(filter(text).matches(*topic::parse(name)), yes)
          << text << " of " << name;
    }
    ASSERT_EQ(found(index, name), expected) << name;
    ASSERT_EQ(index.size(), model.size());
  }
  for (const auto& [text, entry] : model)
    index.remove(entry.first);
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(found(index, "a/b"), texts{});
}

INSTANTIATE_TEST_SUITE_P(Seeds, TopicFilterModel,
                         testing::Range<std::uint64_t>(1, 9));

} // namespace
