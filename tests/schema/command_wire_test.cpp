// SPDX-License-Identifier: Apache-2.0
#include "core/crc32c.hpp"
#include "core/message_number.hpp"
#include "schema/command_wire.hpp"
#include "tests/support/byte_damage.hpp"
#include "tests/support/random_directory.hpp"
#include "tests/support/sample_commands.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace troupe;
using core::errc;
using core::shared_bytes;

/// The same bytes with one byte changed.
shared_bytes with_byte(const shared_bytes& bytes, std::size_t at,
                       unsigned char value) {
  std::string text{bytes.text()};
  text[at] = static_cast<char>(value);
  return shared_bytes::copy_of(text);
}

TEST(CommandWire, EveryShardCommandComesBack) {
  for (const auto& command : test::sample_shard_commands()) {
    const auto decoded = schema::decode_shard_command(schema::encode(command));
    ASSERT_TRUE(decoded) << command.command.index();
    EXPECT_EQ(*decoded, command) << command.command.index();
  }
}

TEST(CommandWire, EveryDirectoryCommandComesBack) {
  for (const auto& command : test::sample_directory_commands()) {
    const auto decoded =
        schema::decode_directory_command(schema::encode(command));
    ASSERT_TRUE(decoded) << command.command.index();
    EXPECT_EQ(*decoded, command) << command.command.index();
  }
}

TEST(CommandWire, RandomDirectoryCommandsComeBack) {
  test::random_directory random{5};
  for (int i = 0; i < 2000; ++i) {
    const auto command = random.next();
    const auto decoded =
        schema::decode_directory_command(schema::encode(command));
    ASSERT_TRUE(decoded);
    ASSERT_EQ(*decoded, command);
  }
}

TEST(CommandWire, PostsToManyInboxesExceedTheScratchSpace) {
  core::append_message command = test::small_post();
  for (int i = 0; i < 10'000; ++i)
    command.to.push_back({"user" + std::to_string(i), false, false, {}});
  const core::logged_shard_command logged{{}, {}, command};
  const auto bytes = schema::encode(logged);
  EXPECT_EQ(*schema::decode_shard_command(bytes), logged);
  // The scratch space is clean again.
  const core::logged_shard_command small{{}, {}, test::small_post()};
  EXPECT_EQ(*schema::decode_shard_command(schema::encode(small)), small);
}

TEST(CommandWire, MetaAndPayloadAreSlicesOfTheCommand) {
  const auto bytes = schema::encode({{}, {}, test::sample_message()});
  const auto decoded = schema::decode_shard_command(bytes);
  const auto& message =
      std::get<core::append_message>(decoded->command).message;
  const auto* end = bytes.data() + bytes.size();
  EXPECT_EQ(message.payload.data() + message.payload.size(), end);
  EXPECT_EQ(message.meta.data() + message.meta.size(), message.payload.data());
  EXPECT_EQ(message.payload.owner_size(), bytes.size());
}

TEST(CommandWire, DecodesAtAnyAddress) {
  for (const auto& command : test::sample_shard_commands()) {
    const auto bytes = schema::encode(command);
    for (std::size_t shift = 0; shift < 8; ++shift) {
      const auto shifted = shared_bytes::copy_of(std::string(shift, '-') +
                                                 std::string{bytes.text()});
      const auto decoded =
          schema::decode_shard_command(shifted.slice(shift, bytes.size()));
      ASSERT_TRUE(decoded);
      ASSERT_EQ(*decoded, command);
    }
  }
}

TEST(CommandWire, ThePrefixIsReadWithoutTheRest) {
  const auto command = test::sample_directory_commands().front();
  auto prefix = schema::decode_prefix(schema::encode(command).view());
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->family, schema::command_family::directory);
  EXPECT_EQ(prefix->key, command.key);
  EXPECT_EQ(prefix->time, command.time);
}

TEST(CommandWire, TheLeaderStampsTheTimeInPlace) {
  auto command = test::sample_shard_commands().front();
  auto bytes = schema::encode(command);
  const auto* where = bytes.data();
  command.time = core::from_millis(-5);
  schema::stamp_time(bytes, command.time);
  EXPECT_EQ(bytes.data(), where);
  EXPECT_EQ(*schema::decode_shard_command(bytes), command);
  EXPECT_EQ(bytes, schema::encode(command));
}

TEST(CommandWire, TheMessageIsSeenAsRecipientsSeeIt) {
  core::logged_shard_command command{
      {}, core::from_millis(1000), test::sample_message()};
  const auto bytes = schema::encode(command);
  const auto message =
      schema::decode_message(bytes, core::group_id{3}, core::log_index{9}, 2);
  ASSERT_TRUE(message);
  auto expected = test::sample_message().message;
  expected.id = {
      1000, core::message_number(core::group_id{3}, core::log_index{9}, 2)};
  expected.created = core::from_millis(1000);
  expected.expires = core::from_millis(61'000);
  EXPECT_EQ(*message, expected);
  EXPECT_EQ(message->payload.owner_size(), bytes.size());
}

TEST(CommandWire, EachSessionSeesAPublicationAsItWantsIt) {
  const auto command = test::sample_publication();
  const auto bytes = schema::encode(
      {{}, core::from_millis(1000), core::append_message{command}});
  const auto seen = [&](std::uint32_t recipient) {
    const auto message = schema::decode_message(
        bytes, core::group_id{3}, core::log_index{9}, 0, recipient);
    EXPECT_TRUE(message);
    return *message;
  };
  auto expected = command.message;
  expected.id = {
      1000, core::message_number(core::group_id{3}, core::log_index{9}, 0)};
  expected.created = core::from_millis(1000);
  expected.expires = core::from_millis(61'000);
  for (std::uint32_t i = 0; i < 3; ++i) {
    auto mine = expected;
    core::address(mine, command.to[i]);
    EXPECT_EQ(seen(i), mine) << i;
  }
  EXPECT_EQ(seen(0).qos, 1);
  EXPECT_FALSE(seen(0).retain);
  EXPECT_EQ(seen(0).subscription_ids,
            (std::vector<std::uint32_t>{7, 268'435'455}));
  EXPECT_EQ(seen(1).qos, 2);
  EXPECT_TRUE(seen(1).retain);
  EXPECT_EQ(seen(3), expected) << "of no recipient: as it was published";
  EXPECT_EQ(seen(0).payload.owner_size(), bytes.size());
}

TEST(CommandWire, OneOfManyRecipientsIsReadAlone) {
  auto command = test::sample_publication();
  command.to.resize(10'000);
  for (std::size_t i = 0; i < command.to.size(); ++i) {
    command.to[i].name = "client-" + std::to_string(i);
    command.to[i].kind = core::owner_kind::session;
    command.to[i].qos = 1;
    command.to[i].subscription_ids = {static_cast<std::uint32_t>(i + 1)};
  }
  const core::logged_shard_command logged{{}, {}, command};
  const auto bytes = schema::encode(logged);
  EXPECT_EQ(*schema::decode_shard_command(bytes), logged);
  for (const std::uint32_t i : {0U, 77U, 9'999U})
    EXPECT_EQ(schema::decode_message(bytes, {}, {}, 0, i)->subscription_ids,
              (std::vector<std::uint32_t>{i + 1}));
}

TEST(CommandWire, AKeysValueIsReadFromItsCommand) {
  for (const auto& command : test::sample_shard_commands()) {
    const auto bytes = schema::encode(command);
    const auto value = schema::decode_key_value(bytes);
    const auto* key = std::get_if<core::set_key>(&command.command);
    ASSERT_EQ(value.has_value(), key != nullptr);
    if (key == nullptr)
      continue;
    EXPECT_EQ(*value, *key);
    if (!key->content.payload.empty()) {
      EXPECT_EQ(value->content.payload.owner_size(), bytes.size());
    }
  }
}

TEST(CommandWire, APostThatOlderNodesKnowIsWrittenAsTheyReadIt) {
  const auto place = schema::command_prefix_bytes + 8 + 8;
  const auto form = [&](const core::append_message& command) {
    return std::to_integer<int>(
        schema::encode({{}, {}, command}).data()[place]);
  };
  auto command = test::small_post();
  EXPECT_EQ(form(command), 0);
  command.to.front().kind = core::owner_kind::session;
  EXPECT_EQ(form(command), 8);
  command = test::small_post();
  command.message.qos = 1;
  EXPECT_EQ(form(command), 8);
}

TEST(CommandWire, OnlyAnAppendHoldsAMessage) {
  for (const auto& command : test::sample_shard_commands())
    EXPECT_EQ(
        schema::decode_message(schema::encode(command), {}, {}, 0).has_value(),
        std::holds_alternative<core::append_message>(command.command));
  EXPECT_FALSE(schema::decode_message(
      schema::encode(test::sample_directory_commands().front()), {}, {}, 0));
}

TEST(CommandWire, FamiliesAreNotMixedUp) {
  const auto shard = schema::encode(test::sample_shard_commands().front());
  const auto directory =
      schema::encode(test::sample_directory_commands().front());
  EXPECT_EQ(schema::decode_directory_command(shard).error().code,
            errc::malformed);
  EXPECT_EQ(schema::decode_shard_command(directory).error().code,
            errc::malformed);
}

TEST(CommandWire, RefusesNewerFormats) {
  const auto bytes = schema::encode(test::first_shard_commands().back());
  EXPECT_EQ(schema::decode_shard_command(with_byte(bytes, 0, 2)).error().code,
            errc::newer_format);
  EXPECT_EQ(schema::decode_shard_command(with_byte(bytes, 0, 0)).error().code,
            errc::malformed);
  // The union's number stands behind the segment table and the root pointer.
  const auto place = schema::command_prefix_bytes + 8 + 8;
  ASSERT_EQ(std::to_integer<int>(bytes.data()[place]), 7);
  EXPECT_EQ(
      schema::decode_shard_command(with_byte(bytes, place, 22)).error().code,
      errc::newer_format);
}

TEST(CommandWire, RefusesEveryTruncation) {
  for (const auto& command : test::sample_shard_commands()) {
    const auto bytes = schema::encode(command);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_FALSE(schema::decode_shard_command(bytes.slice(0, size)));
      ASSERT_FALSE(schema::decode_message(bytes.slice(0, size), {}, {}, 0));
    }
  }
  for (const auto& command : test::sample_directory_commands()) {
    const auto bytes = schema::encode(command);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      ASSERT_FALSE(schema::decode_directory_command(bytes.slice(0, size)));
  }
}

TEST(CommandWire, RefusesBytesBehindTheEnd) {
  for (const auto& command : test::sample_shard_commands()) {
    const auto longer = std::string{schema::encode(command).text()} + "x";
    EXPECT_FALSE(schema::decode_shard_command(shared_bytes::copy_of(longer)));
  }
  const auto longer =
      std::string{
          schema::encode(test::sample_directory_commands().front()).text()} +
      "x";
  EXPECT_FALSE(schema::decode_directory_command(shared_bytes::copy_of(longer)));
}

TEST(CommandWire, SurvivesDamage) {
  std::mt19937_64 random{11};
  std::vector<shared_bytes> samples;
  for (const auto& command : test::sample_shard_commands())
    samples.push_back(schema::encode(command));
  for (const auto& command : test::sample_directory_commands())
    samples.push_back(schema::encode(command));
  for (int i = 0; i < 10'000; ++i) {
    const auto bytes =
        test::damaged(samples[random() % samples.size()].view(), random);
    // What is accepted can be written and read again.
    if (const auto command = schema::decode_shard_command(bytes)) {
      ASSERT_TRUE(schema::decode_shard_command(schema::encode(*command)));
    }
    if (const auto command = schema::decode_directory_command(bytes)) {
      ASSERT_TRUE(schema::decode_directory_command(schema::encode(*command)));
    }
    static_cast<void>(
        schema::decode_message(bytes, core::group_id{1}, core::log_index{1}, 0)
            .has_value());
  }
}

TEST(CommandWire, BytesAreAsWrittenDown) {
  EXPECT_EQ(
      test::to_hex(
          schema::encode({{1, 2}, core::from_millis(3), test::sample_message()})
              .view()),
      "0101000020010000030000000000000001000000000000000200000000000000"
      "0000000023000000000000000100010000000000000000000000000004000600"
      "020100000000000060ea00000000000010000000000000000500000000000000"
      "1500000032000000150000002a00000015000000520000001900000027000000"
      "310000004200000031000000370000007265616c6d310000616c696365000000"
      "746578742f706c61696e00000000000008000000000002000d0000000a000000"
      "0d0000000a0000000d0000000200000009000000020000006100000000000000"
      "3100000000000000616c6963652f6d310c000000010001000100000000000000"
      "110000001a0000000200f8ff000000000d0000002a000000000000ff00000000"
      "0900000022000000626f620000000000616c6963650000006e00756c00000000"
      "7b227375626a656374223a226869227d68656c6c6f");
  EXPECT_EQ(
      test::to_hex(schema::encode(test::first_shard_commands().back()).view()),
      "0101000020000000103488fba101000088776655443322110c00000000000000"
      "0000000003000000000000000100010007000000393000000000000000000000");
  EXPECT_EQ(
      test::to_hex(
          schema::encode(test::sample_directory_commands().front()).view()),
      "0102000070000000ffffffffffffffff88776655443322110100000000000000"
      "000000000d000000000000000100020000000000000000000000000000000000"
      "0000000000000300090000002a00000009000000120000000900000016000000"
      "616c6963650000006e300000000000000500000012000000050000001a000000"
      "616c0000000000006963650000000000");
}

/// Any change of a layout shows up here, and means a new format number.
TEST(CommandWire, NoLayoutChangesUnnoticed) {
  std::string all;
  for (const auto& command : test::first_shard_commands())
    all += schema::encode(command).text();
  for (const auto& command : test::sample_directory_commands())
    all += schema::encode(command).text();
  for (const auto& command : test::sample_session_commands())
    all += schema::encode(command).text();
  EXPECT_EQ(all.size(), 9083U);
  EXPECT_EQ(core::crc32c(core::as_bytes(all)), 901541934U);
  // Before there were routes, sessions and retained keys.
  all.resize(5289);
  EXPECT_EQ(core::crc32c(core::as_bytes(all)), 3005679130U);
  // Before there were rights.
  all.resize(3833);
  EXPECT_EQ(core::crc32c(core::as_bytes(all)), 20774919U);
  // Before nodes could be replaced.
  all.resize(3641);
  EXPECT_EQ(core::crc32c(core::as_bytes(all)), 3636894068U);
  // Those of the first version, without change_cluster.
  all.resize(2897);
  EXPECT_EQ(core::crc32c(core::as_bytes(all)), 2381256606U);
}

} // namespace
