// SPDX-License-Identifier: Apache-2.0
//
// The routes of stored_directory against the same in plain maps.
#include "core/directory_machine.hpp"
#include "core/route_table.hpp"
#include "schema/command_wire.hpp"
#include "schema/record_wire.hpp"
#include "schema/stored_directory.hpp"
#include "tests/support/memory_directory_store.hpp"
#include "tests/support/memory_state_space.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace {

using namespace troupe;

using route_list =
    std::map<std::tuple<std::string, std::string, core::route_name>,
             core::route_options>;

/// All routes, and each session's own must be the same.
route_list all_routes(const core::directory_store& store) {
  route_list all;
  store.each_route([&](std::string_view realm, std::string_view session,
                       const core::route& what) {
    EXPECT_TRUE(all.emplace(std::tuple{std::string{realm}, std::string{session},
                                       what.name},
                            what.options)
                    .second);
    EXPECT_EQ(store.find_route(realm, session, what.name), what.options);
    return true;
  });
  route_list again;
  for (const auto* realm : {"default", "other"})
    for (const auto* session : {"s0", "s1", "s2", "s3"})
      store.each_route(realm, session, [&](const core::route& what) {
        again.emplace(
            std::tuple{std::string{realm}, std::string{session}, what.name},
            what.options);
        return true;
      });
  EXPECT_EQ(again, all);
  return all;
}

class random_routes {
public:
  explicit random_routes(std::uint64_t seed) : random_(seed) {}

  core::logged_directory_command next(std::uint64_t index) {
    core::change_routes c;
    c.realm = below(4) == 0 ? "other" : "default";
    c.session = std::string{"s"} + char('0' + below(4));
    c.generation = 1 + index / 100 + below(2);
    c.remove_all = below(10) == 0;
    c.forget = c.remove_all && below(2) == 0;
    for (auto n = below(3); n > 0; --n)
      c.remove.push_back(name());
    if (!c.forget)
      for (auto n = below(4); n > 0; --n) {
        core::route one;
        one.name = name();
        one.options.qos = static_cast<std::uint8_t>(below(3));
        one.options.no_local = below(2) == 0;
        one.options.subscription_id = static_cast<std::uint32_t>(below(9));
        c.add.push_back(std::move(one));
      }
    return {{}, core::from_millis(1), std::move(c)};
  }

private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  core::route_name name() {
    core::route_name made;
    made.filter = std::string{"abc"[below(3)]};
    if (below(3) == 0) // too long for a key of the space
      made.filter += "/" + std::string(190 + below(12), 'x');
    if (below(2) == 0)
      made.filter += below(2) == 0 ? "/#" : "/+";
    if (below(3) == 0)
      made.share = "workers";
    return made;
  }

  std::mt19937_64 random_;
};

TEST(StoredRoutes, AgreeWithThePlainTables) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    random_routes random{seed};
    test::memory_state_space space;
    schema::stored_directory stored{space};
    test::memory_directory_store plain;
    core::route_table table;
    core::directory_machine machine{stored, &table};
    core::directory_machine expected{plain};
    for (std::uint64_t i = 1; i <= 1000; ++i) {
      const auto command = random.next(i);
      const auto decoded =
          schema::decode_directory_command(schema::encode(command));
      ASSERT_TRUE(decoded);
      ASSERT_EQ(*decoded, command);
      ASSERT_EQ(machine.apply(core::log_index{i}, *decoded),
                expected.apply(core::log_index{i}, command));
      if (i % 10 != 0)
        continue;
      const auto all = all_routes(plain);
      ASSERT_EQ(all_routes(stored), all) << "seed " << seed << ", " << i;
      ASSERT_EQ(stored.totals_of_routes(), plain.totals_of_routes());
      ASSERT_EQ(table.size(), all.size());
      for (const auto* session : {"s0", "s1", "s2", "s3"})
        ASSERT_EQ(stored.routes_of("default", session),
                  plain.routes_of("default", session));
    }
  }
}

TEST(StoredRoutes, NothingIsLeftOfAForgottenSession) {
  test::memory_state_space space;
  schema::stored_directory stored{space};
  core::directory_machine machine{stored};
  core::change_routes command;
  command.session = "s0";
  command.add = {{{"a/+", ""}, {}},
                 {{"a/+", "workers"}, {}},
                 {{std::string(1000, 'x') + "/#", "workers"}, {}}};
  EXPECT_EQ(machine.apply({}, {{}, {}, command}).failure.code, core::errc::ok);
  EXPECT_EQ(space.all().size(), 5U);
  command.add.clear();
  command.remove_all = true;
  command.forget = true;
  EXPECT_EQ(machine.apply({}, {{}, {}, command}).failure.code, core::errc::ok);
  EXPECT_TRUE(space.all().empty());
}

TEST(StoredRoutes, RoutesOfOneHashAreNotTakenForEachOther) {
  test::memory_state_space space;
  schema::stored_directory stored{space};
  const core::route one{{std::string(300, 'x'), ""}, {}};
  ASSERT_TRUE(stored.put_route("default", "s0", one));
  // A made-up record stands for another filter of the same hash.
  const auto place = space.all().begin()->first;
  space.put(place, schema::encode_record(
                       core::route{{std::string(300, 'y'), ""}, {}}));
  EXPECT_FALSE(stored.find_route("default", "s0", one.name));
  EXPECT_FALSE(stored.put_route("default", "s0", one));
  stored.erase_route("default", "s0", one.name);
  EXPECT_EQ(space.all().size(), 1U);
}

} // namespace
