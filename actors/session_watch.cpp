// SPDX-License-Identifier: Apache-2.0
#include "actors/session_watch.hpp"

#include "actors/courier_actor.hpp"
#include "actors/messages.hpp"

#include <caf/send.hpp>

#include <memory>

namespace troupe::actors {

void session_watch::begin(core::steady_time now) {
  leads_ = true;
  scanned_ = false;
  pending_ = true;
  scanned_to_.reset();
  handed_.clear();
  grace_ends_ = now + with_.context.options.client_grace;
}

void session_watch::end() {
  leads_ = false;
  handed_.clear();
}

// ----------------------------------------------------------------- observer

void session_watch::on_session_pending(const core::owner&,
                                       const core::session_record&) {
  pending_ = true;
}

void session_watch::on_session_dropped(const core::owner& name,
                                       const core::session_record& record) {
  if (leads_ && record.will)
    hand_over(name, record, true);
}

void session_watch::on_will_replaced(const core::owner& name,
                                     const core::session_record& record) {
  if (leads_)
    hand_over(name, record, true);
}

void session_watch::hand_over(const core::owner& name,
                              const core::session_record& record,
                              bool only_will) {
  const auto now = with_.context.clock.now();
  const auto [at, fresh] =
      handed_.try_emplace({name, record.epoch}, now + patience);
  if (!fresh && only_will)
    return; // a courier has it
  at->second = now + patience;
  if (with_.context.couriers.empty())
    return;
  caf::anon_send(
      with_.context.courier(),
      courier_order{[name, record, only_will](courier_state& by) {
        by.run(std::make_unique<ending_operation>(name, record, only_will));
      }});
}

// --------------------------------------------------------------------- work

void session_watch::work(core::steady_time now) {
  if (!leads_)
    return;
  if (!scanned_ && now >= grace_ends_)
    scan();
  std::erase_if(handed_, [&](const auto& each) { return each.second <= now; });
  look_for_pending(now);
}

void session_watch::look_for_pending(core::steady_time now) {
  if (!pending_)
    return;
  std::optional<core::owner> after;
  bool more = false;
  while (handed_.size() < handed_max) {
    const auto some = with_.store.pending_sessions(after, handed_max);
    for (const auto& name : some) {
      const auto record = with_.store.session(name);
      if (!record)
        continue;
      more = true;
      const auto at = handed_.find({name, record->epoch});
      if (at == handed_.end() || at->second <= now)
        hand_over(name, *record, false);
    }
    if (some.size() < handed_max)
      break;
    after = some.back();
  }
  // As long as one is pending it may have to be handed over again.
  pending_ = more;
}

/// All records that say that there is a connection, and nobody has come.
void session_watch::scan() {
  std::vector<core::close_session_record> gone;
  std::optional<core::owner> last;
  std::size_t seen = 0;
  with_.store.each_session(
      scanned_to_,
      [&](const core::owner& name, const core::session_record& record) {
        last = name;
        if (!record.closed && !with_.is_held(name)) {
          core::close_session_record close;
          close.session = {name.realm, name.name, record.epoch};
          gone.push_back(std::move(close));
        }
        return ++seen < slice;
      });
  for (auto& close : gone) {
    if (!with_.propose(std::move(close)))
      return; // the same slice again
    with_.context.stats.clients_freed.fetch_add(1, std::memory_order_relaxed);
  }
  scanned_to_ = last;
  scanned_ = seen < slice;
}

void session_watch::free(const core::owner& name) {
  if (!leads_)
    return;
  const auto record = with_.store.session(name);
  if (!record || record->closed || record->expired)
    return;
  core::close_session_record close;
  close.session = {name.realm, name.name, record->epoch};
  if (with_.propose(std::move(close))) {
    with_.context.stats.clients_freed.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  scanned_ = false; // found by the next look
  scanned_to_.reset();
}

} // namespace troupe::actors
