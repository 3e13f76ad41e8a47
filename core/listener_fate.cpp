// SPDX-License-Identifier: Apache-2.0
#include "core/listener_fate.hpp"

#include <numeric>
#include <utility>

namespace troupe::core {

std::string_view to_string(fate what) noexcept {
  switch (what) {
  case fate::given:
    return "given";
  case fate::waits:
    return "waits";
  case fate::inbox:
    return "inbox";
  case fate::queued:
    return "queued";
  case fate::dropped:
    return "dropped";
  case fate::unknown:
    return "unknown";
  }
  return "";
}

void fate_list::add(listener_fate one) {
  ++counts_[static_cast<std::size_t>(one.what)];
  if (rows_.size() >= rows_max_)
    return;
  one.loop = at_.loop;
  one.share = at_.share;
  if (one.filters.empty() && !at_.filter.empty())
    one.filters.push_back(at_.filter);
  rows_.push_back(std::move(one));
}

void fate_list::join(const fate_list& more) {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    counts_[i] += more.counts_[i];
  for (const auto& each : more.rows_) {
    if (rows_.size() >= rows_max_)
      return;
    rows_.push_back(each);
  }
}

std::uint64_t fate_list::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

} // namespace troupe::core
