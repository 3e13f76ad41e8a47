// SPDX-License-Identifier: Apache-2.0
#include "app/bench_loop.hpp"

#include "net/mq/client_codec.hpp"
#include "net/mq/frame_codec.hpp"
#include "net/ws/frame_codec.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::app {
namespace {

namespace mq = net::mq;
namespace ws = net::ws;

constexpr std::size_t input_bytes = 256ULL << 10;
constexpr std::size_t message_bytes_max = 1ULL << 26;
constexpr std::size_t connections_per_address = 20'000;
constexpr int events_per_turn = 256;
constexpr std::string_view upgrade_request =
    "GET /mq HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n";
// Any key is a valid one; who generates load has no page to protect.
constexpr ws::mask_key mask{std::byte{1}, std::byte{2}, std::byte{3},
                            std::byte{4}};

core::error system_error(const char* what) {
  return {core::errc::io_error,
          std::string{what} + ": " + std::strerror(errno)};
}

sockaddr_in ipv4(in_addr address, std::uint16_t port) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  made.sin_addr = address;
  return made;
}

} // namespace

core::result<void> allow_descriptors(std::uint64_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= count)
    return {};
  limit.rlim_cur = count;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, count);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return system_error("raising the limit of open files");
  return {};
}

core::result<void> bench_connection::open(bench_loop& loop, const endpoint& to,
                                          bench_framing framing,
                                          std::size_t ordinal) {
  in_addr peer{};
  const auto host = to.host == "localhost" ? "127.0.0.1" : to.host;
  if (::inet_pton(AF_INET, host.c_str(), &peer) != 1)
    return core::error{core::errc::invalid_config,
                       to.host + " is no IPv4 address"};
  fd_ = net::owned_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd_)
    return system_error("socket");
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (ordinal >= connections_per_address) {
    ::setsockopt(fd_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                 sizeof on);
    const auto own =
        htonl(INADDR_LOOPBACK +
              static_cast<std::uint32_t>(ordinal / connections_per_address));
    const auto from = ipv4(in_addr{own}, 0);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&from),
               sizeof from) != 0)
      return system_error("bind");
  }
  const auto address = ipv4(peer, to.port);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address) != 0)
    return system_error("connect");
  ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  loop_ = &loop;
  framing_ = framing;
  if (framing == bench_framing::websocket)
    out_ = upgrade_request;
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.ptr = this;
  if (::epoll_ctl(loop.epoll_.get(), EPOLL_CTL_ADD, fd_.get(), &interest) != 0)
    return system_error("epoll");
  return {};
}

void bench_connection::send(const mq::client_packet& packet) {
  if (framing_ == bench_framing::draft) {
    TROUPE_ASSERT(mq::append_frame(out_, packet), "a header above its limit");
    return;
  }
  auto& message = loop_->scratch_;
  message.clear();
  TROUPE_ASSERT(mq::append_message(message, packet),
                "a header above its limit");
  ws::frame_header header;
  header.mask = mask;
  header.payload_bytes = message.size();
  std::array<std::byte, ws::frame_header_bytes_max> bytes{};
  const auto size = ws::write_frame_header(bytes.data(), header);
  out_.append(reinterpret_cast<const char*>(bytes.data()), size);
  ws::apply_mask(reinterpret_cast<std::byte*>(message.data()),
                 core::as_bytes(message), mask);
  out_ += message;
}

void bench_connection::flush() {
  while (fd_ && written_ < out_.size()) {
    const auto n = ::send(fd_.get(), out_.data() + written_,
                          out_.size() - written_, MSG_NOSIGNAL);
    if (n >= 0) {
      written_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      want_writable(true);
      return;
    } else if (errno != EINTR) {
      end(std::strerror(errno));
      return;
    }
  }
  out_.clear();
  written_ = 0;
  want_writable(false);
}

void bench_connection::want_writable(bool wanted) {
  if (!fd_ || waits_to_write_ == wanted)
    return;
  waits_to_write_ = wanted;
  epoll_event interest{};
  interest.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  interest.data.ptr = this;
  ::epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_MOD, fd_.get(), &interest);
}

void bench_connection::end(std::string_view why) {
  if (!fd_)
    return;
  fd_.reset();
  on_ended(why);
}

void bench_connection::on_ready(std::uint32_t events, core::steady_time now) {
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    auto& input = loop_->input_;
    const auto n = ::recv(fd_.get(), input.data(), input.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (n <= 0)
      return end(n == 0 ? "the node closed the connection"
                        : std::strerror(errno));
    const std::string_view fresh{input.data(), static_cast<std::size_t>(n)};
    if (rest_.empty()) {
      rest_ = fresh.substr(read_frames(fresh, now));
    } else {
      rest_ += fresh;
      rest_.erase(0, read_frames(rest_, now));
    }
    // An idle connection keeps no memory.
    if (rest_.empty() && rest_.capacity() > 64)
      std::string{}.swap(rest_);
  }
  flush();
}

std::size_t bench_connection::read_frames(std::string_view bytes,
                                          core::steady_time now) {
  if (framing_ == bench_framing::draft)
    return read_draft(bytes, now);
  std::size_t used = 0;
  if (!upgraded_) {
    const auto head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string_view::npos)
      return 0;
    if (bytes.substr(0, 12) != "HTTP/1.1 101") {
      end(bytes.substr(0, bytes.find('\r')));
      return bytes.size();
    }
    upgraded_ = true;
    used = head_end + 4;
  }
  return used + read_websocket(bytes.substr(used), now);
}

std::size_t bench_connection::read_draft(std::string_view bytes,
                                         core::steady_time now) {
  std::size_t used = 0;
  while (fd_ && used < bytes.size()) {
    const auto found =
        mq::decode_frame(core::as_bytes(bytes.substr(used)), message_bytes_max);
    if (found.what == mq::frame::status::need_more)
      break;
    if (found.what != mq::frame::status::message) {
      end("the node said goodbye");
      break;
    }
    used += found.bytes;
    read_message(found.payload, now);
  }
  return used;
}

std::size_t bench_connection::read_websocket(std::string_view bytes,
                                             core::steady_time now) {
  std::size_t used = 0;
  while (fd_ && used < bytes.size()) {
    const auto at = core::as_bytes(bytes.substr(used));
    const auto found = ws::decode_frame_header(at);
    if (found.what == ws::header_result::status::need_more ||
        at.size() < found.bytes + found.header.payload_bytes)
      break;
    const auto payload = at.subspan(found.bytes, found.header.payload_bytes);
    used += found.bytes + found.header.payload_bytes;
    if (found.header.op == ws::opcode::ping) {
      ws::frame_header pong;
      pong.op = ws::opcode::pong;
      pong.mask = ws::mask_key{}; // masks nothing
      pong.payload_bytes = payload.size();
      std::array<std::byte, ws::frame_header_bytes_max> head{};
      const auto size = ws::write_frame_header(head.data(), pong);
      out_.append(reinterpret_cast<const char*>(head.data()), size);
      out_.append(core::as_text(payload));
    } else if (found.header.op == ws::opcode::close ||
               found.what == ws::header_result::status::violation) {
      end("the node said goodbye");
    } else if (!ws::is_control(found.header.op)) {
      read_message(payload, now);
    }
  }
  return used;
}

void bench_connection::read_message(core::bytes_view message,
                                    core::steady_time now) {
  const auto packet = loop_->decoder_.decode_reply(message);
  if (!packet)
    return end(packet.error().detail);
  if (const auto* quit = std::get_if<mq::quit_packet>(&*packet))
    return end(std::string{quit->info});
  on_packet(*packet, now);
}

bench_loop::bench_loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), input_(input_bytes) {}

void bench_loop::run_once(std::chrono::milliseconds timeout) {
  std::array<epoll_event, events_per_turn> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), events_per_turn,
                                 static_cast<int>(timeout.count()));
  const auto now = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    const auto& each = events[static_cast<std::size_t>(i)];
    static_cast<bench_connection*>(each.data.ptr)->on_ready(each.events, now);
  }
}

} // namespace troupe::app
