// SPDX-License-Identifier: Apache-2.0
#include "actors/courier_actor.hpp"
#include "tests/support/broker_fixture.hpp"
#include "tests/support/client_peer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace troupe::actors {
namespace {

using core::errc;
using test_support::client_peer;

/// A session that stays wants what is published to "t".
class Courier : public test_support::broker_fixture {
protected:
  using outcome = std::shared_ptr<std::optional<errc>>;

  void begin(const settings& with) {
    start(with);
    wants_ = std::make_unique<client_peer>(system_.system(), context(), 7);
    wants_->open("a");
    settle();
    wants_->subscribe("t");
    settle();
  }
  ~Courier() override {
    wants_->close();
    settle();
    wants_.reset();
  }
  /// Nothing runs yet.
  outcome publish(std::size_t bytes) {
    auto result = std::make_shared<std::optional<errc>>();
    test_support::publish_to_sessions(context(), "t", std::string(bytes, 'x'),
                                      result);
    return result;
  }
  static errc of(const outcome& result) {
    return result->value_or(errc::timed_out);
  }
  [[nodiscard]] bool has_bytes(std::uint64_t count) {
    const auto state =
        system_.ask<std::string>(context().couriers.front(), inspect{});
    return state && state->find("\"bytes\":" + std::to_string(count) + ",") !=
                        std::string::npos;
  }

  std::unique_ptr<client_peer> wants_;
};

TEST(BytesOf, CountEachCopyOnce) {
  queued_publication what;
  what.message.payload = core::shared_bytes::copy_of(std::string(1000, 'x'));
  const auto one = bytes_of(what, 3);
  EXPECT_GE(one, 1000U);
  what.to.resize(100);
  EXPECT_GE(bytes_of(what, 3), 3 * one);
  EXPECT_LT(bytes_of(what, 3), 20 * one);
}

TEST_F(Courier, RefusesMoreThanItsBytes) {
  settings with;
  with.queueing_bytes_max = 10'000;
  begin(with);
  const auto one = publish(4'000);
  const auto two = publish(4'000);
  const auto three = publish(4'000);
  run(); // nothing is durable yet
  EXPECT_EQ(of(three), errc::overloaded);
  EXPECT_FALSE(has_bytes(0));
  EXPECT_FALSE(*one);
  settle();
  EXPECT_EQ(of(one), errc::ok);
  EXPECT_EQ(of(two), errc::ok);
  EXPECT_TRUE(has_bytes(0));
  EXPECT_EQ(context().stats.publications_overflow.load(), 1U);
  const auto four = publish(4'000);
  settle();
  EXPECT_EQ(of(four), errc::ok);
}

TEST_F(Courier, TakesOneThatIsLargerThanAll) {
  settings with;
  with.queueing_bytes_max = 10'000;
  begin(with);
  const auto large = publish(50'000);
  const auto small = publish(1);
  run();
  EXPECT_EQ(of(small), errc::overloaded) << "not beside it";
  settle();
  EXPECT_EQ(of(large), errc::ok);
  EXPECT_EQ(wants_->texts().size(), 1U);
}

TEST_F(Courier, RefusesMoreThanItsCount) {
  settings with;
  with.queueing_max = 2;
  begin(with);
  const auto one = publish(1);
  const auto two = publish(1);
  const auto three = publish(1);
  run();
  EXPECT_EQ(of(three), errc::overloaded);
  settle();
  EXPECT_EQ(of(one), errc::ok);
  EXPECT_EQ(of(two), errc::ok);
}

} // namespace
} // namespace troupe::actors
