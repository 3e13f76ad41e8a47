// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/record.hpp"
#include "tests/support/byte_damage.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace troupe::storage::audit {
namespace {

record sample() {
  record what;
  what.sequence = 77;
  what.time = core::from_millis(1'700'000'000'123);
  what.kind = core::audit_kind::publish;
  what.accepted = false;
  what.session = 12;
  what.size = 3;
  what.targets = 4;
  what.realm = "default";
  what.user = "alice";
  what.address = "192.0.2.7";
  what.target = "rooms/1";
  what.type = "text/plain";
  what.reason = "not_granted";
  what.reference = "17-3";
  what.detail = "{\"uid\":1}";
  digest hash{};
  hash[0] = std::byte{9};
  what.hash = hash;
  what.payload = core::as_bytes("abc");
  return what;
}

void expect_same(const record& a, const record& b) {
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.accepted, b.accepted);
  EXPECT_EQ(a.session, b.session);
  EXPECT_EQ(a.size, b.size);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.realm, b.realm);
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.address, b.address);
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.reference, b.reference);
  EXPECT_EQ(a.detail, b.detail);
  EXPECT_EQ(a.hash, b.hash);
  ASSERT_EQ(a.payload.has_value(), b.payload.has_value());
  if (a.payload) {
    EXPECT_EQ(core::as_text(*a.payload), core::as_text(*b.payload));
  }
}

TEST(AuditRecord, ComesBackAsItWasWritten) {
  std::vector<std::byte> bytes;
  encode(sample(), bytes);
  const auto found = decode_record(bytes);
  ASSERT_TRUE(found);
  expect_same(*found, sample());
}

TEST(AuditRecord, OfNothingComesBackToo) {
  std::vector<std::byte> bytes;
  encode(record{}, bytes);
  const auto found = decode_record(bytes);
  ASSERT_TRUE(found);
  expect_same(*found, record{});
}

TEST(AuditRecord, ThatIsCutAnywhereIsNone) {
  std::vector<std::byte> bytes;
  encode(sample(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_record(core::bytes_view{bytes}.first(size))) << size;
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(decode_record(bytes));
}

TEST(AuditRecord, ThatIsDamagedIsReadWithinItsBytes) {
  std::mt19937_64 random{1};
  std::vector<std::byte> bytes;
  encode(sample(), bytes);
  for (int i = 0; i < 20'000; ++i) {
    const auto bad = test::damaged(bytes, random);
    if (const auto found = decode_record(bad.view())) {
      std::vector<std::byte> again;
      encode(*found, again);
      EXPECT_EQ(core::as_text(again), bad.text());
    }
  }
}

TEST(AuditRecord, TextsAreCutBetweenCharacters) {
  EXPECT_EQ(fitting("short"), "short");
  std::string text(text_bytes_max - 1, 'a');
  text += "\xC3\xA4"; // begins in the last place
  EXPECT_EQ(fitting(text).size(), text_bytes_max - 1);
  EXPECT_EQ(fitting(std::string(text_bytes_max + 9, '\x80')).size(),
            text_bytes_max - 4);
}

TEST(AuditRecord, KindsHaveNamesThatAreReadBack) {
  for (const auto each : core::audit_kinds_all)
    EXPECT_EQ(core::audit_kind_of(core::to_string(each)), each);
  EXPECT_FALSE(core::audit_kind_of("unknown"));
}

TEST(AuditDigest, IsThatOfTheStandard) {
  hasher with;
  EXPECT_EQ(to_hex(with.of(core::as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223"
            "b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(with.of(core::as_bytes("a"), core::as_bytes("bc")),
            with.of(core::as_bytes("abc")));
  const auto hash = with.of(core::as_bytes("x"));
  EXPECT_EQ(digest_of_hex(to_hex(hash)), hash);
  EXPECT_FALSE(digest_of_hex("ba78"));
}

} // namespace
} // namespace troupe::storage::audit
