// SPDX-License-Identifier: Apache-2.0
#include "app/bench_loop.hpp"
#include "app/bench_modes.hpp"
#include "app/bench_node.hpp"

#include <atomic>
#include <memory>
#include <thread>

namespace troupe::app {
namespace {

namespace mq = net::mq;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds silence_max{10'000};
constexpr std::chrono::milliseconds turn{20};

struct deliver_run {
  explicit deliver_run(const deliver_load& what) : load(what) {}

  const deliver_load& load;
  std::atomic<std::uint64_t> connected{0}; // threads
  std::atomic<bool> go{false};
};

/// Counts of one thread; read when it has ended.
struct deliver_worker {
  std::uint64_t received = 0;
  std::uint64_t drained = 0; // devices that have got all
  core::steady_time last{};  // delivery
  bench_histogram latency;
  std::string broken;
};

class device final : public bench_connection {
public:
  device(deliver_worker& worker, std::uint64_t messages, std::uint32_t window)
      : worker_(worker), missing_(messages), one_by_one_(window == 1) {}

private:
  void on_packet(const mq::server_packet& packet,
                 core::steady_time now) override {
    const auto* delivery = std::get_if<mq::deliver_packet>(&packet);
    if (delivery == nullptr)
      return;
    send(mq::ack_packet{delivery->id, "ok"});
    ++worker_.received;
    worker_.last = now;
    if (one_by_one_ && acknowledged_ != core::steady_time{})
      worker_.latency.record(now - acknowledged_);
    acknowledged_ = now;
    if (missing_ > 0 && --missing_ == 0)
      ++worker_.drained;
  }
  void on_ended(std::string_view why) override { worker_.broken = why; }

  deliver_worker& worker_;
  std::uint64_t missing_;
  core::steady_time acknowledged_{};
  bool one_by_one_;
};

class deliver_thread {
public:
  deliver_thread(deliver_run& run, std::uint64_t index)
      : run_(run), index_(index) {}

  void operator()() {
    connect();
    ++run_.connected;
    while (!run_.go)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    const auto& load = run_.load;
    auto number = index_;
    for (auto& each : devices_) {
      const auto user = bench_user(load.target, 'u', number);
      mq::login_request login{user, bench_device};
      if (load.window > 1)
        login.window = load.window;
      each->send(login);
      each->flush();
      number += load.threads;
    }
    worker_.last = clock::now();
    while (worker_.broken.empty() && worker_.drained < devices_.size() &&
           clock::now() - worker_.last < silence_max)
      loop_.run_once(turn);
  }

  [[nodiscard]] const deliver_worker& outcome() const { return worker_; }

private:
  void connect() {
    const auto& load = run_.load;
    for (auto i = index_; i < load.connections; i += load.threads) {
      devices_.push_back(
          std::make_unique<device>(worker_, load.messages, load.window));
      if (auto up = devices_.back()->open(loop_, load.target.server,
                                          bench_framing::draft, i);
          !up)
        worker_.broken = up.error().detail;
    }
  }

  deliver_run& run_;
  std::uint64_t index_;
  deliver_worker worker_;
  bench_loop loop_;
  std::vector<std::unique_ptr<device>> devices_;
};

/// Runs all threads; answers when the logins began.
core::steady_time
drain(deliver_run& run,
      const std::vector<std::unique_ptr<deliver_thread>>& work) {
  std::vector<std::thread> threads;
  for (const auto& each : work)
    threads.emplace_back([at = each.get()] { (*at)(); });
  while (run.connected < run.load.threads)
    std::this_thread::sleep_for(turn);
  const auto start = clock::now();
  run.go = true;
  for (auto& each : threads)
    each.join();
  return start;
}

} // namespace

core::result<bench_report> measure(const deliver_load& load) {
  if (auto may = allow_descriptors(load.connections + 64); !may)
    return may.error();
  if (auto known = register_bench_users(load.target, 'u', load.connections);
      !known)
    return known.error();
  bench_fill wanted;
  wanted.users = load.connections;
  wanted.messages_each = load.messages;
  wanted.body_bytes = load.body_bytes;
  const auto filled = fill_inboxes(load.target, wanted);
  if (!filled)
    return filled.error();
  const auto before = bench_metrics::fetch(load.target);
  if (!before)
    return before.error();

  deliver_run run{load};
  std::vector<std::unique_ptr<deliver_thread>> work;
  for (std::uint64_t i = 0; i < load.threads; ++i)
    work.push_back(std::make_unique<deliver_thread>(run, i));
  const auto start = drain(run, work);
  const auto after = bench_metrics::fetch(load.target);
  if (!after)
    return after.error();

  deliver_worker total;
  for (const auto& each : work) {
    const auto& part = each->outcome();
    if (!part.broken.empty())
      return core::error{core::errc::unavailable, part.broken};
    total.received += part.received;
    total.drained += part.drained;
    total.last = std::max(total.last, part.last);
    total.latency.merge(part.latency);
  }
  const std::chrono::duration<double> took = total.last - start;
  bench_report report{"deliver"};
  report.count("connections", load.connections);
  report.count("window", load.window);
  report.count("body_bytes", load.body_bytes);
  report.number("seconds", took.count());
  report.count("deliveries", total.received);
  report.number("deliveries_per_second",
                static_cast<double>(total.received) / took.count());
  report.count("queues_left", load.connections - total.drained);
  report.count("errors", filled->errors);
  report.number("queued_per_second",
                static_cast<double>(load.connections * load.messages) /
                    filled->seconds);
  report_work(report, *before, *after, took.count());
  report.latency("ack_to_next", total.latency);
  return report;
}

} // namespace troupe::app
