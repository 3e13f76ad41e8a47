// SPDX-License-Identifier: Apache-2.0
#include "app/sys_values.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

namespace troupe::app {
namespace {

struct count {
  std::string_view topic;
  std::uint64_t sys_sample::*of;
};

constexpr std::array counts{
    count{"clients/connected", &sys_sample::clients},
    count{"clients/total", &sys_sample::clients_ever},
    count{"connections/open", &sys_sample::connections},
    count{"connections/total", &sys_sample::connections_ever},
    count{"subscriptions/count", &sys_sample::subscriptions},
    count{"publish/messages/received", &sys_sample::publish_received},
    count{"publish/messages/sent", &sys_sample::publish_sent},
    count{"publish/messages/dropped", &sys_sample::publish_dropped},
    count{"bytes/received", &sys_sample::bytes_received},
    count{"bytes/sent", &sys_sample::bytes_sent},
    count{"store/bytes", &sys_sample::store_bytes},
    count{"store/waiting_bytes", &sys_sample::log_bytes_waiting},
    count{"store/health", &sys_sample::store_health},
};

constexpr std::array<double, 3> spans{1, 5, 15}; // minutes

} // namespace

sys_values::sys_values(std::string node, std::string version,
                       core::steady_time started)
    : node_(std::move(node)), version_(std::move(version)), started_(started),
      rates_{{{"load/connections", &sys_sample::connections_ever},
              {"load/publish/received", &sys_sample::publish_received},
              {"load/publish/sent", &sys_sample::publish_sent},
              {"load/bytes/received", &sys_sample::bytes_received},
              {"load/bytes/sent", &sys_sample::bytes_sent}}} {}

std::vector<sys_value> sys_values::update(const sys_sample& sample,
                                          core::steady_time now) {
  const std::chrono::duration<double, std::ratio<60>> gone = now - when_;
  if (sampled_ && gone.count() > 0) {
    note_rates(sample, gone.count());
    rated_ = true;
  }
  before_ = sample;
  when_ = now;
  sampled_ = true;
  return peek(sample, now);
}

std::vector<sys_value> sys_values::peek(const sys_sample& sample,
                                        core::steady_time now) const {
  std::vector<sys_value> told;
  told.emplace_back("version", version_);
  told.emplace_back("node", node_);
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(now - started_);
  told.emplace_back("uptime", fmt::format("{} seconds", uptime.count()));
  for (const auto& each : counts)
    told.emplace_back(each.topic, std::to_string(sample.*each.of));
  if (!rated_)
    return told;
  for (const auto& each : rates_)
    for (std::size_t i = 0; i < spans.size(); ++i)
      told.emplace_back(fmt::format("{}/{:.0f}min", each.name, spans[i]),
                        fmt::format("{:.2f}", each.averages[i]));
  return told;
}

void sys_values::note_rates(const sys_sample& sample, double minutes) {
  for (auto& each : rates_) {
    const auto fresh =
        static_cast<double>(sample.*each.of - before_.*each.of) / minutes;
    for (std::size_t i = 0; i < spans.size(); ++i) {
      auto& average = each.averages[i];
      average += (fresh - average) * (1 - std::exp(-minutes / spans[i]));
    }
  }
}

} // namespace troupe::app
