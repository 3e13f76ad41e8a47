// SPDX-License-Identifier: Apache-2.0
#include "tests/actors/links/raw_peer.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::test_support {

using namespace actors::links;

raw_peer::raw_peer(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{10, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
}

raw_peer::~raw_peer() { ::close(socket_); }

bool raw_peer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string raw_peer::receive(std::size_t size) {
  std::string got(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto count = ::recv(socket_, got.data() + have, size - have, 0);
    if (count <= 0)
      break;
    have += static_cast<std::size_t>(count);
  }
  got.resize(have);
  return got;
}

bool raw_peer::wait_for_end() {
  char buffer[4096];
  for (;;) {
    const auto count = ::recv(socket_, buffer, sizeof buffer, 0);
    if (count == 0)
      return true;
    if (count < 0)
      return errno != EAGAIN && errno != EWOULDBLOCK;
  }
}

std::optional<raw_peer::frame> raw_peer::receive_frame() {
  const auto bytes = receive(frame_head_size);
  if (bytes.size() < frame_head_size)
    return std::nullopt;
  const auto head =
      decode_frame_head(core::as_bytes(bytes), std::size_t{1} << 20U);
  if (!head)
    return std::nullopt;
  auto payload = receive(head->length);
  if (payload.size() < head->length)
    return std::nullopt;
  return frame{head->type, std::move(payload)};
}

handshake_step raw_peer::shake_hands(dialer_handshake& dialer) {
  send(dialer.begin());
  for (;;) {
    const auto got = receive_frame();
    if (!got) {
      handshake_step end;
      end.what = handshake_step::outcome::failed;
      end.why = {refusal_code::closed, "in the test"};
      return end;
    }
    auto step = dialer.on_frame(got->type, core::as_bytes(got->payload));
    if (step.what != handshake_step::outcome::wait)
      return step;
    send(step.send);
  }
}

} // namespace troupe::test_support
