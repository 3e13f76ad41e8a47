// SPDX-License-Identifier: Apache-2.0
// A subscriber, and the requests that lead to one, without sockets.
#include "net/http_message.hpp"
#include "net/msgbus/channel_name.hpp"
#include "net/msgbus/part_cache.hpp"
#include "net/msgbus/subscriber.hpp"
#include "net/msgbus_desk.hpp"
#include "tests/net/support/protocol_driver.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace troupe::net::msgbus {
namespace {

/// Topics of one thread: everybody gets what matches at once.
class local_topics final : public topic_space {
public:
  core::result<std::unique_ptr<topic_hold>>
  listen(std::string_view, const core::topic_filter& filter,
         topic_listener& target, const core::listener_about& who) override {
    about.push_back(who);
    if (full)
      return core::errc::too_many;
    return std::unique_ptr<topic_hold>{
        std::make_unique<hold>(*this, filter, target)};
  }
  core::result<std::size_t> publish(core::publication what) override {
    what.node = core::node_id{1};
    what.number = ++number;
    give(std::make_shared<const core::publication>(std::move(what)));
    return std::size_t{0};
  }
  void later(std::function<void()> work) override {
    waiting.push_back(std::move(work));
  }
  void give(const core::publication_ptr& what) {
    for (const auto* each : std::set<hold*>{holds})
      if (each->filter.matches(what->topic))
        each->target.on_publication(what);
  }

  struct hold final : topic_hold {
    hold(local_topics& o, const core::topic_filter& f, topic_listener& t)
        : owner(o), filter(f), target(t) {
      owner.holds.insert(this);
    }
    ~hold() override { owner.holds.erase(this); }
    local_topics& owner;
    const core::topic_filter filter;
    topic_listener& target;
  };

  std::set<hold*> holds;
  std::vector<core::listener_about> about;
  std::vector<std::function<void()>> waiting;
  std::uint64_t number = 0;
  bool full = false;
};

class text_log final : public bus_log {
public:
  [[nodiscard]] bool wants_debug() const override { return true; }
  void debug(std::string_view text) override { all.emplace_back(text); }
  void warn(std::string_view what, std::string_view which) override {
    all.push_back(std::string{what} + " " + std::string{which});
  }
  std::vector<std::string> all;
};

class Subscriber : public ::testing::Test, public protocol_host {
protected:
  Subscriber() {
    shared_->topics = &topics_;
    shared_->keeper = &keeper_;
    shared_->desk = &desk_;
    shared_->log = &log_;
    info_.peer = *parse_endpoint("127.0.0.1:4711");
  }

  protocol_driver& subscribe(subscription_terms terms,
                             std::optional<message_mark> since = {}) {
    auto made = std::make_unique<subscriber>(shared_, *this, terms);
    auto wish = terms.wish();
    wish.since = since;
    wish.authorization = "Basic " + user_;
    desk_.ask(info_, wish, [&](ruling found) {
      EXPECT_EQ(found.what, ruling::kind::granted);
      made->begin(std::move(found.seat), std::move(found.past));
    });
    driver_ = std::make_unique<protocol_driver>(std::move(made));
    return *driver_;
  }
  void publish(std::string_view channel, std::string_view body,
               std::string_view sender = "",
               std::string_view type = "text/plain") {
    core::publication p;
    p.topic = *topic_of(channel);
    p.sender = sender;
    p.content_type = type;
    p.payload = core::shared_bytes::copy_of(body);
    EXPECT_TRUE(topics_.publish(std::move(p)));
  }

  // protocol_host
  void run(const std::function<void(effects&)>& work) override {
    effects out{driver_->output};
    work(out);
    if (out.close) {
      driver_->is_closed = true;
      driver_->closed = *out.close;
    }
  }
  [[nodiscard]] const connection_info& info() const override { return info_; }
  [[nodiscard]] actors::runtime::loop& home() override { std::abort(); }

  std::shared_ptr<bus_context> shared_ = std::make_shared<bus_context>();
  local_topics topics_;
  text_log log_;
  password_gatekeeper keeper_{""};
  msgbus_desk desk_{*shared_};
  std::string user_; ///< in Basic credentials
  connection_info info_;
  test_support::manual_clock clock_;
  std::unique_ptr<protocol_driver> driver_;
};

TEST_F(Subscriber, WritesAPartAMessage) {
  auto& to = subscribe({.channel = "foo"});
  publish("foo", "hello");
  publish("bar", "not this");
  EXPECT_EQ(to.take_output(),
            "2c\r\nContent-Type: text/plain\n\nhello--00MsgBus00\n\r\n");
}

TEST_F(Subscriber, SaysWhoListens) {
  info_.id = connection_id{7};
  user_ = "YW5uYTo="; // anna:
  subscribe({.channel = "foo"});
  ASSERT_EQ(topics_.about.size(), 1U);
  EXPECT_EQ(topics_.about[0].door, "msgbus");
  EXPECT_EQ(topics_.about[0].session, 7U);
  EXPECT_EQ(topics_.about[0].uid, "anna");
  EXPECT_FALSE(topics_.about[0].group);
  EXPECT_FALSE(topics_.about[0].restricted);
}

TEST_F(Subscriber, TheRootGetsEverythingWithItsChannel) {
  auto& to = subscribe({.channel = "", .how = framing::parts_plain});
  publish("", "a");
  publish("$x", "b");
  EXPECT_EQ(to.take_output(),
            "Content-Location: /msgbus/\nContent-Type: text/plain\n"
            "Content-Length: 1\n\na--00MsgBus00\n"
            "Content-Location: /msgbus/$x\nContent-Type: text/plain\n"
            "Content-Length: 1\n\nb--00MsgBus00\n");
}

TEST_F(Subscriber, FiltersLetPassWhatHasNoSender) {
  auto& to = subscribe({.channel = "foo",
                        .types = pattern_list{"text/*"},
                        .senders = pattern_list{"al*"},
                        .how = framing::parts_plain});
  publish("foo", "1", "alice");
  publish("foo", "2", "bob");
  publish("foo", "3", "");
  publish("foo", "4", "alice", "image/png");
  const auto all = to.take_output();
  EXPECT_NE(all.find("\n1--"), std::string::npos);
  EXPECT_EQ(all.find("\n2--"), std::string::npos);
  EXPECT_NE(all.find("\n3--"), std::string::npos);
  EXPECT_EQ(all.find("\n4--"), std::string::npos);
  EXPECT_EQ(shared_->stats.filtered, 2U);
  EXPECT_EQ(shared_->stats.delivered, 2U);
}

TEST_F(Subscriber, StrictFiltersDoNot) {
  shared_->options.strict_senders = true;
  auto& to = subscribe({.channel = "foo", .senders = pattern_list{"al*"}});
  publish("foo", "3", "");
  EXPECT_EQ(to.take_output(), "");
}

TEST_F(Subscriber, DropsWhileTooMuchWaits) {
  shared_->options.backlog_bytes_max = 1000;
  auto& to = subscribe({.channel = "foo"});
  const std::string body(600, 'x');
  for (int i = 0; i < 5; ++i)
    publish("foo", body);
  EXPECT_LE(to.output.size(), 1000 + body.size() + 60);
  EXPECT_EQ(shared_->stats.dropped_backlog, 3U);
  EXPECT_EQ(log_.all.back(),
            "dropping foo text/plain (600) for 127.0.0.1:4711 (?)");
  to.take_output();
  publish("foo", body);
  EXPECT_NE(to.take_output(), "");
}

TEST_F(Subscriber, LargePayloadsAreNotKeptByTheCache) {
  subscribe({.channel = "foo"});
  publish("foo", std::string(100'000, 'x'));
  EXPECT_GT(part_cache::here().size(), 100'000U);
  ASSERT_EQ(topics_.waiting.size(), 1U);
  topics_.waiting.front()();
  EXPECT_EQ(part_cache::here().size(), 0U);
}

TEST_F(Subscriber, SaysWhoComesAndGoes) {
  user_ = "YWxpY2U6eA=="; // alice
  auto& to = subscribe({.channel = "foo", .types = pattern_list{"a/*"}});
  EXPECT_EQ(log_.all.back(), "SUB 127.0.0.1:4711 (alice): foo * a/*");
  EXPECT_EQ(shared_->stats.subscribers, 1U);
  to.peer_gone();
  EXPECT_EQ(log_.all.back(), "UNSUB 127.0.0.1:4711 (alice): foo * a/*");
  EXPECT_EQ(shared_->stats.subscribers, 0U);
  EXPECT_TRUE(topics_.holds.empty());
}

TEST_F(Subscriber, ServesOnForAWhileWhoEndedHisSide) {
  auto& to = subscribe({.channel = "foo"});
  effects out{to.output};
  EXPECT_TRUE(to.subject().on_half_closed(to.now, out));
  to.advance(shared_->options.half_close - core::milliseconds{1});
  publish("foo", "late");
  EXPECT_NE(to.take_output(), "");
  to.advance(core::milliseconds{1});
  EXPECT_TRUE(to.is_closed);
  EXPECT_TRUE(topics_.holds.empty());
}

TEST_F(Subscriber, ThrowsAwayWhatTheClientSendsAndEndsWithTheNode) {
  auto& to = subscribe({.channel = "foo"});
  to.receive("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(to.take_output(), "");
  to.event(core::session_ended{{core::errc::shutting_down, {}}});
  EXPECT_TRUE(to.is_closed);
  EXPECT_EQ(shared_->stats.subscribers, 0U);
}

TEST_F(Subscriber, EventsHaveIdsAndBeats) {
  auto& to = subscribe({.channel = "foo", .how = framing::events_plain});
  publish("foo", "x");
  EXPECT_EQ(to.take_output(), "id: 1-1\nevent: message\ndata: x\n\n");
  to.advance(shared_->options.heart_beat);
  EXPECT_EQ(to.take_output(), ""); // something was said meanwhile
  to.advance(shared_->options.heart_beat);
  EXPECT_EQ(to.take_output(), ":\n\n");
}

TEST_F(Subscriber, PartsHaveNoBeats) {
  auto& to = subscribe({.channel = "foo"});
  EXPECT_FALSE(to.subject().deadline());
}

TEST_F(Subscriber, APollIsAnsweredByOneMessage) {
  auto& to = subscribe({.channel = "foo", .user = "", .poll = true});
  EXPECT_EQ(shared_->stats.polls, 1U);
  publish("foo", "hello", "alice");
  const auto date = std::string{http_date()};
  EXPECT_EQ(to.take_output(),
            "HTTP/1.1 200 OK\r\nServer: msgbus\r\nFrom: alice\r\n"
            "Content-Type: text/plain\r\nContent-Length: 5\r\n"
            "Cache-Control: no-store\r\nX-Msgbus-Id: 1-1\r\nDate: " +
                date + "\r\nConnection: close\r\n\r\nhello");
  EXPECT_TRUE(to.is_closed);
  publish("foo", "again");
  EXPECT_EQ(to.take_output(), "");
}

TEST_F(Subscriber, APollEndsWithoutAMessage) {
  auto& to = subscribe({.channel = "foo", .poll = true});
  to.advance(shared_->options.poll_time);
  EXPECT_TRUE(to.take_output().starts_with("HTTP/1.1 204 No Content\r\n"));
  EXPECT_TRUE(to.is_closed);
}

class Replay : public Subscriber {
protected:
  Replay() : past_({}, clock_) { shared_->past = &past_; }

  core::publication_ptr recorded(std::uint64_t number, std::string_view body) {
    core::publication p;
    p.topic = *topic_of("foo");
    p.content_type = "text/plain";
    p.node = core::node_id{1};
    p.number = number;
    p.payload = core::shared_bytes::copy_of(body);
    auto made = std::make_shared<const core::publication>(std::move(p));
    past_.record(made);
    return made;
  }

  history past_;
};

TEST_F(Replay, ComesFirstAndNothingTwice) {
  recorded(1, "one");
  recorded(2, "two");
  const auto under_way = recorded(3, "three");
  auto& to = subscribe({.channel = "foo", .how = framing::events_plain},
                       message_mark{1, 1});
  EXPECT_EQ(to.take_output(), "id: 1-2\nevent: message\ndata: two\n\n"
                              "id: 1-3\nevent: message\ndata: three\n\n");
  topics_.give(under_way);
  EXPECT_EQ(to.take_output(), "");
  topics_.give(recorded(4, "four"));
  EXPECT_EQ(to.take_output(), "id: 1-4\nevent: message\ndata: four\n\n");
  EXPECT_EQ(shared_->stats.replayed, 2U);
}

TEST_F(Replay, FiltersCount) {
  recorded(1, "one");
  auto& to = subscribe({.channel = "foo", .types = pattern_list{"image/*"}},
                       message_mark{});
  EXPECT_EQ(to.take_output(), "");
}

TEST_F(Replay, APollTakesTheOldest) {
  recorded(1, "one");
  recorded(2, "two");
  auto& to = subscribe({.channel = "foo", .poll = true}, message_mark{});
  const auto answer = to.take_output();
  EXPECT_TRUE(answer.ends_with("\r\n\r\none")) << answer;
  EXPECT_NE(answer.find("X-Msgbus-Id: 1-1\r\n"), std::string::npos);
  EXPECT_TRUE(to.is_closed);
}

} // namespace
} // namespace troupe::net::msgbus
