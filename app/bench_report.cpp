// SPDX-License-Identifier: Apache-2.0
#include "app/bench_report.hpp"

#include "app/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace troupe::app {

void bench_report::text(std::string_view name, std::string_view value) {
  rows_.push_back({std::string{name}, std::string{value}, true});
}

void bench_report::count(std::string_view name, std::uint64_t value) {
  rows_.push_back({std::string{name}, std::to_string(value)});
}

void bench_report::number(std::string_view name, double value) {
  const double shown = std::isfinite(value) ? value : 0.0;
  rows_.push_back({std::string{name}, std::abs(shown) < 100
                                          ? fmt::format("{:.3f}", shown)
                                          : fmt::format("{:.1f}", shown)});
}

void bench_report::latency(std::string_view name,
                           const bench_histogram& histogram) {
  const std::string start{name};
  count(start + "_p50_us", histogram.at_share(0.5));
  count(start + "_p90_us", histogram.at_share(0.9));
  count(start + "_p99_us", histogram.at_share(0.99));
  count(start + "_p99_9_us", histogram.at_share(0.999));
  count(start + "_max_us", histogram.max_us());
}

std::string bench_report::json() const {
  std::string out{"{"};
  for (const auto& each : rows_) {
    if (out.size() > 1)
      out += ", ";
    append_json(out, each.name);
    out += ": ";
    if (each.quoted)
      append_json(out, each.value);
    else
      out += each.value;
  }
  return out + "}\n";
}

std::string bench_report::table() const {
  std::size_t width = 0;
  for (const auto& each : rows_)
    width = std::max(width, each.name.size());
  std::string out;
  for (const auto& each : rows_)
    out += fmt::format("{:<{}}  {}\n", each.name, width, each.value);
  return out;
}

} // namespace troupe::app
