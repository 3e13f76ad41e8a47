// SPDX-License-Identifier: Apache-2.0
#include "actors/runtime/loop.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "app/audit_gateway.hpp"
#include "tests/support/recording_link.hpp"

#include <caf/actor_system.hpp>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::app {
namespace {

/// Keeps records when the test says so.
class manual_sink final : public core::audit_sink {
public:
  [[nodiscard]] bool has_room() const noexcept override { return room; }
  core::audit_ticket record(const core::audit_entry& what) override {
    lines.push_back(std::string{core::to_string(what.kind)} + " " +
                    std::string{what.type} + " user=" + std::string{what.user} +
                    " target=" + std::string{what.target} +
                    (what.accepted ? " ok" : " no ") +
                    std::string{what.reason} + " #" +
                    std::to_string(what.size));
    return lines.size();
  }
  [[nodiscard]] bool
  is_kept(core::audit_ticket ticket) const noexcept override {
    return ticket <= kept;
  }
  void when_kept(core::audit_ticket ticket,
                 std::function<void()> then) override {
    waiters.emplace(ticket, std::move(then));
  }
  void keep(core::audit_ticket through) {
    kept = through;
    while (!waiters.empty() && waiters.begin()->first <= kept) {
      const auto then = std::move(waiters.begin()->second);
      waiters.erase(waiters.begin());
      then();
    }
  }

  bool room = true;
  core::audit_ticket kept = 1000;
  std::vector<std::string> lines;
  std::multimap<core::audit_ticket, std::function<void()>> waiters;
};

/// A session that the test plays.
struct played_session {
  core::session_link* link = nullptr;
  std::vector<core::session_command> commands;
  bool closed = false;
};

class playing_gateway final : public net::session_gateway {
public:
  explicit playing_gateway(played_session& plays) : plays_(plays) {}

  std::unique_ptr<net::session_port>
  open(actors::runtime::loop&, core::session_link& link,
       const net::connection_info&) override {
    struct port final : net::session_port {
      explicit port(played_session& s) : plays(s) {}
      void send(std::vector<core::session_command> all) override {
        for (auto& each : all)
          plays.commands.push_back(std::move(each));
      }
      void close() override { plays.closed = true; }
      played_session& plays;
    };
    plays_.link = &link;
    return std::make_unique<port>(plays_);
  }

private:
  played_session& plays_;
};

/// The test's thread stands for the loop, but for what is posted to it.
class AuditGateway : public testing::Test {
protected:
  AuditGateway()
      : config_(options()), system_(config_),
        home_(actors::runtime::scheduler::of(system_).at(0)) {
    info_.id = net::connection_id{5};
    info_.protocol = "mq";
    port_ = gateway_.open(home_, client_, info_);
  }

  static actors::runtime::runtime_options options() {
    actors::runtime::runtime_options made;
    made.loops = 1;
    return made;
  }
  template <class Command>
  void send(Command command) {
    std::vector<core::session_command> all;
    all.emplace_back(std::move(command));
    port_->send(std::move(all));
  }
  void login() {
    core::login asked;
    asked.request = 1;
    asked.uid = "alice";
    send(asked);
    core::logged_in answer;
    answer.request = 1;
    session_.link->on_event(answer);
  }
  void post(core::request_number request, const std::string& text = "hello") {
    core::post asked;
    asked.request = request;
    asked.to = {{"bob", core::recipient_kind::all_devices},
                {"carol", core::recipient_kind::all_devices}};
    asked.message.payload = core::shared_bytes::copy_of(text);
    send(asked);
  }
  void answer(core::request_number request) {
    session_.link->on_event(core::posted{request, true, {}, {}});
  }
  /// What was posted to the loop has run.
  void pass_loop() {
    std::promise<void> passed;
    home_.post([&] { passed.set_value(); });
    passed.get_future().wait();
  }

  actors::runtime::runtime_config config_;
  caf::actor_system system_;
  actors::runtime::loop& home_;
  manual_sink sink_;
  played_session session_;
  playing_gateway inner_{session_};
  audit_gateway gateway_{inner_, sink_};
  test_support::recording_link client_;
  net::connection_info info_;
  std::unique_ptr<net::session_port> port_;
};

TEST_F(AuditGateway, RecordsWhatWasAskedWithWhatBecameOfIt) {
  login();
  post(2);
  EXPECT_EQ(sink_.lines.size(), 1U);
  answer(2);
  EXPECT_EQ(sink_.lines, (std::vector<std::string>{
                             "login login user=alice target= ok #0",
                             "post post user=alice target=bob\ncarol ok #5"}));
  EXPECT_EQ(client_.count<core::posted>(), 1U);
}

TEST_F(AuditGateway, RecordsRefusalsWithTheirReason) {
  post(2);
  session_.link->on_event(
      core::posted{2, false, {{core::errc::not_logged_in, {}}}, {}});
  EXPECT_EQ(sink_.lines.back(),
            "post post user= target=bob\ncarol no " +
                std::string{core::to_string(core::errc::not_logged_in)} +
                " #5");
}

TEST_F(AuditGateway, HoldsAnAnswerUntilItsRecordIsKept) {
  login();
  sink_.kept = 1;
  post(2);
  answer(2);
  EXPECT_EQ(client_.count<core::posted>(), 0U);
  sink_.keep(2);
  pass_loop();
  EXPECT_EQ(client_.count<core::posted>(), 1U);
}

TEST_F(AuditGateway, KeepsTheOrderOfWhatTheSessionSays) {
  login();
  sink_.kept = 1;
  post(2);
  post(3);
  answer(2);
  session_.link->on_event(core::delivery{});
  answer(3);
  EXPECT_EQ(client_.events.size(), 1U); // the login
  sink_.keep(2);
  pass_loop();
  EXPECT_EQ(client_.events.size(), 3U);
  EXPECT_EQ(client_.count<core::delivery>(), 1U);
  sink_.keep(3);
  pass_loop();
  EXPECT_EQ(client_.last<core::posted>().request, 3U);
}

TEST_F(AuditGateway, RefusesNewWorkWhileThereIsNoRoom) {
  login();
  sink_.room = false;
  sink_.kept = 1; // and nothing is written
  post(2);
  send(core::acknowledge{});
  const auto refused = client_.last<core::posted>();
  EXPECT_FALSE(refused.accepted);
  ASSERT_EQ(refused.failures.size(), 1U);
  EXPECT_EQ(refused.failures[0].code, core::errc::overloaded);
  ASSERT_EQ(session_.commands.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<core::acknowledge>(session_.commands[1]));
}

TEST_F(AuditGateway, NotesWhatWasNotAnsweredWhenAConnectionGoes) {
  login();
  post(2);
  port_->close();
  EXPECT_TRUE(session_.closed);
  ASSERT_EQ(sink_.lines.size(), 3U);
  EXPECT_EQ(sink_.lines[1],
            "post post user=alice target=bob\ncarol no unanswered #5");
  EXPECT_EQ(sink_.lines[2], "logout mq user=alice target= ok #0");
}

TEST_F(AuditGateway, SaysNothingToAConnectionThatHasGone) {
  login();
  sink_.kept = 1;
  post(2);
  answer(2);
  port_->close();
  port_.reset();
  sink_.keep(10);
  pass_loop();
  EXPECT_EQ(client_.count<core::posted>(), 0U);
}

TEST_F(AuditGateway, RecordsOneEndOfASession) {
  login();
  session_.link->on_event(core::session_ended{{core::errc::shutting_down, {}}});
  port_->close();
  EXPECT_EQ(sink_.lines.size(), 2U);
  EXPECT_EQ(client_.count<core::session_ended>(), 1U);
}

} // namespace
} // namespace troupe::app
