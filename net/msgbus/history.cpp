// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/history.hpp"

#include "core/assert.hpp"
#include "core/topic_filter.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace troupe::net::msgbus {
namespace {

template <class Number>
bool take_number(std::string_view text, Number& to) {
  const auto [end, failed] =
      std::from_chars(text.data(), text.data() + text.size(), to);
  return !text.empty() && failed == std::errc{} &&
         end == text.data() + text.size();
}

/// Walks from the newest back to the mark.
class collector {
public:
  collector(message_mark after, std::size_t bytes_max)
      : after_(after), bytes_max_(bytes_max) {}

  /// False: enough.
  bool take(const core::publication_ptr& what) {
    if (message_mark::of(*what) == after_) {
      met_ = true;
      return false;
    }
    bytes_ += core::weight(*what);
    if (bytes_ > bytes_max_ && !found_.empty())
      return false;
    found_.push_back(what);
    return true;
  }

  std::vector<core::publication_ptr> result() && {
    if (!met_)
      std::erase_if(found_, [&](const auto& what) {
        return what->number <= after_.number;
      });
    std::reverse(found_.begin(), found_.end());
    return std::move(found_);
  }

private:
  const message_mark after_;
  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  bool met_ = false;
  std::vector<core::publication_ptr> found_;
};

} // namespace

std::optional<message_mark> message_mark::parse(std::string_view text) {
  if (text.empty() || text == "0")
    return message_mark{};
  const auto dash = text.find('-');
  message_mark mark;
  if (dash == std::string_view::npos ||
      !take_number(text.substr(0, dash), mark.node) ||
      !take_number(text.substr(dash + 1), mark.number))
    return std::nullopt;
  return mark;
}

std::string message_mark::text() const {
  return std::to_string(node) + "-" + std::to_string(number);
}

bool history::record(const core::publication_ptr& what) {
  if (what->realm != options_.realm || core::is_reserved(what->topic.text()))
    return false;
  const std::lock_guard lock{mutex_};
  auto& channel = channels_[what->topic.text()];
  const bool first = channel.empty();
  channel.push_back(all_.insert(all_.end(), {what, clock_.now()}));
  bytes_ += core::weight(*what);
  if (channel.size() > options_.messages_max)
    forget(channel.front());
  while (bytes_ > options_.bytes_max && all_.size() > 1)
    forget(all_.begin());
  forget_old();
  return first;
}

history::extent history::look(std::string_view realm,
                              const std::string& topic_text) {
  extent found;
  if (realm != options_.realm)
    return found;
  const std::lock_guard lock{mutex_};
  forget_old();
  const auto at = channels_.find(topic_text);
  if (at == channels_.end())
    return found;
  found.messages = at->second.size();
  for (const auto& each : at->second)
    found.bytes += core::weight(*each->what);
  found.oldest = message_mark::of(*at->second.front()->what);
  found.newest = message_mark::of(*at->second.back()->what);
  return found;
}

void history::forget_old() {
  const auto now = clock_.now();
  while (!all_.empty() && now - all_.front().when > options_.time)
    forget(all_.begin());
}

void history::forget(entries::iterator which) {
  const auto position = channels_.find(which->what->topic.text());
  TROUPE_ASSERT(position != channels_.end() &&
                    position->second.front() == which,
                "a message of the history is not its channel's oldest");
  position->second.pop_front();
  if (position->second.empty())
    channels_.erase(position);
  bytes_ -= core::weight(*which->what);
  all_.erase(which);
}

std::vector<core::publication_ptr>
history::since(const std::optional<std::string>& topic_text, message_mark after,
               std::size_t bytes_max) {
  collector found{after, bytes_max};
  const std::lock_guard lock{mutex_};
  forget_old();
  if (!topic_text) {
    for (auto at = all_.rbegin(); at != all_.rend() && found.take(at->what);)
      ++at;
    return std::move(found).result();
  }
  const auto channel = channels_.find(*topic_text);
  if (channel == channels_.end())
    return {};
  const auto& own = channel->second;
  for (auto at = own.rbegin(); at != own.rend() && found.take((*at)->what);)
    ++at;
  return std::move(found).result();
}

std::size_t history::messages() const {
  const std::lock_guard lock{mutex_};
  return all_.size();
}

std::size_t history::bytes() const {
  const std::lock_guard lock{mutex_};
  return bytes_;
}

} // namespace troupe::net::msgbus
