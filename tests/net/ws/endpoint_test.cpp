// SPDX-License-Identifier: Apache-2.0
#include "net/ws/deflate.hpp"
#include "net/ws/endpoint.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace troupe::net::ws {
namespace {

using namespace std::string_literals;

constexpr std::size_t limit = 1000;
constexpr mask_key key{std::byte{9}, std::byte{8}, std::byte{7}, std::byte{6}};

std::string drain(output_queue& queue) {
  std::string bytes;
  while (!queue.empty()) {
    iovec piece;
    queue.gather(&piece, 1);
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    queue.consume(piece.iov_len);
  }
  return bytes;
}

/// A masked frame, as a client writes it.
std::string frame(opcode op, std::string_view payload, bool final = true,
                  bool compressed = false) {
  std::byte header[frame_header_bytes_max];
  const auto size =
      write_frame_header(header, {op, final, compressed, key, payload.size()});
  std::string bytes{core::as_text({header, size})};
  std::string masked(payload.size(), ' ');
  apply_mask(reinterpret_cast<std::byte*>(masked.data()),
             core::as_bytes(payload), key);
  return bytes + masked;
}

/// A server's end that reads everything it is given and notes what it saw.
struct server {
  endpoint subject;
  output_queue out{};
  std::vector<std::string> seen{};

  explicit server(std::optional<deflate_agreement> deflate = std::nullopt)
      : subject(role::server, deflate) {}

  void read(std::string_view bytes, std::size_t bytes_max = limit) {
    while (!bytes.empty()) {
      const auto next = subject.read(core::as_bytes(bytes), bytes_max, out);
      switch (next.what) {
      case event::kind::need_more:
        seen.emplace_back("more");
        return;
      case event::kind::progress:
        break;
      case event::kind::pong:
        seen.emplace_back("pong");
        break;
      case event::kind::message:
        seen.push_back((next.text ? "text " : "binary ") +
                       std::string{next.payload.text()});
        break;
      case event::kind::closed:
        seen.push_back("closed " + std::to_string(static_cast<int>(next.code)) +
                       " " + next.reason);
        break;
      case event::kind::violation:
        seen.push_back("violation " +
                       std::to_string(static_cast<int>(next.code)));
        return;
      }
      bytes.remove_prefix(next.bytes);
    }
  }
};

using seen = std::vector<std::string>;

TEST(WsEndpoint, MessagesAreUnmasked) {
  server peer;
  peer.read(frame(opcode::text, "hi") + frame(opcode::binary, "\xff\x00"s) +
            frame(opcode::binary, ""));
  EXPECT_EQ(peer.seen, (seen{"text hi", "binary \xff\x00"s, "binary "}));
}

TEST(WsEndpoint, FragmentsAreJoinedAroundControlFrames) {
  server peer;
  peer.read(frame(opcode::text, "a\xc3", false) + frame(opcode::ping, "p") +
            frame(opcode::continuation, "\xa9", false) +
            frame(opcode::continuation, "z"));
  EXPECT_EQ(peer.seen, (seen{"text a\xc3\xa9z"}));
  EXPECT_EQ(drain(peer.out), "\x8a\x01p");
}

TEST(WsEndpoint, OrderOfFragmentsIsChecked) {
  server alone;
  alone.read(frame(opcode::continuation, "x"));
  EXPECT_EQ(alone.seen, (seen{"violation 1002"}));
  server inside;
  inside.read(frame(opcode::text, "x", false) + frame(opcode::text, "y"));
  EXPECT_EQ(inside.seen, (seen{"violation 1002"}));
}

TEST(WsEndpoint, MasksMustComeFromTheRightSide) {
  server peer;
  peer.read("\x82\x01x");
  EXPECT_EQ(peer.seen, (seen{"violation 1002"}));
  endpoint client{role::client};
  output_queue out;
  EXPECT_EQ(
      client.read(core::as_bytes(frame(opcode::binary, "x")), limit, out).what,
      event::kind::violation);
}

TEST(WsEndpoint, SizeIsBoundedOverAllFragments) {
  server whole;
  whole.read(frame(opcode::binary, std::string(limit + 1, 'x')).substr(0, 8));
  EXPECT_EQ(whole.seen, (seen{"violation 1009"}));
  server parts;
  parts.read(frame(opcode::binary, std::string(600, 'x'), false) +
             frame(opcode::continuation, std::string(401, 'x')));
  EXPECT_EQ(parts.seen, (seen{"violation 1009"}));
}

TEST(WsEndpoint, SizeOfAnUnfinishedFrameIsTold) {
  server peer;
  const auto bytes = frame(opcode::binary, std::string(500, 'x'));
  const auto next =
      peer.subject.read(core::as_bytes(bytes).first(20), limit, peer.out);
  EXPECT_EQ(next.what, event::kind::need_more);
  EXPECT_EQ(next.bytes, bytes.size());
}

TEST(WsEndpoint, TextMustBeUtf8) {
  server peer;
  peer.read(frame(opcode::text, "\xc3("));
  EXPECT_EQ(peer.seen, (seen{"violation 1007"}));
}

TEST(WsEndpoint, CloseFramesAreChecked) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "closed 1005 "},
      {"\x03\xe8", "closed 1000 "},
      {"\x03\xe9"
       "bye",
       "closed 1001 bye"},
      {"\x03", "violation 1002"},
      {"\x03\xed", "violation 1002"},
      {"\x03\xe8\xff", "violation 1007"},
  };
  for (const auto& [payload, expected] : rows) {
    server peer;
    peer.read(frame(opcode::close, payload));
    EXPECT_EQ(peer.seen, (seen{expected}));
  }
}

TEST(WsEndpoint, CloseIsSentOnceAndItsReasonCut) {
  server peer;
  std::string reason(121, 'r');
  reason += "\xe2\x82\xac"; // would end at byte 124 of 123
  peer.subject.send_close(close_code::policy_violation, reason, peer.out);
  peer.subject.send_close(close_code::normal, "", peer.out);
  EXPECT_EQ(drain(peer.out), "\x88\x7b\x03\xf0" + std::string(121, 'r'));
  EXPECT_TRUE(peer.subject.close_sent());
}

TEST(WsEndpoint, PongsStopForPeersThatDoNotRead) {
  server peer;
  for (int i = 0; i < 2000; ++i)
    peer.read(frame(opcode::ping, std::string(125, 'p')));
  EXPECT_LE(peer.out.size(), endpoint::control_backlog_max + 127);
}

TEST(WsEndpoint, CompressionNeedsAnAgreement) {
  const std::array pieces{core::as_bytes("Hello")};
  const auto packed = deflate_message(pieces, 15);
  server without;
  without.read(frame(opcode::text, packed, true, true));
  EXPECT_EQ(without.seen, (seen{"violation 1002"}));
  server with{deflate_agreement{}};
  with.read(frame(opcode::text, packed.substr(0, 3), false, true) +
            frame(opcode::continuation, packed.substr(3)) +
            frame(opcode::text, "plain"));
  EXPECT_EQ(with.seen, (seen{"text Hello", "text plain"}));
}

TEST(WsEndpoint, ExpansionIsBoundedAndChecked) {
  const std::string zeros(limit + 1, '0');
  const std::array pieces{core::as_bytes(zeros)};
  server bomb{deflate_agreement{}};
  bomb.read(frame(opcode::binary, deflate_message(pieces, 15), true, true));
  EXPECT_EQ(bomb.seen, (seen{"violation 1009"}));
  server damaged{deflate_agreement{}};
  damaged.read(frame(opcode::binary, "\xff\xff", true, true));
  EXPECT_EQ(damaged.seen, (seen{"violation 1007"}));
}

TEST(WsEndpoint, ClientAndServerUnderstandEachOther) {
  for (const bool deflate : {false, true}) {
    std::optional<deflate_agreement> agreement;
    if (deflate)
      agreement.emplace();
    endpoint client{role::client, agreement};
    server peer{agreement};
    std::string large;
    for (int i = 0; i < 900; ++i)
      large += static_cast<char>('a' + i % 26);
    output_queue out;
    const std::array pieces{core::shared_bytes::copy_of("12"),
                            core::shared_bytes::copy_of(large)};
    client.send(opcode::text, pieces, out, key);
    client.send_ping(out, key);
    peer.read(drain(out));
    EXPECT_EQ(peer.seen, (seen{"text 12" + large}));
    peer.subject.send(opcode::binary, pieces, peer.out);
    const auto bytes = drain(peer.out);
    const auto pong = client.read(core::as_bytes(bytes), limit, out);
    EXPECT_EQ(pong.what, event::kind::pong);
    const auto message =
        client.read(core::as_bytes(bytes).subspan(pong.bytes), limit, out);
    EXPECT_EQ(message.what, event::kind::message);
    EXPECT_EQ(message.payload.text(), "12" + large);
  }
}

TEST(WsEndpoint, DataThatDoesNotShrinkGoesAsItIs) {
  endpoint subject{role::server, deflate_agreement{}};
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 400; ++i)
    noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  output_queue out;
  const std::array pieces{core::shared_bytes::copy_of(noise)};
  subject.send(opcode::binary, pieces, out);
  const auto bytes = drain(out);
  EXPECT_EQ(bytes.substr(0, 2), "\x82\x7e");
  EXPECT_EQ(bytes.substr(4), noise);
}

} // namespace
} // namespace troupe::net::ws
