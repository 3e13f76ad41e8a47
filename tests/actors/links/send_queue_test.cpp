// SPDX-License-Identifier: Apache-2.0
#include "actors/links/send_queue.hpp"

#include <gtest/gtest.h>

namespace troupe::actors::links {
namespace {

std::vector<batch> one_batch(kind k, std::size_t size) {
  std::vector<batch> batches;
  pack(batches, k, 1, core::as_bytes(std::string(size - item_head_size, 'x')));
  return batches;
}

class SendQueue : public testing::Test {
protected:
  void SetUp() override { queue_.open({1000, 1000}); }
  void push(lane l, std::size_t size) {
    queue_.push(
        l, one_batch(l == lane::control ? kind::raft : kind::publish, size));
  }
  send_queue queue_;
};

TEST_F(SendQueue, GivesControlBeforeBulk) {
  push(lane::bulk, 100);
  push(lane::control, 50);
  EXPECT_EQ(queue_.take()->lane, lane::control);
  EXPECT_EQ(queue_.take()->lane, lane::bulk);
  EXPECT_FALSE(queue_.take());
}

TEST_F(SendQueue, StopsAtTheWindowAndGoesOnWithCredit) {
  queue_.push(lane::bulk, one_batch(kind::publish, batch_bytes_max));
  queue_.push(lane::bulk, one_batch(kind::publish, 900));
  ASSERT_TRUE(queue_.take()) << "one batch may always go";
  EXPECT_FALSE(queue_.take());
  EXPECT_TRUE(queue_.blocked());
  EXPECT_EQ(queue_.credit_bytes(lane::bulk), 0U);
  EXPECT_TRUE(queue_.on_consumed(lane::bulk, batch_bytes_max - 100));
  EXPECT_TRUE(queue_.take());
  EXPECT_FALSE(queue_.blocked());
  EXPECT_EQ(queue_.in_flight_bytes(lane::bulk), 1000U);
}

TEST_F(SendQueue, DoesNotHoldControlBackWhenBulkIsStuck) {
  push(lane::bulk, 1000);
  ASSERT_TRUE(queue_.take());
  push(lane::bulk, 1000);
  push(lane::control, 500);
  const auto next = queue_.take();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->lane, lane::control);
  EXPECT_TRUE(queue_.blocked());
}

TEST_F(SendQueue, JoinsSmallBatchesWhileTheyWait) {
  push(lane::bulk, 1000);
  ASSERT_TRUE(queue_.take());
  for (int i = 0; i < 10; ++i)
    push(lane::bulk, 90);
  EXPECT_EQ(queue_.queued_messages(), 10U);
  EXPECT_TRUE(queue_.on_consumed(lane::bulk, 1000));
  const auto next = queue_.take();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->messages, 10U);
  EXPECT_EQ(next->bytes.size(), 900U);
  EXPECT_EQ(queue_.queued_bytes(lane::bulk), 0U);
}

TEST_F(SendQueue, NoticesCreditForMoreThanWasSent) {
  push(lane::bulk, 100);
  ASSERT_TRUE(queue_.take());
  EXPECT_FALSE(queue_.on_consumed(lane::bulk, 101));
  EXPECT_TRUE(queue_.on_consumed(lane::bulk, 100));
  EXPECT_TRUE(queue_.on_consumed(lane::bulk, 40)) << "old news";
  EXPECT_EQ(queue_.in_flight_bytes(lane::bulk), 0U);
}

TEST_F(SendQueue, ShowsProgressByCreditOnly) {
  push(lane::bulk, 1000);
  push(lane::bulk, 1000);
  const auto before = queue_.progress();
  ASSERT_TRUE(queue_.take());
  EXPECT_EQ(queue_.progress(), before);
  EXPECT_TRUE(queue_.on_consumed(lane::bulk, 10));
  EXPECT_GT(queue_.progress(), before);
}

} // namespace
} // namespace troupe::actors::links
