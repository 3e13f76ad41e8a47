// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sessions, floors and houses of several nodes without sockets: topics of one
// thread take publications from one to the other.
#include "core/own_topics.hpp"
#include "net/ws/endpoint.hpp"
#include "net/zenconn/channel.hpp"
#include "net/zenconn/house_guest.hpp"
#include "net/zenconn/json_codec.hpp"
#include "net/zenconn/session.hpp"
#include "tests/net/support/protocol_driver.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe::net::zenconn::test {

using core::deny_reason;
using lines = std::vector<std::string>;

/// What all nodes share: publications wait until they are delivered.
struct wires {
  struct hold;
  std::set<hold*> holds;
  std::vector<core::publication_ptr> waiting;
  std::uint64_t number = 0;
  /// Nodes whose answers get lost.
  std::set<std::uint32_t> mute;
  /// What groups have said of their listeners, with their topic.
  lines told;
};

/// The topics of one node.
class node_topics final : public topic_space {
public:
  node_topics(wires& all, core::node_id self) : all_(all), self_(self) {}

  core::result<std::unique_ptr<topic_hold>>
  listen(std::string_view, const core::topic_filter& filter,
         topic_listener& target, const core::listener_about& who) override;
  core::result<std::size_t> publish(core::publication what) override;
  void later(std::function<void()> work) override { work(); }

private:
  wires& all_;
  const core::node_id self_;
};

struct wires::hold final : topic_hold {
  hold(wires& all, core::node_id at, const core::topic_filter& what,
       topic_listener& to, core::listener_about who)
      : owner(all), node(at), filter(what), target(to), about(std::move(who)) {
    owner.holds.insert(this);
  }
  ~hold() override { owner.holds.erase(this); }
  void came(const core::listener_about& who) override {
    tell("came " + std::to_string(who.session) + " " + who.uid + " " +
         who.door);
  }
  void went(std::uint64_t session) override {
    tell("went " + std::to_string(session));
  }
  void handed_on(std::size_t listeners) override {
    tell("handed on to " + std::to_string(listeners));
  }
  void tell(const std::string& what) {
    EXPECT_TRUE(about.group);
    owner.told.push_back(filter.text() + ": " + what);
  }
  wires& owner;
  const core::node_id node;
  const core::topic_filter filter;
  topic_listener& target;
  const core::listener_about about;
};

inline core::result<std::unique_ptr<topic_hold>>
node_topics::listen(std::string_view, const core::topic_filter& filter,
                    topic_listener& target, const core::listener_about& who) {
  return std::unique_ptr<topic_hold>{
      std::make_unique<wires::hold>(all_, self_, filter, target, who)};
}

inline core::result<std::size_t> node_topics::publish(core::publication what) {
  what.node = self_;
  what.number = ++all_.number;
  std::set<std::uint32_t> others;
  for (const auto* each : all_.holds)
    if (each->node != self_ && each->filter.matches(what.topic))
      others.insert(each->node.value());
  const bool is_answer =
      what.topic.text().starts_with("$troupe/zenconn/counted/");
  if (!is_answer || !all_.mute.contains(self_.value()))
    all_.waiting.push_back(
        std::make_shared<const core::publication>(std::move(what)));
  return others.size();
}

struct test_powers final : session_powers {
  struct shared {
    deny_reason standing = deny_reason::none;
    std::set<std::string> denied;
    std::uint64_t epoch = 1;
  };
  explicit test_powers(shared& of) : is(of) {}
  deny_reason standing() override { return is.standing; }
  deny_reason check(core::right what, const core::topic& on) override {
    return is.denied.contains(core::to_string(core::grant{what, on.text()}))
               ? deny_reason::not_granted
               : deny_reason::none;
  }
  deny_reason allow_message() override { return deny_reason::none; }
  [[nodiscard]] std::uint64_t epoch() const override { return is.epoch; }
  [[nodiscard]] bool token_fits(std::string_view session, std::string_view,
                                std::string_view token) const override {
    return token == session;
  }
  shared& is;
};

/// One client of a node: a session, and the client's end of the WebSocket.
class client final : public protocol_host {
public:
  client(floor& at, std::uint64_t number, spelling how) : how_(how) {
    info_.id = connection_id{number};
    id_ = "session-" + std::to_string(number);
    guest_terms terms;
    terms.id = id_;
    terms.uid = "user-" + std::to_string(number);
    terms.powers = std::make_unique<test_powers>(powers);
    terms.on_end = [this](std::string_view why) { ends.emplace_back(why); };
    driver_ = std::make_unique<protocol_driver>(std::make_unique<session>(
        at.owner().options(), at.owner().stats(), *this, how,
        std::make_unique<house_guest>(at, info_, std::move(terms))));
  }

  void say(std::string_view text, ws::opcode op = ws::opcode::text) {
    output_queue out;
    const std::array pieces{core::shared_bytes::copy_of(text)};
    end_.send(op, pieces, out, {});
    driver_->receive(bytes_of(out));
  }
  void ask(request what) { say(encode(what, how_ == spelling::compact)); }

  /// All messages since the last look.
  lines heard() {
    rest_ += driver_->take_output();
    lines found;
    for (;;) {
      output_queue out;
      const auto next = end_.read(core::as_bytes(rest_), 1 << 22, out);
      if (next.what == ws::event::kind::need_more)
        return found;
      rest_.erase(0, next.bytes);
      if (next.what == ws::event::kind::message)
        found.push_back(std::string{next.payload.text()});
      else if (next.what == ws::event::kind::closed)
        found.push_back("closed " +
                        std::to_string(static_cast<int>(next.code)) + " " +
                        next.reason);
    }
  }
  [[nodiscard]] const std::string& id() const { return id_; }
  protocol_driver& driver() { return *driver_; }
  void drop() { driver_.reset(); }

  // protocol_host
  void run(const std::function<void(effects&)>& work) override {
    effects out{driver_->output};
    work(out);
    if (out.close) {
      driver_->is_closed = true;
      driver_->closed = *out.close;
      driver_->aborted = out.abort;
    }
  }
  [[nodiscard]] const connection_info& info() const override { return info_; }
  [[nodiscard]] actors::runtime::loop& home() override { std::abort(); }

  test_powers::shared powers;
  lines ends; ///< why it ended, as was told

private:
  static std::string bytes_of(output_queue& out) {
    std::string bytes;
    while (!out.empty()) {
      iovec pieces[8];
      const auto count = out.gather(pieces, 8);
      std::size_t total = 0;
      for (std::size_t i = 0; i < count; ++i) {
        bytes.append(static_cast<const char*>(pieces[i].iov_base),
                     pieces[i].iov_len);
        total += pieces[i].iov_len;
      }
      out.consume(total);
    }
    return bytes;
  }

  const spelling how_;
  std::string id_;
  connection_info info_;
  std::unique_ptr<protocol_driver> driver_;
  ws::endpoint end_{ws::role::client};
  std::string rest_;
};

/// Keeps at once.
struct test_audit final : core::audit_sink {
  [[nodiscard]] bool has_room() const noexcept override { return room; }
  core::audit_ticket record(const core::audit_entry& what) override {
    records.push_back(std::string{core::to_string(what.kind)} + " " +
                      std::to_string(what.session) + " " +
                      std::string{what.target} + " " + std::string{what.type} +
                      " " + std::string{what.reason} + "|" +
                      std::string{what.payload.text()});
    return records.size();
  }
  [[nodiscard]] bool is_kept(core::audit_ticket) const noexcept override {
    return true;
  }
  void when_kept(core::audit_ticket, std::function<void()>) override {
    std::abort();
  }

  bool room = true;
  lines records;
};

struct test_node {
  test_node(wires& all, std::uint32_t id, const zenconn_options& options,
            core::audit_sink& audit)
      : topics(all, core::node_id{id}),
        house(options, topics, core::node_id{id}, stats, {&audit, "default"}) {
    for (std::size_t i = 0; i < floors.size(); ++i) {
      floors[i] = std::make_unique<floor>(house, i);
      EXPECT_TRUE(floors[i]->open());
    }
  }
  zenconn_stats stats;
  node_topics topics;
  zenconn::house house;
  std::array<std::unique_ptr<floor>, 2> floors;
};

class ZenconnSession : public ::testing::Test {
protected:
  ~ZenconnSession() override { clients_.clear(); }

  client& connect(std::uint32_t node, std::size_t at = 0,
                  spelling how = spelling::json) {
    auto& home = nodes_[node];
    if (!home)
      home = std::make_unique<test_node>(wires_, node, options_, audit_);
    clients_.push_back(
        std::make_unique<client>(*home->floors[at], ++last_, how));
    auto& fresh = *clients_.back();
    return fresh;
  }
  client& member_of(const std::string& channel, std::uint32_t node,
                    std::size_t at = 0, spelling how = spelling::json) {
    auto& fresh = connect(node, at, how);
    fresh.ask({request::kind::subscribe, channel, fresh.id()});
    deliver();
    fresh.heard();
    return fresh;
  }
  /// What is on its way arrives, and what follows from it.
  void deliver() {
    while (!wires_.waiting.empty()) {
      const auto all = std::exchange(wires_.waiting, {});
      for (const auto& what : all)
        for (auto* each : std::set<wires::hold*>{wires_.holds})
          if (wires_.holds.contains(each) && each->filter.matches(what->topic))
            each->target.on_publication(what);
    }
  }
  static std::string event(std::string_view channel, std::string_view data,
                           const client& from) {
    return R"({"type":"event","channel":")" + std::string{channel} +
           R"(","data":)" + std::string{data} + R"(,"from":")" + from.id() +
           R"("})";
  }
  static std::string received(std::string_view channel, int count) {
    return R"({"type":"received","channel":")" + std::string{channel} +
           R"(","count":)" + std::to_string(count) + "}";
  }

  zenconn_options options_;
  test_audit audit_;
  wires wires_;
  std::map<std::uint32_t, std::unique_ptr<test_node>> nodes_;
  std::vector<std::unique_ptr<client>> clients_;
  std::uint64_t last_ = 0;
};

} // namespace troupe::net::zenconn::test
