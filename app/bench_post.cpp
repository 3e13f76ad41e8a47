// SPDX-License-Identifier: Apache-2.0
#include "app/bench_loop.hpp"
#include "app/bench_modes.hpp"
#include "app/bench_node.hpp"

#include <atomic>
#include <charconv>
#include <memory>
#include <mutex>
#include <thread>

namespace troupe::app {
namespace {

namespace mq = net::mq;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds patience{60'000};
constexpr std::chrono::seconds warm_up_time{1};
constexpr std::chrono::seconds drain_time{10};
constexpr std::chrono::milliseconds turn{20};

enum class phase : std::uint8_t { connecting, warm_up, measuring, stopping };

/// What the threads of a run share.
struct post_run {
  explicit post_run(const post_load& what) : load(what) {}

  const post_load& load;
  std::atomic<phase> now{phase::connecting};
  std::atomic<std::uint64_t> ready{0}; // threads
  std::mutex mutex;                    // of what follows
  std::string broken;
  bench_histogram latency;
  std::uint64_t errors = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t consumed = 0;
  double seconds = 0; // of measuring

  void fail(std::string_view why) {
    const std::lock_guard lock{mutex};
    if (broken.empty())
      broken = why;
  }
  [[nodiscard]] std::string failure() {
    const std::lock_guard lock{mutex};
    return broken;
  }
};

/// What the connections of one thread share.
struct post_worker {
  explicit post_worker(post_run& shared) : run(shared) {
    mq::post_request post;
    post.to.resize(1);
    post.no_nodes = true;
    packet = std::move(post);
    body = bench_body(run.load.body_bytes, 0);
    for (std::uint64_t i = 0; i < run.load.window; ++i)
      slot_ids.push_back(std::to_string(i));
    for (std::uint64_t i = 0; i < run.load.users; ++i)
      recipients.push_back(bench_user(run.load.target, 'u', i));
  }

  post_run& run;
  mq::client_packet packet; // made once: a post costs no allocation
  std::string body;
  std::vector<std::string> slot_ids;
  std::vector<std::string> recipients;
  std::size_t next_recipient = 0;
  std::uint64_t logged_in = 0;
  std::uint64_t outstanding = 0;
  std::uint64_t errors = 0;
  std::uint64_t consumed = 0;
  bool stopping = false;
  bool measuring = false;
  bench_histogram latency;
};

/// A sender; the id of a post is the place in the window that it takes.
class sender final : public bench_connection {
public:
  explicit sender(post_worker& worker)
      : worker_(worker), started_(worker.slot_ids.size()) {}

  void start() {
    const auto now = clock::now();
    for (std::size_t slot = 0; slot < started_.size(); ++slot)
      post(slot, now);
    flush();
  }

private:
  void post(std::size_t slot, core::steady_time now) {
    auto& post = std::get<mq::post_request>(worker_.packet);
    post.id = worker_.slot_ids[slot];
    post.to.front().name = worker_.recipients[worker_.next_recipient];
    if (++worker_.next_recipient == worker_.recipients.size())
      worker_.next_recipient = 0;
    post.body.data = core::as_bytes(worker_.body);
    started_[slot] = now;
    ++worker_.outstanding;
    send(worker_.packet);
  }

  void on_packet(const mq::server_packet& packet,
                 core::steady_time now) override {
    if (std::holds_alternative<mq::info_packet>(packet))
      ++worker_.logged_in;
    const auto* ack = std::get_if<mq::ack_packet>(&packet);
    if (ack == nullptr)
      return;
    std::size_t slot = started_.size();
    std::from_chars(ack->id.data(), ack->id.data() + ack->id.size(), slot);
    if (slot >= started_.size()) {
      ++worker_.errors;
      return;
    }
    --worker_.outstanding;
    if (ack->type != "ok" || !ack->error.empty())
      ++worker_.errors;
    else if (worker_.measuring)
      worker_.latency.record(now - started_[slot]);
    if (!worker_.stopping)
      post(slot, now);
  }
  void on_ended(std::string_view why) override { worker_.run.fail(why); }

  post_worker& worker_;
  std::vector<core::steady_time> started_;
};

/// A recipient that acknowledges what comes.
class consumer final : public bench_connection {
public:
  explicit consumer(post_worker& worker) : worker_(worker) {}

private:
  void on_packet(const mq::server_packet& packet, core::steady_time) override {
    if (std::holds_alternative<mq::info_packet>(packet))
      ++worker_.logged_in;
    if (const auto* delivery = std::get_if<mq::deliver_packet>(&packet)) {
      worker_.consumed += worker_.measuring;
      send(mq::ack_packet{delivery->id, "ok"});
    }
  }
  void on_ended(std::string_view why) override { worker_.run.fail(why); }

  post_worker& worker_;
};

class post_thread {
public:
  post_thread(post_run& run, std::uint64_t index)
      : run_(run), index_(index), worker_(run) {
    // Threads begin at different recipients.
    worker_.next_recipient =
        worker_.recipients.size() * index / run.load.threads;
  }

  void operator()() {
    if (!connect())
      return;
    ++run_.ready;
    while (run_.now == phase::connecting)
      loop_.run_once(turn);
    if (run_.now != phase::stopping)
      for (auto& each : senders_)
        each->start();
    while (run_.now != phase::stopping) {
      worker_.measuring = run_.now == phase::measuring;
      loop_.run_once(turn);
    }
    worker_.measuring = false;
    worker_.stopping = true;
    const bool answered = loop_.run_until(
        [this] { return worker_.outstanding == 0; }, drain_time);
    const std::lock_guard lock{run_.mutex};
    run_.latency.merge(worker_.latency);
    run_.errors += worker_.errors;
    run_.consumed += worker_.consumed;
    run_.unanswered += answered ? 0 : worker_.outstanding;
  }

private:
  bool connect() {
    const auto& load = run_.load;
    std::uint64_t opened = 0;
    for (auto i = index_; i < load.connections; i += load.threads) {
      senders_.push_back(std::make_unique<sender>(worker_));
      if (!open(*senders_.back(), {bench_user(load.target, 's', i)}))
        return false;
      ++opened;
    }
    for (auto i = index_; load.consume && i < load.users; i += load.threads) {
      consumers_.push_back(std::make_unique<consumer>(worker_));
      if (!open(*consumers_.back(), {worker_.recipients[i]}))
        return false;
      ++opened;
    }
    const bool ready =
        loop_.run_until([&] { return worker_.logged_in == opened; }, patience);
    if (!ready)
      run_.fail("not every login was answered");
    return ready;
  }

  bool open(bench_connection& made, const std::string& user) {
    constexpr std::uint32_t consumer_window = 256;
    if (auto up =
            made.open(loop_, run_.load.target.server, bench_framing::draft, 0);
        !up) {
      run_.fail(up.error().detail);
      return false;
    }
    mq::login_request login{user, bench_device};
    login.window = consumer_window;
    made.send(login);
    made.flush();
    return true;
  }

  post_run& run_;
  std::uint64_t index_;
  post_worker worker_;
  bench_loop loop_;
  std::vector<std::unique_ptr<sender>> senders_;
  std::vector<std::unique_ptr<consumer>> consumers_;
};

/// Takes the threads from phase to phase; what the node counted meanwhile.
core::result<bench_report> lead(post_run& run) {
  const auto& load = run.load;
  while (run.ready < load.threads) {
    if (const auto why = run.failure(); !why.empty())
      return core::error{core::errc::unavailable, why};
    std::this_thread::sleep_for(turn);
  }
  run.now = phase::warm_up;
  std::this_thread::sleep_for(warm_up_time);
  const auto before = bench_metrics::fetch(load.target);
  if (!before)
    return before.error();
  run.now = phase::measuring;
  const auto start = clock::now();
  std::this_thread::sleep_for(std::chrono::seconds{load.seconds});
  run.now = phase::warm_up;
  const std::chrono::duration<double> took = clock::now() - start;
  const auto after = bench_metrics::fetch(load.target);
  if (!after)
    return after.error();
  if (const auto why = run.failure(); !why.empty())
    return core::error{core::errc::unavailable, why};
  bench_report report{"post"};
  report.count("connections", load.connections);
  report.count("window", load.window);
  report.count("body_bytes", load.body_bytes);
  report.number("seconds", took.count());
  report_work(report, *before, *after, took.count());
  run.seconds = took.count();
  return report;
}

} // namespace

core::result<bench_report> measure(const post_load& load) {
  const auto connections = load.connections + (load.consume ? load.users : 0);
  if (auto may = allow_descriptors(connections + 64); !may)
    return may.error();
  for (const auto& [kind, count] :
       {std::pair{'s', load.connections}, std::pair{'u', load.users}})
    if (auto known = register_bench_users(load.target, kind, count); !known)
      return known.error();
  post_run run{load};
  std::vector<std::unique_ptr<post_thread>> work;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < load.threads; ++i) {
    work.push_back(std::make_unique<post_thread>(run, i));
    threads.emplace_back([at = work.back().get()] { (*at)(); });
  }
  auto report = lead(run);
  run.now = phase::stopping;
  for (auto& each : threads)
    each.join();
  if (!report)
    return report;
  report->count("acks", run.latency.count());
  report->number("acks_per_second",
                 static_cast<double>(run.latency.count()) / run.seconds);
  if (load.consume)
    report->count("deliveries", run.consumed);
  report->count("errors", run.errors + run.unanswered);
  report->latency("ack", run.latency);
  return report;
}

} // namespace troupe::app
