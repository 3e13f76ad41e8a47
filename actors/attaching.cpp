// SPDX-License-Identifier: Apache-2.0
#include "actors/attaching.hpp"

#include "actors/attachment_table.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {

core::milliseconds attach_pause(unsigned failures, std::uint64_t spread) {
  constexpr core::milliseconds longest{1'000};
  constexpr core::milliseconds first{50};
  return std::min(longest, first * (1U << std::min(failures, 5U))) +
         core::milliseconds{spread % 32};
}

attachment attaching::attachment_of(actors::ticket attempt) const {
  constexpr unsigned attempt_bits = 16;
  return number_ << attempt_bits | (attempt & 0xFFFFU);
}

void attaching::fill_in(attach_request& what, const session_actor& self) {
  ticket_ = ++attempts_;
  answer_due_ = context_->clock.now() + patience;
  what.ticket = ticket_;
  what.session = self;
  what.attachment = attachment();
  what.who.number = number_;
}

void attaching::ask(const session_actor& self, attach_request what) {
  if (!std::exchange(wanted_, true)) {
    failures_ = 0;
    failure_ = {};
  }
  asked_leader_ = false;
  fill_in(what, self);
  caf::anon_send(context_->shard(context_->group_of(what.inbox)),
                 std::move(what));
}

bool attaching::ask_leader(const session_actor& self, runtime::loop* home,
                           core::node_id leader, attach_request what) {
  if (context_->attachments == nullptr || leader == core::node_id{} ||
      std::exchange(asked_leader_, true))
    return false;
  fill_in(what, self);
  context_->attachments->attach(home, leader, std::move(what));
  return true;
}

bool attaching::takes(const attached& reply) {
  if (wanted_ && ticket_ != 0 && ticket_ == reply.ticket)
    return true;
  if (reply.inbox)
    caf::anon_send(reply.inbox,
                   detach{reply.device, attachment_of(reply.ticket)});
  return false;
}

void attaching::end() {
  wanted_ = false;
  ticket_ = 0;
}

std::optional<core::milliseconds> attaching::pause(core::error why) {
  context_->stats.attaches_repeated.fetch_add(1, std::memory_order_relaxed);
  ticket_ = 0;
  failure_ = std::move(why);
  const auto longer = attach_pause(failures_++, number_);
  if (std::exchange(tick_pending_, true))
    return std::nullopt;
  return longer;
}

bool attaching::on_tick() {
  tick_pending_ = false;
  return pauses();
}

bool attaching::is_overdue(core::steady_time now) const {
  return context_->options.clustered && wanted_ && ticket_ != 0 &&
         answer_due_ <= now;
}

} // namespace troupe::actors
