// SPDX-License-Identifier: Apache-2.0
#include "actors/links/batch_codec.hpp"

#include <gtest/gtest.h>

#include <random>

namespace troupe::actors::links {
namespace {

struct message {
  links::kind kind{};
  std::uint64_t key = 0;
  std::string body;
  friend bool operator==(const message&, const message&) = default;
};

/// Reads batches as a link does.
core::result<std::vector<message>>
unpack(const std::vector<core::shared_bytes>& batches,
       std::size_t message_bytes_max = std::size_t{64} << 20U) {
  std::vector<message> all;
  assembler input{message_bytes_max};
  for (const auto& bytes : batches) {
    batch_reader reader{bytes.view()};
    while (!reader.done()) {
      const auto item = reader.next();
      if (!item)
        return item.error();
      auto whole = input.push(*item, bytes);
      if (!whole)
        return whole.error();
      if (*whole)
        all.push_back({(*whole)->kind, (*whole)->key,
                       std::string{(*whole)->body.text()}});
    }
  }
  return all;
}

std::vector<core::shared_bytes> take_all(std::vector<batch>& batches) {
  std::vector<core::shared_bytes> all;
  for (auto& each : batches)
    all.push_back(each.take());
  return all;
}

std::size_t total_size(const std::vector<batch>& batches) {
  std::size_t sum = 0;
  for (const auto& each : batches)
    sum += each.size();
  return sum;
}

TEST(Batch, PacksMessagesTogether) {
  std::vector<batch> batches;
  pack(batches, kind::raft, 1, core::as_bytes("one"));
  pack(batches, kind::interest, 2, {});
  pack(batches, kind::raft, 3, core::as_bytes("three"));
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].messages(), 3U);
  const auto read = unpack(take_all(batches));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (std::vector<message>{{kind::raft, 1, "one"},
                                         {kind::interest, 2, ""},
                                         {kind::raft, 3, "three"}}));
}

TEST(Batch, KeepsTheBoundForEverySize) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, batch_bytes_max - item_head_size - 1,
        batch_bytes_max - item_head_size, batch_bytes_max - item_head_size + 1,
        batch_bytes_max, 2 * batch_bytes_max,
        3 * (batch_bytes_max - item_head_size) - 4,
        3 * (batch_bytes_max - item_head_size) - 3}) {
    std::vector<batch> batches;
    const std::string body(size, 'x');
    pack(batches, kind::publish, 9, core::as_bytes(body));
    EXPECT_EQ(total_size(batches), encoded_size(size)) << size;
    for (const auto& each : batches)
      EXPECT_LE(each.size(), batch_bytes_max);
    const auto read = unpack(take_all(batches));
    ASSERT_TRUE(read) << size;
    ASSERT_EQ(read->size(), 1U);
    EXPECT_TRUE(read->front().body == body);
  }
}

TEST(Batch, ReadsRandomMixturesInOrder) {
  std::mt19937 random{42};
  for (int round = 0; round < 30; ++round) {
    std::vector<batch> batches;
    std::vector<message> sent;
    std::size_t cost = 0;
    for (int i = 0; i < 40; ++i) {
      const auto size = random() % 4 == 0 ? random() % 900'000 : random() % 500;
      message m{random() % 2 == 0 ? kind::publish : kind::call, random(),
                std::string(size, static_cast<char>('a' + i % 26))};
      pack(batches, m.kind, m.key, core::as_bytes(m.body));
      cost += encoded_size(size);
      sent.push_back(std::move(m));
    }
    EXPECT_EQ(total_size(batches), cost);
    const auto read = unpack(take_all(batches));
    ASSERT_TRUE(read);
    EXPECT_TRUE(*read == sent) << "round " << round;
  }
}

TEST(Batch, AppendsAnother) {
  std::vector<batch> a;
  std::vector<batch> b;
  pack(a, kind::raft, 1, core::as_bytes("first"));
  pack(b, kind::raft, 2, core::as_bytes(std::string(10'000, 'y')));
  a[0].append(b[0]);
  EXPECT_EQ(a[0].messages(), 2U);
  const auto read = unpack(take_all(a));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[1].body, std::string(10'000, 'y'));
}

TEST(Assembler, RefusesAMessageAboveItsBound) {
  std::vector<batch> batches;
  pack(batches, kind::publish, 1,
       core::as_bytes(std::string(2 * batch_bytes_max, 'x')));
  EXPECT_FALSE(unpack(take_all(batches), 2 * batch_bytes_max - 1));
}

TEST(Assembler, RefusesPiecesThatDoNotFit) {
  std::vector<batch> big;
  pack(big, kind::publish, 1,
       core::as_bytes(std::string(3 * batch_bytes_max, 'x')));
  std::vector<batch> small;
  pack(small, kind::publish, 1, core::as_bytes("x"));
  const auto pieces = take_all(big);
  const auto whole = small[0].take();
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_FALSE(unpack({pieces[1]})) << "never began";
  EXPECT_FALSE(unpack({pieces[0], pieces[0]})) << "begins twice";
  EXPECT_FALSE(unpack({pieces[0], pieces[3]})) << "ends too early";
  EXPECT_FALSE(unpack({pieces[0], whole})) << "another inside of it";
  EXPECT_FALSE(unpack({pieces[0], pieces[1], pieces[1], pieces[1]}))
      << "goes on too long";
}

TEST(Assembler, CopiesSmallBodiesOutOfLargeBatches) {
  std::vector<batch> batches;
  for (int i = 0; i < 1000; ++i)
    pack(batches, kind::raft, 1, core::as_bytes(std::string(200, 'x')));
  const auto bytes = batches[0].take();
  batch_reader reader{bytes.view()};
  assembler input{1000};
  const auto whole = input.push(*reader.next(), bytes);
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ((*whole)->body.owner_size(), 200U);
}

TEST(BatchReader, RefusesEveryShorterBatch) {
  std::vector<batch> batches;
  pack(batches, kind::raft, 1, core::as_bytes("hello"));
  const auto bytes = batches[0].take();
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_FALSE(unpack({bytes.slice(0, size)})) << size;
}

TEST(BatchReader, RefusesUnknownFlags) {
  std::string raw(item_head_size, '\0');
  raw[1] = 4;
  EXPECT_FALSE(unpack({core::shared_bytes::copy_of(raw)}));
}

} // namespace
} // namespace troupe::actors::links
