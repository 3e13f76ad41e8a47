// SPDX-License-Identifier: Apache-2.0

// websocket.MQ without sockets: what one packet costs in the codec and in a
// whole protocol object.
#include "core/shared_bytes.hpp"
#include "net/mq/client_codec.hpp"
#include "net/mq/frame_codec.hpp"
#include "net/mq/message_decoder.hpp"
#include "net/mq/message_encoder.hpp"
#include "net/mq/mq_over_draft.hpp"
#include "net/mq/mq_over_ws.hpp"
#include "net/ws/endpoint.hpp"
#include "net/ws/frame_codec.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

namespace troupe::net::mq {
namespace {

const std::string payload(100, 'x');

std::string small_post() {
  std::string message;
  post_request post;
  post.id = "m1";
  post.to = {{"bob", core::recipient_kind::all_devices}};
  post.body.data = core::as_bytes(payload);
  (void)append_message(message, client_packet{std::move(post)});
  return message;
}

std::string delivery_ack() {
  std::string message;
  (void)append_message(message,
                       client_packet{ack_packet{"1795221369872-0", "ok"}});
  return message;
}

void decode_request(benchmark::State& state, const std::string& message) {
  message_decoder decoder;
  for (auto _ : state)
    benchmark::DoNotOptimize(decoder.decode_request(core::as_bytes(message)));
}

void DecodePost(benchmark::State& state) {
  decode_request(state, small_post());
}
BENCHMARK(DecodePost);

void DecodeAck(benchmark::State& state) {
  decode_request(state, delivery_ack());
}
BENCHMARK(DecodeAck);

void DecodeDeliver(benchmark::State& state) {
  std::string message;
  (void)append_message(
      message, server_packet{deliver_packet{
                   "1795221369872-0", "alice", {{}, core::as_bytes(payload)}}});
  message_decoder decoder;
  for (auto _ : state)
    benchmark::DoNotOptimize(decoder.decode_reply(core::as_bytes(message)));
}
BENCHMARK(DecodeDeliver);

void EncodeDeliver(benchmark::State& state) {
  for (auto _ : state) {
    packet_head head;
    encode(head, deliver_packet{"1795221369872-0",
                                "alice",
                                {{}, core::as_bytes(payload)}});
    benchmark::DoNotOptimize(head.view());
  }
}
BENCHMARK(EncodeDeliver);

void EncodeAck(benchmark::State& state) {
  for (auto _ : state) {
    packet_head head;
    encode(head, ack_packet{"m1", "ok"});
    benchmark::DoNotOptimize(head.view());
  }
}
BENCHMARK(EncodeAck);

void EncodePost(benchmark::State& state) {
  const client_packet post = [] {
    post_request request;
    request.id = "m1";
    request.to = {{"bob", core::recipient_kind::all_devices}};
    request.body.data = core::as_bytes(payload);
    return request;
  }();
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(append_frame(out, post));
  }
}
BENCHMARK(EncodePost);

/// A connection in miniature.
struct peer {
  gate_options gate_settings;
  ws_options ws_settings;
  std::unique_ptr<protocol> subject;
  output_queue output;
  core::steady_time now{};

  explicit peer(bool over_ws, std::uint32_t window = 1) {
    gate_settings.window_max = 1 << 20;
    if (over_ws)
      subject = std::make_unique<mq_over_ws>(gate_settings, ws_settings);
    else
      subject = std::make_unique<mq_over_draft>(gate_settings);
    std::string login;
    const client_packet packet = login_request{"alice", "n0", window};
    if (over_ws)
      login = masked([&] {
        std::string message;
        (void)append_message(message, packet);
        return message;
      }());
    else
      (void)append_frame(login, packet);
    effects out{output};
    subject->on_bytes({core::as_bytes(login)}, now, out);
    core::logged_in answer;
    answer.request = std::get<core::login>(out.commands.at(0)).request;
    answer.window = window;
    subject->on_event(answer, now, out);
    output.clear();
  }

  static std::string masked(std::string_view message) {
    ws::endpoint client{ws::role::client};
    output_queue queue;
    const std::array pieces{core::shared_bytes::copy_of(message)};
    client.send(ws::opcode::binary, pieces, queue,
                {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
    std::string bytes;
    while (!queue.empty()) {
      iovec piece;
      queue.gather(&piece, 1);
      bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
      queue.consume(piece.iov_len);
    }
    return bytes;
  }
};

/// A post comes in, its command goes out, its answer comes, the ack goes out.
void post_and_ack(benchmark::State& state, bool over_ws) {
  peer it{over_ws};
  std::string frame;
  if (over_ws)
    frame = peer::masked(small_post());
  else {
    post_request post;
    post.id = "m1";
    post.to = {{"bob", core::recipient_kind::all_devices}};
    post.body.data = core::as_bytes(payload);
    (void)append_frame(frame, client_packet{std::move(post)});
  }
  effects out{it.output};
  for (auto _ : state) {
    it.subject->on_bytes({core::as_bytes(frame)}, it.now, out);
    core::posted answer;
    answer.request = std::get<core::post>(out.commands.back()).request;
    answer.accepted = true;
    out.commands.clear();
    it.subject->on_event(std::move(answer), it.now, out);
    it.output.clear();
  }
}
void PostAndAck(benchmark::State& state) { post_and_ack(state, false); }
BENCHMARK(PostAndAck);
void PostAndAckOverWebSocket(benchmark::State& state) {
  post_and_ack(state, true);
}
BENCHMARK(PostAndAckOverWebSocket);

/// A delivery goes out, its ack comes in.
void deliver_and_ack(benchmark::State& state, bool over_ws) {
  peer it{over_ws};
  core::message message;
  message.id = {1795221369872, 0};
  message.sender = "alice";
  message.payload = core::shared_bytes::copy_of(payload);
  const auto shared = std::make_shared<const core::message>(message);
  std::string ack = delivery_ack();
  if (over_ws)
    ack = peer::masked(ack);
  else {
    ack.clear();
    (void)append_frame(ack, client_packet{ack_packet{"1795221369872-0", "ok"}});
  }
  effects out{it.output};
  for (auto _ : state) {
    it.subject->on_event(core::delivery{core::inbox_position{1}, shared},
                         it.now, out);
    it.output.clear();
    it.subject->on_flushed(it.now, out);
    it.subject->on_bytes({core::as_bytes(ack)}, it.now, out);
    out.commands.clear();
  }
}
void DeliverAndAck(benchmark::State& state) { deliver_and_ack(state, false); }
BENCHMARK(DeliverAndAck);
void DeliverAndAckOverWebSocket(benchmark::State& state) {
  deliver_and_ack(state, true);
}
BENCHMARK(DeliverAndAckOverWebSocket);

void Unmask(benchmark::State& state) {
  std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  auto* at = reinterpret_cast<std::byte*>(bytes.data());
  for (auto _ : state) {
    ws::apply_mask(at, {at, bytes.size()},
                   {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          state.range(0));
}
BENCHMARK(Unmask)->Arg(64)->Arg(4096)->Arg(1 << 20);

} // namespace
} // namespace troupe::net::mq

BENCHMARK_MAIN();
