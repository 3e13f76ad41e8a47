// SPDX-License-Identifier: Apache-2.0
//
// link_bench [--json] [seconds] [rounds] [certificate key authority]
//
// What a link between two nodes carries: two processes over loopback TCP,
// one way, 128 B and 64 KiB a message, and the round trip of a small message
// on an idle link and beside a flood in the bulk lane. Medians of the rounds;
// CPU of both processes a message. With three files: the same over TLS.
#include "actors/links/link_network.hpp"
#include "actors/links/node_links.hpp"
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::actors::links;
using steady = std::chrono::steady_clock;

constexpr std::uint64_t key = 0;
constexpr int pings = 3000;
// Messages handed over in one turn of the loop before sockets get theirs.
constexpr int burst = 512;

struct arguments {
  bool json = false;
  double seconds = 2;
  int rounds = 3;
  link_tls tls{};
};

struct report {
  std::uint64_t messages = 0;
  double cpu = 0; ///< seconds, of the process
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// A node of the bench; ends the process if it can't be made.
struct bench_node {
  bench_node(std::uint32_t id, const link_tls& tls) {
    actors::runtime::runtime_options runtime;
    runtime.loops = 1;
    config = std::make_unique<actors::runtime::runtime_config>(runtime);
    const auto enabled = enable_links(*config, tls);
    system = enabled ? std::make_unique<caf::actor_system>(*config) : nullptr;
    link_options options;
    options.cluster.fill(std::byte{1});
    options.self = core::node_id{id};
    options.secret = "bench";
    options.listen = "127.0.0.1:0";
    options.log = [](auto level, auto, auto text) {
      if (level != "info")
        std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()),
                     text.data());
    };
    auto opened =
        system ? node_links::open(*system, std::move(options))
               : core::result<std::unique_ptr<node_links>>{enabled.error()};
    if (!opened) {
      std::fprintf(stderr, "%s\n", core::to_string(opened.error()).c_str());
      std::exit(EXIT_FAILURE);
    }
    links = std::move(*opened);
  }
  actors::runtime::loop& loop() {
    return actors::runtime::scheduler::of(*system).at(0);
  }

  std::unique_ptr<actors::runtime::runtime_config> config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<node_links> links;
};

/// The receiving process: counts, answers, echoes. Ends with its parent.
[[noreturn]] void receive(const link_tls& tls, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  bench_node node{2, tls};
  std::uint64_t messages = 0;
  node.links->on_message(kind::raft_entries,
                         [&](const received&) { ++messages; });
  node.links->on_message(kind::call, [&](const received& m) {
    report r{messages, cpu_seconds()};
    static_cast<void>(
        node.links->send(m.from, kind::answer, key,
                         core::shared_bytes::copy_of(std::string_view{
                             reinterpret_cast<const char*>(&r), sizeof r})));
  });
  node.links->on_message(kind::raft, [&](const received& m) {
    static_cast<void>(node.links->send(m.from, kind::raft, key, m.body));
  });
  node.links->start();
  node.links->set_peer(core::node_id{1}, {});
  const auto port = node.links->port();
  if (::write(out, &port, sizeof port) != sizeof port)
    std::exit(EXIT_FAILURE);
  for (;;)
    ::pause();
}

class sender {
public:
  sender(const link_tls& tls, std::uint16_t port) : node_(1, tls) {
    node_.links->on_message(kind::answer, [this](const received& m) {
      report r;
      std::memcpy(&r, m.body.data(), std::min(m.body.size(), sizeof r));
      answer_->set_value(r);
    });
    node_.links->on_message(kind::raft, [this](const received&) { on_pong(); });
    node_.links->start();
    node_.links->set_peer(core::node_id{2},
                          {"127.0.0.1:" + std::to_string(port)});
    for (;;) {
      const auto peers = node_.links->peers();
      if (!peers.empty() && peers[0].state == peer_state::up)
        break;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }

  struct throughput {
    double per_second = 0;
    double sender_us = 0;
    double receiver_us = 0;
  };
  throughput flood(std::size_t size, double seconds) {
    const auto before = ask();
    const auto cpu = cpu_seconds();
    const auto start = steady::now();
    begin_flood(size);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    end_flood();
    const auto after = ask();
    const auto count = static_cast<double>(after.messages - before.messages);
    return {count / seconds_since(start), (cpu_seconds() - cpu) / count * 1e6,
            (after.cpu - before.cpu) / count * 1e6};
  }

  struct latency {
    double p50 = 0;
    double p99 = 0;
  };
  latency ping() {
    trips_.clear();
    done_ = std::make_unique<std::promise<void>>();
    auto done = done_->get_future();
    node_.loop().post([this] { send_ping(); });
    done.wait();
    std::sort(trips_.begin(), trips_.end());
    return {trips_[trips_.size() / 2], trips_[trips_.size() * 99 / 100]};
  }
  void begin_flood(std::size_t size) {
    body_ = core::shared_bytes::copy_of(std::string(size, 'x'));
    flooding_ = true;
    flooded_ = std::make_unique<std::promise<void>>();
    node_.loop().post([this] { turn(); });
  }
  void end_flood() {
    flooding_ = false;
    flooded_->get_future().wait();
  }

private:
  /// Comes behind all that was sent before.
  report ask() {
    answer_ = std::make_unique<std::promise<report>>();
    auto answer = answer_->get_future();
    node_.loop().post([this] { send_question(); });
    return answer.get();
  }
  void send_question() {
    if (!node_.links->send(core::node_id{2}, kind::call, key, {}))
      node_.loop().post([this] { send_question(); });
  }
  void turn() {
    bool full = false;
    for (int i = 0; i < burst && !full; ++i)
      full =
          !node_.links->send(core::node_id{2}, kind::raft_entries, key, body_);
    if (!flooding_)
      flooded_->set_value();
    else if (full)
      node_.loop().call_at(steady::now(), [this] { turn(); });
    else
      node_.loop().post([this] { turn(); });
  }
  void send_ping() {
    sent_ = steady::now();
    if (!node_.links->send(core::node_id{2}, kind::raft, key, {}))
      node_.loop().post([this] { send_ping(); });
  }
  void on_pong() {
    trips_.push_back(seconds_since(sent_) * 1e6);
    if (trips_.size() < pings)
      send_ping();
    else
      done_->set_value();
  }

  bench_node node_;
  core::shared_bytes body_;
  std::atomic<bool> flooding_{false};
  std::unique_ptr<std::promise<void>> flooded_;
  std::unique_ptr<std::promise<report>> answer_;
  std::unique_ptr<std::promise<void>> done_;
  std::vector<double> trips_;
  steady::time_point sent_;
};

template <class T, class Less>
T median(std::vector<T> all, Less less) {
  std::sort(all.begin(), all.end(), less);
  return all[all.size() / 2];
}

void print(const arguments& args, const char* what,
           std::initializer_list<std::pair<const char*, double>> values) {
  if (args.json)
    std::printf("{\"bench\":\"link\",\"what\":\"%s\"", what);
  else
    std::printf("%-26s", what);
  for (const auto& [name, value] : values)
    std::printf(args.json ? ",\"%s\":%.2f" : "  %s %.2f", name, value);
  std::printf(args.json ? "}\n" : "\n");
  std::fflush(stdout);
}

void run(const arguments& args, std::uint16_t port) {
  sender one{args.tls, port};
  for (const std::size_t size : {std::size_t{128}, std::size_t{65536}}) {
    std::vector<sender::throughput> all;
    for (int i = 0; i < args.rounds; ++i)
      all.push_back(one.flood(size, args.seconds));
    const auto middle = median(all, [](const auto& a, const auto& b) {
      return a.per_second < b.per_second;
    });
    const auto name = std::to_string(size) + " B one way";
    print(args, name.c_str(),
          {{"messages_per_second", middle.per_second},
           {"megabytes_per_second",
            middle.per_second * static_cast<double>(size) / 1e6},
           {"sender_us", middle.sender_us},
           {"receiver_us", middle.receiver_us}});
  }
  const auto trips = [&](const char* name) {
    std::vector<sender::latency> all;
    for (int i = 0; i < args.rounds; ++i)
      all.push_back(one.ping());
    const auto middle =
        median(all, [](const auto& a, const auto& b) { return a.p50 < b.p50; });
    print(args, name, {{"p50_us", middle.p50}, {"p99_us", middle.p99}});
  };
  trips("round trip, idle");
  one.begin_flood(65536);
  trips("round trip, beside a flood");
  one.end_flood();
}

} // namespace

int main(int count, char** words) {
  arguments args;
  std::vector<std::string> rest;
  for (int i = 1; i < count; ++i) {
    if (std::string{words[i]} == "--json")
      args.json = true;
    else
      rest.emplace_back(words[i]);
  }
  if (!rest.empty())
    args.seconds = std::atof(rest[0].c_str());
  if (rest.size() > 1)
    args.rounds = std::atoi(rest[1].c_str());
  if (rest.size() > 4)
    args.tls = {rest[2], rest[3], rest[4], {}};
  int pipe[2];
  if (args.seconds <= 0 || args.rounds < 1 || ::pipe(pipe) != 0)
    return EXIT_FAILURE;
  const auto child = ::fork(); // before there is a thread
  if (child == 0)
    receive(args.tls, pipe[1]);
  std::uint16_t port = 0;
  if (::read(pipe[0], &port, sizeof port) != sizeof port)
    return EXIT_FAILURE;
  run(args, port);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return EXIT_SUCCESS;
}
