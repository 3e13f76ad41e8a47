// SPDX-License-Identifier: Apache-2.0
//
// The seeds of mqtt_packet_fuzz are the samples of the other tests.
// TROUPE_TEST_WRITE_CORPUS=1 writes them anew.
#include "tests/net/mqtt/sample_packets.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace troupe::net::mqtt {
namespace {

/// See mqtt_packet_fuzz.cpp.
std::string seed_of(version by, sender from, const std::string& bytes) {
  const auto how =
      (static_cast<unsigned>(by) - 3U) | (from == sender::server ? 4U : 0U);
  return static_cast<char>(how) + bytes;
}

TEST(MqttFuzzCorpus, HasEverySample) {
  std::map<std::string, std::string> seeds;
  for (const auto& each : test::samples())
    seeds[std::string{each.name}] = seed_of(each.by, each.from, each.bytes);
  for (const auto& each : test::bad_samples())
    seeds["bad_" + std::string{each.name}] =
        seed_of(each.by, each.from, each.bytes);
  const std::filesystem::path folder{TROUPE_FUZZ_CORPUS "/mqtt_packet_fuzz"};
  if (std::getenv("TROUPE_TEST_WRITE_CORPUS") != nullptr) {
    std::filesystem::create_directories(folder);
    for (const auto& [name, bytes] : seeds)
      std::ofstream{folder / name, std::ios::binary} << bytes;
  }
  for (const auto& [name, bytes] : seeds) {
    std::ifstream file{folder / name, std::ios::binary};
    const std::string found{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_TRUE(found == bytes) << name;
  }
}

} // namespace
} // namespace troupe::net::mqtt
