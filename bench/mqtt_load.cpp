// SPDX-License-Identifier: Apache-2.0
// Load on a broker of MQTT on 127.0.0.1, by TCP or TLS: so many publishers, so
// many subscribers, topics and filters dealt among them. A publisher has at
// most `window` publications that have not arrived everywhere, with QoS 1 that
// are not acknowledged either; or all together keep a rate. Every message
// carries when it was due. One thread. Prints one line of JSON. See bench/mqtt.
#include "bench/load_measures.hpp"
#include "bench/load_stream.hpp"
#include "bench/mqtt_frames.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace troupe::bench;
namespace frames = troupe::bench;

struct options {
  std::uint16_t port = 0;
  std::vector<std::uint16_t> also; ///< of other nodes, for subscribers
  std::string topic = "bench/%";
  std::string filter = "bench/%";
  std::size_t topics = 1;
  std::size_t filters = 1;
  std::size_t publishers = 1;
  std::size_t subscribers = 1;
  std::size_t idle = 0; ///< clients that do nothing
  /// Clients whose sessions stay when they leave, subscribed as the others.
  std::size_t offline = 0;
  /// How often a publication arrives; 0: to be told by filters.
  std::size_t copies = 0;
  bool nobody = false; ///< it arrives nowhere: acknowledgements count
  bool tls = false;
  unsigned qos = 0;
  std::size_t bytes = 128;
  std::size_t window = 64;
  double seconds = 3;
  double rate = 0; ///< messages a second in all; 0: as many as possible
  int server = 0;  ///< its process, for CPU times and memory
};

/// What every message begins with.
struct stamp {
  std::uint64_t due_ns = 0;
  std::uint64_t publisher = 0;
};

struct client {
  std::unique_ptr<load_stream> stream;
  bool writing = false; ///< epoll tells when there is room
  std::string in;       ///< the beginning of a packet
  std::string out;
  std::size_t gone = 0; ///< of `out`
  std::size_t answers = 0;
  // Of a publisher.
  std::vector<std::string> topics;
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t arrived = 0; ///< copies
};

std::string numbered(const std::string& pattern, std::size_t number) {
  std::string text = pattern;
  if (const auto at = text.find('%'); at != std::string::npos)
    text.replace(at, 1, std::to_string(number));
  return text;
}

class load {
public:
  explicit load(options wanted)
      : wanted_(std::move(wanted)), terms_(wanted_.tls ? any_tls() : no_tls()),
        poll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(std::size_t{1} << 18U) {
    if (wanted_.copies == 0 && !wanted_.nobody)
      wanted_.copies =
          std::max<std::size_t>(1, wanted_.subscribers / wanted_.filters);
    wanted_.bytes = std::max(wanted_.bytes, sizeof(stamp));
    payload_.assign(wanted_.bytes, 'x');
  }

  void run() {
    const auto memory = resident_bytes(wanted_.server);
    connect();
    if (wanted_.server != 0)
      memory_ = resident_bytes(wanted_.server) - memory;
    if (wanted_.seconds > 0 && wanted_.publishers > 0) {
      measure(0.5); // everything has been used once
      measure(wanted_.seconds);
    }
    report();
  }

private:
  // --- to begin with

  [[nodiscard]] std::unique_ptr<load_stream> dial(std::uint16_t port,
                                                  std::uint32_t host) const {
    return std::make_unique<load_stream>(port, INADDR_LOOPBACK + host, terms_);
  }

  void connect() {
    const auto all = wanted_.publishers + wanted_.subscribers + wanted_.idle;
    for (std::size_t i = 0; i < all; ++i) {
      const auto place =
          i < wanted_.publishers ? 0 : i % (wanted_.also.size() + 1);
      auto made = std::make_unique<client>();
      made->stream = dial(place == 0 ? wanted_.port : wanted_.also[place - 1],
                          static_cast<std::uint32_t>(i / 20'000));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      if (::epoll_ctl(poll_, EPOLL_CTL_ADD, made->stream->fd(), &event) < 0)
        give_up("epoll_ctl");
      clients_.push_back(std::move(made));
      frames::write_connect(clients_.back()->out, "bench-" + std::to_string(i));
      flush(i);
      answered(i, 1);
    }
    for (std::size_t j = 0; j < wanted_.offline; ++j)
      leave_session(j);
    for (std::size_t t = 0; t < std::max(wanted_.topics, wanted_.publishers);
         ++t)
      if (wanted_.publishers > 0)
        clients_[t % wanted_.publishers]->topics.push_back(
            numbered(wanted_.topic, t % wanted_.topics));
    for (std::size_t j = 0; j < wanted_.subscribers; ++j)
      subscribe(wanted_.publishers + j, j);
  }

  /// With a connection of its own, one after the other.
  void leave_session(std::size_t number) {
    const auto stream = dial(wanted_.port, 0);
    const auto say = [&](const std::string& bytes, std::size_t answer_bytes) {
      std::array<char, 64> answer{};
      pollfd room{stream->fd(), POLLOUT, 0};
      for (std::size_t sent = 0; sent < bytes.size();
           (void)::poll(&room, 1, 10))
        sent += stream->write(std::string_view{bytes}.substr(sent));
      room.events = POLLIN;
      for (std::size_t got = 0; got < answer_bytes; (void)::poll(&room, 1, 10))
        got += stream->read(answer.data(), answer_bytes - got);
    };
    std::string bytes;
    frames::write_connect(bytes, "bench-offline-" + std::to_string(number),
                          false);
    say(bytes, 4);
    bytes.clear();
    frames::write_subscribe(bytes, 1, {numbered(wanted_.filter, number)}, 1);
    say(bytes, 5);
    say(std::string{"\xE0\0", 2}, 0);
  }

  void subscribe(std::size_t which, std::size_t number) {
    std::vector<std::string> filters;
    for (auto f = number % wanted_.filters; f < wanted_.filters;
         f += wanted_.subscribers)
      filters.push_back(numbered(wanted_.filter, f));
    // Small ones, which no broker refuses.
    constexpr std::size_t at_once = 50;
    std::size_t packets = 0;
    for (std::size_t i = 0; i < filters.size(); i += at_once) {
      const auto end = std::min(filters.size(), i + at_once);
      frames::write_subscribe(clients_[which]->out, ++packets,
                              {filters.begin() + static_cast<long>(i),
                               filters.begin() + static_cast<long>(end)},
                              wanted_.qos);
    }
    flush(which);
    answered(which, 1 + packets);
  }

  void answered(std::size_t which, std::size_t answers) {
    const auto end = steady::now() + std::chrono::seconds{20};
    while (clients_[which]->answers < answers) {
      if (steady::now() > end)
        throw std::runtime_error{"a client was not answered"};
      turn(10);
    }
  }

  // --- the load

  void measure(double seconds) {
    delivered_ = 0;
    acknowledged_ = 0;
    latencies_.clear();
    const auto published = published_;
    const auto cpu = cpu_seconds(wanted_.server);
    const auto own = cpu_seconds(::getpid());
    begin_ns_ = now_ns();
    due_ = 0;
    sending_ = true;
    const int timer = wanted_.rate > 0 ? tick_every(100'000) : -1;
    for (std::size_t i = 0; i < wanted_.publishers && wanted_.rate <= 0; ++i)
      publish(i);
    const auto end =
        begin_ns_ + static_cast<std::uint64_t>(seconds * 1'000'000'000);
    while (now_ns() < end)
      turn(10);
    sending_ = false;
    took_ = static_cast<double>(now_ns() - begin_ns_) / 1e9;
    cpu_ = cpu_seconds(wanted_.server) - cpu;
    own_cpu_ = cpu_seconds(::getpid()) - own;
    in_time_ = delivered_;
    acknowledged_in_time_ = acknowledged_;
    published_in_time_ = published_ - published;
    if (timer >= 0)
      ::close(timer);
    const auto patience = steady::now() + std::chrono::seconds{5};
    while (outstanding() && steady::now() < patience)
      turn(10);
    missing_ = published_ * wanted_.copies - arrived();
  }

  int tick_every(long ns) {
    const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    const itimerspec every{{0, ns}, {0, ns}};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = ticks;
    if (timer < 0 || ::timerfd_settime(timer, 0, &every, nullptr) < 0 ||
        ::epoll_ctl(poll_, EPOLL_CTL_ADD, timer, &event) < 0)
      give_up("timerfd");
    timer_ = timer;
    return timer;
  }

  /// All that is due by now; from one publisher after the other.
  void publish_due() {
    std::uint64_t expired = 0;
    (void)!::read(timer_, &expired, sizeof expired);
    const auto wanted = static_cast<std::uint64_t>(
        static_cast<double>(now_ns() - begin_ns_) / 1e9 * wanted_.rate);
    for (; sending_ && due_ < wanted; ++due_) {
      const auto which = due_ % wanted_.publishers;
      write(which,
            begin_ns_ + static_cast<std::uint64_t>(
                            1e9 * static_cast<double>(due_) / wanted_.rate));
      flush(which);
    }
  }

  [[nodiscard]] bool may_send(const client& from) const {
    if (wanted_.qos > 0 && from.sent - from.acknowledged >= wanted_.window)
      return false;
    return wanted_.copies == 0 || from.sent * wanted_.copies - from.arrived <
                                      wanted_.window * wanted_.copies;
  }

  void publish(std::size_t which) {
    auto& from = *clients_[which];
    while (sending_ && from.out.size() < buffer_.size() && may_send(from))
      write(which, now_ns());
    flush(which);
  }

  void write(std::size_t which, std::uint64_t due_ns) {
    auto& from = *clients_[which];
    const stamp at{due_ns, which};
    std::memcpy(payload_.data(), &at, sizeof at);
    // A window is much smaller than the numbers there are.
    const auto packet = wanted_.qos == 0 ? 0 : 1 + from.sent % 65'535;
    frames::write_publish(from.out, from.topics[from.sent % from.topics.size()],
                          payload_, wanted_.qos, packet);
    ++from.sent;
    ++published_;
  }

  // --- sockets

  void turn(int wait_ms) {
    std::array<epoll_event, 512> events{};
    const int count = ::epoll_wait(poll_, events.data(),
                                   static_cast<int>(events.size()), wait_ms);
    touched_.clear();
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == ticks) {
        publish_due();
        continue;
      }
      const auto which = static_cast<std::size_t>(event.data.u64);
      if ((event.events & EPOLLOUT) != 0)
        flush(which);
      if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0)
        read(which);
    }
    if (wanted_.rate > 0)
      return;
    // Once a turn, so that what has arrived is answered by a batch.
    std::sort(touched_.begin(), touched_.end());
    touched_.erase(std::unique(touched_.begin(), touched_.end()),
                   touched_.end());
    for (const auto which : touched_)
      publish(which);
  }

  void flush(std::size_t which) {
    auto& to = *clients_[which];
    while (to.gone < to.out.size()) {
      const auto size =
          to.stream->write(std::string_view{to.out}.substr(to.gone));
      if (size == 0)
        return watch(which, true);
      to.gone += size;
    }
    to.out.clear();
    to.gone = 0;
    watch(which, false);
  }

  void watch(std::size_t which, bool writing) {
    auto& of = *clients_[which];
    if (of.writing == writing)
      return;
    of.writing = writing;
    epoll_event event{};
    event.events = EPOLLIN | (writing ? static_cast<unsigned>(EPOLLOUT) : 0U);
    event.data.u64 = which;
    if (::epoll_ctl(poll_, EPOLL_CTL_MOD, of.stream->fd(), &event) < 0)
      give_up("epoll_ctl");
  }

  void read(std::size_t which) {
    auto& from = *clients_[which];
    do
      take_bytes(
          from, which,
          {buffer_.data(), from.stream->read(buffer_.data(), buffer_.size())});
    while (from.stream->has_more());
    if (!from.out.empty() && !from.writing)
      flush(which);
  }

  void take_bytes(client& from, std::size_t which, std::string_view bytes) {
    const bool whole = from.in.empty();
    if (!whole)
      bytes = from.in.append(bytes);
    const auto now = now_ns();
    std::size_t used = 0;
    while (const auto frame = frames::first_frame(bytes.substr(used))) {
      take(from, which, *frame, now);
      used += frame->bytes;
    }
    if (whole)
      from.in.assign(bytes.substr(used));
    else
      from.in.erase(0, used);
  }

  void take(client& by, std::size_t which, const frames::frame& what,
            std::uint64_t now) {
    switch (what.type) {
    case frames::publish_type: {
      if (what.packet != 0)
        frames::write_puback(by.out, what.packet);
      stamp from;
      if (what.payload.size() < sizeof from)
        throw std::runtime_error{"a message that is not ours"};
      std::memcpy(&from, what.payload.data(), sizeof from);
      latencies_.add(now - std::min(now, from.due_ns));
      ++delivered_;
      ++clients_.at(from.publisher)->arrived;
      touch(from.publisher);
      return;
    }
    case frames::puback_type:
      ++by.acknowledged;
      ++acknowledged_;
      touch(which);
      return;
    default:
      ++by.answers;
    }
  }

  void touch(std::size_t publisher) {
    if (touched_.empty() || touched_.back() != publisher)
      touched_.push_back(publisher);
  }

  [[nodiscard]] std::uint64_t arrived() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < wanted_.publishers; ++i)
      sum += clients_[i]->arrived;
    return sum;
  }
  [[nodiscard]] bool outstanding() const {
    return arrived() < published_ * wanted_.copies;
  }

  void report() const {
    const auto counted = std::max<std::uint64_t>(
        1, wanted_.copies > 0 ? in_time_ : acknowledged_in_time_);
    const auto rate = [this](std::uint64_t n) {
      return took_ > 0 ? static_cast<double>(n) / took_ : 0;
    };
    const auto clients = std::max<std::size_t>(1, clients_.size());
    std::printf(
        "{\"published_per_second\":%.1f,\"deliveries_per_second\":%.1f,"
        "\"acks_per_second\":%.1f,\"missing\":%llu,\"p50_us\":%.0f,"
        "\"p99_us\":%.0f,\"server_cpu_us\":%.3f,\"load_cpu_us\":%.3f,"
        "\"memory_bytes_per_client\":%.0f}\n",
        rate(published_in_time_), rate(in_time_), rate(acknowledged_in_time_),
        static_cast<unsigned long long>(missing_), latencies_.percentile(0.5),
        latencies_.percentile(0.99), 1e6 * cpu_ / static_cast<double>(counted),
        1e6 * own_cpu_ / static_cast<double>(counted),
        memory_ / static_cast<double>(clients));
  }

  static constexpr std::uint64_t ticks = ~std::uint64_t{0};

  options wanted_;
  tls_terms terms_;
  const int poll_;
  int timer_ = -1;
  std::vector<char> buffer_;
  std::string payload_;
  std::vector<std::unique_ptr<client>> clients_; ///< publishers first
  std::vector<std::uint64_t> touched_; ///< publishers that may send again
  bool sending_ = false;
  std::uint64_t begin_ns_ = 0;
  std::uint64_t due_ = 0; ///< with a rate: so many were sent
  std::uint64_t published_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t in_time_ = 0;
  std::uint64_t acknowledged_in_time_ = 0;
  std::uint64_t published_in_time_ = 0;
  std::uint64_t missing_ = 0;
  double took_ = 0;
  double cpu_ = 0;
  double own_cpu_ = 0;
  double memory_ = 0;
  histogram latencies_;
};

} // namespace

int main(int argc, char** argv) {
  options wanted;
  CLI::App app{"Load on a broker of MQTT; prints one line of JSON."};
  app.add_option("--port", wanted.port, "of the broker, on 127.0.0.1")
      ->required();
  app.add_option("--also", wanted.also,
                 "ports of other nodes: subscribers are spread over all");
  app.add_option("--topic", wanted.topic, "% is a number below --topics");
  app.add_option("--filter", wanted.filter, "% is a number below --filters");
  app.add_option("--topics", wanted.topics);
  app.add_option("--filters", wanted.filters);
  app.add_option("--publishers", wanted.publishers);
  app.add_option("--subscribers", wanted.subscribers);
  app.add_option("--idle", wanted.idle, "clients that do nothing");
  app.add_option(
      "--offline", wanted.offline,
      "clients that subscribe with QoS 1, keep their session, leave");
  app.add_option("--copies", wanted.copies, "of a publication that arrive");
  app.add_flag("--nobody", wanted.nobody, "none arrives: count PUBACKs");
  app.add_flag("--tls", wanted.tls, "whatever certificate the broker has");
  app.add_option("--qos", wanted.qos)->check(CLI::Range(0, 1));
  app.add_option("--bytes", wanted.bytes, "of a payload, at least 16");
  app.add_option("--window", wanted.window, "of a publisher")
      ->check(CLI::Range(1, 30'000));
  app.add_option("--seconds", wanted.seconds);
  app.add_option("--rate", wanted.rate, "messages a second; 0: most");
  app.add_option("--server", wanted.server, "process whose CPU is counted");
  CLI11_PARSE(app, argc, argv);
  try {
    load{wanted}.run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "mqtt_load: %s\n", e.what());
    return 1;
  }
  return 0;
}
