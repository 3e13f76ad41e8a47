// SPDX-License-Identifier: Apache-2.0
//
// What does it cost a publication that its channel counts it? The topic router
// on one loop, with subscribers that do nothing: once they say who they are and
// the channel's actor gets its reports, once they don't. In turns, medians and
// their ratio.
#include "actors/runtime/runtime_config.hpp"
#include "actors/runtime/scheduler.hpp"
#include "actors/topics/topic_router.hpp"
#include "core/clock.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Builds on trees without channels as well, for a comparison of binaries.
#if __has_include("actors/channels/channel_host.hpp")
#define TROUPE_BENCH_CHANNELS 1
#else
#define TROUPE_BENCH_CHANNELS 0
#endif

namespace troupe::bench {
namespace {

namespace topics = actors::topics;
using actors::runtime::loop;

constexpr std::size_t publications_a_turn = 64;

struct sink final : topics::topic_subscriber {
  void deliver(const core::publication_ptr& what, std::uint64_t) override {
    bytes += what->payload.size();
  }
  std::size_t bytes = 0;
};

/// Runs on the loop and waits for it.
void on_loop(loop& home, const std::function<void()>& work) {
  std::promise<void> done;
  home.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

class round_trip {
public:
  round_trip(caf::actor_system& system, loop& home, std::size_t subscribers,
             std::size_t channels, bool counted)
      : home_(home),
        router_(std::make_shared<topics::topic_router>(
            system, topics::router_options{core::node_id{1}, {}, {}})) {
#if TROUPE_BENCH_CHANNELS
    host_ = std::make_unique<actors::channels::channel_host>(
        system, clock_, actors::channels::channel_options{});
    if (counted)
      router_->set_channels(*host_);
#endif
    for (std::size_t c = 0; c < channels; ++c)
      names_.push_back(
          *core::topic::parse("bench/channel/" + std::to_string(c)));
    on_loop(home_, [&] {
      for (const auto& name : names_)
        for (std::size_t i = 0; i < subscribers; ++i) {
          topics::subscribe_options options;
#if TROUPE_BENCH_CHANNELS
          options.about.door = counted ? "bench" : "";
          options.about.session = i + 1;
#endif
          held_.push_back(std::move(*router_->subscribe(
              "default", core::topic_filter{name}, sink_, options)));
        }
    });
    static_cast<void>(counted);
  }
  ~round_trip() {
    on_loop(home_, [&] { held_.clear(); });
#if TROUPE_BENCH_CHANNELS
    router_->drop_channels();
    host_->retire();
#endif
    on_loop(home_, [] {});
  }
  round_trip(const round_trip&) = delete;
  round_trip& operator=(const round_trip&) = delete;

  /// Nanoseconds a publication.
  double run(std::size_t turns) {
    std::promise<void> done;
    std::function<void(std::size_t)> turn = [&](std::size_t left) {
      if (left == 0)
        return done.set_value();
      for (std::size_t i = 0; i < publications_a_turn; ++i) {
        core::publication p;
        p.topic = names_[next_++ % names_.size()];
        p.publisher = 1;
        p.payload = payload_;
        if (!router_->publish(std::move(p)))
          std::abort();
      }
      home_.post([&turn, left] { turn(left - 1); });
    };
    const auto begin = std::chrono::steady_clock::now();
    home_.post([&] { turn(turns); });
    done.get_future().wait();
    const std::chrono::duration<double, std::nano> took =
        std::chrono::steady_clock::now() - begin;
    on_loop(home_, [] {}); // `turn` is not used any more
    return took.count() / static_cast<double>(turns * publications_a_turn);
  }

private:
  loop& home_;
  core::system_clock clock_;
  sink sink_;
#if TROUPE_BENCH_CHANNELS
  std::unique_ptr<actors::channels::channel_host> host_;
#endif
  std::shared_ptr<topics::topic_router> router_;
  std::vector<core::topic> names_;
  std::vector<topics::topic_subscription> held_;
  core::shared_bytes payload_ =
      core::shared_bytes::copy_of(std::string(128, 'x'));
  std::size_t next_ = 0;
};

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

void compare(caf::actor_system& system, loop& home, std::size_t subscribers,
             std::size_t channels, std::size_t rounds) {
  const auto turns = std::max<std::size_t>(200, 20'000 / (subscribers + 4));
  round_trip plain{system, home, subscribers, channels, false};
  round_trip counted{system, home, subscribers, channels, true};
  std::vector<double> without;
  std::vector<double> with;
  std::vector<double> ratios;
  plain.run(turns);
  counted.run(turns);
  for (std::size_t i = 0; i < rounds; ++i) {
    // Who is first alternates.
    for (const bool first : {i % 2 == 0, i % 2 != 0})
      (first ? without : with).push_back((first ? plain : counted).run(turns));
    ratios.push_back(with.back() / without.back());
  }
  std::printf("%11zu %8zu %12.1f %12.1f %8.4f\n", subscribers, channels,
              median(without), median(with), median(ratios));
}

} // namespace
} // namespace troupe::bench

int main(int argc, char** argv) {
  using namespace troupe;
  const auto rounds =
      argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 41;
  core::system_clock clock;
  actors::runtime::runtime_options options;
  options.loops = 1;
  options.clock = &clock;
  actors::runtime::runtime_config config{options};
  caf::actor_system system{config};
  auto& home = actors::runtime::scheduler::of(system).at(0);
  std::printf("subscribers channels  ns uncounted   ns counted    ratio\n");
  const std::vector<std::pair<std::size_t, std::size_t>> all{
      {1, 1}, {10, 1}, {100, 1}, {1, 1000}, {10, 1000}};
  for (const auto& [subscribers, channels] : all)
    bench::compare(system, home, subscribers, channels, rounds);
  return 0;
}
