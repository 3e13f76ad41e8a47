// SPDX-License-Identifier: Apache-2.0
// Clients that come and go while their login, or their session, is written
// down: over sockets, since who is gone is for the connection to know.
#include "net/http_front.hpp"
#include "net/zenconn_desk.hpp"
#include "net/zenconn_door.hpp"
#include "tests/net_io/node_fixture.hpp"
#include "tests/net_io/socket_client.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/memory_directory_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe::net::test {
namespace {

using lines = std::vector<std::string>;

/// What waits until the test says so.
class gate {
public:
  void keep(std::function<void()> work) {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(work));
  }
  [[nodiscard]] bool somebody_waits() const {
    return eventually([this] {
      const std::lock_guard lock{mutex_};
      return !waiting_.empty();
    });
  }
  void open() {
    std::vector<std::function<void()>> all;
    {
      const std::lock_guard lock{mutex_};
      all.swap(waiting_);
    }
    for (auto& each : all)
      each();
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
};

class notes {
public:
  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    all_.push_back(std::move(line));
  }
  [[nodiscard]] lines all() const {
    const std::lock_guard lock{mutex_};
    return all_;
  }
  [[nodiscard]] bool become(const lines& wanted) const {
    return eventually([&] { return all() == wanted; });
  }

private:
  mutable std::mutex mutex_;
  lines all_;
};

class held_audit final : public core::audit_sink {
public:
  [[nodiscard]] bool has_room() const noexcept override { return true; }
  core::audit_ticket record(const core::audit_entry& what) override {
    if (what.kind == core::audit_kind::login ||
        what.kind == core::audit_kind::logout)
      written.add(std::string{core::to_string(what.kind)} + " " +
                  std::string{what.user} + ": " + std::string{what.type} +
                  std::string{what.reason});
    return 1;
  }
  [[nodiscard]] bool is_kept(core::audit_ticket) const noexcept override {
    return !holds;
  }
  void when_kept(core::audit_ticket, std::function<void()> then) override {
    if (holds)
      disk.keep(std::move(then));
    else
      then();
  }

  std::atomic<bool> holds = false;
  gate disk;
  notes written;
};

class held_book final : public zenconn::session_book {
public:
  void open(zenconn::session_facts what,
            std::function<void(bool)> done) override {
    written.add("opened by " + what.user);
    disk.keep([this, done = std::move(done)] { done(works); });
  }
  void close(const std::string&, std::string_view why) override {
    written.add("closed: " + std::string{why});
  }

  bool works = true;
  gate disk;
  notes written;
};

class anybody final : public core::authenticator {
public:
  void authenticate(core::credentials shown, answer_function answer) override {
    core::login_outcome found;
    found.who.uid = shown.bearer;
    if (shown.bearer == "eve")
      found.why = core::deny_reason::wrong_credentials;
    answer(std::move(found));
  }
};

class no_topics final : public topic_space {
public:
  core::result<std::unique_ptr<topic_hold>>
  listen(std::string_view, const core::topic_filter&, topic_listener&,
         const core::listener_about&) override {
    return std::make_unique<topic_hold>();
  }
  core::result<std::size_t> publish(core::publication) override {
    return std::size_t{0};
  }
  void later(std::function<void()> work) override { work(); }
};

class ZenconnDoor : public node_fixture {
protected:
  ZenconnDoor() {
    EXPECT_TRUE(desk_.start(
        {topics_, logins_, judge_, core::node_id{1}, loops_, &book_, &audit_}));
    auto router = std::make_shared<http_router>();
    websocket_options upgrade;
    upgrade.beside_others = true;
    router->add_websocket("/", upgrade,
                          [this](const websocket_terms& terms, std::string head,
                                 responder answer) {
                            door_.upgrade(terms, std::move(head),
                                          std::move(answer));
                          });
    net::door served;
    served.protocols[sniffed::http] = make_http(router);
    at_ = serve(std::move(served));
  }
  ~ZenconnDoor() override {
    network_->stop();
    desk_.stop();
  }

  std::unique_ptr<socket_client> come(const std::string& bearer) {
    auto client = std::make_unique<socket_client>(at_);
    client->send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Authorization: Bearer " +
                 bearer + "\r\n\r\n");
    return client;
  }
  void vanish(socket_client& client) {
    client.reset();
    EXPECT_TRUE(all_closed());
  }

  held_audit audit_;
  held_book book_;
  no_topics topics_;
  anybody logins_;
  troupe::test::memory_directory_store store_;
  core::rights_board board_;
  test_support::manual_clock clock_;
  core::authorizer judge_{store_, board_, clock_, {}};
  zenconn::zenconn_stats stats_;
  zenconn_desk desk_{{}, "", stats_};
  zenconn_door door_{{}, stats_, desk_};
  ip_endpoint at_;
};

TEST_F(ZenconnDoor, WhoStaysIsOnRecordFromTheLoginToTheEnd) {
  auto client = come("anna");
  ASSERT_TRUE(book_.disk.somebody_waits());
  EXPECT_EQ(audit_.written.all(), lines{"login anna: zenconn"});
  book_.disk.open();
  EXPECT_TRUE(client->receive_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  vanish(*client);
  EXPECT_TRUE(audit_.written.become(
      {"login anna: zenconn", "logout anna: the connection ended"}));
  EXPECT_EQ(book_.written.all(),
            (lines{"opened by anna", "closed: the connection ended"}));
}

TEST_F(ZenconnDoor, WhoGoesWhileTheLoginIsWrittenHasAnEndInTheAudit) {
  audit_.holds = true;
  auto client = come("anna");
  ASSERT_TRUE(audit_.disk.somebody_waits());
  vanish(*client);
  audit_.holds = false;
  audit_.disk.open();
  EXPECT_TRUE(audit_.written.become(
      {"login anna: zenconn", "logout anna: gone before the welcome"}));
  EXPECT_EQ(book_.written.all(), lines{});
}

TEST_F(ZenconnDoor, WhoGoesWhileTheSessionIsWrittenHasAnEndInBoth) {
  auto client = come("anna");
  ASSERT_TRUE(book_.disk.somebody_waits());
  vanish(*client);
  book_.disk.open();
  EXPECT_TRUE(audit_.written.become(
      {"login anna: zenconn", "logout anna: gone before the welcome"}));
  EXPECT_EQ(book_.written.all(),
            (lines{"opened by anna", "closed: gone before the welcome"}));
}

TEST_F(ZenconnDoor, WhoseSessionCanNotBeWrittenHasAnEndInTheAudit) {
  book_.works = false;
  auto client = come("anna");
  ASSERT_TRUE(book_.disk.somebody_waits());
  book_.disk.open();
  EXPECT_TRUE(client->receive_until("\r\n\r\n").starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(audit_.written.become(
      {"login anna: zenconn", "logout anna: could not be recorded"}));
  EXPECT_EQ(book_.written.all(), lines{"opened by anna"});
}

TEST_F(ZenconnDoor, WhoGoesWhenNothingCouldBeWrittenHasOneEnd) {
  book_.works = false;
  auto client = come("anna");
  ASSERT_TRUE(book_.disk.somebody_waits());
  vanish(*client);
  book_.disk.open();
  EXPECT_TRUE(audit_.written.become(
      {"login anna: zenconn", "logout anna: gone before the welcome"}));
  EXPECT_EQ(book_.written.all(), lines{"opened by anna"});
}

TEST_F(ZenconnDoor, WhoWasNeverInHasNoEnd) {
  auto client = come("eve");
  EXPECT_TRUE(client->receive_until("\r\n\r\n").starts_with("HTTP/1.1 401"));
  vanish(*client);
  EXPECT_EQ(audit_.written.all().size(), 1U);
  EXPECT_EQ(book_.written.all(), lines{});
}

} // namespace
} // namespace troupe::net::test
