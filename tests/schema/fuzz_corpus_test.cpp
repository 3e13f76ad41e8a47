// SPDX-License-Identifier: Apache-2.0
//
// The seeds of command_wire_fuzz and record_wire_fuzz are the samples of the
// other tests. TROUPE_TEST_WRITE_CORPUS=1 writes them anew.
#include "schema/command_wire.hpp"
#include "schema/record_wire.hpp"
#include "schema/state_key.hpp"
#include "tests/support/sample_commands.hpp"
#include "tests/support/sample_records.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace troupe;
using seeds = std::map<std::string, std::string>;

std::string numbered(std::string_view kind, std::size_t number) {
  return std::string{kind} + (number < 10 ? "_0" : "_") +
         std::to_string(number);
}

seeds of_commands() {
  seeds all;
  for (const auto& command : test::sample_shard_commands())
    all[numbered("shard", all.size() + 1)] =
        std::string{schema::encode(command).text()};
  std::size_t number = 0;
  for (const auto& command : test::sample_directory_commands())
    all[numbered("directory", ++number)] =
        std::string{schema::encode(command).text()};
  return all;
}

seeds of_records() {
  seeds all;
  test::each_sample([&](const auto& sample) {
    all[numbered("record", all.size() + 1)] =
        std::string{schema::encode_record(sample).text()};
  });
  all["key_member"] = schema::state_key{schema::key_kind::member}
                          .name("default")
                          .name(std::string_view{"a\0b", 3})
                          .last("alice")
                          .view();
  all["key_expiry"] = schema::state_key{schema::key_kind::expiry}
                          .time(core::from_millis(-1))
                          .number(7)
                          .number(1ULL << 63)
                          .view();
  return all;
}

void expect_seeds(const std::string& target, const seeds& expected) {
  const auto folder = std::filesystem::path{TROUPE_FUZZ_CORPUS} / target;
  if (std::getenv("TROUPE_TEST_WRITE_CORPUS") != nullptr) {
    std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : expected)
      std::ofstream{folder / name, std::ios::binary} << bytes;
  }
  seeds found;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    std::ifstream file{entry.path(), std::ios::binary};
    found[entry.path().filename().string()] =
        std::string{std::istreambuf_iterator<char>{file}, {}};
  }
  // What the fuzzer has found and somebody kept may lie there as well.
  for (const auto& [name, bytes] : expected)
    EXPECT_TRUE(found[name] == bytes) << target << "/" << name;
}

TEST(FuzzCorpus, HasEveryCommand) {
  expect_seeds("command_wire_fuzz", of_commands());
}

TEST(FuzzCorpus, HasEveryRecord) {
  expect_seeds("record_wire_fuzz", of_records());
}

} // namespace
