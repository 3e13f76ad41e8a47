// SPDX-License-Identifier: Apache-2.0
// Load on channels over HTTP, of any server that answers a GET with an endless
// stream and takes messages by POST: so many subscribers, so many publishers
// which each wait for the answer before they send again. Every message carries
// the time at which it was sent; all of them are looked for at every
// subscriber. One thread. Prints one line of JSON. See bench/channels.
#include "bench/load_measures.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace {

using namespace troupe::bench;

struct options {
  std::uint16_t port = 0;
  std::vector<std::uint16_t> also; ///< of other nodes, for subscribers
  std::string listen_path;
  std::string post_path;
  std::string accept;
  std::size_t subscribers = 1;
  std::size_t publishers = 1;
  std::size_t bytes = 64;
  double seconds = 5;
  double rate = 0; ///< messages a second in all; 0: as many as possible
  int server = 0;  ///< its process, for CPU times
};

int dial(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) < 0)
    give_up("connect");
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

constexpr std::string_view mark = "@@";
constexpr std::size_t stamp_digits = 16;
constexpr std::size_t stamped = mark.size() + stamp_digits;

/// Finds messages in a stream, wherever it is cut.
class finder {
public:
  template <class Found>
  void read(std::string_view bytes, Found found) {
    rest_.append(bytes);
    std::size_t used = 0;
    for (;;) {
      const auto at = rest_.find(mark, used);
      if (at == std::string::npos || rest_.size() - at < stamped)
        break;
      std::uint64_t sent = 0;
      for (auto i = at + mark.size(); i < at + stamped; ++i)
        sent = sent * 16 +
               static_cast<std::uint64_t>(
                   rest_[i] <= '9' ? rest_[i] - '0' : rest_[i] - 'a' + 10);
      found(sent);
      used = at + stamped;
    }
    const auto tail = rest_.size() - std::min(rest_.size(), stamped - 1);
    rest_.erase(0, std::max(used, tail));
  }

private:
  std::string rest_; ///< may begin a message
};

class load {
public:
  explicit load(options wanted)
      : wanted_(std::move(wanted)), poll_(::epoll_create1(EPOLL_CLOEXEC)),
        buffer_(std::size_t{1} << 18) {
    for (std::size_t i = 0; i < wanted_.subscribers; ++i)
      subscribe();
    for (std::size_t i = 0; i < wanted_.publishers; ++i)
      add(publisher_fds_, dial(wanted_.port));
    body_.assign(std::max(wanted_.bytes, stamped), 'x');
    body_.replace(0, mark.size(), mark);
    head_ = "POST " + wanted_.post_path + " HTTP/1.1\r\nHost: bench\r\n" +
            "Content-Type: text/plain\r\nContent-Length: " +
            std::to_string(body_.size()) + "\r\n\r\n";
    publishers_.resize(wanted_.publishers);
  }

  void run() {
    turn_until(steady::now() + std::chrono::milliseconds{500}); // heads
    for (auto& each : subscribers_)
      each.got = 0;
    latencies_.clear();
    const auto cpu = cpu_seconds(wanted_.server);
    begin_ = steady::now();
    sending_ = true;
    for (std::size_t i = 0; i < publishers_.size(); ++i)
      publish(i);
    turn_until(begin_ + std::chrono::duration_cast<steady::duration>(
                            std::chrono::duration<double>(wanted_.seconds)));
    sending_ = false;
    took_ = std::chrono::duration<double>(steady::now() - begin_).count();
    cpu_ = cpu_seconds(wanted_.server) - cpu;
    in_time_ = received();
    const auto patience = steady::now() + std::chrono::seconds{5};
    while (received() < sent_ * subscribers_.size() && steady::now() < patience)
      turn_until(steady::now() + std::chrono::milliseconds{20});
    report();
  }

private:
  struct listener {
    finder stream;
    std::uint64_t got = 0;
  };
  struct writer {
    bool waits = false;
    std::string answer;
  };

  void add(std::vector<int>& to, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = sockets_++;
    if (::epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) < 0)
      give_up("epoll_ctl");
    to.push_back(fd);
  }

  void subscribe() {
    const auto place = subscribers_.size() % (wanted_.also.size() + 1);
    const int fd = dial(place == 0 ? wanted_.port : wanted_.also[place - 1]);
    auto request =
        "GET " + wanted_.listen_path + " HTTP/1.1\r\nHost: bench\r\n";
    if (!wanted_.accept.empty())
      request += "Accept: " + wanted_.accept + "\r\n";
    request += "\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
      give_up("send");
    add(subscriber_fds_, fd);
    subscribers_.emplace_back();
  }

  [[nodiscard]] bool may_send() const {
    return wanted_.rate <= 0 ||
           static_cast<double>(sent_) <
               wanted_.rate *
                   std::chrono::duration<double>(steady::now() - begin_)
                       .count();
  }

  void publish(std::size_t which) {
    auto& from = publishers_[which];
    if (from.waits || !sending_ || !may_send())
      return;
    std::array<char, stamp_digits + 1> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%016llx",
                        static_cast<unsigned long long>(now_ns()));
    body_.replace(mark.size(), stamp_digits, digits.data(), stamp_digits);
    const auto request = head_ + body_;
    if (::send(publisher_fds_[which], request.data(), request.size(),
               MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      give_up("send");
    from.waits = true;
    ++sent_;
  }

  void turn_until(steady::time_point end) {
    std::array<epoll_event, 512> events{};
    while (steady::now() < end) {
      const int count =
          ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()),
                       wanted_.rate > 0 ? 1 : 10);
      for (int i = 0; i < count; ++i)
        read(events[static_cast<std::size_t>(i)].data.u64);
      if (wanted_.rate > 0)
        for (std::size_t i = 0; i < publishers_.size(); ++i)
          publish(i);
    }
  }

  void read(std::uint64_t socket) {
    const bool listens = socket < subscriber_fds_.size();
    const auto which = static_cast<std::size_t>(
        listens ? socket : socket - subscriber_fds_.size());
    const int fd = listens ? subscriber_fds_[which] : publisher_fds_[which];
    const auto size = ::recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (size <= 0)
      give_up(listens ? "a stream ended" : "a publisher was cut");
    const std::string_view bytes{buffer_.data(),
                                 static_cast<std::size_t>(size)};
    if (listens)
      return take(subscribers_[which], bytes);
    auto& from = publishers_[which];
    from.answer.append(bytes);
    if (from.answer.find("\r\n\r\n") == std::string::npos)
      return; // a body behind it is thrown away with the next answer
    from.answer.clear();
    from.waits = false;
    publish(which);
  }

  void take(listener& by, std::string_view bytes) {
    const auto now = now_ns();
    by.stream.read(bytes, [&](std::uint64_t sent) {
      // Every 16th: millions would be sorted for nothing.
      if (by.got++ % 16 == 0)
        latencies_.push_back(static_cast<double>(now - sent) / 1000);
    });
  }

  [[nodiscard]] std::uint64_t received() const {
    std::uint64_t sum = 0;
    for (const auto& each : subscribers_)
      sum += each.got;
    return sum;
  }

  double percentile(double share) {
    if (latencies_.empty())
      return 0;
    const auto at = static_cast<std::ptrdiff_t>(
        share * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), latencies_.begin() + at,
                     latencies_.end());
    return latencies_[static_cast<std::size_t>(at)];
  }

  void report() {
    const auto wanted = sent_ * subscribers_.size();
    const auto got = received();
    std::printf("{\"published_per_second\":%.1f,\"deliveries_per_second\":%.1f,"
                "\"missing\":%llu,\"p50_us\":%.1f,\"p99_us\":%.1f,"
                "\"server_cpu_us_per_delivery\":%.3f}\n",
                static_cast<double>(sent_) / took_,
                static_cast<double>(in_time_) / took_,
                static_cast<unsigned long long>(wanted - std::min(wanted, got)),
                percentile(0.5), percentile(0.99),
                1e6 * cpu_ /
                    static_cast<double>(std::max<std::uint64_t>(1, in_time_)));
  }

  const options wanted_;
  const int poll_;
  std::vector<char> buffer_;
  std::uint64_t sockets_ = 0;
  std::vector<int> subscriber_fds_; ///< first, in the order of their numbers
  std::vector<int> publisher_fds_;
  std::vector<listener> subscribers_;
  std::vector<writer> publishers_;
  std::string head_;
  std::string body_;
  steady::time_point begin_;
  bool sending_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t in_time_ = 0;
  double took_ = 0;
  double cpu_ = 0;
  std::vector<double> latencies_;
};

} // namespace

int main(int argc, char** argv) {
  options wanted;
  CLI::App app{"Load on channels over HTTP; prints one line of JSON."};
  app.add_option("--port", wanted.port, "of the server, on 127.0.0.1")
      ->required();
  app.add_option("--also", wanted.also,
                 "ports of other nodes: subscribers are spread over all");
  app.add_option("--listen", wanted.listen_path, "path of the stream")
      ->required();
  app.add_option("--post", wanted.post_path, "path to publish to")->required();
  app.add_option("--accept", wanted.accept, "Accept field of subscribers");
  app.add_option("--subscribers", wanted.subscribers);
  app.add_option("--publishers", wanted.publishers);
  app.add_option("--bytes", wanted.bytes, "of a message, at least 18");
  app.add_option("--seconds", wanted.seconds);
  app.add_option("--rate", wanted.rate, "messages a second; 0: most");
  app.add_option("--server", wanted.server, "process whose CPU is counted");
  CLI11_PARSE(app, argc, argv);
  try {
    load{wanted}.run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "channel_load: %s\n", e.what());
    return 1;
  }
  return 0;
}
