// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "app/workers/worker_seats.hpp"
#include "tests/app/workers/sample_words.hpp"

#include <caf/actor_system.hpp>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace troupe::app::workers {
namespace {

using net::msgbus::ruling;
using net::zenconn::welcome;
using lines = std::vector<std::string>;

struct listener final : net::msgbus::seat_user {
  void on_publication(const core::publication_ptr& what) override {
    heard.push_back(std::string{what->payload.text()});
    if (ends)
      seat.reset();
  }
  void foretell(const core::publication_ptr&, core::listener_fate&) override {}
  void on_seat_lost(std::string_view why) override {
    heard.push_back("lost: " + std::string{why});
    seat.reset();
  }
  std::unique_ptr<net::msgbus::seat> seat;
  lines heard;
  bool ends = false;
};

struct visitor final : net::zenconn::guest_user {
  void together(const std::function<void()>& work) override { work(); }
  void tell(const net::zenconn::answer& what) override {
    heard.push_back("answer " + what.channel);
  }
  void dismiss(net::ws::close_code code, std::string_view why) override {
    heard.push_back(std::to_string(static_cast<int>(code)) + " " +
                    std::string{why});
  }
  void tell_event(net::zenconn::shared_event& what) override {
    heard.push_back("event " + std::string{what.channel()});
  }
  void on_room() override { heard.push_back("room"); }
  std::unique_ptr<net::zenconn::guest> guest;
  lines heard;
};

/// The test is the line and the agent behind it.
class WorkerSeats : public testing::Test {
protected:
  WorkerSeats() : config_(options()), system_(config_) {}

  static actors::runtime::runtime_options options() {
    actors::runtime::runtime_options o;
    o.loops = 1;
    return o;
  }
  actors::runtime::loop& home() {
    return actors::runtime::scheduler::of(system_).at(0);
  }
  /// The last word, if it is one of these.
  template <class Word>
  Word last() {
    EXPECT_FALSE(said_.empty());
    const auto* found = std::get_if<Word>(&said_.back());
    EXPECT_NE(found, nullptr);
    return found == nullptr ? Word{} : *found;
  }
  std::optional<ruling::kind> ask(net::msgbus::wish what, listener* to) {
    answered_.reset();
    seats_.ask(info_, std::move(what), [this, to](ruling found) {
      answered_ = found.what;
      if (!found.seat)
        return;
      found.seat->begin(*to);
      to->seat = std::move(found.seat);
    });
    return answered_;
  }
  seat_number listen(listener& to) {
    net::msgbus::wish what;
    what.what = net::msgbus::deed::subscribe;
    ask(what, &to);
    const auto seat = last<words::bus_wish>().seat;
    words::bus_ruling yes{seat, ruling::kind::granted, "anna", true, {}};
    seats_.take(yes);
    return seat;
  }
  seat_number enter(visitor& who) {
    seats_.let_in(
        info_, {"token"}, [] { return true; },
        [&](welcome found) {
          answered_.reset();
          if (!found.guest)
            return;
          who.guest = std::move(found.guest);
          EXPECT_TRUE(who.guest->enter(who));
        });
    const auto seat = last<words::knock>().seat;
    words::welcome yes{seat, welcome::kind::let_in, {}, "anna"};
    seats_.take(yes);
    return seat;
  }

  actors::runtime::runtime_config config_;
  caf::actor_system system_;
  std::vector<word> said_;
  bool full_ = false;
  worker_seats seats_{{home(),
                       [this](word w) { said_.push_back(std::move(w)); },
                       [this] { return full_; }, 2}};
  net::connection_info info_;
  std::optional<ruling::kind> answered_;
};

TEST_F(WorkerSeats, TakeAWishToTheAgentAndBringTheRuling) {
  net::msgbus::wish what;
  what.what = net::msgbus::deed::publish;
  what.channel = "a";
  EXPECT_FALSE(ask(what, nullptr));
  const auto asked = last<words::bus_wish>();
  EXPECT_EQ(asked.what, what);
  words::bus_ruling no{asked.seat, ruling::kind::denied, "", false, {}};
  seats_.take(no);
  EXPECT_EQ(answered_, ruling::kind::denied);
  answered_.reset();
  seats_.take(no); // a second answer is nobody's
  EXPECT_FALSE(answered_);
}

TEST_F(WorkerSeats, GiveOnePublicationToAllWhoListen) {
  listener one;
  listener other;
  const auto first = listen(one);
  const auto second = listen(other);
  EXPECT_LT(first, second);
  seats_.take(words::published{{first, second, 99}, sample_publication(1)});
  EXPECT_EQ(one.heard, lines{"p"});
  EXPECT_EQ(other.heard, lines{"p"});
  one.ends = true;
  seats_.take(words::published{{first, second}, sample_publication(1)});
  EXPECT_EQ(last<words::seat_left>().seat, first);
  seats_.take(words::published{{first, second}, sample_publication(1)});
  EXPECT_EQ(one.heard.size(), 2U);
  EXPECT_EQ(other.heard.size(), 3U);
}

TEST_F(WorkerSeats, ASeatThatTheAgentEndsIsNotLeft) {
  listener one;
  const auto seat = listen(one);
  const auto said = said_.size();
  seats_.take(words::seat_over{seat, 0, "revoked"});
  EXPECT_EQ(one.heard, lines{"lost: revoked"});
  EXPECT_EQ(said_.size(), said);
}

TEST_F(WorkerSeats, AQuestionThatNobodyAnswersIsRefusedInTime) {
  EXPECT_FALSE(ask({}, nullptr));
  const auto seat = last<words::bus_wish>().seat;
  const auto now = home().clock().now();
  seats_.look(now);
  EXPECT_FALSE(answered_);
  seats_.look(now + worker_seats::answer_time + core::milliseconds{1000});
  EXPECT_EQ(answered_, ruling::kind::busy);
  EXPECT_EQ(last<words::seat_left>().seat, seat);
  // The answer comes too late for a seat.
  words::bus_ruling yes{seat, ruling::kind::granted, "", true, {}};
  seats_.take(yes);
}

TEST_F(WorkerSeats, WithoutTheAgentEverybodyIsRefused) {
  EXPECT_FALSE(ask({}, nullptr));
  seats_.on_lost();
  EXPECT_EQ(answered_, ruling::kind::busy);
  EXPECT_EQ(ask({}, nullptr), ruling::kind::busy);
}

TEST_F(WorkerSeats, AGuestAsksNoMoreThanHeMay) {
  visitor who;
  const auto seat = enter(who);
  EXPECT_FALSE(who.guest->paused());
  who.guest->ask({}, {});
  who.guest->ask({}, {});
  EXPECT_EQ(last<words::request>().seat, seat);
  EXPECT_TRUE(who.guest->paused());
  net::zenconn::answer told;
  told.what = net::zenconn::answer::kind::received;
  told.channel = "a";
  seats_.take(words::answer{seat, told});
  EXPECT_EQ(who.heard, lines{"answer a"});
  EXPECT_FALSE(who.guest->paused());
}

TEST_F(WorkerSeats, AGuestWaitsForRoomInTheLine) {
  visitor who;
  enter(who);
  full_ = true;
  EXPECT_TRUE(who.guest->paused());
  EXPECT_TRUE(who.guest->paused());
  full_ = false;
  seats_.on_room();
  seats_.on_room();
  EXPECT_EQ(who.heard, lines{"room"});
}

TEST_F(WorkerSeats, AGuestIsToldOfEventsAndSentAway) {
  visitor who;
  const auto seat = enter(who);
  seats_.take(words::channel_event{{seat}, "private.a", sample_publication(3)});
  seats_.take(words::seat_over{seat, 1008, "revoked"});
  EXPECT_EQ(who.heard, (lines{"event private.a", "1008 revoked"}));
  const auto said = said_.size();
  who.guest.reset();
  EXPECT_EQ(said_.size(), said);
}

TEST_F(WorkerSeats, AGuestWhoGoesSaysWhyOnce) {
  visitor who;
  enter(who);
  who.guest->depart("the client closed");
  who.guest.reset();
  EXPECT_EQ(last<words::seat_left>().why, "the client closed");
  EXPECT_EQ(said_.size(), 2U);
}

} // namespace
} // namespace troupe::app::workers
