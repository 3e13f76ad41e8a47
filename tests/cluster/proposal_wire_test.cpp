// SPDX-License-Identifier: Apache-2.0
#include "cluster/proposal_wire.hpp"
#include "cluster/wire_bytes.hpp"
#include "core/crc32c.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace troupe::cluster {
namespace {

forwarded_batch sample_proposals() {
  return {1ULL << 62U,
          3,
          {{7, true, core::shared_bytes::copy_of("one")},
           {1ULL << 63U, false, {}}}};
}

std::vector<shard_answer_item> sample_shard_answers() {
  core::shard_outcome full;
  full.failure = {core::errc::inbox_full, "bob"};
  full.failures = {{core::errc::user_unknown, "x"}, {}};
  full.id = core::message_id{-5, 6};
  full.dropped = 7;
  full.more = true;
  return {{1, full, core::node_id{3}}, {2, {}, {}}};
}

std::vector<directory_answer_item> sample_directory_answers() {
  core::directory_outcome full;
  full.index = core::log_index{1};
  full.failure = {core::errc::user_exists, "bob"};
  full.aliases = {"a", ""};
  full.aliases_replaced = true;
  full.offset = core::device_offset{0};
  full.inherits = core::device_offset{99};
  full.devices = {core::device_offset{1}, core::device_offset{2}};
  full.list = {
      "uid", "alias", core::membership::invited, core::membership::full,
      true,  true};
  full.imported = {1, 2, 3, 4, 5, 6, 7, 8};
  full.node = core::node_id{9};
  return {{1, full, core::node_id{3}}, {2, {}, {}}};
}

std::vector<shard_answer_item> sample_session_answers() {
  auto items = sample_shard_answers();
  auto& outcome = items.front().outcome;
  outcome.number = 8;
  outcome.generation = 1ULL << 63U;
  outcome.present = true;
  outcome.replaced = true;
  outcome.receipts = {{core::errc::ok, 9, true},
                      {core::errc::too_many, 0, false}};
  return items;
}

std::vector<directory_answer_item> sample_route_answers() {
  auto items = sample_directory_answers();
  items.back().outcome.routes = {core::route_result::was_present,
                                 core::route_result::refused};
  return items;
}

template <class Items>
void expect_back(const Items& items) {
  Items found;
  ASSERT_TRUE(decode_answers(encode(items), found));
  EXPECT_EQ(found, items);
  found.clear();
  ASSERT_TRUE(decode_answers(encode(Items{}), found));
  EXPECT_TRUE(found.empty());
}

TEST(ProposalWire, OlderNodesReadWhatTheyCanHaveAskedFor) {
  EXPECT_EQ(std::to_integer<int>(encode(sample_shard_answers()).data()[0]), 1);
  EXPECT_EQ(std::to_integer<int>(encode(sample_directory_answers()).data()[0]),
            1);
  EXPECT_EQ(std::to_integer<int>(encode(sample_session_answers()).data()[0]),
            2);
}

TEST(ProposalWire, ComesBackAsItWas) {
  EXPECT_EQ(*decode_proposals(encode(sample_proposals())), sample_proposals());
  expect_back(sample_shard_answers());
  expect_back(sample_directory_answers());
  expect_back(sample_session_answers());
  expect_back(sample_route_answers());
}

TEST(ProposalWire, CommandsHaveBytesOfTheirOwn) {
  const auto batch = *decode_proposals(encode(sample_proposals()));
  EXPECT_EQ(batch.items[0].command.owner_size(), 3U);
}

TEST(ProposalWire, KindsAreNotMixedUp) {
  std::vector<shard_answer_item> answers;
  EXPECT_FALSE(decode_answers(encode(sample_directory_answers()), answers));
  EXPECT_FALSE(decode_proposals(encode(sample_shard_answers())));
}

TEST(ProposalWire, DamageIsToldApartAndHarmless) {
  std::mt19937_64 random{1};
  const auto frames = {encode(sample_proposals()),
                       encode(sample_shard_answers()),
                       encode(sample_directory_answers())};
  for (int round = 0; round < 5000; ++round)
    for (const auto& frame : frames) {
      const auto spoiled = test::damaged(frame.view(), random);
      std::vector<shard_answer_item> shard;
      std::vector<directory_answer_item> directory;
      if (!(spoiled == frame)) {
        EXPECT_FALSE(decode_proposals(spoiled));
        EXPECT_FALSE(decode_answers(spoiled, shard));
        EXPECT_FALSE(decode_answers(spoiled, directory));
      }
      if (spoiled.size() < 4)
        continue;
      // Under a checksum that is right.
      byte_writer out{spoiled.size()};
      out.put(spoiled.view().subspan(0, spoiled.size() - 4));
      out.put(core::crc32c(out.view()));
      const auto again = core::shared_bytes::copy_of(out.view());
      if (const auto m = decode_proposals(again)) {
        EXPECT_EQ(encode(*m), again);
      }
      if (decode_answers(again, shard)) {
        EXPECT_EQ(encode(shard), again);
      }
      if (decode_answers(again, directory)) {
        EXPECT_EQ(encode(directory), again);
      }
    }
}

} // namespace
} // namespace troupe::cluster
