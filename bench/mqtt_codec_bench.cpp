// SPDX-License-Identifier: Apache-2.0

// MQTT without sockets: what one packet costs in the codec, and one publication
// to a thousand subscribers.
#include "core/shared_bytes.hpp"
#include "net/mqtt/decoder.hpp"
#include "net/mqtt/encoder.hpp"
#include "net/mqtt/outgoing_publish.hpp"
#include "net/mqtt/topic_spelling.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace troupe::net::mqtt {
namespace {

constexpr std::string_view topic = "site/17/device/4711/state";

publish message(qos level, std::size_t payload_bytes) {
  publish packet;
  packet.topic = topic;
  packet.level = level;
  if (level != qos::at_most_once)
    packet.id = packet_id{7};
  packet.payload = core::shared_bytes::copy_of(std::string(payload_bytes, 'x'));
  return packet;
}

core::shared_bytes bytes_of(const any_packet& packet, version by) {
  encoded_packet to;
  (void)encode(to, packet, by);
  std::string all{core::as_text(to.head())};
  all += to.payload().text();
  return core::shared_bytes::copy_of(all);
}

void decode_again(benchmark::State& state, const any_packet& packet,
                  version by) {
  const auto bytes = bytes_of(packet, by);
  decode_options how;
  how.speaking = by;
  how.owner = &bytes;
  for (auto _ : state) {
    const auto whole = decode_frame(bytes.view(), packet_bytes_unbounded, by);
    benchmark::DoNotOptimize(decode(whole, how));
  }
}

void DecodePublish(benchmark::State& state) {
  decode_again(
      state,
      message(qos::at_least_once, static_cast<std::size_t>(state.range(0))),
      version::v3_1_1);
}
BENCHMARK(DecodePublish)->Arg(128)->Arg(65536);

void DecodePublish5(benchmark::State& state) {
  auto packet = message(qos::at_least_once, 128);
  packet.properties.content_type = "application/json";
  packet.properties.expiry = seconds{60};
  packet.properties.user = {{"trace", "0123456789abcdef"}};
  decode_again(state, packet, version::v5);
}
BENCHMARK(DecodePublish5);

void DecodePuback(benchmark::State& state) {
  puback packet;
  packet.id = packet_id{7};
  decode_again(state, packet, version::v5);
}
BENCHMARK(DecodePuback);

void EncodePublish(benchmark::State& state) {
  const any_packet packet = message(qos::at_least_once, 128);
  for (auto _ : state) {
    encoded_packet to;
    benchmark::DoNotOptimize(encode(to, packet, version::v5));
    benchmark::DoNotOptimize(to.head());
  }
}
BENCHMARK(EncodePublish);

void EncodePuback(benchmark::State& state) {
  puback each;
  each.id = packet_id{7};
  const any_packet packet = each;
  for (auto _ : state) {
    encoded_packet to;
    benchmark::DoNotOptimize(encode(to, packet, version::v5));
    benchmark::DoNotOptimize(to.head());
  }
}
BENCHMARK(EncodePuback);

/// Time of one publication to a thousand queues.
void fan_out(benchmark::State& state, qos level) {
  constexpr std::uint16_t subscribers = 1000;
  const auto packet =
      message(qos::at_most_once, static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    outgoing_publish out{packet.topic, packet.properties, packet.payload};
    for (std::uint16_t i = 1; i <= subscribers; ++i) {
      output_queue to;
      publish_terms terms;
      terms.level = level;
      if (level != qos::at_most_once)
        terms.id = packet_id{i};
      benchmark::DoNotOptimize(out.append_to(to, version::v5, terms));
      benchmark::DoNotOptimize(to);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          subscribers);
}
void FanOutQos0(benchmark::State& state) { fan_out(state, qos::at_most_once); }
BENCHMARK(FanOutQos0)->Arg(128)->Arg(65536);
void FanOutQos1(benchmark::State& state) { fan_out(state, qos::at_least_once); }
BENCHMARK(FanOutQos1)->Arg(128)->Arg(65536);

void ParseTopic(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(parse_topic(topic));
}
BENCHMARK(ParseTopic);

void NameOfTopic(benchmark::State& state) {
  const auto parsed = parse_topic(topic);
  for (auto _ : state)
    benchmark::DoNotOptimize(name_of(*parsed));
}
BENCHMARK(NameOfTopic);

} // namespace
} // namespace troupe::net::mqtt

BENCHMARK_MAIN();
