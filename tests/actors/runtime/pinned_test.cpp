// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/pinned.hpp"
#include "tests/support/deterministic_system.hpp"

#include <caf/typed_actor.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace troupe::actors::runtime {
namespace {

using namespace std::chrono_literals;
using test_support::deterministic_system;
using add_atom = caf::atom_constant<caf::atom("add")>;
using get_atom = caf::atom_constant<caf::atom("get")>;
using fail_atom = caf::atom_constant<caf::atom("fail")>;
using later_atom = caf::atom_constant<caf::atom("later")>;
using quit_atom = caf::atom_constant<caf::atom("quit")>;

using counter_actor =
    caf::typed_actor<caf::reacts_to<add_atom, int>,
                     caf::replies_to<get_atom>::with<int>,
                     caf::reacts_to<fail_atom>, caf::reacts_to<later_atom>,
                     caf::reacts_to<quit_atom>>;

struct counter_state {
  static constexpr const char* name = "counter";
  [[nodiscard]] std::string path() const { return "counters/" + title; }
  std::string title;
  int value = 0;
  std::shared_ptr<int> held;
};

counter_actor::behavior_type
counter_behavior(counter_actor::stateful_pointer<counter_state> self,
                 std::string title, std::shared_ptr<int> held) {
  self->state.title = std::move(title);
  self->state.held = std::move(held);
  return {
      [self](add_atom, int by) { self->state.value += by; },
      [self](get_atom) { return self->state.value; },
      [](fail_atom) { throw std::runtime_error{"out of paper"}; },
      [self](later_atom) {
        self->delayed_send(self, 30ms, add_atom::value, 100);
      },
      [self](quit_atom) { self->quit(caf::sec::invalid_argument); },
  };
}

struct echo_state {
  static constexpr const char* name = "echo";
};

struct noting_state {
  static constexpr const char* name = "noting";
};

struct picky_state {
  static constexpr const char* name = "picky";
};

struct broken_state {
  static constexpr const char* name = "broken";
};

struct owner_state {
  static constexpr const char* name = "owner";
  std::unique_ptr<int> owned;
};

class Pinned : public testing::Test {
protected:
  counter_actor spawn_counter(std::string title = "one") {
    auto counter = spawn_pinned<counter_actor, counter_state>(
        nodes.system(), nullptr, counter_behavior, std::move(title), held);
    nodes.run();
    return counter;
  }
  std::vector<actor_info> all() { return nodes.registry().page({}).actors; }

  std::shared_ptr<int> held = std::make_shared<int>(0);
  deterministic_system nodes;
};

TEST_F(Pinned, TypedStatefulActorAnswers) {
  const auto counter = spawn_counter();
  nodes.tell(counter, add_atom::value, 40);
  nodes.tell(counter, add_atom::value, 2);
  EXPECT_EQ(nodes.ask<int>(counter, get_atom::value), 42);
  nodes.stop(counter);
}

TEST_F(Pinned, DynamicallyTypedStatefulActorAnswers) {
  const auto echo = spawn_pinned<caf::actor, echo_state>(
      nodes.system(), nullptr,
      [](stateful_pointer<caf::actor, echo_state>) -> caf::behavior {
        return {[](const std::string& text) { return text; }};
      });
  EXPECT_EQ(nodes.ask<std::string>(echo, std::string{"hi"}), "hi");
  ASSERT_EQ(all().size(), 1U);
  EXPECT_EQ(all()[0].path, "echo/" + std::to_string(echo.id()));
  nodes.stop(echo);
}

TEST_F(Pinned, ClassBasedActorAnswers) {
  class doubler final : public pinned<caf::event_based_actor> {
  public:
    doubler(caf::actor_config& config, int factor)
        : pinned<caf::event_based_actor>(config), factor_(factor) {}
    [[nodiscard]] const char* name() const override { return "doubler"; }
    caf::behavior make_behavior() override {
      return {[this](int value) { return factor_ * value; }};
    }

  private:
    int factor_;
  };
  const auto actor = spawn_pinned_class<doubler>(nodes.system(), nullptr, 2);
  EXPECT_EQ(nodes.ask<int>(actor, 21), 42);
  ASSERT_EQ(all().size(), 1U);
  EXPECT_EQ(all()[0].kind, "doubler");
  nodes.stop(actor);
}

TEST_F(Pinned, StateDiesWithTheActorNotWithTheLastHandle) {
  const auto counter = spawn_counter();
  EXPECT_EQ(held.use_count(), 2);
  nodes.stop(counter);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_TRUE(all().empty());
}

TEST_F(Pinned, UnreachableActorLeavesTheRegistry) {
  {
    const auto counter = spawn_counter();
    EXPECT_EQ(nodes.registry().size(), 1U);
  }
  EXPECT_EQ(nodes.registry().size(), 0U);
  EXPECT_TRUE(nodes.registry().failures().empty());
}

TEST_F(Pinned, RegistryShowsMailboxAndCounters) {
  const auto counter = spawn_counter("a");
  for (int i = 0; i < 3; ++i)
    caf::anon_send(counter, add_atom::value, 1);
  auto info = all().at(0);
  EXPECT_EQ(info.path, "counters/a");
  EXPECT_EQ(info.kind, "counter");
  EXPECT_EQ(info.mailbox_length, 3U);
  EXPECT_EQ(info.messages_handled, 0U);
  EXPECT_EQ(info.spawned,
            std::chrono::floor<std::chrono::seconds>(nodes.clock().wall()));
  nodes.run();
  info = all().at(0);
  EXPECT_EQ(info.mailbox_length, 0U);
  EXPECT_EQ(info.messages_handled, 3U);
  nodes.stop(counter);
}

TEST_F(Pinned, ActorDescribesItself) {
  const auto teller = spawn_pinned<caf::actor, picky_state>(
      nodes.system(), nullptr,
      [](stateful_pointer<caf::actor, picky_state> self) -> caf::behavior {
        return {[](int) {},
                [self](get_atom) {
                  core::json_writer out;
                  out.begin_object();
                  describe_actor(out, *self);
                  out.end_object();
                  return std::move(out).text();
                }};
      });
  nodes.tell(teller, 1);
  EXPECT_EQ(nodes.ask<std::string>(teller, get_atom::value),
            R"({"actor":{"loop":0,"mailbox":1,"handled":1,"dropped":0,)"
            R"("age_ms":0,"last_error":""}})");
  nodes.stop(teller);
}

TEST_F(Pinned, SkippedMessageStaysInTheMailbox) {
  const auto picky = spawn_pinned<caf::actor, picky_state>(
      nodes.system(), nullptr,
      [](stateful_pointer<caf::actor, picky_state> self) -> caf::behavior {
        self->set_default_handler(caf::skip);
        return {[self](get_atom) { self->become([](int) {}); }};
      });
  nodes.tell(picky, 1);
  nodes.tell(picky, 2);
  EXPECT_EQ(all().at(0).mailbox_length, 2U);
  nodes.tell(picky, get_atom::value);
  EXPECT_EQ(all().at(0).mailbox_length, 0U);
  EXPECT_EQ(all().at(0).messages_handled, 3U);
  nodes.stop(picky);
}

TEST_F(Pinned, UnknownMessageIsCountedAndARequestRefused) {
  const auto counter = spawn_counter();
  const auto dynamic = caf::actor_cast<caf::actor>(counter);
  nodes.tell(dynamic, std::string{"what?"});
  const auto answer = nodes.ask<int>(dynamic, std::string{"what?"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), caf::sec::unexpected_message);
  EXPECT_EQ(all().at(0).messages_dropped, 2U);
  nodes.stop(counter);
}

TEST_F(Pinned, NotedErrorIsShownAndTheActorGoesOn) {
  const auto noting = spawn_pinned<caf::actor, noting_state>(
      nodes.system(), nullptr,
      [](stateful_pointer<caf::actor, noting_state> self) -> caf::behavior {
        return {[self](const std::string& text) { note_error(*self, text); }};
      });
  nodes.tell(noting, std::string{"peer is slow"});
  EXPECT_EQ(all().at(0).last_error, "peer is slow");
  nodes.tell(noting, std::string{"peer is gone"});
  EXPECT_EQ(all().at(0).last_error, "peer is gone");
  nodes.stop(noting);
}

TEST_F(Pinned, ExceptionEndsTheActorAndIsReported) {
  const auto counter = spawn_counter("b");
  nodes.tell(counter, fail_atom::value);
  EXPECT_TRUE(all().empty());
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(nodes.errors(),
            std::vector<std::string>{"counters/b: out of paper"});
  const auto failures = nodes.registry().failures();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].path, "counters/b");
  EXPECT_EQ(failures[0].kind, "counter");
  EXPECT_EQ(failures[0].error, "out of paper");
}

TEST_F(Pinned, EndByAnErrorIsAFailureAndByAnExitIsNot) {
  const auto quits = spawn_counter();
  nodes.tell(quits, quit_atom::value);
  ASSERT_EQ(nodes.registry().failures().size(), 1U);
  EXPECT_NE(nodes.registry().failures()[0].error.find("invalid_argument"),
            std::string::npos);
  nodes.stop(spawn_counter());
  EXPECT_EQ(nodes.registry().failures().size(), 1U);
}

TEST_F(Pinned, ExceptionInTheFactoryEndsTheActor) {
  const auto broken = spawn_pinned<caf::actor, broken_state>(
      nodes.system(), nullptr,
      [](stateful_pointer<caf::actor, broken_state>) -> caf::behavior {
        throw std::runtime_error{"no file"};
      });
  nodes.run();
  EXPECT_TRUE(all().empty());
  ASSERT_EQ(nodes.errors().size(), 1U);
  const auto answer = nodes.ask<int>(broken, 1);
  EXPECT_FALSE(answer);
}

TEST_F(Pinned, DelayedMessageComesInVirtualTime) {
  const auto counter = spawn_counter();
  nodes.tell(counter, later_atom::value);
  nodes.advance(20ms);
  EXPECT_EQ(nodes.ask<int>(counter, get_atom::value), 0);
  nodes.advance(20ms);
  EXPECT_EQ(nodes.ask<int>(counter, get_atom::value), 100);
  nodes.stop(counter);
}

TEST_F(Pinned, MoveOnlyDependencyReachesTheFactory) {
  const auto owner = spawn_pinned<caf::actor, owner_state>(
      nodes.system(), nullptr,
      [](stateful_pointer<caf::actor, owner_state> self,
         std::unique_ptr<int> owned) -> caf::behavior {
        self->state.owned = std::move(owned);
        return {[self](get_atom) { return *self->state.owned; }};
      },
      std::make_unique<int>(5));
  EXPECT_EQ(nodes.ask<int>(owner, get_atom::value), 5);
  nodes.stop(owner);
}

} // namespace
} // namespace troupe::actors::runtime
