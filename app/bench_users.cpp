// SPDX-License-Identifier: Apache-2.0
#include "app/bench_loop.hpp"
#include "app/bench_modes.hpp"
#include "app/bench_node.hpp"

#include <algorithm>
#include <memory>

namespace troupe::app {
namespace {

namespace mq = net::mq;

constexpr std::chrono::milliseconds patience{60'000};
constexpr std::uint64_t burst = 100;
constexpr std::string_view resident = "process_resident_memory_bytes";

struct check_state {
  std::uint64_t answered = 0;
  std::uint64_t wrong = 0;
};

/// Logs in and compares the first message; leaves it in the inbox.
class checker final : public bench_connection {
public:
  checker(check_state& state, std::string expected)
      : state_(state), expected_(std::move(expected)) {}

private:
  void on_packet(const mq::server_packet& packet, core::steady_time) override {
    const auto* delivery = std::get_if<mq::deliver_packet>(&packet);
    if (delivery == nullptr)
      return;
    finish(core::as_text(delivery->body.data) == expected_);
  }
  void on_ended(std::string_view) override { finish(false); }

  void finish(bool right) {
    if (std::exchange(finished_, true))
      return;
    ++state_.answered;
    state_.wrong += !right;
  }

  check_state& state_;
  std::string expected_;
  bool finished_ = false;
};

core::result<check_state> check(const users_load& load) {
  check_state state;
  bench_loop loop;
  std::vector<std::unique_ptr<checker>> open;
  const auto sample = std::min(load.check, load.count);
  for (std::uint64_t i = 0; i < sample; ++i) {
    const auto number = i * load.count / sample;
    open.push_back(std::make_unique<checker>(
        state, bench_body(load.body_bytes, number / load.recipients_per_post)));
    if (auto up = open.back()->open(loop, load.target.server,
                                    bench_framing::draft, 0);
        !up)
      return up.error();
    const auto user = bench_user(load.target, 'u', number);
    open.back()->send(mq::login_request{user, bench_device});
    open.back()->flush();
    if (open.size() < burst && i + 1 < sample)
      continue;
    if (!loop.run_until([&] { return state.answered > i; }, patience))
      return core::error{core::errc::timed_out,
                         "a user that was checked got no message"};
    open.clear();
  }
  return state;
}

double bytes_each(std::uint64_t before, std::uint64_t after,
                  std::uint64_t count) {
  return (static_cast<double>(after) - static_cast<double>(before)) /
         static_cast<double>(count);
}

core::result<void> fill(const users_load& load, bench_report& report) {
  const auto before = bench_metrics::fetch(load.target);
  if (!before)
    return before.error();
  const auto start = std::chrono::steady_clock::now();
  if (auto known = register_bench_users(load.target, 'u', load.count); !known)
    return known;
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  const auto registered = bench_metrics::fetch(load.target);
  if (!registered)
    return registered.error();
  const auto filled = fill_inboxes(
      load.target, {load.count, 1, load.recipients_per_post, load.body_bytes});
  if (!filled)
    return filled.error();
  const auto after = bench_metrics::fetch(load.target);
  if (!after)
    return after.error();
  const auto count = static_cast<double>(load.count);
  report.number("register_seconds", took.count());
  report.number("registered_per_second", count / took.count());
  report.number("post_seconds", filled->seconds);
  report.number("queued_per_second", count / filled->seconds);
  report.count("errors", filled->errors);
  report.count("resident_before_bytes", before->at(resident));
  report.count("resident_registered_bytes", registered->at(resident));
  report.count("resident_queued_bytes", after->at(resident));
  report.number(
      "resident_bytes_per_user",
      bytes_each(before->at(resident), after->at(resident), load.count));
  return {};
}

} // namespace

core::result<bench_report> measure(const users_load& load) {
  if (auto may = allow_descriptors(2 * burst + 64); !may)
    return may.error();
  bench_report report{"users"};
  report.count("users", load.count);
  if (load.fill)
    if (auto done = fill(load, report); !done)
      return done.error();
  if (load.check == 0)
    return report;
  const auto checked = check(load);
  if (!checked)
    return checked.error();
  report.count("checked", checked->answered);
  report.count("checked_wrong", checked->wrong);
  return report;
}

} // namespace troupe::app
