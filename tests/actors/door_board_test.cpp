// SPDX-License-Identifier: Apache-2.0
#include "actors/door_board.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using core::node_id;

core::shared_bytes word_of(std::string text, bool draining = false) {
  door_board board;
  board.set_own(std::move(text));
  return board.word(draining);
}

TEST(DoorBoard, SaysWhereElseClientsMayGoInTurns) {
  door_board board;
  const core::steady_time now{1h};
  EXPECT_EQ(board.others(now), "");
  EXPECT_TRUE(board.take(node_id{2}, word_of("b:1883").view(), now));
  EXPECT_TRUE(board.take(node_id{3}, word_of("c:1883").view(), now));
  EXPECT_EQ(board.others(now), "b:1883 c:1883");
  EXPECT_EQ(board.others(now), "c:1883 b:1883");
}

TEST(DoorBoard, WhoDrainsOrIsSilentIsNotNamed) {
  door_board board;
  core::steady_time now{1h};
  EXPECT_TRUE(board.take(node_id{2}, word_of("b:1883").view(), now));
  EXPECT_TRUE(board.take(node_id{3}, word_of("c:1883").view(), now));
  EXPECT_TRUE(board.take(node_id{2}, word_of("b:1883", true).view(), now));
  EXPECT_EQ(board.others(now), "c:1883");
  now += door_board::memory + 1ms;
  EXPECT_EQ(board.others(now), "");
  EXPECT_TRUE(board.take(node_id{3}, word_of("").view(), now));
  EXPECT_EQ(board.others(now), "");
}

TEST(DoorBoard, TakesNothingThatIsNoWord) {
  door_board board;
  const core::steady_time now{1h};
  for (const std::string& bytes :
       {std::string{}, std::string{"\2b:1", 4}, std::string{"\1b 1", 4},
        std::string{"\1b\n", 3},
        std::string{"\1"} + std::string(door_board::text_max + 1, 'x')})
    EXPECT_FALSE(board.take(node_id{2}, core::as_bytes(bytes), now));
  EXPECT_EQ(board.others(now), "");
}

} // namespace
} // namespace troupe::actors
