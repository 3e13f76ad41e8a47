// SPDX-License-Identifier: Apache-2.0
#include "cluster/interest_wire.hpp"
#include "cluster/wire_bytes.hpp"
#include "core/crc32c.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using namespace troupe;
using namespace troupe::cluster;
namespace words = interest_words;
using core::errc;

interest_frame with(words::any what, std::uint64_t sequence = 2) {
  return {7, sequence, std::move(what)};
}

/// Whether what is written is read as it was.
void expect_same(const interest_frame& frame) {
  const auto bytes = encode(frame);
  const auto back = decode_interest(bytes.view());
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, frame);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(decode_interest(bytes.view().first(i)));
    auto broken = std::string{bytes.text()};
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_EQ(decode_interest(core::as_bytes(broken)).error().code,
              errc::corrupt);
  }
}

/// The same bytes with another version or body, and a right checksum.
errc read_again(const interest_frame& frame, std::size_t at, char byte) {
  auto bytes = std::string{encode(frame).text()};
  bytes.resize(bytes.size() - 4);
  bytes.at(at) = byte;
  byte_writer out{bytes.size() + 4};
  out.put(core::as_bytes(bytes));
  out.put(core::crc32c(out.view()));
  const auto back = decode_interest(out.view());
  return back ? errc::ok : back.error().code;
}

TEST(InterestWire, EveryFrameComesBack) {
  expect_same(with(words::filters{true, false, {}}, 1));
  expect_same(with(words::filters{false,
                                  true,
                                  {{"default", "a/+", true},
                                   {"default", "b/c*", false},
                                   {"other", "", true},
                                   {"default", "#", true}}}));
  expect_same(with(words::digest{{12, 0xFFFF'FFFF'FFFF'FFFFU}}));
  expect_same(with(words::resync{}));
  expect_same({0, 1, words::resync{}});
  expect_same({0, 7, words::mark{}});
  expect_same({0, 7, words::marked{}});
}

TEST(InterestWire, ARealmIsWrittenOnceInARow) {
  words::filters one{false, false, {{"default", "a", true}}};
  auto two = one;
  two.changes.push_back({"default", "b", true});
  EXPECT_EQ(encode(with(two)).size() - encode(with(one)).size(), 4U);
}

TEST(InterestWire, RefusesWhatMakesNoSense) {
  const auto frame = with(words::filters{false, false, {{"r", "a/+", true}}});
  EXPECT_EQ(read_again(frame, 0, 2), errc::ok);
  EXPECT_EQ(read_again(frame, 0, 3), errc::newer_format);
  EXPECT_EQ(read_again(frame, 0, 0), errc::malformed);
  EXPECT_EQ(read_again(frame, 1, 6), errc::malformed);                 // what
  EXPECT_EQ(read_again({1, 7, words::mark{}}, 0, 2), errc::malformed); // stream
  EXPECT_EQ(read_again(frame, 2, 0), errc::malformed);     // stream 0
  EXPECT_EQ(read_again(frame, 18, 1), errc::malformed);    // begins, not first
  EXPECT_EQ(read_again(frame, 18, 4), errc::malformed);    // flags
  EXPECT_EQ(read_again(frame, 19, 2), errc::malformed);    // count
  EXPECT_EQ(read_again(frame, 19, 0), errc::malformed);    // left over
  EXPECT_EQ(read_again(frame, 22, 1), errc::malformed);    // count, huge
  EXPECT_EQ(read_again(frame, 23, 8), errc::malformed);    // flags of a change
  EXPECT_EQ(read_again(frame, 23, 3), errc::malformed);    // realm of nothing
  EXPECT_EQ(read_again(frame, 25, 0x7F), errc::malformed); // realm
  EXPECT_EQ(read_again(frame, 28, '*'), errc::malformed);  // filter
}

TEST(InterestWire, SaysHowManyShareAFilter) {
  const words::filters all{true,
                           true,
                           {{"r", "a/+", true, "g", 70'000},
                            {"r", "a/+", true},
                            {"q", "b", false, "g", 0}}};
  interest_frame frame{1, 1, all};
  const auto back = decode_interest(encode(frame).view());
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, frame);
  // Held by nobody, given up by somebody, shared by nobody in particular.
  for (const auto& bad : {interest_change{"r", "a", true, "g", 0},
                          interest_change{"r", "a", false, "g", 1}}) {
    frame.what = words::filters{true, true, {bad}};
    EXPECT_EQ(decode_interest(encode(frame).view()).error().code,
              errc::malformed);
  }
  EXPECT_NE(interest_hash("r", "a", "g"), interest_hash("r", "a"));
  EXPECT_NE(interest_hash("r", "a", "g"), interest_hash("r", "a", "h"));
}

TEST(InterestWire, IsBounded) {
  words::filters full;
  const interest_change one{"default", std::string(1000, 'x'), true,
                            std::string(share_bytes_max, 'g'), 1};
  for (std::size_t bytes = cost(one); bytes <= interest_changes_bytes_max;
       bytes += cost(one))
    full.changes.push_back(one);
  EXPECT_LE(encode(with(full)).size(), interest_frame_bytes_max);
  const std::string large(interest_frame_bytes_max + 1, 'x');
  EXPECT_EQ(decode_interest(core::as_bytes(large)).error().code,
            errc::too_large);
}

TEST(InterestWire, ADigestIsOfASet) {
  interest_digest one;
  interest_digest two;
  one.add(interest_hash("r", "a"));
  one.add(interest_hash("r", "b"));
  two.add(interest_hash("r", "b"));
  two.add(interest_hash("r", "x"));
  EXPECT_NE(one, two);
  two.remove(interest_hash("r", "x"));
  two.add(interest_hash("r", "a"));
  EXPECT_EQ(one, two);
  // Written down in docs/formats/interest-frames.md.
  EXPECT_EQ(interest_hash("default", "a/b"), 0xA92001B5628FF33CU);
}

} // namespace
