// SPDX-License-Identifier: Apache-2.0
#include "app/bench_node.hpp"

#include "app/admin_client.hpp"
#include "app/admin_report.hpp"
#include "app/bench_loop.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <thread>

namespace troupe::app {
namespace {

namespace mq = net::mq;

constexpr std::uint64_t users_per_request = 10'000;
constexpr std::size_t fill_connections = 4;
constexpr std::uint64_t fill_window = 16;
constexpr std::chrono::seconds patience{120};
constexpr std::chrono::seconds retry_time{30};

/// Posts what a shared plan hands out, one window at a time.
struct fill_plan {
  fill_plan(const bench_target& node, const bench_fill& fill)
      : target(node), wanted(fill) {
    posts = batches() * wanted.messages_each;
  }

  bench_target target;
  bench_fill wanted;
  std::uint64_t next = 0;
  std::uint64_t posts = 0;
  std::uint64_t done = 0;
  std::uint64_t errors = 0;
  std::uint64_t logged_in = 0;
  std::string broken;

  [[nodiscard]] std::uint64_t batches() const {
    return (wanted.users + wanted.recipients_per_post - 1) /
           wanted.recipients_per_post;
  }
};

class filler final : public bench_connection {
public:
  explicit filler(fill_plan& plan) : plan_(plan) {}

  void post_next() {
    if (plan_.next == plan_.posts)
      return;
    // Round after round over all users, so that no inbox is a hot spot.
    const auto batch = plan_.next++ % plan_.batches();
    const auto per_post = plan_.wanted.recipients_per_post;
    const auto first = batch * per_post;
    const auto last = std::min(first + per_post, plan_.wanted.users);
    mq::post_request post;
    post.id = "p";
    for (auto i = first; i < last; ++i)
      post.to.push_back({bench_user(plan_.target, 'u', i)});
    const auto body = bench_body(plan_.wanted.body_bytes, batch);
    post.body.data = core::as_bytes(body);
    post.no_nodes = true;
    send(std::move(post));
  }

private:
  void on_packet(const mq::server_packet& packet, core::steady_time) override {
    if (std::holds_alternative<mq::info_packet>(packet))
      ++plan_.logged_in;
    const auto* ack = std::get_if<mq::ack_packet>(&packet);
    if (ack == nullptr)
      return;
    ++plan_.done;
    plan_.errors += ack->type != "ok" || !ack->error.empty();
    post_next();
  }
  void on_ended(std::string_view why) override { plan_.broken = why; }

  fill_plan& plan_;
};

/// An import that was refused for now may come again: users that are there
/// already are kept.
core::result<boost::json::value> import_patiently(const admin_client& admin,
                                                  const std::string& document) {
  const auto end = std::chrono::steady_clock::now() + retry_time;
  for (;;) {
    auto answer = admin.post_text("/users/import", document);
    if (answer || answer.error().code != core::errc::unavailable ||
        std::chrono::steady_clock::now() > end)
      return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

} // namespace

core::result<bench_metrics> bench_metrics::fetch(const bench_target& target) {
  const auto text = admin_client{target.admin}.get_text("/metrics");
  if (!text)
    return text.error();
  return parse(*text);
}

bench_metrics bench_metrics::parse(std::string_view text) {
  bench_metrics made;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto blank = line.rfind(' ');
    if (line.empty() || line.front() == '#' || blank == std::string_view::npos)
      continue;
    const auto* end = line.data() + line.size();
    std::uint64_t value = 0;
    const auto [stop, bad] =
        std::from_chars(line.data() + blank + 1, end, value);
    if (bad == std::errc{} && stop == end)
      made.samples_.insert_or_assign(std::string{line.substr(0, blank)}, value);
  }
  return made;
}

std::uint64_t bench_metrics::at(std::string_view name) const {
  const auto found = samples_.find(name);
  return found == samples_.end() ? 0 : found->second;
}

std::uint64_t bench_metrics::sum(std::string_view name) const {
  std::uint64_t total = 0;
  for (auto at = samples_.lower_bound(name);
       at != samples_.end() && at->first.compare(0, name.size(), name) == 0;
       ++at)
    total += at->second;
  return total;
}

void report_work(bench_report& to, const bench_metrics& before,
                 const bench_metrics& after, double seconds) {
  const auto grown = [&](std::string_view name) {
    return static_cast<double>(after.sum(name) - before.sum(name));
  };
  const auto syncs = grown("troupe_log_syncs_total");
  to.number("syncs_per_second", syncs / seconds);
  to.number("acks_per_sync", grown("troupe_posts_accepted_total") / syncs);
  to.number("log_entries_per_sync", grown("troupe_log_entries_total") / syncs);
  to.number("loop_cpu_cores",
            grown("troupe_loop_busy_milliseconds_total") / 1e3 / seconds);
}

std::string bench_user(const bench_target& target, char kind,
                       std::uint64_t number) {
  return target.prefix + kind + std::to_string(number);
}

core::result<void> register_bench_users(const bench_target& target, char kind,
                                        std::uint64_t count) {
  const admin_client admin{target.admin};
  for (std::uint64_t first = 0; first < count; first += users_per_request) {
    std::string document{R"({"alias":{},"list":{},"uid":{)"};
    const auto last = std::min(first + users_per_request, count);
    for (auto i = first; i < last; ++i) {
      document += i == first ? "\"" : ",\"";
      document += bench_user(target, kind, i);
      document += R"(":{"aliases":[],"nodes":{"d":0}})";
    }
    document += "}}";
    const auto answer = import_patiently(admin, document);
    if (!answer)
      return answer.error();
    if (number_at(*answer, "users_refused").value_or(0) != 0)
      return core::error{core::errc::unavailable, "users were refused"};
  }
  return {};
}

std::string bench_body(std::size_t bytes, std::uint64_t number) {
  auto text = std::to_string(number);
  if (text.size() < bytes)
    text.insert(0, bytes - text.size(), '.');
  return text;
}

core::result<bench_filled> fill_inboxes(const bench_target& target,
                                        const bench_fill& wanted) {
  fill_plan plan{target, wanted};
  if (auto known = register_bench_users(target, 'f', fill_connections); !known)
    return known.error();
  bench_loop loop;
  std::vector<std::unique_ptr<filler>> all;
  for (std::size_t i = 0; i < fill_connections; ++i) {
    all.push_back(std::make_unique<filler>(plan));
    if (auto up =
            all.back()->open(loop, target.server, bench_framing::draft, 0);
        !up)
      return up.error();
    const auto user = bench_user(target, 'f', i);
    all.back()->send(mq::login_request{user, bench_device});
    all.back()->flush();
  }
  const auto broken = [&] { return !plan.broken.empty(); };
  const bool ready = loop.run_until(
      [&] { return broken() || plan.logged_in == fill_connections; }, patience);
  if (!ready || broken())
    return core::error{core::errc::unavailable,
                       "login of the filling users: " + plan.broken};
  const auto start = std::chrono::steady_clock::now();
  for (auto& each : all) {
    for (std::uint64_t i = 0; i < fill_window; ++i)
      each->post_next();
    each->flush();
  }
  // Patience is for silence, not for the whole.
  for (std::uint64_t before = 0; plan.done < plan.posts; before = plan.done) {
    const auto goal = std::min(plan.posts, before + 1000);
    const bool moved =
        loop.run_until([&] { return broken() || plan.done >= goal; }, patience);
    if (!moved || broken())
      return core::error{core::errc::unavailable,
                         "filling the inboxes: " + plan.broken};
  }
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  return bench_filled{took.count(), plan.posts, plan.errors};
}

} // namespace troupe::app
