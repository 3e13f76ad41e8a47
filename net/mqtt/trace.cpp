// SPDX-License-Identifier: Apache-2.0
#include "net/mqtt/trace.hpp"

#include <chrono>
#include <utility>

namespace troupe::net::mqtt {

void trace::note(core::timestamp when, trace_way way, std::string text) {
  const std::lock_guard lock{mutex_};
  ++last_;
  if (when - second_ >= std::chrono::seconds{1} || when < second_) {
    second_ = when;
    in_second_ = 0;
  }
  if (++in_second_ > limits_.lines_per_second)
    return;
  lines_.push_back({last_, when, way, std::move(text)});
  if (lines_.size() > limits_.lines_max)
    lines_.pop_front();
}

trace::page trace::read(std::uint64_t after) const {
  const std::lock_guard lock{mutex_};
  page found;
  for (const auto& each : lines_)
    if (each.number > after)
      found.lines.push_back(each);
  // A number from another node, or from before a restart.
  const auto from = after > last_ ? 0 : after;
  if (after > last_)
    found.lines.assign(lines_.begin(), lines_.end());
  found.next = last_;
  found.left_out = last_ - from - found.lines.size();
  return found;
}

std::shared_ptr<trace> trace_book::look(const std::string& client,
                                        core::steady_time now, bool& fresh) {
  const std::lock_guard lock{mutex_};
  forget_old(now);
  auto at = traces_.find(client);
  fresh = at == traces_.end();
  if (fresh) {
    if (traces_.size() >= limits_.clients_max)
      return nullptr;
    at = traces_.emplace(client, std::make_shared<trace>(limits_)).first;
  }
  at->second->look(now);
  count_.store(traces_.size(), std::memory_order_relaxed);
  return at->second;
}

std::shared_ptr<trace> trace_book::find(std::string_view client,
                                        core::steady_time now) const {
  if (count_.load(std::memory_order_relaxed) == 0)
    return nullptr;
  const std::lock_guard lock{mutex_};
  const auto at = traces_.find(client);
  return at == traces_.end() || at->second->over(now) ? nullptr : at->second;
}

void trace_book::forget_old(core::steady_time now) {
  std::erase_if(traces_,
                [&](const auto& each) { return each.second->over(now); });
  count_.store(traces_.size(), std::memory_order_relaxed);
}

} // namespace troupe::net::mqtt
