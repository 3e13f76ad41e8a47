// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/linearizability.hpp"
#include "tests/simulation/object_models.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace troupe::cluster::simulation {
namespace {

using op = operation<key_model::input, key_model::output>;
using kind = key_model::kind;

op get(std::uint64_t called, std::uint64_t returned, std::uint64_t value) {
  return {{kind::get, 0, 0}, key_model::output{true, value}, called, returned};
}
op put(std::uint64_t called, std::uint64_t returned, std::uint64_t value) {
  return {{kind::put, value, 0}, key_model::output{true, 0}, called, returned};
}
op lost_put(std::uint64_t called, std::uint64_t value) {
  return {{kind::put, value, 0}, {}, called};
}
op cas(std::uint64_t called, std::uint64_t returned, std::uint64_t from,
       std::uint64_t to, bool done) {
  return {{kind::compare_and_set, to, from},
          key_model::output{done, 0},
          called,
          returned};
}

verdict judge(const std::vector<op>& history) {
  return check_linearizability<key_model>(history).verdict;
}

TEST(Linearizability, NothingIsLinearizable) {
  EXPECT_EQ(judge({}), verdict::linearizable);
}

TEST(Linearizability, OneAfterTheOther) {
  EXPECT_EQ(judge({get(1, 2, 0), put(3, 4, 7), get(5, 6, 7)}),
            verdict::linearizable);
  EXPECT_EQ(judge({put(1, 2, 7), get(3, 4, 0)}), verdict::not_linearizable);
  EXPECT_EQ(judge({put(1, 2, 7), put(3, 4, 8), get(5, 6, 7)}),
            verdict::not_linearizable);
}

TEST(Linearizability, WhatOverlapsMayBeSeenOrNot) {
  EXPECT_EQ(judge({put(1, 10, 7), get(2, 3, 0), get(4, 5, 7)}),
            verdict::linearizable);
  EXPECT_EQ(judge({put(1, 10, 7), get(2, 3, 7)}), verdict::linearizable);
}

TEST(Linearizability, WhatWasSeenIsNotUnseen) {
  EXPECT_EQ(judge({put(1, 10, 7), get(2, 3, 7), get(4, 5, 0)}),
            verdict::not_linearizable);
}

TEST(Linearizability, TwoReadersAgreeOnTheOrder) {
  const std::vector<op> writes{put(1, 20, 7), put(1, 20, 8)};
  auto same = writes;
  for (const auto& o : {get(2, 3, 7), get(4, 5, 8), get(2, 3, 7), get(4, 5, 8)})
    same.push_back(o);
  EXPECT_EQ(judge(same), verdict::linearizable);
  auto crossed = writes;
  for (const auto& o : {get(2, 3, 7), get(6, 7, 8), get(4, 5, 8), get(8, 9, 7)})
    crossed.push_back(o);
  EXPECT_EQ(judge(crossed), verdict::not_linearizable);
}

TEST(Linearizability, AReturnAtTheMomentOfACallOverlapsIt) {
  EXPECT_EQ(judge({put(1, 2, 7), get(2, 3, 0)}), verdict::linearizable);
}

TEST(Linearizability, AnUnknownOutcomeMayHaveHappenedAtAnyTimeOrNever) {
  EXPECT_EQ(judge({lost_put(1, 7), get(2, 3, 0)}), verdict::linearizable);
  EXPECT_EQ(judge({lost_put(1, 7), get(2, 3, 7)}), verdict::linearizable);
  EXPECT_EQ(judge({lost_put(1, 7), get(2, 3, 0), put(4, 5, 9), get(6, 7, 9),
                   get(8, 9, 7)}),
            verdict::linearizable);
  // But once, and not before it was called.
  EXPECT_EQ(judge({lost_put(1, 7), get(2, 3, 7), put(4, 5, 9), get(6, 7, 9),
                   get(8, 9, 7)}),
            verdict::not_linearizable);
  EXPECT_EQ(judge({get(1, 2, 7), lost_put(3, 7)}), verdict::not_linearizable);
}

TEST(Linearizability, OneOfTwoComparesWins) {
  EXPECT_EQ(judge({cas(1, 5, 0, 7, true), cas(2, 6, 0, 8, false)}),
            verdict::linearizable);
  EXPECT_EQ(judge({cas(1, 5, 0, 7, true), cas(2, 6, 0, 8, true)}),
            verdict::not_linearizable);
  EXPECT_EQ(judge({cas(1, 5, 0, 7, false), get(6, 7, 0)}),
            verdict::not_linearizable);
}

TEST(Linearizability, TheReportNamesWhoCameTooLate) {
  const auto d = check_linearizability<key_model>(
      {put(1, 2, 7), get(3, 4, 7), get(5, 6, 0), get(7, 8, 7)});
  EXPECT_EQ(d.verdict, verdict::not_linearizable);
  EXPECT_EQ(d.placed, 2U);
  EXPECT_EQ(d.stuck, 2U);
}

TEST(Linearizability, ObjectsAreJudgedAlone) {
  histories<key_model> all;
  all.add("a", put(1, 2, 7));
  all.add("b", get(3, 4, 0));
  all.add("c", put(1, 2, 7));
  all.add("c", get(3, 4, 0));
  std::string failed;
  all.check([&](const std::string& name, const auto&, const decision& d) {
    if (d.verdict != verdict::linearizable)
      failed += name;
  });
  EXPECT_EQ(failed, "c");
  EXPECT_EQ(all.size(), 4U);
}

/// A history of `clients` that are always busy, made by a single register:
/// linearizable by construction. Some never hear what came of it.
std::vector<op> made_history(std::uint64_t seed, std::size_t clients,
                             std::size_t count, std::uint64_t lost_percent) {
  std::mt19937_64 random{seed};
  std::vector<op> all;
  std::vector<std::optional<op>> busy(clients);
  std::vector<bool> happened(clients, false);
  key_model::state state{};
  std::uint64_t now = 0;
  while (all.size() < count) {
    const auto c = random() % clients;
    ++now;
    if (!busy[c]) {
      const auto what = static_cast<kind>(random() % 3);
      busy[c] = op{{what, 1 + random() % 5, random() % 5}, {}, now};
      happened[c] = false;
    } else if (!happened[c]) {
      busy[c]->output = key_model::apply(state, busy[c]->input);
      happened[c] = true;
    } else {
      busy[c]->returned = now;
      if (random() % 100 < lost_percent) {
        if (busy[c]->input.what == kind::get) {
          busy[c].reset();
          continue;
        }
        busy[c]->output.reset();
        busy[c]->returned = op::never;
      }
      all.push_back(*busy[c]);
      busy[c].reset();
    }
  }
  for (std::size_t c = 0; c < clients; ++c)
    if (busy[c] && busy[c]->input.what != kind::get) {
      busy[c]->output.reset();
      all.push_back(*busy[c]);
    }
  return all;
}

TEST(Linearizability, WhatOneRegisterAnswersIsLinearizable) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    ASSERT_EQ(judge(made_history(seed, 1 + seed % 6, 60, seed % 20)),
              verdict::linearizable)
        << "seed " << seed;
}

/// By trying every order: slow, and plainly right.
bool some_order_works(std::vector<op> rest, const key_model::state& state) {
  bool all_pending = true;
  for (const auto& o : rest)
    all_pending = all_pending && !o.output;
  if (all_pending)
    return true;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    bool first = true;
    for (const auto& o : rest)
      first = first && !(o.output && o.returned < rest[i].called);
    if (!first)
      continue;
    auto after = state;
    const auto given = key_model::apply(after, rest[i].input);
    if (rest[i].output && !key_model::agrees(given, *rest[i].output))
      continue;
    auto others = rest;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    if (some_order_works(std::move(others), after))
      return true;
  }
  return false;
}

TEST(Linearizability, AgreesWithTryingEveryOrder) {
  std::mt19937_64 random{1};
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    auto history = made_history(seed, 2 + seed % 3, 7, 15);
    auto& o = history[random() % history.size()];
    if (o.output) // an answer somebody made up
      o.output->value = random() % 6;
    const bool expected = some_order_works(history, {});
    ASSERT_EQ(judge(history),
              expected ? verdict::linearizable : verdict::not_linearizable)
        << "seed " << seed;
    refused += expected ? 0 : 1;
  }
  EXPECT_GT(refused, 200U);
}

TEST(Linearizability, LongHistoriesTakeBoundedTime) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto d =
        check_linearizability<key_model>(made_history(seed, 5, 4000, 1));
    EXPECT_EQ(d.verdict, verdict::linearizable);
    EXPECT_LT(d.steps, 1'000'000U);
  }
}

TEST(Linearizability, ALateWrongAnswerIsFoundInALongHistory) {
  auto history = made_history(7, 4, 3000, 0);
  for (std::size_t i = history.size() - 10; i < history.size(); ++i)
    if (history[i].input.what == kind::get && history[i].output) {
      history[i].output->value = 99;
      break;
    }
  EXPECT_EQ(judge(history), verdict::not_linearizable);
}

TEST(Linearizability, ABudgetEndsTheSearch) {
  // Many writes at once, and an answer that none of their orders explains.
  std::vector<op> history;
  for (std::uint64_t i = 1; i <= 40; ++i)
    history.push_back(cas(1, 100, i, i + 1000, false));
  for (std::uint64_t i = 1; i <= 40; ++i)
    history.push_back(put(1, 100, i));
  history.push_back(get(101, 102, 555));
  const auto d = check_linearizability<key_model>(history, 10'000);
  EXPECT_EQ(d.verdict, verdict::undecided);
}

// ------------------------------------------------------------ other objects

TEST(InboxModel, KeepsItsOrderAndItsBound) {
  inbox_model::state s;
  using k = inbox_model::kind;
  for (std::uint64_t m = 1; m <= inbox_bound; ++m)
    EXPECT_EQ(inbox_model::apply(s, {k::post, m, 0}).result,
              inbox_model::answer::ok);
  EXPECT_EQ(inbox_model::apply(s, {k::post, 99, 0}).result,
            inbox_model::answer::full);
  EXPECT_EQ(inbox_model::apply(s, {k::acknowledge, 0, 2}).result,
            inbox_model::answer::ok);
  const auto seen = inbox_model::apply(s, {k::read, 0, 0});
  ASSERT_EQ(seen.waiting.size(), inbox_bound - 2);
  EXPECT_EQ(seen.waiting.front(),
            (std::pair<std::uint64_t, std::uint64_t>{3, 3}));
}

TEST(RealmModel, AnAliasGoesToWhoAsksFirst) {
  realm_model::state s;
  using k = realm_model::kind;
  const auto create = [&](std::uint8_t user, std::uint8_t aliases) {
    return realm_model::apply(s, {k::create_user, user, aliases, 0});
  };
  EXPECT_EQ(create(0, 0b01).aliases, 0b01);
  EXPECT_EQ(create(1, 0b11).aliases, 0b10);
  EXPECT_EQ(create(1, 0b11).failure, core::errc::user_exists);
  EXPECT_EQ(realm_model::apply(s, {k::replace_aliases, 0, 0b11, 0}).aliases,
            0b01);
  EXPECT_EQ(realm_model::apply(s, {k::remove_user, 1, 0, 0}).failure,
            core::errc::ok);
  EXPECT_EQ(realm_model::apply(s, {k::replace_aliases, 0, 0b11, 0}).aliases,
            0b11);
}

} // namespace
} // namespace troupe::cluster::simulation
