// SPDX-License-Identifier: Apache-2.0
#include "core/keyed_rates.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::core {
namespace {

/// A full table is searched at most this often, so that a flood of names does
/// not make each of them a walk.
constexpr auto sweep_interval = std::chrono::seconds{1};

} // namespace

keyed_rates::keyed_rates(options limits) : options_(limits) {}

double keyed_rates::left_in(const bucket& which, steady_time now) const {
  const std::chrono::duration<double> passed = now - which.filled;
  return std::min(options_.burst, which.left + std::max(0.0, passed.count()) *
                                                   options_.per_second);
}

keyed_rates::bucket& keyed_rates::bucket_of(part& in, std::string_view name,
                                            steady_time now) {
  const auto places =
      std::max<std::size_t>(1, options_.names_max / parts_.size());
  const auto at = in.buckets.find(name);
  if (at != in.buckets.end())
    return at->second;
  if (in.buckets.size() >= places && now - in.swept >= sweep_interval) {
    in.swept = now;
    std::erase_if(in.buckets, [&](const auto& each) {
      return left_in(each.second, now) >= options_.burst;
    });
  }
  const auto own = in.buckets.size() < places ? name : std::string_view{};
  return in.buckets.try_emplace(std::string{own}, bucket{options_.burst, now})
      .first->second;
}

bool keyed_rates::take(std::string_view name, steady_time now) {
  if (!limited())
    return true;
  auto& in = part_of(name);
  const std::lock_guard lock{in.mutex};
  auto& one = bucket_of(in, name, now);
  one.left = left_in(one, now);
  one.filled = now;
  if (one.left < 1)
    return false;
  one.left -= 1;
  return true;
}

double keyed_rates::left(std::string_view name, steady_time now) {
  auto& in = part_of(name);
  const std::lock_guard lock{in.mutex};
  auto at = in.buckets.find(name);
  if (at == in.buckets.end()) {
    const auto places =
        std::max<std::size_t>(1, options_.names_max / parts_.size());
    if (in.buckets.size() < places)
      return options_.burst;
    at = in.buckets.find(std::string_view{}); // newcomers share it
  }
  return at == in.buckets.end() ? options_.burst : left_in(at->second, now);
}

void keyed_rates::give_back(std::string_view name, steady_time now) {
  if (!limited())
    return;
  auto& in = part_of(name);
  const std::lock_guard lock{in.mutex};
  auto& one = bucket_of(in, name, now);
  one.left = std::min(options_.burst, one.left + 1);
}

} // namespace troupe::core
