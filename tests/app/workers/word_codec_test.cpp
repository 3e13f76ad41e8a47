// SPDX-License-Identifier: Apache-2.0
#include "app/workers/word_codec.hpp"
#include "tests/app/workers/sample_words.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

namespace troupe::app::workers {
namespace {

/// The bytes of one frame with its length.
std::string bytes_of(const word& what) {
  net::output_queue out;
  encode(what, out);
  std::string all;
  while (!out.empty()) {
    std::array<iovec, 8> pieces{};
    const auto count = out.gather(pieces.data(), pieces.size());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      all.append(static_cast<const char*>(pieces[i].iov_base),
                 pieces[i].iov_len);
      bytes += pieces[i].iov_len;
    }
    out.consume(bytes);
  }
  return all;
}

core::bytes_view frame_of(const std::string& bytes) {
  return core::as_bytes(bytes).subspan(length_bytes);
}

TEST(WordCodec, EveryWordComesBack) {
  for (const auto& sample : sample_words()) {
    const auto bytes = bytes_of(sample);
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    EXPECT_EQ(length, bytes.size() - length_bytes);
    const auto found = decode(frame_of(bytes), nullptr);
    ASSERT_TRUE(found) << sample.index();
    EXPECT_EQ(found->index(), sample.index());
    EXPECT_EQ(bytes_of(*found), bytes) << sample.index();
  }
}

TEST(WordCodec, WhatIsCutOffOrTooLongIsMalformed) {
  for (const auto& sample : sample_words()) {
    const auto bytes = bytes_of(sample);
    const auto frame = frame_of(bytes);
    for (std::size_t n = 0; n < frame.size(); ++n)
      EXPECT_FALSE(decode(frame.first(n), nullptr))
          << sample.index() << ", " << n;
    const auto longer = bytes + '\0';
    EXPECT_FALSE(decode(frame_of(longer), nullptr)) << sample.index();
  }
}

TEST(WordCodec, ChoicesThatDoNotExistAreMalformed) {
  for (const auto& bad :
       {std::string(1, '\0'), std::string(1, '\7'), std::string("\xFF"),
        // An event and a command of kinds that are none.
        std::string("\x11") + std::string(8, '\1') + "\x07" +
            std::string(64, '\0'),
        std::string("\x24") + std::string(8, '\1') +
            std::string("\1\0\0\0\x09", 5) + std::string(64, '\0')})
    EXPECT_FALSE(decode(core::as_bytes(bad), nullptr));
}

TEST(WordCodec, NorAreThoseOfSeatsAndTopics) {
  const auto seats = std::string("\x19") + std::string(8, '\xFF');
  EXPECT_FALSE(decode(core::as_bytes(seats), nullptr));
  // A deed that is none; a topic with a wildcard.
  const auto wish = std::string("\x26") + std::string(16, '\1') + "\x04" +
                    std::string(64, '\0');
  EXPECT_FALSE(decode(core::as_bytes(wish), nullptr));
  auto bytes = bytes_of(words::published{{1}, sample_publication(3)});
  const auto at = bytes.find("a/b");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = '+';
  EXPECT_FALSE(decode(frame_of(bytes), nullptr));
}

TEST(WordCodec, CountsAreNotBelieved) {
  // A batch that announces more commands than there are bytes.
  const auto bad =
      std::string("\x24") + std::string(8, '\1') + std::string(4, '\xFF');
  EXPECT_FALSE(decode(core::as_bytes(bad), nullptr));
}

TEST(WordCodec, TheLargerPartOfAFrameIsReferenced) {
  const auto sample = large_delivery(1 << 20);
  const auto bytes = bytes_of(sample);
  const auto owner = core::shared_bytes::copy_of(frame_of(bytes));
  const auto found = decode(owner.view(), &owner);
  ASSERT_TRUE(found);
  const auto& payload =
      std::get<core::delivery>(std::get<words::event>(*found).what)
          .message->payload;
  EXPECT_EQ(payload.size(), std::size_t{1} << 20);
  EXPECT_GE(payload.data(), owner.data());
  EXPECT_LT(payload.data(), owner.data() + owner.size());
}

TEST(WordCodec, WeightGrowsWithWhatIsCarried) {
  EXPECT_LT(weight(words::beat{}), 1024U);
  EXPECT_GT(weight(large_delivery(1 << 20)), std::size_t{1} << 20);
  core::post post;
  post.message.payload = core::shared_bytes::copy_of(std::string(5000, 'x'));
  words::commands batch;
  batch.items.emplace_back(post);
  batch.items.emplace_back(post);
  EXPECT_GT(weight(batch), 10'000U);
  EXPECT_GT(weight(words::published{{1, 2}, sample_publication(5000)}), 5016U);
  net::msgbus::wish wish;
  wish.body = post.message.payload;
  EXPECT_GT(weight(words::bus_wish{1, 2, wish}), 5000U);
}

} // namespace
} // namespace troupe::app::workers
