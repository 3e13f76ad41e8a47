// SPDX-License-Identifier: Apache-2.0
#include "app/workers/agent_seats.hpp"
#include "tests/app/workers/sample_words.hpp"
#include "tests/app/workers/two_loops.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::app::workers {
namespace {

using net::msgbus::ruling;
using net::zenconn::welcome;
using test::eventually;
using lines = std::vector<std::string>;

/// Gives seats, and remembers who sits there. On the agent's loop.
struct test_bus final : net::msgbus::desk {
  struct chair final : net::msgbus::seat {
    chair(test_bus& o, std::string c) : owner(o), channel(std::move(c)) {}
    ~chair() override { owner.chairs.erase(channel); }
    void begin(net::msgbus::seat_user& user) override {
      owner.chairs[channel] = &user;
    }
    test_bus& owner;
    std::string channel;
  };
  void ask(const net::connection_info& from, net::msgbus::wish what,
           std::function<void(ruling)> then) override {
    asked.push_back(to_string(from.peer) + " " + what.channel);
    ruling found;
    if (what.what == net::msgbus::deed::subscribe)
      found.seat = std::make_unique<chair>(*this, what.channel);
    if (late)
      waiting = [then = std::move(then)] { then({}); };
    else
      then(std::move(found));
  }
  void later(std::function<void()>) override {}

  std::map<std::string, net::msgbus::seat_user*> chairs;
  lines asked;
  bool late = false;
  std::function<void()> waiting;
};

/// Lets everybody in.
struct test_zenconn final : net::zenconn::desk {
  struct guest final : net::zenconn::guest {
    guest(test_zenconn& o, std::string n) : owner(o), name(std::move(n)) {}
    ~guest() override { depart("the connection ended"); }
    bool enter(net::zenconn::guest_user& user) override {
      owner.users[name] = &user;
      user.tell({});
      return owner.room;
    }
    void ask(net::zenconn::request asked, core::steady_time) override {
      owner.heard.push_back(name + " asks " + asked.channel);
      if (owner.silent)
        return;
      net::zenconn::answer told;
      told.what = net::zenconn::answer::kind::subscribed;
      owner.users.at(name)->tell(told);
    }
    [[nodiscard]] bool paused() override { return false; }
    void on_tick(core::steady_time) override {
      due.reset();
      owner.heard.push_back(name + " ticks");
    }
    [[nodiscard]] std::optional<core::steady_time> deadline() const override {
      return due;
    }
    void depart(std::string_view why) override {
      if (owner.users.erase(name) > 0)
        owner.heard.push_back(name + " departs: " + std::string{why});
    }
    test_zenconn& owner;
    const std::string name;
    std::optional<core::steady_time> due{core::steady_time{}};
  };
  void let_in(const net::connection_info&, net::zenconn::knock who,
              std::function<bool()> waits,
              std::function<void(welcome)> then) override {
    EXPECT_TRUE(waits());
    EXPECT_EQ(who.worker, 3U);
    welcome done;
    done.guest = std::make_unique<guest>(*this, who.bearer);
    then(std::move(done));
  }
  std::map<std::string, net::zenconn::guest_user*> users;
  lines heard;
  bool room = true;
  bool silent = false;
};

/// What the worker hears.
struct listening final : line_user {
  void on_word(word what) override {
    const std::lock_guard lock{mutex};
    found.push_back(std::move(what));
  }
  void on_room() override {}
  void on_lost(loss) override {}
  std::mutex mutex;
  std::vector<word> found;
};

class AgentSeats : public test::two_loops {
protected:
  AgentSeats() {
    on_loop(0, [&] {
      line_ = line::open(loop(0), std::move(sockets_[0]), nobody_);
      seats_ = std::make_unique<agent_seats>(
          channel_desks{&bus_, &zenconn_, &bus_stats_, &zenconn_stats_, 2},
          loop(0), 3, *line_);
    });
    info_.peer = *net::parse_endpoint("192.0.2.7:1001");
  }
  ~AgentSeats() override {
    on_loop(0, [&] {
      seats_.reset();
      line_->close();
    });
    on_loop(1, [&] {
      if (worker_)
        worker_->close();
    });
  }
  void listen_to_it() {
    on_loop(1, [&] {
      worker_ = line::open(loop(1), std::move(sockets_[1]), heard_);
    });
  }
  std::vector<word> heard(std::size_t count) {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock{heard_.mutex};
      return heard_.found.size() >= count;
    }));
    const std::lock_guard lock{heard_.mutex};
    return heard_.found;
  }
  bool ask(client_number client, seat_number seat, net::msgbus::deed what,
           const std::string& channel) {
    words::bus_wish w{client, seat, {}};
    w.what.what = what;
    w.what.channel = channel;
    return seats_->take(w, info_);
  }
  bool knock(client_number client, seat_number seat, const std::string& name) {
    words::knock w{client, seat, {name}};
    return seats_->take(w, info_);
  }
  bool request(seat_number seat) {
    words::request w{seat, {net::zenconn::request::kind::subscribe, "a"}};
    return seats_->take(w);
  }

  test_bus bus_;
  test_zenconn zenconn_;
  net::msgbus::bus_stats bus_stats_;
  net::zenconn::zenconn_stats zenconn_stats_;
  listening nobody_;
  listening heard_;
  net::connection_info info_;
  std::shared_ptr<line> line_;
  std::shared_ptr<line> worker_;
  std::unique_ptr<agent_seats> seats_;
};

constexpr auto subscribe = net::msgbus::deed::subscribe;
constexpr auto publish = net::msgbus::deed::publish;

TEST_F(AgentSeats, OnePublicationCrossesOnceForAllWhoGetIt) {
  listen_to_it();
  on_loop(0, [&] {
    EXPECT_TRUE(ask(1, 1, subscribe, "a"));
    EXPECT_TRUE(ask(2, 2, subscribe, "b"));
    EXPECT_TRUE(ask(3, 5, publish, "c"));
    const auto what = sample_publication(3);
    const auto next = sample_publication(3);
    for (const auto& each : {what, next})
      for (auto& [channel, user] : bus_.chairs)
        user->on_publication(each);
  });
  const auto words = heard(5);
  EXPECT_EQ(bus_.asked.front(), "192.0.2.7:1001 a");
  EXPECT_TRUE(std::get<words::bus_ruling>(words[0]).seated);
  EXPECT_TRUE(std::get<words::bus_ruling>(words[1]).seated);
  EXPECT_FALSE(std::get<words::bus_ruling>(words[2]).seated);
  for (std::size_t i = 3; i < 5; ++i)
    EXPECT_EQ(std::get<words::published>(words[i]).seats,
              (std::vector<seat_number>{1, 2}));
}

TEST_F(AgentSeats, WhatDoesNotFitTheLineIsDroppedAndCounted) {
  on_loop(0, [&] { // the worker does not read
    EXPECT_TRUE(ask(1, 1, subscribe, "a"));
    for (int i = 0; i < 30; ++i)
      bus_.chairs.at("a")->on_publication(sample_publication(1 << 20));
  });
  on_loop(0, [&] { EXPECT_TRUE(ask(2, 2, publish, "b")); });
  const auto dropped = bus_stats_.dropped_line.load();
  EXPECT_GT(dropped, 0U);
  EXPECT_LT(dropped, 30U);
  // What is no publication waits.
  listen_to_it();
  const auto words = heard(1 + 30 - dropped + 1);
  EXPECT_EQ(std::get<words::bus_ruling>(words.back()).seat, 2U);
}

TEST_F(AgentSeats, AreEndedWithTheirClientAndAtTheEnd) {
  on_loop(0, [&] {
    EXPECT_TRUE(ask(1, 1, subscribe, "a"));
    EXPECT_TRUE(knock(2, 2, "anna"));
    EXPECT_TRUE(knock(3, 3, "bob"));
    EXPECT_FALSE(seats_->has_guest(1));
    EXPECT_TRUE(seats_->has_guest(2));
    EXPECT_TRUE(seats_->has_seat(1));
    EXPECT_TRUE(seats_->has_seat(2));
    EXPECT_FALSE(seats_->has_seat(4));
    seats_->end_client(1, "gone");
    EXPECT_FALSE(seats_->has_seat(1));
    EXPECT_TRUE(bus_.chairs.empty());
    seats_->end_client(2, "gone");
    seats_->close("the worker ended");
  });
  EXPECT_EQ(zenconn_.heard,
            (lines{"anna departs: gone", "bob departs: the worker ended"}));
}

TEST_F(AgentSeats, ASeatThatIsLeftBeforeItsRulingIsNoSeat) {
  bus_.late = true;
  on_loop(0, [&] {
    EXPECT_TRUE(ask(1, 1, subscribe, "a"));
    EXPECT_FALSE(seats_->has_seat(1));
    EXPECT_TRUE(seats_->take(words::seat_left{1, "gone"}));
    bus_.waiting();
    EXPECT_TRUE(seats_->take(words::seat_left{1, "again"}));
  });
  listen_to_it();
  on_loop(0, [&] {
    EXPECT_TRUE(ask(1, 2, publish, "b"));
    bus_.waiting();
  });
  EXPECT_EQ(std::get<words::bus_ruling>(heard(1).front()).seat, 2U);
}

TEST_F(AgentSeats, WhoLosesHisRightIsToldAndGone) {
  listen_to_it();
  on_loop(0, [&] {
    EXPECT_TRUE(ask(1, 1, subscribe, "a"));
    EXPECT_TRUE(knock(2, 2, "anna"));
    bus_.chairs.at("a")->on_seat_lost("revoked");
    EXPECT_TRUE(bus_.chairs.empty());
    auto* user = zenconn_.users.at("anna");
    user->together([&] {
      user->dismiss(net::ws::close_code::policy_violation, "revoked");
    });
    EXPECT_FALSE(seats_->has_guest(2));
    EXPECT_TRUE(request(2)); // it was on its way
  });
  const auto words = heard(5);
  EXPECT_EQ(std::get<words::seat_over>(words[3]),
            (words::seat_over{1, 0, "revoked"}));
  EXPECT_EQ(std::get<words::seat_over>(words[4]),
            (words::seat_over{2, 1008, "revoked"}));
}

TEST_F(AgentSeats, WithoutRoomAGuestIsSentAway) {
  zenconn_.room = false;
  listen_to_it();
  on_loop(0, [&] { EXPECT_TRUE(knock(1, 1, "anna")); });
  EXPECT_EQ(std::get<words::seat_over>(heard(3).back()),
            (words::seat_over{1, 1011, "no room"}));
  EXPECT_TRUE(zenconn_.users.empty());
}

TEST_F(AgentSeats, AGuestsDeadlineIsKept) {
  on_loop(0, [&] {
    EXPECT_TRUE(knock(1, 1, "anna"));
    EXPECT_TRUE(request(1));
  });
  EXPECT_TRUE(eventually([&] {
    bool ticked = false;
    on_loop(0, [&] { ticked = zenconn_.heard.back() == "anna ticks"; });
    return ticked;
  }));
}

TEST_F(AgentSeats, NonsenseIsNotTaken) {
  on_loop(0, [&] {
    EXPECT_FALSE(request(1));
    EXPECT_FALSE(seats_->take(words::seat_left{1, ""}));
    EXPECT_TRUE(ask(1, 5, subscribe, "a"));
    EXPECT_FALSE(ask(1, 5, subscribe, "a")); // never twice
    EXPECT_FALSE(ask(1, 4, subscribe, "a"));
    EXPECT_FALSE(request(5)); // of a subscriber
    seat_number seat = 5;
    while (seat < 5 + agent_seats::seats_of_client_max - 1) {
      ++seat;
      EXPECT_TRUE(ask(1, seat, subscribe, std::to_string(seat)));
    }
    EXPECT_FALSE(ask(1, seat + 1, subscribe, "one more"));
    zenconn_.silent = true;
    EXPECT_TRUE(knock(2, 100, "anna"));
    int taken = 0;
    while (taken < 1000 && request(100))
      ++taken;
    EXPECT_GE(taken, 2);
    EXPECT_LT(taken, 1000);
  });
}

TEST_F(AgentSeats, AddWhatTheWorkerCounts) {
  words::writer_counts counted;
  counted.delivered = 5;
  counted.events = 3;
  seats_->take(counted);
  counted.delivered = 7;
  seats_->take(counted);
  counted.delivered = 0; // nonsense takes nothing away
  seats_->take(counted);
  EXPECT_EQ(bus_stats_.delivered.load(), 7U);
  EXPECT_EQ(zenconn_stats_.delivered.load(), 3U);
}

} // namespace
} // namespace troupe::app::workers
