// SPDX-License-Identifier: Apache-2.0
#include "actors/channels/channel_actor.hpp"

#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"
#include "core/name_path.hpp"
#include "core/topic.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace troupe::actors::channels {

channel_state::channel_state(pointer ptr) : self_(ptr) {}

std::string channel_state::path() const {
  if (!summary_)
    return "channels/?";
  auto path = "channels/" + core::encode_path_segment(summary_->realm);
  for (core::level_reader levels{summary_->topic}; !levels.done();)
    path += "/" + core::encode_path_segment(levels.next());
  return path;
}

void channel_state::start(channel_deps deps) {
  host_ = deps.host;
  summary_ = std::move(deps.summary);
  book_.name_at_most(host_->options().listeners_named_max);
  watch_idleness(); // it may have been born for what is kept
}

void channel_state::apply(const channel_report& report) {
  const auto now = host_->clock().now();
  book_.apply(report, now, host_->clock().wall());
  publish_summary(now);
  if (report.ends)
    watch_idleness();
}

void channel_state::publish_summary(core::steady_time now) {
  constexpr auto relaxed = std::memory_order_relaxed;
  auto& to = *summary_;
  const auto& from = book_.counts();
  to.listeners.store(book_.listeners(), relaxed);
  to.users.store(book_.users(), relaxed);
  to.published.store(from.published, relaxed);
  to.received.store(from.received, relaxed);
  to.delivered.store(from.delivered, relaxed);
  to.dropped.store(from.dropped, relaxed);
  to.last.store(from.last, relaxed);
  to.restricted.store(book_.restricted(), relaxed);
  to.rate.store(book_.rate(now), relaxed);
  to.rate_at.store(now.time_since_epoch().count(), relaxed);
}

/// A channel with listeners has no tick: many are alive for days.
void channel_state::watch_idleness() {
  if (tick_pending_ || book_.attachments() > 0)
    return;
  tick_pending_ = true;
  begun_at_tick_ = book_.begun();
  self_->delayed_send(self_, host_->options().passivate_after, idle_tick{});
}

void channel_state::on_idle_tick() {
  tick_pending_ = false;
  // Who came and went meanwhile begins the time anew.
  if (book_.attachments() == 0 && book_.begun() == begun_at_tick_ &&
      host_->passivate(summary_->realm, summary_->topic, book_.begun()))
    return retire_now();
  watch_idleness();
}

void channel_state::retire_now() { self_->quit(); }

std::string channel_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "channel")
      .member("realm", summary_->realm)
      .member("topic", summary_->topic);
  book_.describe(out, host_->clock().now());
  const auto kept = host_->kept(summary_->realm, summary_->topic);
  out.key("history");
  if (kept.messages == 0)
    out.null();
  else
    out.begin_object()
        .member("messages", kept.messages)
        .member("bytes", kept.bytes)
        .member("oldest", kept.oldest)
        .member("newest", kept.newest)
        .end_object();
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

channel_actor::behavior_type channel_behavior(channel_state::pointer self,
                                              channel_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](const channel_report& m) { st.apply(m); },
      [&st](const idle_tick&) { st.on_idle_tick(); },
      [&st](const retire&) { st.retire_now(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors::channels
