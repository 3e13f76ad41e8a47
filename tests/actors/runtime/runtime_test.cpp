// SPDX-License-Identifier: Apache-2.0
//
// Pinned actors on real loops: threads, wake-ups, timeouts, the way down.
#include "actors/runtime/fan_out.hpp"
#include "actors/runtime/pinned.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>

namespace troupe::actors::runtime {
namespace {

using namespace std::chrono_literals;
using where_atom = caf::atom_constant<caf::atom("where")>;
using fail_atom = caf::atom_constant<caf::atom("fail")>;
using later_atom = caf::atom_constant<caf::atom("later")>;
using hold_atom = caf::atom_constant<caf::atom("hold")>;

using probe_actor =
    caf::typed_actor<caf::replies_to<where_atom>::with<int>,
                     caf::replies_to<std::uint64_t>::with<std::uint64_t>,
                     caf::reacts_to<fail_atom>,
                     caf::replies_to<later_atom>::with<bool>,
                     caf::replies_to<hold_atom>::with<int>>;

int current_index() {
  return loop::current() == nullptr
             ? -1
             : static_cast<int>(loop::current()->index());
}

struct probe_state {
  static constexpr const char* name = "probe";
  std::uint64_t last = 0;
  std::vector<caf::typed_response_promise<int>> unanswered;
};

probe_actor::behavior_type
probe_behavior(probe_actor::stateful_pointer<probe_state> self) {
  EXPECT_EQ(home_of(*self), loop::current());
  return {
      [](where_atom) { return current_index(); },
      [self](std::uint64_t number) {
        if (number != self->state.last + 1)
          throw std::logic_error{"out of order"};
        return self->state.last = number;
      },
      [](fail_atom) { throw std::runtime_error{"broken"}; },
      [self](later_atom) {
        auto promise = self->make_response_promise<bool>();
        // Twice around through CAF's clock.
        self->request(caf::actor_cast<caf::actor>(self), 20ms, hold_atom::value)
            .then([promise](int) mutable { promise.deliver(false); },
                  [promise](caf::error& e) mutable {
                    promise.deliver(e == caf::sec::request_timeout);
                  });
        return promise;
      },
      [self](hold_atom) {
        self->state.unanswered.push_back(self->make_response_promise<int>());
        return self->state.unanswered.back();
      },
  };
}

struct asker_state {
  static constexpr const char* name = "asker";
};

struct ticker_state {
  static constexpr const char* name = "ticker";
  int ticks = 0;
  caf::response_promise done;
};

struct node {
  explicit node(std::size_t loops = 2)
      : config(options(loops)), system(config) {}

  runtime_options options(std::size_t loops) {
    runtime_options result;
    result.loops = loops;
    result.on_error = [this](std::string_view, std::string_view) { ++reports; };
    return result;
  }
  scheduler& loops() { return scheduler::of(system); }
  probe_actor spawn_probe(std::size_t i) {
    return spawn_pinned<probe_actor, probe_state>(system, &loops().at(i),
                                                  probe_behavior);
  }
  template <class Result, class Handle, class... Ts>
  caf::expected<Result> ask(const Handle& to, const Ts&... xs) {
    caf::expected<Result> answer{caf::sec::runtime_error};
    caf::scoped_actor self{system};
    self->request(to, 10s, xs...)
        .receive([&](Result& value) { answer = std::move(value); },
                 [&](caf::error& e) { answer = std::move(e); });
    return answer;
  }
  template <class Handle>
  void stop(const Handle& who) {
    caf::scoped_actor self{system};
    self->send_exit(who, caf::exit_reason::user_shutdown);
    self->wait_for(who);
  }

  std::atomic<int> reports{0};
  runtime_config config;
  caf::actor_system system;
};

TEST(Runtime, ActorStaysOnItsHomeWhoeverSends) {
  node n;
  std::vector<probe_actor> probes;
  for (std::size_t i = 0; i < 20; ++i)
    probes.push_back(n.spawn_probe(i % 2));
  // From here, and from each of the loops.
  for (std::size_t i = 0; i < probes.size(); ++i)
    EXPECT_EQ(n.ask<int>(probes[i], where_atom::value),
              static_cast<int>(i % 2));
  for (std::size_t home = 0; home < 2; ++home) {
    const auto asker = spawn_pinned<caf::actor, asker_state>(
        n.system, &n.loops().at(home),
        [probes](
            stateful_pointer<caf::actor, asker_state> self) -> caf::behavior {
          return {[self, probes](int i) {
            return self->delegate(probes[static_cast<std::size_t>(i)],
                                  where_atom::value);
          }};
        });
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(n.ask<int>(asker, i), i % 2);
    n.stop(asker);
  }
  for (const auto& each : probes)
    n.stop(each);
}

TEST(Runtime, MessagesOfOneSenderStayInOrder) {
  node n;
  const auto probe = n.spawn_probe(1);
  std::uint64_t last = 0;
  for (std::uint64_t i = 1; i <= 20'000; ++i)
    caf::anon_send(probe, i);
  last = 20'001;
  EXPECT_EQ(n.ask<std::uint64_t>(probe, last), last);
  EXPECT_EQ(n.reports, 0);
  n.stop(probe);
}

TEST(Runtime, RequestTimeoutAndDelayedSendWork) {
  node n;
  const auto probe = n.spawn_probe(0);
  EXPECT_EQ(n.ask<bool>(probe, later_atom::value), true);
  const auto ticker = spawn_pinned<caf::actor, ticker_state>(
      n.system, &n.loops().at(1),
      [](stateful_pointer<caf::actor, ticker_state> self) -> caf::behavior {
        return {[self](where_atom) -> caf::result<int> {
                  self->state.done = self->make_response_promise();
                  self->delayed_send(self, 5ms, 1);
                  return caf::delegated<int>{};
                },
                [self](int) {
                  EXPECT_EQ(current_index(), 1);
                  if (++self->state.ticks < 3)
                    self->delayed_send(self, 5ms, 1);
                  else
                    self->state.done.deliver(self->state.ticks);
                }};
      });
  EXPECT_EQ(n.ask<int>(ticker, where_atom::value), 3);
  // What it sent itself were timers of its loop.
  EXPECT_EQ(n.loops().at(1).stats().timers_fired, 3U);
  n.stop(ticker);
  n.stop(probe);
}

TEST(Runtime, ExceptionInAHandlerEndsThatActorOnly) {
  node n;
  const auto broken = n.spawn_probe(0);
  const auto other = n.spawn_probe(0);
  caf::scoped_actor self{n.system};
  self->monitor(broken);
  caf::anon_send(broken, fail_atom::value);
  self->receive([](const caf::down_msg& down) {
    EXPECT_EQ(down.reason, caf::sec::runtime_error);
  });
  EXPECT_EQ(n.reports, 1);
  EXPECT_EQ(n.config.registry().failures().size(), 1U);
  EXPECT_EQ(n.ask<int>(other, where_atom::value), 0);
  n.stop(other);
}

TEST(Runtime, AdminPagesThroughActorsUnderChurn) {
  node n;
  constexpr std::size_t staying = 500;
  std::vector<probe_actor> probes;
  for (std::size_t i = 0; i < staying; ++i)
    probes.push_back(n.spawn_probe(i % 2));
  for (const auto& each : probes)
    ASSERT_TRUE(n.ask<int>(each, where_atom::value));
  std::atomic<bool> enough{false};
  auto churn = std::async(std::launch::async, [&] {
    for (std::size_t i = 0; !enough; ++i)
      caf::anon_send_exit(n.spawn_probe(i % 2), caf::exit_reason::kill);
  });
  for (int walk = 0; walk < 5; ++walk) {
    std::map<std::string, int> seen;
    actor_query query;
    query.entries_max = 64;
    for (;;) {
      std::promise<actor_page> answer;
      n.loops().list_actors(
          query, [&](actor_page page) { answer.set_value(std::move(page)); });
      const auto page = answer.get_future().get();
      for (const auto& each : page.actors)
        ++seen[each.path];
      if (!page.next)
        break;
      query.from = *page.next;
    }
    for (const auto& each : probes)
      EXPECT_EQ(seen["probe/" + std::to_string(each.id())], 1);
  }
  enough = true;
  churn.get();
  for (const auto& each : probes)
    n.stop(each);
}

TEST(Runtime, HomesAreSpreadByHash) {
  node n{3};
  std::array<int, 3> uses{};
  for (std::size_t i = 0; i < 3000; ++i)
    ++uses[n.loops().home_for(i).index()];
  for (const auto count : uses)
    EXPECT_GT(count, 800);
  EXPECT_EQ(&n.loops().home_for(77), &n.loops().home_for(77));
}

TEST(Runtime, FanOutReachesSubscribersOfAllLoopsInOrder) {
  using numbers = fan_out<int, std::uint64_t>;
  struct receiver final : subscriber<std::uint64_t> {
    void deliver(const std::uint64_t& batch) override {
      in_order = in_order && batch == last + 1 &&
                 current_index() == static_cast<int>(home);
      last = batch;
      if (batch == 1000)
        done.set_value();
    }
    std::size_t home = 0;
    std::uint64_t last = 0;
    bool in_order = true;
    std::promise<void> done;
    numbers::hub_type::subscription kept;
  };
  node n;
  std::mutex mutex;
  std::vector<std::pair<std::size_t, bool>> interest;
  const auto all = std::make_shared<numbers>(
      n.system, [&](std::size_t index, int, bool any) {
        const std::lock_guard lock{mutex};
        interest.emplace_back(index, any);
      });
  std::array<receiver, 4> receivers;
  for (std::size_t i = 0; i < receivers.size(); ++i) {
    receivers[i].home = i % 2;
    n.loops().at(i % 2).post(
        [&, i] { receivers[i].kept = all->here().subscribe(7, receivers[i]); });
  }
  const std::array<std::size_t, 2> loops{0, 1};
  n.loops().at(0).post([&] {
    for (std::uint64_t i = 1; i <= 1000; ++i)
      all->publish(7, std::make_shared<const std::uint64_t>(i), loops);
  });
  for (auto& each : receivers) {
    each.done.get_future().wait();
    EXPECT_TRUE(each.in_order);
    std::promise<void> ended;
    n.loops().at(each.home).post([&] {
      each.kept.end();
      ended.set_value();
    });
    ended.get_future().wait();
  }
  EXPECT_EQ(interest.size(), 4U); // each loop: first came, last went
}

TEST(Runtime, StopsCleanlyWithJobsStillQueued) {
  for (int round = 0; round < 20; ++round) {
    node n;
    const auto a = n.spawn_probe(0);
    const auto b = n.spawn_probe(1);
    for (int i = 0; i < 1000; ++i) {
      caf::anon_send(a, where_atom::value);
      caf::anon_send(b, where_atom::value);
      n.loops().at(0).post([b] { caf::anon_send(b, where_atom::value); });
    }
    caf::anon_send_exit(a, caf::exit_reason::kill);
    caf::anon_send_exit(b, caf::exit_reason::kill);
  }
}

TEST(Runtime, FiftyLifetimes) {
  for (int round = 0; round < 50; ++round) {
    node n{1 + static_cast<std::size_t>(round) % 3};
    const auto probe = n.spawn_probe(0);
    EXPECT_EQ(n.ask<int>(probe, where_atom::value), 0);
    // Dies with the system: a message that never comes, an actor nobody ends
    // but which nobody holds either.
    caf::delayed_anon_send(probe, 60s, std::uint64_t{1});
    n.stop(probe);
    n.spawn_probe(0);
  }
}

TEST(Runtime, ManyShortLivedActors) {
  node n;
  std::vector<probe_actor> probes;
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < 200; ++i)
      probes.push_back(n.spawn_probe(i % 2));
    for (const auto& each : probes)
      caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
    probes.clear();
  }
  n.system.await_all_actors_done();
  EXPECT_EQ(n.config.registry().size(), 0U);
}

} // namespace
} // namespace troupe::actors::runtime
