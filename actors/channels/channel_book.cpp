// SPDX-License-Identifier: Apache-2.0
#include "actors/channels/channel_book.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace troupe::actors::channels {
namespace {

using seconds = std::chrono::duration<double>;

} // namespace

void channel_counts::add(const channel_counts& more) {
  published += more.published;
  received += more.received;
  bytes += more.bytes;
  delivered += more.delivered;
  dropped += more.dropped;
  last = std::max(last, more.last);
}

void event_rate::add(std::uint64_t events, core::steady_time now) {
  value_ = at(now) + static_cast<double>(events) / seconds{memory}.count();
  when_ = now;
}

double event_rate::faded(double rate, core::steady_time::duration later) {
  return rate == 0 ? 0 : rate * std::exp(-seconds{later} / seconds{memory});
}

std::string rate_text(double rate) {
  const auto thousandths = std::to_string(std::llround(rate * 1000));
  const auto padded =
      thousandths.size() < 4
          ? std::string(4 - thousandths.size(), '0') + thousandths
          : thousandths;
  const auto point = padded.size() - 3;
  return padded.substr(0, point) + "." + padded.substr(point);
}

void channel_book::apply(const channel_report& report, core::steady_time now,
                         core::timestamp wall) {
  begun_ += report.begins ? 1 : 0;
  restricted_ = restricted_ || report.restricted;
  for (const auto& who : report.came)
    join(who, report.loop, wall);
  for (const auto session : report.went)
    leave(session);
  ended_ += report.ends ? 1 : 0;
  const auto& more = report.counts;
  counts_.add(more);
  if (const auto events = more.published + more.received; events > 0)
    publications_.add(events, now);
  if (more.delivered > 0)
    deliveries_.add(more.delivered, now);
}

void channel_book::join(const core::listener_about& who, std::size_t loop,
                        core::timestamp wall) {
  ++joined_;
  auto at = named_.find(who.session);
  if (at == named_.end()) {
    if (who.session == 0 || named_.size() >= named_max_) {
      ++unnamed_;
      return;
    }
    at = named_.try_emplace(who.session).first;
    at->second = listener{who.uid, who.door, loop, wall, 0};
    if (!who.uid.empty()) {
      auto& user = users_[who.uid];
      if (user.connections++ == 0)
        user.since = wall;
    }
  }
  ++at->second.times;
}

void channel_book::leave(std::uint64_t session) {
  ++left_;
  const auto at = named_.find(session);
  if (at == named_.end()) {
    --unnamed_;
    return;
  }
  if (--at->second.times > 0)
    return;
  if (const auto user = users_.find(at->second.uid);
      user != users_.end() && --user->second.connections == 0)
    users_.erase(user);
  named_.erase(at);
}

void channel_book::describe(core::json_writer& out,
                            core::steady_time now) const {
  out.member("private", restricted_)
      .member("loops", std::uint64_t{attachments()})
      .member("listeners", listeners())
      .member("listeners_unnamed", unnamed_)
      .member("users", std::uint64_t{users()})
      .member("joined", joined_)
      .member("left", left_);
  out.key("counters")
      .begin_object()
      .member("published", counts_.published)
      .member("received", counts_.received)
      .member("bytes", counts_.bytes)
      .member("delivered", counts_.delivered)
      .member("dropped", counts_.dropped)
      .end_object();
  out.key("last_published_ms");
  if (counts_.last == 0)
    out.null();
  else
    out.value(counts_.last / 1000);
  out.key("rates").begin_object();
  out.key("publications").raw(rate_text(rate(now)));
  out.key("deliveries").raw(rate_text(deliveries_.at(now)));
  out.end_object();
  out.key("sessions").begin_array();
  for (const auto& [session, who] : named_)
    out.begin_object()
        .member("session", session)
        .member("uid", who.uid)
        .member("door", who.door)
        .member("loop", std::uint64_t{who.loop})
        .member("since_ms", core::to_millis(who.since))
        .member("subscriptions", who.times)
        .end_object();
  out.end_array().key("presence").begin_array();
  for (const auto& [uid, user] : users_)
    out.begin_object()
        .member("uid", uid)
        .member("connections", user.connections)
        .member("since_ms", core::to_millis(user.since))
        .end_object();
  out.end_array();
}

} // namespace troupe::actors::channels
