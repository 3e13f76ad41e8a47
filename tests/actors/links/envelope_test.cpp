// SPDX-License-Identifier: Apache-2.0
#include "actors/links/envelope.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/make_message.hpp>
#include <gtest/gtest.h>

namespace troupe::actors::links {
namespace {

class Envelope : public testing::Test {
protected:
  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::troupe_links>();
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  template <class T>
  std::vector<char> save(T value) {
    std::vector<char> bytes;
    caf::binary_serializer sink{system_, bytes};
    const auto failed = sink(value);
    EXPECT_FALSE(failed);
    return bytes;
  }

  config config_;
  caf::actor_system system_{config_};
};

envelope sample(std::size_t size) {
  return {link_id{0x0102030405060708U}, 77, part::bulk_batch,
          core::shared_bytes::copy_of(std::string(size, 'b'))};
}

TEST_F(Envelope, SurvivesTheWireInsideAMessage) {
  const auto bytes = save(caf::make_message(sample(1000)));
  caf::message read;
  caf::binary_deserializer source{system_, bytes};
  ASSERT_FALSE(source(read));
  ASSERT_TRUE(read.match_elements<envelope>());
  const auto& e = read.get_as<envelope>(0);
  EXPECT_EQ(e.link, link_id{0x0102030405060708U});
  EXPECT_EQ(e.sequence, 77U);
  EXPECT_EQ(e.part, part::bulk_batch);
  EXPECT_EQ(e.bytes.text(), std::string(1000, 'b'));
}

TEST_F(Envelope, RefusesMoreBytesThanABatchHas) {
  const auto bytes = save(sample(batch_bytes_max + 1));
  envelope read;
  caf::binary_deserializer source{system_, bytes};
  EXPECT_TRUE(source(read));
  EXPECT_TRUE(read.bytes.empty());
}

TEST_F(Envelope, RefusesEveryShorterForm) {
  const auto bytes = save(sample(20));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    envelope read;
    caf::binary_deserializer source{system_, bytes.data(), size};
    EXPECT_TRUE(source(read)) << size;
  }
}

TEST_F(Envelope, HasAPrefixOnTheWire) {
  const auto prefix = envelope_prefix(system_);
  EXPECT_NE(prefix.find("envelope"), std::string::npos);
  std::vector<caf::strong_actor_ptr> stages;
  std::vector<char> bytes;
  caf::binary_serializer sink{system_, bytes};
  auto message = caf::make_message(sample(3));
  ASSERT_FALSE(sink(stages, message));
  EXPECT_TRUE(
      (std::string_view{bytes.data(), bytes.size()}).starts_with(prefix));
}

TEST_F(Envelope, ShowsItsSizeAndNotItsBytes) {
  const auto text = caf::deep_to_string(sample(12'345));
  EXPECT_NE(text.find("12345"), std::string::npos) << text;
  EXPECT_LT(text.size(), 100U);
}

TEST(Beat, ReadsWhatItWrites) {
  const beat b{1, 2, 3, {4, 5}};
  const auto bytes = encode(b);
  EXPECT_EQ(bytes.size(), beat_size);
  const auto read = decode_beat(bytes.view());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, b);
  EXPECT_FALSE(decode_beat(bytes.view().first(beat_size - 1)));
}

} // namespace
} // namespace troupe::actors::links
