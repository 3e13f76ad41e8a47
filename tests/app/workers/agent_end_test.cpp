// SPDX-License-Identifier: Apache-2.0
#include "app/workers/agent_end.hpp"
#include "tests/app/workers/two_loops.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace troupe::app::workers {
namespace {

using test::eventually;

/// Answers each login and counts; on the agent's loop.
struct recording_sessions final : net::session_gateway {
  struct port final : net::session_port {
    port(recording_sessions& a, core::session_link& l) : all(a), link(l) {}
    void send(std::vector<core::session_command> commands) override {
      all.commands += static_cast<int>(commands.size());
      core::logged_in welcome;
      welcome.request = 1;
      link.on_event(welcome);
    }
    void close() override { ++all.closed; }
    recording_sessions& all;
    core::session_link& link;
  };

  std::unique_ptr<net::session_port>
  open(actors::runtime::loop&, core::session_link& link,
       const net::connection_info& info) override {
    ++opened;
    protocol = std::string{info.protocol};
    peer = to_string(info.peer);
    return std::make_unique<port>(*this, link);
  }

  std::atomic<int> opened{0};
  std::atomic<int> closed{0};
  std::atomic<int> commands{0};
  std::string protocol;
  std::string peer;
};

/// Gives seats when the test says so; on the agent's loop.
struct waiting_bus final : net::msgbus::desk {
  struct chair final : net::msgbus::seat {
    void begin(net::msgbus::seat_user&) override {}
  };
  void ask(const net::connection_info& from, net::msgbus::wish,
           std::function<void(net::msgbus::ruling)> then) override {
    who = from.id;
    waiting = std::move(then);
    ++asked;
  }
  void later(std::function<void()>) override {}
  void grant() {
    net::msgbus::ruling found;
    found.seat = std::make_unique<chair>();
    waiting(std::move(found));
  }

  std::atomic<int> asked{0};
  net::connection_id who;
  std::function<void(net::msgbus::ruling)> waiting;
};

/// What a worker hears; on the worker's loop, read in between.
struct listening final : line_user {
  std::atomic<int> events{0};
  std::atomic<int> refusals{0};
  std::atomic<int> rulings{0};
  std::atomic<client_number> dismissed{0};
  std::atomic<int> rulings_before{0}; ///< it was dismissed
  std::atomic<bool> configured{false};
  void on_word(word what) override {
    rulings += std::holds_alternative<words::bus_ruling>(what) ? 1 : 0;
    if (const auto* event = std::get_if<words::event>(&what))
      look_at(*event);
    events += std::holds_alternative<words::event>(what) ? 1 : 0;
    refusals += std::holds_alternative<words::refused>(what) ? 1 : 0;
    configured = configured || std::holds_alternative<words::configure>(what);
  }
  void look_at(const words::event& event) {
    const auto* end = std::get_if<core::session_ended>(&event.what);
    if (end == nullptr || end->reason.code != core::errc::not_permitted)
      return;
    rulings_before = rulings.load();
    dismissed = event.client;
  }
  void on_room() override {}
  void on_lost(loss) override {}
};

/// An agent's end and a worker that says what the test wants.
class AgentEnd : public test::two_loops {
protected:
  AgentEnd() {
    net::address_limits_options limits;
    limits.address_connections_max = 2;
    limits.accepts = {};
    limits.logins = {0.001, 3};
    limits.exempt_loopback = false;
    limits_ = net::address_limits::make(limits);
    agent_end::parts what;
    what.home = &loop(0);
    what.sessions = &sessions_;
    what.channels.bus = &bus_;
    what.addresses = limits_;
    what.counts = counts_;
    what.ready = [this] { ready_ = true; };
    what.closed = [this] { closed_ = true; };
    what.lost = [this](std::string) { lost_ = true; };
    on_loop(0, [&] { end_ = agent_end::open(what, std::move(sockets_[0])); });
    on_loop(1, [&] {
      worker_ = line::open(loop(1), std::move(sockets_[1]), heard_);
    });
    say(words::ready{});
    EXPECT_TRUE(eventually([&] { return ready_ && heard_.configured; }));
  }
  ~AgentEnd() override {
    on_loop(0, [&] { end_->close(); });
    on_loop(1, [&] { worker_->close(); });
  }

  void say(word what) {
    on_loop(1, [&] { worker_->send(std::move(what)); });
  }
  void connect(client_number client, const std::string& protocol = "mq") {
    say(words::opened{client, "192.0.2.7:" + std::to_string(1000 + client),
                      "192.0.2.1:80"});
    say(words::speaks{client, protocol, false, ""});
  }
  /// The number of the only client, once it speaks that.
  net::connection_id number_of(const std::string& protocol) {
    net::connection_id found;
    EXPECT_TRUE(eventually([&] {
      on_loop(0, [&] {
        for (const auto& row : end_->connections())
          if (row.info.protocol == protocol)
            found = row.info.id;
      });
      return found.value() != 0;
    }));
    return found;
  }
  void log_in(client_number client) {
    words::commands batch;
    batch.client = client;
    batch.items.emplace_back(core::login{1, "bob", "n0", 1, std::nullopt});
    say(std::move(batch));
  }
  void say_end(client_number client) {
    words::commands batch;
    batch.client = client;
    batch.items.emplace_back(core::close_session{});
    say(std::move(batch));
  }

  recording_sessions sessions_;
  waiting_bus bus_;
  listening heard_;
  std::shared_ptr<net::address_limits> limits_;
  std::shared_ptr<worker_counts> counts_ = std::make_shared<worker_counts>();
  std::shared_ptr<agent_end> end_;
  std::shared_ptr<line> worker_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> closed_{false};
  std::atomic<bool> lost_{false};
};

TEST_F(AgentEnd, GivesAClientASessionAndBringsItsAnswers) {
  connect(1);
  log_in(1);
  ASSERT_TRUE(eventually([&] { return heard_.events == 1; }));
  EXPECT_EQ(sessions_.opened, 1);
  EXPECT_EQ(sessions_.protocol, "mq");
  EXPECT_EQ(sessions_.peer, "192.0.2.7:1001");
  on_loop(0, [&] { EXPECT_EQ(end_->connections().size(), 1U); });
}

TEST_F(AgentEnd, EndsASessionOnceHoweverOftenItIsTold) {
  connect(1);
  log_in(1);
  say_end(1);
  say_end(1);
  log_in(1); // too late
  say(words::closed{1, 0, 0});
  ASSERT_TRUE(eventually([&] {
    std::size_t left = 1;
    on_loop(0, [&] { left = end_->connections().size(); });
    return left == 0;
  }));
  EXPECT_EQ(sessions_.opened, 1);
  EXPECT_EQ(sessions_.closed, 1);
  EXPECT_EQ(limits_->connections(), 0U);
}

TEST_F(AgentEnd, EndsAllSessionsWithTheLine) {
  connect(1);
  log_in(1);
  connect(2);
  log_in(2);
  ASSERT_TRUE(eventually([&] { return heard_.events == 2; }));
  on_loop(1, [&] { worker_->close(); });
  ASSERT_TRUE(eventually([&] { return closed_.load(); }));
  EXPECT_EQ(sessions_.closed, 2);
  EXPECT_EQ(limits_->connections(), 0U);
  EXPECT_FALSE(lost_);
}

TEST_F(AgentEnd, ServesNobodyAboveTheLimitOfConnections) {
  for (client_number client = 1; client <= 3; ++client) {
    connect(client);
    log_in(client);
  }
  ASSERT_TRUE(eventually([&] { return heard_.refusals == 1; }));
  ASSERT_TRUE(eventually([&] { return heard_.events == 2; }));
  EXPECT_EQ(sessions_.opened, 2);
  // A place is free again when its connection is closed.
  say(words::closed{3, 0, 0});
  say(words::closed{2, 0, 0});
  connect(4);
  log_in(4);
  ASSERT_TRUE(eventually([&] { return sessions_.opened == 3; }));
}

TEST_F(AgentEnd, AnswersLoginsThatComeTooFastItself) {
  connect(1);
  for (int i = 0; i < 5; ++i)
    log_in(1);
  ASSERT_TRUE(eventually([&] { return heard_.events == 5; }));
  EXPECT_EQ(sessions_.commands, 3);
}

TEST_F(AgentEnd, AnOperatorEndsASession) {
  connect(1);
  log_in(1);
  ASSERT_TRUE(eventually([&] { return heard_.events == 1; }));
  const auto which = number_of("mq");
  on_loop(0, [&] { EXPECT_TRUE(end_->dismiss(which)); });
  ASSERT_TRUE(eventually([&] { return heard_.dismissed == 1; }));
  // What is over can't be ended once more.
  say_end(1);
  ASSERT_TRUE(eventually([&] { return sessions_.closed == 1; }));
  on_loop(0, [&] { EXPECT_FALSE(end_->dismiss(which)); });
}

TEST_F(AgentEnd, AnOperatorEndsASeatButNotBeforeItIsGiven) {
  connect(1, "http");
  words::bus_wish wish{1, 1, {}};
  wish.what.what = net::msgbus::deed::subscribe;
  say(std::move(wish));
  ASSERT_TRUE(eventually([&] { return bus_.asked == 1; }));
  on_loop(0, [&] {
    EXPECT_FALSE(end_->dismiss(bus_.who)); // a request like any other
    bus_.grant();
    // Both words wait for the line now.
    EXPECT_TRUE(end_->dismiss(bus_.who));
  });
  ASSERT_TRUE(eventually([&] { return heard_.dismissed == 1; }));
  EXPECT_EQ(heard_.rulings_before, 1);
  say(words::seat_left{1, "ended by an operator"});
  ASSERT_TRUE(eventually([&] {
    bool left = false;
    on_loop(0, [&] { left = !end_->dismiss(bus_.who); });
    return left;
  }));
}

TEST_F(AgentEnd, AnOperatorEndsWhoHasNotLoggedIn) {
  connect(7);
  const auto which = number_of("mq");
  on_loop(0, [&] {
    EXPECT_FALSE(end_->dismiss(net::connection_id{which.value() + 1}));
    EXPECT_TRUE(end_->dismiss(which));
  });
  ASSERT_TRUE(eventually([&] { return heard_.dismissed == 7; }));
  EXPECT_EQ(sessions_.opened, 0);
}

TEST_F(AgentEnd, GivesUpAWorkerThatSpeaksOfNobody) {
  connect(1);
  log_in(1);
  log_in(7);
  ASSERT_TRUE(eventually([&] { return lost_.load(); }));
  EXPECT_EQ(sessions_.closed, 1);
}

TEST_F(AgentEnd, GivesUpAWorkerThatTalksLikeAnAgent) {
  say(words::drain{});
  ASSERT_TRUE(eventually([&] { return lost_.load(); }));
}

TEST_F(AgentEnd, GivesUpAWorkerThatIsSilentForSixBeats) {
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([&] { return lost_.load(); }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 5 * beat_interval);
}

TEST(WorkerCounts, KeepWhatDeadProcessesHaveCounted) {
  worker_counts counts;
  net::net_stats first;
  first.accepted = 5;
  first.open = 3;
  first.open_by_protocol["mq"] = 3;
  counts.take(first, 7);
  EXPECT_EQ(counts.sum().open, 3U);
  counts.begin();
  EXPECT_EQ(counts.sum().accepted, 5U);
  EXPECT_EQ(counts.sum().open, 0U);
  EXPECT_TRUE(counts.sum().open_by_protocol.empty());
  EXPECT_EQ(counts.words_waiting(), 0U);
  net::net_stats second;
  second.accepted = 2;
  second.open = 1;
  counts.take(second, 0);
  EXPECT_EQ(counts.sum().accepted, 7U);
  EXPECT_EQ(counts.sum().open, 1U);
}

} // namespace
} // namespace troupe::app::workers
