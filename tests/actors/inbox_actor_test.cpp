// SPDX-License-Identifier: Apache-2.0
#include "actors/inbox_actor.hpp"
#include "tests/support/broker_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace troupe;
using namespace std::chrono_literals;
using core::errc;
using core::inbox_position;
using core::resume_outcome;
using test_support::test_client;
using texts = std::vector<std::string>;

class Inbox : public test_support::broker_fixture {
protected:
  Inbox() { start(); }

  /// anna with a phone and more devices; berta who writes.
  void add_anna(int devices) {
    add_user("anna", "device0");
    for (int i = 1; i < devices; ++i)
      add_device("anna", "device" + std::to_string(i), "device0");
    add_user("berta");
    berta_ = &login("berta");
  }
  test_client& anna(int device, std::uint32_t window = 1) {
    return login("anna", "device" + std::to_string(device), window);
  }
  core::posted write(const std::string& text) {
    return post(*berta_, {all_of("anna")}, text);
  }
  core::posted write_to_one(const std::string& text) {
    return post(*berta_, {one_of("anna")}, text);
  }

  test_client* berta_ = nullptr;
};

// -------------------------------------------------------- all devices

TEST_F(Inbox, EveryDeviceGetsAMessageInItsOwnTime) {
  add_anna(2);
  auto& first = anna(0);
  write("one");
  EXPECT_EQ(first.link.texts(), texts{"one"});
  first.acknowledge();
  advance(50ms);
  auto& second = anna(1);
  EXPECT_EQ(second.link.texts(), texts{"one"});
  EXPECT_EQ(head("anna")->count, 1u);
  second.acknowledge();
  advance(50ms);
  EXPECT_EQ(head("anna")->count, 0u);
}

TEST_F(Inbox, AStoredMessageIsTheSameAsAFreshOne) {
  add_anna(2);
  auto& first = anna(0);
  core::post command;
  command.to = {all_of("anna"), one_of("anna")};
  command.message.payload = core::shared_bytes::copy_of("text");
  command.message.meta = core::shared_bytes::copy_of("{\"a\":1}");
  command.message.time_to_live = 60'000ms;
  berta_->send(std::move(command));
  settle();
  first.acknowledge();
  settle();
  const auto fresh = first.link.all<core::delivery>();
  ASSERT_EQ(fresh.size(), 2u);
  close(first);
  settle();
  auto& second = anna(1, 10); // reads the tables; the single one is taken
  const auto stored = second.link.all<core::delivery>();
  ASSERT_GE(stored.size(), 1u);
  EXPECT_EQ(*stored[0].message, *fresh[0].message);
}

TEST_F(Inbox, TheSendersOtherDevicesGetACopy) {
  add_anna(3);
  auto& first = anna(0);
  auto& second = anna(1);
  post(first, {all_of("berta")}, "to berta");
  EXPECT_EQ(second.link.texts(), texts{"to berta"});
  EXPECT_TRUE(first.link.texts().empty());
  EXPECT_EQ(anna(2).link.texts(), texts{"to berta"});
}

TEST_F(Inbox, NoCopyIfThePostSaysSo) {
  add_anna(2);
  auto& first = anna(0);
  auto& second = anna(1);
  core::post command;
  command.to = {all_of("berta")};
  command.copy_to_own_devices = false;
  first.send(std::move(command));
  settle();
  EXPECT_TRUE(first.link.last<core::posted>().accepted);
  EXPECT_TRUE(second.link.texts().empty());
}

TEST_F(Inbox, ADeviceAddedToALiveUserIsCopiedTo) {
  add_anna(1);
  auto& first = anna(0);
  write("old");
  first.acknowledge();
  advance(50ms);
  core::add_device command;
  command.device = "device1";
  first.send(std::move(command)); // the session is the credential
  settle();
  ASSERT_EQ(first.link.last<core::device_added>().failure.code, errc::ok);
  post(first, {all_of("berta")}, "to berta");
  EXPECT_EQ(anna(1).link.texts(), texts{"to berta"});
}

TEST_F(Inbox, ANewDeviceInheritsWhatIsNotAcknowledged) {
  add_anna(1);
  write("one");
  write("two");
  auto& first = anna(0);
  first.send(core::acknowledge{inbox_position{1}});
  advance(50ms);
  add_device("anna", "device1", "device0");
  EXPECT_EQ(anna(1).link.texts(), texts{"two"});
}

// ---------------------------------------------------------- one device

TEST_F(Inbox, AMessageForOneDeviceGoesToOne) {
  add_anna(3);
  std::vector<test_client*> devices{&anna(0), &anna(1), &anna(2)};
  write_to_one("job");
  std::size_t deliveries = 0;
  test_client* claimer = nullptr;
  for (auto* device : devices)
    if (device->link.count<core::delivery>() > 0) {
      deliveries += device->link.count<core::delivery>();
      claimer = device;
    }
  ASSERT_EQ(deliveries, 1u);
  claimer->acknowledge();
  advance(50ms);
  EXPECT_EQ(head("anna")->count, 0u);
  for (int i = 0; i < 3; ++i)
    close(*devices[static_cast<std::size_t>(i)]);
  settle();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(anna(i).link.texts().empty()) << i;
}

TEST_F(Inbox, AnotherDeviceGetsItIfTheClaimerGoesAway) {
  add_anna(2);
  auto& first = anna(0);
  auto& second = anna(1);
  write_to_one("job");
  auto& claimer = first.link.texts().empty() ? second : first;
  auto& other = first.link.texts().empty() ? first : second;
  close(claimer);
  settle();
  EXPECT_EQ(other.link.texts(), texts{"job"});
  other.acknowledge();
  advance(50ms);
  EXPECT_EQ(head("anna")->count, 0u);
  EXPECT_EQ(head("anna")->singles, 0u);
}

TEST_F(Inbox, AJobAcknowledgedJustBeforeTheClaimerWentIsDone) {
  add_anna(2);
  auto& first = anna(0);
  auto& second = anna(1);
  write_to_one("job");
  auto& claimer = first.link.texts().empty() ? second : first;
  auto& other = first.link.texts().empty() ? first : second;
  claimer.acknowledge();
  close(claimer);
  run(); // the tables do not know yet
  EXPECT_TRUE(other.link.texts().empty());
  advance(50ms);
  EXPECT_TRUE(other.link.texts().empty());
  EXPECT_EQ(head("anna")->count, 0u);
}

TEST_F(Inbox, JobsGoToWhoeverHasRoom) {
  add_anna(2);
  auto& first = anna(0, 1);
  auto& second = anna(1, 1);
  for (int i = 0; i < 4; ++i)
    write_to_one("job" + std::to_string(i));
  // Each has one; the queue stays in order, so the rest waits.
  EXPECT_EQ(first.link.count<core::delivery>() +
                second.link.count<core::delivery>(),
            1u);
  for (int i = 0; i < 8; ++i)
    for (auto* c : {&first, &second}) {
      if (c->link.count<core::delivery>() > 0)
        c->acknowledge();
      advance(20ms);
    }
  auto all = first.link.texts();
  for (const auto& text : second.link.texts())
    all.push_back(text);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (texts{"job0", "job1", "job2", "job3"}));
}

// -------------------------------------------------------- credit, backlog

TEST_F(Inbox, ASessionGetsNoMoreAheadThanItsCredit) {
  add_anna(1);
  auto& device = anna(0, 1);
  for (int i = 0; i < 40; ++i)
    write(std::to_string(i));
  EXPECT_EQ(device.link.count<core::delivery>(), 16u);
  device.send(core::acknowledge{inbox_position{1}});
  settle();
  EXPECT_LE(device.link.count<core::delivery>(), 17u);
  for (int i = 0; i < 40; ++i) {
    device.acknowledge();
    settle();
  }
  ASSERT_EQ(device.link.count<core::delivery>(), 40u);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(device.link.texts()[static_cast<std::size_t>(i)],
              std::to_string(i));
}

TEST_F(Inbox, AWideWindowIsFilledTwice) {
  add_anna(1);
  auto& device = anna(0, 50);
  for (int i = 0; i < 150; ++i)
    write("x");
  EXPECT_EQ(device.link.count<core::delivery>(), 100u);
}

TEST_F(Inbox, BytesAheadAreBounded) {
  add_anna(1);
  auto& device = anna(0, 50);
  for (int i = 0; i < 10; ++i)
    write(std::string(60'000, 'x'));
  EXPECT_EQ(device.link.count<core::delivery>(), 2u);
  for (int i = 0; i < 10; ++i) {
    device.acknowledge();
    settle();
  }
  EXPECT_EQ(device.link.count<core::delivery>(), 10u);
}

TEST_F(Inbox, AMessageAboveAllBoundsIsDeliveredAlone) {
  add_anna(1);
  write(std::string(500'000, 'x'));
  write("small");
  auto& device = anna(0);
  EXPECT_EQ(device.link.count<core::delivery>(), 1u);
  device.acknowledge();
  settle();
  EXPECT_EQ(device.link.texts().back(), "small");
}

TEST_F(Inbox, AReturningDeviceCatchesUpWhileOthersWrite) {
  add_anna(1);
  for (int i = 0; i < 500; ++i)
    write(std::to_string(i));
  auto& device = anna(0, 8);
  EXPECT_EQ(device.link.count<core::delivery>(), 16u);
  int written = 500;
  while (device.link.count<core::delivery>() <
         static_cast<std::size_t>(written)) {
    const auto before = device.link.count<core::delivery>();
    device.acknowledge();
    if (written < 600)
      ask_post(*berta_, {all_of("anna")}, std::to_string(written++));
    settle();
    ASSERT_GT(device.link.count<core::delivery>(), before) << "it is stuck";
  }
  const auto all = device.link.texts();
  for (int i = 0; i < written; ++i)
    ASSERT_EQ(all[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_F(Inbox, ASlowDeviceDoesNotHoldAFastOneUp) {
  add_anna(2);
  auto& slow = anna(0);
  auto& fast = anna(1);
  for (int i = 0; i < 100; ++i) {
    write(std::to_string(i));
    fast.acknowledge();
  }
  settle();
  EXPECT_EQ(fast.link.count<core::delivery>(), 100u);
  EXPECT_EQ(slow.link.count<core::delivery>(), 16u);
  for (int i = 0; i < 100; ++i) {
    slow.acknowledge();
    settle();
  }
  EXPECT_EQ(slow.link.texts(), fast.link.texts());
  advance(50ms);
  EXPECT_EQ(head("anna")->count, 0u);
}

TEST_F(Inbox, WhatExpiresWhileItWaitsIsNotDelivered) {
  add_anna(1);
  auto& device = anna(0);
  for (int i = 0; i < 16; ++i)
    write("long");
  core::post brief;
  brief.to = {all_of("anna")};
  brief.message.payload = core::shared_bytes::copy_of("brief");
  brief.message.time_to_live = 100ms;
  berta_->send(std::move(brief));
  settle();
  advance(200ms);
  write("later");
  for (int i = 0; i < 18; ++i) {
    device.acknowledge();
    settle();
  }
  EXPECT_EQ(device.link.count<core::delivery>(), 17u);
  EXPECT_EQ(device.link.texts().back(), "later");
}

// ----------------------------------------------------------------- resume

TEST_F(Inbox, AClientThatResumesGetsWhatItHasNotSeen) {
  add_anna(1);
  for (int i = 0; i < 4; ++i)
    write(std::to_string(i));
  auto& device = login("anna", "device0", 10, 2);
  const auto answer = device.link.last<core::logged_in>();
  EXPECT_EQ(answer.resume, resume_outcome::recovered);
  EXPECT_EQ(answer.acknowledged, inbox_position{2});
  EXPECT_EQ(device.link.texts(), (texts{"2", "3"}));
  advance(50ms);
  EXPECT_EQ(head("anna")->count, 2u) << "seen means acknowledged";
}

TEST_F(Inbox, AClientCanNotGoBackBehindWhatItAcknowledged) {
  add_anna(2);
  for (int i = 0; i < 3; ++i)
    write(std::to_string(i));
  auto& device = anna(0, 10);
  device.acknowledge();
  close(device);
  advance(50ms);
  auto& again = login("anna", "device0", 10, 1); // the other device keeps it
  EXPECT_EQ(again.link.last<core::logged_in>().resume, resume_outcome::gap);
  EXPECT_TRUE(again.link.texts().empty());
  write("new");
  EXPECT_EQ(again.link.texts().back(), "new");
}

TEST_F(Inbox, AGapIsTold) {
  add_anna(1);
  for (int i = 0; i < 3; ++i)
    write(std::to_string(i));
  auto& device = anna(0, 10);
  device.acknowledge();
  close(device);
  advance(50ms);
  auto& behind = login("anna", "device0", 10, 1);
  EXPECT_EQ(behind.link.last<core::logged_in>().resume, resume_outcome::gap);
  EXPECT_EQ(behind.link.last<core::logged_in>().acknowledged,
            inbox_position{3});
  close(behind);
  settle();
  auto& beyond = login("anna", "device0", 10, 99);
  EXPECT_EQ(beyond.link.last<core::logged_in>().resume, resume_outcome::gap);
  write("new");
  EXPECT_EQ(beyond.link.texts(), texts{"new"});
}

TEST_F(Inbox, WhatExpiredMeanwhileIsAGap) {
  add_anna(1);
  core::post brief;
  brief.to = {all_of("anna")};
  brief.message.time_to_live = 100ms;
  berta_->send(std::move(brief));
  settle();
  write("kept");
  advance(10s); // swept
  auto& device = login("anna", "device0", 10, 0);
  EXPECT_EQ(device.link.last<core::logged_in>().resume, resume_outcome::gap);
  EXPECT_EQ(device.link.texts(), texts{"kept"});
}

// ------------------------------------------------------------ passivation

TEST_F(Inbox, LivesOnlyWhileItIsUsed) {
  add_anna(1);
  advance(20s);
  EXPECT_EQ(actors_of("inbox"), 1u) << "berta's";
  auto& device = anna(0);
  EXPECT_EQ(actors_of("inbox"), 2u);
  advance(60s);
  EXPECT_EQ(actors_of("inbox"), 2u);
  close(device);
  advance(14s);
  EXPECT_EQ(actors_of("inbox"), 2u);
  advance(2s);
  EXPECT_EQ(actors_of("inbox"), 1u);
  EXPECT_EQ(context().stats.inbox_actors.load(), 1u);
  write("while away");
  EXPECT_EQ(anna(0).link.texts(), texts{"while away"});
}

TEST_F(Inbox, WhoAttachesDuringPassivationIsServed) {
  add_anna(1);
  close(anna(0));
  settle();
  // The idle tick is due with the next step; the login comes at that moment.
  for (int i = 0; i < 200; ++i) {
    advance(i == 0 ? 14'900ms : 1ms);
    auto& device = connect();
    device.send(core::login{0, "anna", "device0", 1, {}});
    system_.advance(1ms);
    settle();
    ASSERT_EQ(device.link.last<core::logged_in>().failure.code, errc::ok) << i;
    write("hello");
    ASSERT_EQ(device.link.texts(), texts{"hello"}) << i;
    device.acknowledge();
    close(device);
    advance(50ms);
  }
}

// -------------------------------------------------------------- inactivity

TEST_F(Inbox, AConnectedDeviceIsNeverInactive) {
  stop();
  settings with;
  with.inbox.device_inactive_after = 60'000ms;
  start(with);
  add_anna(2);
  auto& quiet = anna(0); // acknowledges nothing
  write("unread");
  advance(50ms);
  auto& busy = anna(1);
  for (int i = 0; i < 5; ++i) {
    advance(30s);
    write("more");
    busy.acknowledge();
  }
  advance(1s);
  EXPECT_EQ(head("anna")->first, inbox_position{1});
  EXPECT_EQ(head("anna")->lost, inbox_position{0});
  close(quiet);
  advance(61s);
  write("more");
  busy.acknowledge();
  advance(1s);
  EXPECT_EQ(head("anna")->count, 0u) << "now it holds nothing back";
}

} // namespace
