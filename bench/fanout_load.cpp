// SPDX-License-Identifier: Apache-2.0
#include "bench/fanout_load.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace troupe::bench {

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::uint64_t nanoseconds(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0)
    fail("clock_gettime");
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

struct client {
  int fd = -1;
  bool publishes = false;
  std::string out;
  std::size_t written = 0;
  std::size_t frame_filled = 0; // bytes of an unfinished frame
};

class load {
public:
  explicit load(const load_options& options)
      : options_(options), frame_bytes_(5 + options.payload_bytes),
        epoll_(epoll_create1(0)), input_(256 * 1024) {
    if (options.payload_bytes < sizeof(std::uint64_t))
      fail("the payload carries a time stamp of 8 bytes");
    clock_getcpuclockid(options.server, &server_clock_);
    clients_.reserve(options.subscribers + options.publishers);
    for (std::size_t i = 0; i < options.subscribers; ++i)
      connect_one(false);
    for (std::size_t i = 0; i < options.publishers; ++i)
      connect_one(true);
  }

  ~load() {
    for (const auto& each : clients_)
      ::close(each.fd);
    ::close(epoll_);
  }

  load_result run() {
    await_subscriptions();
    run_for(options_.warm_up);
    latencies_.clear();
    const auto received = received_;
    const auto cpu = nanoseconds(server_clock_);
    const auto start = nanoseconds();
    run_for(options_.duration);
    const auto seconds = static_cast<double>(nanoseconds() - start) / 1e9;
    const auto cpu_seconds =
        static_cast<double>(nanoseconds(server_clock_) - cpu) / 1e9;
    const auto count = static_cast<double>(received_ - received);
    load_result result;
    result.deliveries_per_second = count / seconds;
    result.server_microseconds_per_delivery = cpu_seconds * 1e6 / count;
    result.server_cores = cpu_seconds / seconds;
    std::sort(latencies_.begin(), latencies_.end());
    if (!latencies_.empty()) {
      result.latency_p50_microseconds = at_share(0.50);
      result.latency_p99_microseconds = at_share(0.99);
    }
    return result;
  }

private:
  double at_share(double share) const {
    const auto index = static_cast<std::size_t>(
        share * static_cast<double>(latencies_.size() - 1));
    return static_cast<double>(latencies_[index]) / 1e3;
  }

  void connect_one(bool publishes) {
    client made;
    made.fd = ::socket(AF_INET, SOCK_STREAM, 0);
    made.publishes = publishes;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(made.fd, reinterpret_cast<sockaddr*>(&address),
                  sizeof address) != 0)
      fail("connect");
    const int on = 1;
    ::setsockopt(made.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!publishes) {
      const std::uint32_t length = 1;
      made.out.assign(reinterpret_cast<const char*>(&length), sizeof length);
      made.out += 'S';
      if (::write(made.fd, made.out.data(), made.out.size()) != 5)
        fail("subscribe");
      made.out.clear();
    }
    ::fcntl(made.fd, F_SETFL, O_NONBLOCK);
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.u64 = clients_.size();
    epoll_ctl(epoll_, EPOLL_CTL_ADD, made.fd, &interest);
    clients_.push_back(std::move(made));
  }

  // There is no answer to a subscription: publish until all have got one.
  void await_subscriptions() {
    const auto deadline = nanoseconds() + 10'000'000'000U;
    for (;;) {
      received_ = 0;
      publish_one();
      const auto until = nanoseconds() + 100'000'000U;
      while (nanoseconds() < until && received_ < options_.subscribers)
        wait(10);
      if (received_ == options_.subscribers)
        break;
      if (nanoseconds() > deadline)
        fail("subscribers are missing");
    }
    received_ = 0;
    sent_ = 0;
  }

  void run_for(std::chrono::nanoseconds duration) {
    const auto end =
        nanoseconds() + static_cast<std::uint64_t>(duration.count());
    while (nanoseconds() < end) {
      const auto done = received_ / options_.subscribers;
      // Refilled in halves, as a client with a window would.
      if (sent_ - done <= options_.window / 2)
        while (sent_ - done < options_.window)
          publish_one();
      for (auto& each : clients_)
        if (each.publishes)
          flush(each);
      wait(100);
    }
  }

  void publish_one() {
    auto& by = clients_[options_.subscribers +
                        next_publisher_++ % options_.publishers];
    const auto length = static_cast<std::uint32_t>(frame_bytes_ - 4);
    const auto begin = by.out.size();
    by.out.resize(begin + frame_bytes_, 'x');
    std::memcpy(&by.out[begin], &length, sizeof length);
    by.out[begin + 4] = 'P';
    const auto now = nanoseconds();
    std::memcpy(&by.out[begin + 5], &now, sizeof now);
    ++sent_;
    if (options_.window == 1 || received_ == 0)
      flush(by);
  }

  static void flush(client& by) {
    while (by.written < by.out.size()) {
      const auto n = ::write(by.fd, by.out.data() + by.written,
                             by.out.size() - by.written);
      if (n < 0) {
        if (errno == EAGAIN)
          return;
        fail("write");
      }
      by.written += static_cast<std::size_t>(n);
    }
    by.out.clear();
    by.written = 0;
  }

  void wait(int milliseconds) {
    epoll_event events[256];
    const auto count = epoll_wait(epoll_, events, 256, milliseconds);
    for (int i = 0; i < count; ++i)
      read(clients_[events[i].data.u64]);
  }

  void read(client& from) {
    const auto n = ::read(from.fd, input_.data(), input_.size());
    if (n < 0 && errno == EAGAIN)
      return;
    if (n <= 0)
      fail("the server closed a connection");
    // All frames are of one size; the stamp is read where it lies whole.
    auto position = static_cast<std::size_t>(n) + from.frame_filled;
    const auto whole = position / frame_bytes_;
    received_ += whole;
    if (whole != 0 && from.frame_filled == 0) {
      std::uint64_t sent_at = 0;
      std::memcpy(&sent_at, &input_[5], sizeof sent_at);
      latencies_.push_back(nanoseconds() - sent_at);
    }
    position -= whole * frame_bytes_;
    from.frame_filled = position;
  }

  const load_options options_;
  const std::size_t frame_bytes_;
  const int epoll_;
  clockid_t server_clock_{};
  std::vector<client> clients_;
  std::vector<char> input_;
  std::vector<std::uint64_t> latencies_; // one a read
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::size_t next_publisher_ = 0;
};

} // namespace

load_result run_load(const load_options& options) {
  return load{options}.run();
}

} // namespace troupe::bench
