// SPDX-License-Identifier: Apache-2.0
#include "core/directory.hpp"
#include "core/directory_machine.hpp"
#include "core/route_table.hpp"
#include "core/topic_filter.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using namespace troupe::core;
using troupe::test::memory_directory_store;

topic topic_of(const std::string& text) { return *topic::parse(text); }

/// The order is of no meaning.
route_matches sorted(route_matches m) {
  m.as_of = {}; // the naive one has none
  const auto by_session = [](const route_match& a, const route_match& b) {
    return a.session < b.session;
  };
  std::sort(m.direct.begin(), m.direct.end(), by_session);
  for (auto& group : m.shared)
    std::sort(group.members.begin(), group.members.end(), by_session);
  std::sort(m.shared.begin(), m.shared.end(),
            [](const shared_match& a, const shared_match& b) {
              return std::tie(a.filter, a.share) < std::tie(b.filter, b.share);
            });
  return m;
}

/// Directory commands about routes, with a table beside the store.
class Routes : public testing::Test {
protected:
  directory_outcome apply(change_routes command, idempotency_key key = {}) {
    return machine_.apply(log_index{++index_},
                          {key, from_millis(1), std::move(command)});
  }
  directory_outcome add(const std::string& session, std::vector<route> routes,
                        std::uint64_t generation = 1) {
    change_routes command;
    command.session = session;
    command.generation = generation;
    command.add = std::move(routes);
    return apply(std::move(command));
  }
  directory_outcome remove(const std::string& session,
                           std::vector<route_name> gone,
                           std::uint64_t generation = 1) {
    change_routes command;
    command.session = session;
    command.generation = generation;
    command.remove = std::move(gone);
    return apply(std::move(command));
  }
  directory_outcome remove_all(const std::string& session,
                               std::uint64_t generation, bool forget = false) {
    change_routes command;
    command.session = session;
    command.generation = generation;
    command.remove_all = true;
    command.forget = forget;
    return apply(std::move(command));
  }
  std::vector<std::string> sessions(const std::string& topic_text,
                                    const std::string& publisher = {}) const {
    std::vector<std::string> found;
    for (const auto& m :
         sorted(table_.match("default", topic_of(topic_text), publisher))
             .direct)
      found.push_back(m.session);
    return found;
  }

  using names = std::vector<std::string>;
  using results = std::vector<route_result>;
  memory_directory_store store_;
  route_table table_;
  directory_machine machine_{store_, &table_};
  std::uint64_t index_ = 0;
};

TEST_F(Routes, APublicationFindsTheSessionsThatWantIt) {
  add("one", {{{"a/+", ""}, {}}});
  add("two", {{{"a/b", ""}, {}}, {{"c", ""}, {}}});
  EXPECT_EQ(sessions("a/b"), (names{"one", "two"}));
  EXPECT_EQ(sessions("a/c"), (names{"one"}));
  EXPECT_EQ(sessions("c"), (names{"two"}));
  EXPECT_EQ(sessions("d"), names{});
  EXPECT_TRUE(table_.matches("default", topic_of("c")));
  EXPECT_FALSE(table_.matches("default", topic_of("d")));
  EXPECT_TRUE(table_.match("other", topic_of("c")).direct.empty());
  EXPECT_EQ(table_.size(), 3U);
}

TEST_F(Routes, ASessionWithSeveralRoutesThatMatchIsFoundOnce) {
  add("one", {{{"a/#", ""}, {0, false, false, 7}},
              {{"a/+", ""}, {2, false, true, 3}},
              {{"a/b", ""}, {1, false, false, 7}},
              {{"b", ""}, {1, false, false, 9}}});
  const auto found = table_.match("default", topic_of("a/b"));
  ASSERT_EQ(found.direct.size(), 1U);
  EXPECT_EQ(found.direct.front(), (route_match{"one", 2, true, {3, 7}}));
}

TEST_F(Routes, WhoWantsNothingOfHisOwnDoesNotGetIt) {
  add("one", {{{"a", ""}, {1, true, false, 0}}});
  add("two",
      {{{"a", ""}, {1, true, false, 0}}, {{"+", ""}, {0, false, false, 5}}});
  EXPECT_EQ(sessions("a", "one"), (names{"two"}));
  EXPECT_EQ(sessions("a", "three"), (names{"one", "two"}));
  // Another route of the same session still wants it, as that one says.
  const auto found = table_.match("default", topic_of("a"), "two");
  ASSERT_EQ(found.direct.size(), 2U);
  EXPECT_EQ(sorted(found).direct.back(), (route_match{"two", 0, false, {5}}));
}

TEST_F(Routes, SharedRoutesComeInGroups) {
  add("one", {{{"a/+", "g"}, {1, false, false, 4}}, {{"a/b", ""}, {}}});
  add("two", {{{"a/+", "g"}, {2, false, false, 0}}});
  add("three", {{{"a/+", "h"}, {}}, {{"a/b", "g"}, {}}});
  const auto found = sorted(table_.match("default", topic_of("a/b")));
  ASSERT_EQ(found.direct.size(), 1U);
  EXPECT_EQ(found.direct.front().session, "one");
  ASSERT_EQ(found.shared.size(), 3U);
  EXPECT_EQ(found.shared[0],
            (shared_match{
                "g", "a/+", {{"one", 1, false, {4}}, {"two", 2, false, {}}}}));
  EXPECT_EQ(found.shared[1].share, "h");
  EXPECT_EQ(found.shared[2],
            (shared_match{"g", "a/b", {{"three", 1, false, {}}}}));
  remove("two", {{"a/+", "g"}});
  remove("three", {{"a/b", "g"}});
  const auto fewer = sorted(table_.match("default", topic_of("a/b")));
  ASSERT_EQ(fewer.shared.size(), 2U);
  EXPECT_EQ(fewer.shared[0].members.size(), 1U);
}

TEST_F(Routes, OutcomesSayWhatWasThere) {
  EXPECT_EQ(
      add("one", {{{"a", ""}, {}}, {{"a", ""}, {}}, {{"a", "g"}, {}}}).routes,
      (results{route_result::was_absent, route_result::was_present,
               route_result::was_absent}));
  EXPECT_EQ(remove("one", {{"a", ""}, {"b", ""}, {"a", ""}}).routes,
            (results{route_result::was_present, route_result::was_absent,
                     route_result::was_absent}));
  EXPECT_EQ(store_.totals_of_routes(), (route_totals{1, 1}));
  EXPECT_EQ(store_.routes_of("default", "one"), (session_routes{1, 1}));
}

TEST_F(Routes, ARouteGetsNewOptions) {
  add("one", {{{"a", ""}, {0, false, false, 1}}});
  add("one", {{{"a", ""}, {2, false, true, 2}}});
  EXPECT_EQ(table_.match("default", topic_of("a")).direct.front(),
            (route_match{"one", 2, true, {2}}));
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(Routes, ALaterSessionOfTheNameTakesNothingOver) {
  add("one", {{{"a", ""}, {}}, {{"b", ""}, {}}}, 5);
  EXPECT_EQ(add("one", {{{"b", ""}, {}}}, 9).routes,
            (results{route_result::was_absent}));
  EXPECT_EQ(sessions("a"), names{});
  EXPECT_EQ(sessions("b"), (names{"one"}));
  EXPECT_EQ(store_.routes_of("default", "one"), (session_routes{9, 1}));
}

TEST_F(Routes, WhatAnEarlierSessionSaysLateIsRefused) {
  add("one", {{{"a", ""}, {}}}, 9);
  EXPECT_EQ(add("one", {{{"b", ""}, {}}}, 5).failure.code, errc::conflict);
  EXPECT_EQ(remove_all("one", 5).failure.code, errc::conflict);
  EXPECT_EQ(remove_all("one", 5, true).failure.code, errc::conflict);
  EXPECT_EQ(sessions("a"), (names{"one"}));
  // Also when the later one has no routes yet, or none any more.
  remove_all("one", 10);
  EXPECT_EQ(add("one", {{{"b", ""}, {}}}, 9).failure.code, errc::conflict);
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(store_.totals_of_routes(), (route_totals{1, 0}));
}

TEST_F(Routes, NothingIsKeptOfAForgottenSession) {
  add("one", {{{"a", ""}, {}}});
  remove_all("one", 1, true);
  EXPECT_EQ(store_, memory_directory_store{});
  EXPECT_EQ(table_.size(), 0U);
  EXPECT_EQ(remove_all("nobody", 1, true).failure.code, errc::ok);
  EXPECT_EQ(store_, memory_directory_store{});
}

TEST_F(Routes, RemovesComeBeforeAdds) {
  add("one", {{{"a", ""}, {0, false, false, 1}}});
  change_routes command;
  command.session = "one";
  command.generation = 1;
  command.remove = {{"a", ""}};
  command.add = {{{"a", ""}, {1, false, false, 2}}};
  EXPECT_EQ(apply(command).routes,
            (results{route_result::was_present, route_result::was_absent}));
  EXPECT_EQ(table_.match("default", topic_of("a")).direct.front(),
            (route_match{"one", 1, false, {2}}));
}

TEST_F(Routes, WhatIsWrongChangesNothing) {
  add("one", {{{"a", ""}, {}}});
  const auto before = store_;
  EXPECT_EQ(add("", {{{"b", ""}, {}}}).failure.code, errc::name_invalid);
  EXPECT_EQ(add("one", {{{"b", ""}, {}}, {{"b+", ""}, {}}}).failure.code,
            errc::name_invalid);
  EXPECT_EQ(add("one", {{{"b", "\n"}, {}}}).failure.code, errc::name_invalid);
  EXPECT_EQ(add("one", {{{std::string(5000, 'x'), ""}, {}}}).failure.code,
            errc::too_large);
  EXPECT_EQ(remove("one", {{"a", ""}, {"#/#", ""}}).failure.code,
            errc::name_invalid);
  change_routes forget;
  forget.session = "one";
  forget.generation = 1;
  forget.forget = true;
  EXPECT_EQ(apply(forget).failure.code, errc::malformed);
  forget.realm = "";
  EXPECT_EQ(apply(forget).failure.code, errc::name_invalid);
  EXPECT_EQ(store_, before);
}

TEST_F(Routes, ASessionHasABoundedNumberOfRoutes) {
  std::vector<route> many;
  for (std::uint64_t i = 0; i < routes_per_session_max; ++i)
    many.push_back({{"f/" + std::to_string(i), ""}, {}});
  EXPECT_EQ(add("one", many).failure.code, errc::ok);
  EXPECT_EQ(add("one", {{{"g", ""}, {}}}).failure.code, errc::too_many);
  EXPECT_EQ(add("one", {{{"f/1", ""}, {}}}).failure.code, errc::ok)
      << "there already";
  change_routes swap;
  swap.session = "one";
  swap.generation = 1;
  swap.remove = {{"f/1", ""}};
  swap.add = {{{"g", ""}, {}}};
  EXPECT_EQ(apply(swap).failure.code, errc::ok) << "one goes, one comes";
  EXPECT_EQ(add("one", {{{"h", ""}, {}}}, 2).failure.code, errc::ok)
      << "those of an earlier session go";
  many.push_back({{"one too many", ""}, {}});
  EXPECT_EQ(add("two", many).failure.code, errc::too_many);
}

TEST_F(Routes, AllSessionsTogetherHaveABoundedNumberOfRoutes) {
  store_.put_totals_of_routes({1, routes_max - 1});
  EXPECT_EQ(add("one", {{{"a", ""}, {}}, {{"b", ""}, {}}}).failure.code,
            errc::too_many);
  EXPECT_EQ(add("one", {{{"a", ""}, {}}}).failure.code, errc::ok);
}

TEST_F(Routes, ACommandAppliesOnce) {
  change_routes command;
  command.session = "one";
  command.add = {{{"a", ""}, {}}};
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::ok);
  EXPECT_EQ(apply(command, {7, 1}).failure.code, errc::duplicate);
}

TEST_F(Routes, TheDirectoryHandsTheTableOut) {
  const directory reader{store_, &table_};
  EXPECT_EQ(reader.routes(), &table_);
  add("one", {{{"a", ""}, {}}});
  EXPECT_EQ(reader.totals_of_routes().routes, 1U);
}

TEST_F(Routes, ManyMayLookWhileOneWrites) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        // Both routes come and go in one command each.
        for (const auto& m : table_.match("default", topic_of("a/b")).direct)
          EXPECT_TRUE(m.session == "one" || m.session == "two");
      }
    });
  for (int i = 0; i < 300; ++i) {
    add("one", {{{"a/+", ""}, {}}, {{"x/" + std::to_string(i), ""}, {}}});
    add("two", {{{"a/b", ""}, {}}});
    remove_all("one", 1);
    remove_all("two", 1);
  }
  stop = true;
  for (auto& reader : readers)
    reader.join();
  EXPECT_EQ(table_.size(), 0U);
}

/// Commands over few names against a plain list of routes.
TEST(RouteModel, AgreesWithLookingAtEveryRoute) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937_64 random{seed};
    const auto below = [&](std::uint64_t bound) { return random() % bound; };
    const std::vector<std::string> filters{"a",   "a/b", "+",    "a/+",  "#",
                                           "a/#", "+/b", "a/b*", "$x/#", "b"};
    const std::vector<std::string> topics{"a", "a/b", "b", "a/bc/d", "$x/y"};
    using session = std::pair<std::string, std::string>;
    std::map<session,
             std::pair<std::uint64_t, std::map<route_name, route_options>>>
        model;
    memory_directory_store store;
    memory_directory_store other_store;
    route_table table;
    directory_machine machine{store, &table};
    directory_machine other{other_store};
    for (std::uint64_t i = 1; i <= 2000; ++i) {
      change_routes c;
      c.realm = below(4) == 0 ? "other" : "default";
      c.session = std::string{"s"} + char('0' + below(4));
      c.generation = 1 + i / 200 + below(2);
      const auto name = [&] {
        return route_name{filters[below(filters.size())],
                          below(3) == 0 ? "g" : ""};
      };
      c.remove_all = below(10) == 0;
      c.forget = c.remove_all && below(2) == 0;
      for (auto n = below(3); n > 0; --n)
        c.remove.push_back(name());
      if (!c.forget)
        for (auto n = below(4); n > 0; --n)
          c.add.push_back(
              {name(),
               {static_cast<std::uint8_t>(below(3)), below(3) == 0,
                below(2) == 0, static_cast<std::uint32_t>(below(4))}});
      const logged_directory_command command{{}, from_millis(1), c};
      const auto outcome = machine.apply(log_index{i}, command);
      ASSERT_EQ(outcome, other.apply(log_index{i}, command));

      const session who{c.realm, c.session};
      const auto known = model.find(who);
      if (known != model.end() && c.generation < known->second.first) {
        ASSERT_EQ(outcome.failure.code, errc::conflict);
      } else {
        ASSERT_EQ(outcome.failure.code, errc::ok);
        auto& [generation, routes] = model[who];
        if (c.generation > generation || c.remove_all)
          routes.clear();
        generation = c.generation;
        for (const auto& gone : c.remove)
          routes.erase(gone);
        for (const auto& fresh : c.add)
          routes[fresh.name] = fresh.options;
        if (c.forget)
          model.erase(who);
      }
      if (i % 10 != 0)
        continue;
      if (i % 500 == 0) { // a restart forgets nothing
        table.load(store);
        ASSERT_TRUE(store == other_store);
      }
      const std::string realm = below(4) == 0 ? "other" : "default";
      const auto name_text = topics[below(topics.size())];
      const auto publisher = std::string{"s"} + char('0' + below(5));
      std::map<std::string, route_match> direct;
      std::map<std::pair<std::string, std::string>,
               std::map<std::string, route_match>>
          shared;
      std::size_t all = 0;
      for (const auto& [key, value] : model)
        for (const auto& [n, options] : value.second) {
          ++all;
          if (key.first != realm ||
              !topic_filter::parse(n.filter)->matches(topic_of(name_text)) ||
              (options.no_local && key.second == publisher))
            continue;
          auto& m = (n.share.empty() ? direct : shared[{n.filter, n.share}])
                        .try_emplace(key.second,
                                     route_match{key.second, 0, false, {}})
                        .first->second;
          m.qos = std::max(m.qos, options.qos);
          m.retain_as_published |= options.retain_as_published;
          if (options.subscription_id != 0)
            m.subscription_ids.push_back(options.subscription_id);
        }
      route_matches expected;
      const auto take = [](auto& from, std::vector<route_match>& to) {
        for (auto& [key, m] : from) {
          auto& ids = m.subscription_ids;
          std::sort(ids.begin(), ids.end());
          ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
          to.push_back(m);
        }
      };
      take(direct, expected.direct);
      for (auto& [key, members] : shared) {
        expected.shared.push_back({key.second, key.first, {}});
        take(members, expected.shared.back().members);
      }
      ASSERT_EQ(sorted(table.match(realm, topic_of(name_text), publisher)),
                expected)
          << "seed " << seed << ", command " << i;
      ASSERT_EQ(table.size(), all);
      ASSERT_EQ(store.totals_of_routes(), (route_totals{model.size(), all}));
    }
  }
}

} // namespace
