// SPDX-License-Identifier: Apache-2.0
#include "app/bench_loop.hpp"
#include "app/bench_modes.hpp"
#include "app/bench_node.hpp"

#include <memory>

namespace troupe::app {
namespace {

namespace mq = net::mq;

constexpr std::chrono::milliseconds patience{60'000};
/// Opened before the answers are looked at: less than a node's backlog.
constexpr std::uint64_t burst = 100;
constexpr std::string_view resident = "process_resident_memory_bytes";

struct idle_state {
  std::uint64_t logged_in = 0;
  std::string broken;
};

class idler final : public bench_connection {
public:
  explicit idler(idle_state& state) : state_(state) {}

private:
  void on_packet(const mq::server_packet& packet, core::steady_time) override {
    state_.logged_in += std::holds_alternative<mq::info_packet>(packet);
  }
  void on_ended(std::string_view why) override { state_.broken = why; }

  idle_state& state_;
};

/// Time for the node to forget what only the logins needed; pings meanwhile
/// are answered.
void settle(bench_loop& loop, std::uint64_t seconds) {
  static_cast<void>(
      loop.run_until([] { return false; }, std::chrono::seconds{seconds}));
}

} // namespace

core::result<bench_report> measure(const idle_load& load) {
  if (auto may = allow_descriptors(load.connections + 64); !may)
    return may.error();
  if (auto known = register_bench_users(load.target, 'i', load.connections);
      !known)
    return known.error();
  bench_loop loop;
  settle(loop, load.settle_seconds);
  const auto before = bench_metrics::fetch(load.target);
  if (!before)
    return before.error();

  idle_state state;
  std::vector<std::unique_ptr<idler>> all;
  const auto start = std::chrono::steady_clock::now();
  while (all.size() < load.connections) {
    const auto i = all.size();
    all.push_back(std::make_unique<idler>(state));
    if (auto up = all.back()->open(loop, load.target.server,
                                   bench_framing::websocket, i);
        !up)
      return up.error();
    const auto user = bench_user(load.target, 'i', i);
    all.back()->send(mq::login_request{user, bench_device});
    all.back()->flush();
    if (all.size() % burst != 0 && all.size() != load.connections)
      continue;
    const bool ready = loop.run_until(
        [&] { return !state.broken.empty() || state.logged_in == all.size(); },
        patience);
    if (!ready || !state.broken.empty())
      return core::error{core::errc::unavailable, "login: " + state.broken};
  }
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  settle(loop, load.settle_seconds);
  const auto after = bench_metrics::fetch(load.target);
  if (!after)
    return after.error();
  const auto count = static_cast<double>(load.connections);
  bench_report report{"idle"};
  report.count("connections", load.connections);
  report.number("seconds", took.count());
  report.number("logins_per_second", count / took.count());
  report.count("errors", load.connections - after->at("troupe_sessions") +
                             before->at("troupe_sessions"));
  report.count("resident_before_bytes", before->at(resident));
  report.count("resident_after_bytes", after->at(resident));
  report.number("resident_bytes_per_connection",
                (static_cast<double>(after->at(resident)) -
                 static_cast<double>(before->at(resident))) /
                    count);
  return report;
}

} // namespace troupe::app
