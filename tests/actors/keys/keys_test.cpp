// SPDX-License-Identifier: Apache-2.0
// Retained keys on several nodes: set, cleared and read anywhere.
#include "actors/keys/keys_actor.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/shard_key.hpp"
#include "schema/command_wire.hpp"
#include "schema/stored_keys.hpp"
#include "tests/support/cluster_fixture.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe::actors::keys {
namespace {

using namespace std::chrono_literals;
using core::errc;
using texts = std::vector<std::string>;

class Keys : public test_support::cluster_fixture {
protected:
  /// Frames about keys go at once, as long as nobody is cut off.
  class direct_way final : public keys_transport {
  public:
    direct_way(Keys& of, core::node_id self) : of_(of), self_(self) {}
    core::result<void> send(core::node_id to, keys_way way, std::uint64_t,
                            core::shared_bytes frame) override {
      const auto at = of_.actors_.find(to.value());
      if (at == of_.actors_.end() || !of_.network_.passes(self_, to))
        return errc::unavailable;
      ++of_.frames_;
      if (of_.lost_ > 0) {
        --of_.lost_;
        return {};
      }
      caf::anon_send(at->second, keys_frame{self_, way, std::move(frame), {}});
      return {};
    }

  private:
    Keys& of_;
    core::node_id self_;
  };

  ~Keys() override {
    for (auto& [id, actor] : actors_)
      caf::anon_send(actor, retire{});
    actors_.clear();
    settle();
  }

  void begin(core::key_policy policy = {}) {
    settings with;
    with.shards = 4;
    with.seed = 1; // led by different nodes
    with.adjust = [policy](broker_options& options) { options.keys = policy; };
    start(with);
    ASSERT_TRUE(wait_for_leaders());
    for (std::uint32_t id = 1; id <= 3; ++id)
      serve(id);
  }
  void serve(std::uint32_t id) {
    ways_.push_back(std::make_unique<direct_way>(*this, core::node_id{id}));
    actors_[id] = runtime::spawn_pinned<keys_actor, keys_state>(
        system_.system(), nullptr, keys_behavior,
        keys_deps{&node(id).context(), core::node_id{id}, ways_.back().get()});
  }
  void lose_node(std::uint32_t id) {
    caf::anon_send_exit(actors_.at(id), caf::exit_reason::kill);
    actors_.erase(id);
    crash(id);
  }

  static core::set_key value(const std::string& topic,
                             const std::string& payload) {
    core::set_key command;
    command.topic = topic;
    command.content.payload = core::shared_bytes::copy_of(payload);
    return command;
  }
  std::shared_ptr<std::optional<core::shard_outcome>>
  ask(std::uint32_t at, key_operation::change what) {
    auto result = std::make_shared<std::optional<core::shard_outcome>>();
    caf::anon_send(actors_.at(at), keys_order{[=](keys_state& to) {
                     to.change(what, [result](const core::shard_outcome& o) {
                       *result = o;
                     });
                   }});
    return result;
  }
  core::shard_outcome change(std::uint32_t at, key_operation::change what) {
    const auto result = ask(at, std::move(what));
    EXPECT_TRUE(wait_until([&] { return result->has_value(); }));
    return result->value_or(core::shard_outcome{});
  }
  void set(std::uint32_t at, const std::string& topic,
           const std::string& payload) {
    EXPECT_EQ(change(at, value(topic, payload)).failure.code, errc::ok);
  }

  key_found_page page(std::uint32_t at, key_question what) {
    auto result = std::make_shared<std::optional<key_found_page>>();
    caf::anon_send(actors_.at(at), keys_order{[=](keys_state& to) {
                     to.read(what, [result](key_found_page found) {
                       *result = std::move(found);
                     });
                   }});
    EXPECT_TRUE(wait_until([&] { return result->has_value(); }));
    return result->value_or(key_found_page{});
  }
  /// All pages; topics with their values.
  std::map<std::string, std::string>
  read(std::uint32_t at, std::string_view filter, std::size_t page_keys = 128) {
    std::map<std::string, std::string> all;
    key_question what;
    what.filter = *core::topic_filter::parse(filter);
    what.count_max = page_keys;
    for (;;) {
      const auto found = page(at, what);
      EXPECT_LE(found.keys.size(), page_keys);
      EXPECT_TRUE(found.unread.empty());
      for (const auto& key : found.keys) {
        const auto command = schema::decode_key_value(key.command);
        EXPECT_TRUE(command);
        EXPECT_TRUE(
            all.emplace(key.topic, command->content.payload.text()).second);
      }
      if (!found.next)
        return all;
      what.from = *found.next;
    }
  }
  std::uint16_t shard_of(const std::string& topic) {
    return core::shard_of_key("default", topic, 4).value();
  }
  /// A topic of that shard.
  std::string topic_in(std::uint16_t shard) {
    for (int i = 0;; ++i)
      if (auto name = "t/" + std::to_string(i); shard_of(name) == shard)
        return name;
  }

  std::map<std::uint32_t, keys_actor> actors_;
  std::vector<std::unique_ptr<direct_way>> ways_;
  std::size_t frames_ = 0;
  std::size_t lost_ = 0; ///< of the next ones
};

TEST_F(Keys, AreTheSameOnAllNodes) {
  begin();
  std::map<std::string, std::string> expected;
  for (int i = 0; i < 40; ++i) {
    const auto topic = "house/" + std::to_string(i) + "/door";
    set(1 + i % 3, topic, std::to_string(i));
    expected[topic] = std::to_string(i);
  }
  for (std::uint32_t at = 1; at <= 3; ++at) {
    EXPECT_EQ(read(at, "house/#"), expected);
    EXPECT_EQ(read(at, "house/+/door", 3), expected);
    EXPECT_EQ(read(at, "#", 1), expected);
    EXPECT_EQ(read(at, "house/7/door").size(), 1U);
    EXPECT_TRUE(read(at, "house").empty());
  }
  EXPECT_GT(frames_, 0U);
}

TEST_F(Keys, TheLastOfSeveralIsTheValue) {
  begin();
  std::vector<std::shared_ptr<std::optional<core::shard_outcome>>> all;
  for (int i = 0; i <= 20; ++i)
    all.push_back(ask(2, value("a", std::to_string(i))));
  EXPECT_TRUE(wait_until([&] { return all.back()->has_value(); }));
  std::uint64_t before = 0;
  for (const auto& each : all) {
    ASSERT_TRUE(each->has_value());
    EXPECT_LT(before, (*each)->number);
    before = (*each)->number;
  }
  EXPECT_EQ(read(3, "a").at("a"), "20");
}

TEST_F(Keys, AreGoneWhenTheyAreCleared) {
  begin();
  set(1, "a", "x");
  const auto gone = change(2, core::clear_key{"default", "a", {}});
  EXPECT_EQ(gone.failure.code, errc::ok);
  EXPECT_TRUE(gone.present);
  EXPECT_GT(gone.number, 0U);
  EXPECT_TRUE(read(3, "#").empty());
  const auto again = change(2, core::clear_key{"default", "a", {}});
  EXPECT_EQ(again.failure.code, errc::ok);
  EXPECT_FALSE(again.present);
}

TEST_F(Keys, ExpireAndAreSwept) {
  begin();
  auto command = value("a", "x");
  command.time_to_live = 5s;
  EXPECT_EQ(change(1, command).failure.code, errc::ok);
  EXPECT_EQ(read(2, "a").size(), 1U);
  advance(6s);
  EXPECT_TRUE(read(2, "a").empty());
  advance(10s);
  const auto leader = leader_of(shard_of("a"));
  const schema::stored_keys tables{*node(leader).spaces[shard_of("a")]};
  EXPECT_EQ(tables.totals_of_keys(), core::key_totals{});
  EXPECT_EQ(node(leader).context().views[shard_of("a")].keys.load(), 0U);
}

TEST_F(Keys, AreRefusedAboveTheBoundsAndTheOthersStay) {
  begin({2, 0});
  const auto shard = shard_of("t/0");
  texts names;
  for (int i = 0; names.size() < 3; ++i)
    if (auto name = "t/" + std::to_string(i); shard_of(name) == shard)
      names.push_back(name);
  set(1, names[0], "0");
  set(2, names[1], "1");
  EXPECT_EQ(change(3, value(names[2], "2")).failure.code, errc::storage_full);
  EXPECT_EQ(node(3).context().stats.keys_refused_full.load(), 1U);
  set(3, names[1], "another"); // is there already
  EXPECT_EQ(read(1, "t/#"), (std::map<std::string, std::string>{
                                {names[0], "0"}, {names[1], "another"}}));
  EXPECT_EQ(change(1, core::clear_key{"default", names[0], {}}).failure.code,
            errc::ok);
  set(3, names[2], "2");
}

TEST_F(Keys, NoTopicIsNoKey) {
  begin();
  EXPECT_EQ(change(1, value("a/#", "x")).failure.code, errc::name_invalid);
  EXPECT_EQ(node(1).context().stats.keys_refused_invalid.load(), 1U);
}

TEST_F(Keys, OutliveTheLeaderOfTheirShard) {
  begin();
  const auto topic = topic_in(2);
  const auto leader = leader_of(2);
  const auto other = leader % 3 + 1;
  set(other, topic, "before");
  lose_node(leader);
  EXPECT_EQ(read(other, topic).at(topic), "before");
  set(other, topic, "after");
  EXPECT_EQ(read(6 - leader - other, topic).at(topic), "after");
}

TEST_F(Keys, AQuestionThatIsLostIsAskedAgain) {
  begin();
  const auto topic = topic_in(1);
  const auto other = leader_of(1) % 3 + 1;
  set(other, topic, "x");
  lost_ = 1;
  EXPECT_EQ(read(other, topic).size(), 1U);
  EXPECT_EQ(node(other).context().stats.key_reads_repeated.load(), 1U);
  // The same for an answer.
  const auto before = frames_;
  ASSERT_EQ(read(other, topic).size(), 1U);
  ASSERT_EQ(frames_, before + 2);
}

TEST_F(Keys, WithoutALeaderAReadEndsAndSaysWhatIsMissing) {
  begin();
  const auto own = 1U;
  for (std::uint16_t shard = 1; shard <= 4; ++shard)
    set(own, topic_in(shard), "x");
  network_.cut(core::node_id{1}, core::node_id{2});
  network_.cut(core::node_id{1}, core::node_id{3});
  advance(5s); // and nobody leads any more
  key_question what;
  what.filter = *core::topic_filter::parse("#");
  std::set<std::uint16_t> unread;
  for (;;) {
    const auto found = page(own, what);
    EXPECT_TRUE(found.keys.empty());
    for (const auto group : found.unread)
      unread.insert(group.value());
    if (!found.next)
      break;
    what.from = *found.next;
  }
  EXPECT_EQ(unread, (std::set<std::uint16_t>{1, 2, 3, 4}));
  EXPECT_EQ(node(own).context().stats.key_reads_incomplete.load(), 4U);
  const auto late = ask(own, value("a", "x"));
  EXPECT_TRUE(wait_until([&] { return late->has_value(); }));
  EXPECT_EQ((*late)->failure.code, errc::timed_out);
  EXPECT_EQ(node(own).context().stats.keys_refused_other.load(), 1U);
}

TEST_F(Keys, WhatANodeSaysThatMakesNoSenseIsCounted) {
  begin();
  for (const auto way : {keys_way::question, keys_way::answer})
    caf::anon_send(
        actors_.at(1),
        keys_frame{
            core::node_id{2}, way, core::shared_bytes::copy_of("what?"), {}});
  remote_question nowhere;
  nowhere.group = core::group_id{99};
  caf::anon_send(
      actors_.at(1),
      keys_frame{core::node_id{2}, keys_way::question, encode(nowhere), {}});
  settle();
  EXPECT_EQ(node(1).context().stats.key_frames_unusable.load(), 3U);
}

} // namespace
} // namespace troupe::actors::keys
