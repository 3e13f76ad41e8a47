// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/gate.hpp"

#include "net/zenconn/channel.hpp"

#include <algorithm>
#include <utility>

namespace troupe::net::zenconn {
namespace {

std::string text_of(core::deny_reason why) {
  if (why == core::deny_reason::none)
    return {};
  std::string text{core::to_string(why)};
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

} // namespace

void gate::on_request(request asked, core::steady_time now) {
  switch (asked.what) {
  case request::kind::subscribe:
    return subscribe(asked);
  case request::kind::unsubscribe:
    return unsubscribe(asked);
  case request::kind::broadcast:
    return broadcast(std::move(asked), now);
  }
}

/// Of a name that a client may give to a channel.
std::optional<core::topic> gate::topic_for(const std::string& channel) const {
  if (channel.size() > options_.channel_bytes_max)
    return std::nullopt;
  auto found = topic_of(channel);
  if (!found)
    return std::nullopt;
  return std::move(*found);
}

/// By its token.
bool gate::opens(const request& asked) {
  return is_private(asked.channel) && !asked.token.empty() &&
         world_.token_fits(asked.channel, asked.token);
}

std::string gate::why_not_join(const request& asked, bool opened) {
  const auto where = topic_for(asked.channel);
  if (!where || asked.channel == everybody)
    return "no name of a channel";
  if (joined_.size() >= options_.channels_max)
    return "too many channels";
  if (opened)
    return {};
  return text_of(world_.check(core::right::subscribe, *where));
}

void gate::subscribe(const request& asked) {
  answer done;
  done.what = answer::kind::subscribed;
  done.channel = asked.channel;
  if (joined_.contains(asked.channel))
    return tell(std::move(done));
  const bool opened = opens(asked);
  auto why = why_not_join(asked, opened);
  if (why.empty())
    if (const auto joined = world_.join(asked.channel); !joined)
      why = joined.error().code == core::errc::overloaded
                ? "try again later"
                : "no room for more channels here";
  if (!why.empty()) {
    count(stats_.refused_join);
    world_.refused(core::audit_kind::join, asked.channel, why, {});
    return refuse(answer::kind::unauthorized, asked.channel, std::move(why));
  }
  joined_.emplace(asked.channel, opened);
  count(stats_.joins);
  if (is_private(asked.channel))
    world_.announce(asked.channel, true);
  tell(std::move(done));
}

void gate::unsubscribe(const request& asked) {
  if (joined_.erase(asked.channel) > 0)
    leave(asked.channel);
  answer done;
  done.what = answer::kind::unsubscribed;
  done.channel = asked.channel;
  tell(std::move(done));
}

void gate::leave(const std::string& channel) {
  if (is_private(channel))
    world_.announce(channel, false);
  world_.leave(channel);
}

void gate::on_rights_changed() {
  std::vector<std::pair<std::string, std::string>> lost;
  for (const auto& [channel, opened] : joined_) {
    const auto where = topic_for(channel);
    if (opened || !where)
      continue;
    if (auto why = text_of(world_.check(core::right::subscribe, *where));
        !why.empty())
      lost.emplace_back(channel, std::move(why));
  }
  for (auto& [channel, why] : lost) {
    joined_.erase(channel);
    leave(channel);
    refuse(answer::kind::unauthorized, channel, std::move(why));
  }
}

std::string gate::why_not_speak(const request& asked) {
  if (asked.data.empty())
    return "no data";
  const auto where = topic_for(asked.channel);
  if (!where)
    return "no name of a channel";
  const bool to_all = asked.channel == everybody;
  if (!to_all && !joined_.contains(asked.channel))
    return "not subscribed";
  // Who was let into a private channel may speak there.
  if (!is_private(asked.channel))
    if (auto why = text_of(world_.check(core::right::publish, *where));
        !why.empty())
      return why;
  return text_of(world_.allow_message());
}

void gate::broadcast(request asked, core::steady_time now) {
  auto why = why_not_speak(asked);
  const auto number = last_number_ + 1;
  core::result<spoken> outcome = spoken{};
  if (!why.empty()) {
    world_.refused(core::audit_kind::publish, asked.channel, why, asked.data);
  } else {
    outcome = world_.speak(asked.channel, std::move(asked.data), number);
    if (!outcome)
      why = "too large";
  }
  if (!why.empty()) {
    count(stats_.refused_broadcast);
    return refuse(answer::kind::error, std::move(asked.channel),
                  std::move(why));
  }
  last_number_ = number;
  count(asked.channel == everybody ? stats_.broadcasts_all : stats_.broadcasts);
  answer done;
  done.what = answer::kind::received;
  done.channel = std::move(asked.channel);
  done.count = outcome->members;
  if (outcome->nodes == 0)
    return tell(std::move(done));
  count(stats_.questions);
  line_.push_back({number,
                   std::move(done),
                   false,
                   now + options_.count_time,
                   outcome->nodes,
                   {}});
}

void gate::refuse(answer::kind how, std::string channel, std::string why) {
  answer told;
  told.what = how;
  told.channel = std::move(channel);
  told.errors.push_back(std::move(why));
  tell(std::move(told));
}

/// Behind what that channel still waits for.
void gate::tell(answer what) {
  const bool waits =
      std::any_of(line_.begin(), line_.end(), [&](const place& each) {
        return each.told.channel == what.channel;
      });
  if (!waits)
    return world_.send(what);
  line_.push_back({0, std::move(what), true, core::steady_time::max(), 0, {}});
}

void gate::on_counted(std::uint64_t number, core::node_id node,
                      std::uint64_t members) {
  const auto at =
      std::find_if(line_.begin(), line_.end(), [&](const place& each) {
        return !each.ready && each.number == number;
      });
  if (at == line_.end() ||
      std::find(at->heard.begin(), at->heard.end(), node) != at->heard.end())
    return;
  at->heard.push_back(node);
  at->told.count += members;
  if (at->heard.size() < at->nodes)
    return;
  at->ready = true;
  tell_ready();
}

/// Of each channel whatever waits for nothing any more.
void gate::tell_ready() {
  std::vector<std::string> waiting;
  std::deque<place> rest;
  for (auto& each : line_) {
    const auto& channel = each.told.channel;
    const bool behind =
        std::find(waiting.begin(), waiting.end(), channel) != waiting.end();
    if (each.ready && !behind) {
      world_.send(each.told);
      continue;
    }
    if (!behind)
      waiting.push_back(channel);
    rest.push_back(std::move(each));
  }
  line_ = std::move(rest);
}

void gate::on_tick(core::steady_time now) {
  bool any = false;
  for (auto& each : line_) {
    if (each.ready || each.until > now)
      continue;
    count(stats_.count_timeouts);
    each.told.missing =
        static_cast<std::uint32_t>(each.nodes - each.heard.size());
    each.ready = true;
    any = true;
  }
  if (any)
    tell_ready();
}

void gate::on_closed() {
  for (const auto& [channel, opened] : joined_)
    leave(channel);
  joined_.clear();
  line_.clear();
}

std::optional<core::steady_time> gate::deadline() const {
  // In the order of the requests, which all wait as long.
  for (const auto& each : line_)
    if (!each.ready)
      return each.until;
  return std::nullopt;
}

} // namespace troupe::net::zenconn
