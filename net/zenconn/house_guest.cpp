// SPDX-License-Identifier: Apache-2.0
#include "net/zenconn/house_guest.hpp"

#include <utility>

namespace troupe::net::zenconn {

house_guest::house_guest(floor& at, const connection_info& from,
                         guest_terms terms)
    : member(from.id.value(), terms.id, terms.uid), floor_(at), from_(from),
      terms_(std::move(terms)), stats_(at.owner().stats()),
      gate_(at.owner().options(), stats_, *this) {}

house_guest::~house_guest() { depart("the connection ended"); }

// ---------------------------------------------------------------------- guest

bool house_guest::enter(guest_user& user) {
  if (!floor_.enter(*this))
    return false;
  user_ = &user;
  epoch_ = terms_.powers->epoch();
  answer welcome;
  welcome.from = id();
  send(welcome);
  return true;
}

void house_guest::ask(request asked, core::steady_time now) {
  if (user_ != nullptr)
    gate_.on_request(std::move(asked), now);
}

bool house_guest::paused() {
  return gate_.paused() ||
         held_.size() >= floor_.owner().options().requests_max;
}

void house_guest::on_tick(core::steady_time now) {
  if (user_ != nullptr)
    gate_.on_tick(now);
}

void house_guest::depart(std::string_view why) {
  if (user_ != nullptr) {
    gate_.on_closed();
    floor_.exit(*this);
    user_ = nullptr;
  }
  if (std::exchange(ended_, true))
    return;
  note(core::audit_kind::logout, {}, why);
  held_.clear();
  if (terms_.on_end)
    terms_.on_end(why);
}

// --------------------------------------------------------------------- member

void house_guest::on_event(shared_event& what) {
  user_->tell_event(what); // last: may end this
}

void house_guest::on_counted(std::uint64_t number, core::node_id node,
                             std::uint64_t members) {
  user_->together([&] { gate_.on_counted(number, node, members); });
}

void house_guest::on_look() {
  const auto why = terms_.powers->standing();
  const bool changed = terms_.powers->epoch() != epoch_;
  if (why == core::deny_reason::none && !changed)
    return;
  auto* user = user_;
  user->together([&] {
    if (why != core::deny_reason::none) {
      count(stats_.rights_ended);
      depart(core::to_string(why));
      return user->dismiss(ws::close_code::policy_violation,
                           core::to_string(why));
    }
    epoch_ = terms_.powers->epoch();
    gate_.on_rights_changed();
  });
}

// ----------------------------------------------------------------- gate_world

void house_guest::send(const answer& what) {
  if (held_.empty() && floor_.owner().audit().is_kept(noted_))
    return user_->tell(what);
  held_.push_back({noted_, what});
  if (held_.size() == 1)
    wait_for_record();
}

void house_guest::wait_for_record() {
  floor_.owner().audit().when_kept(held_.front().ticket,
                                   [weak = std::weak_ptr<house_guest*>{self_}] {
                                     if (const auto still = weak.lock())
                                       (*still)->send_what_is_kept();
                                   });
}

/// In the order of the requests: what follows waits behind the first.
void house_guest::send_what_is_kept() {
  if (user_ == nullptr)
    return;
  user_->together([&] {
    const auto& audit = floor_.owner().audit();
    while (!held_.empty() && audit.is_kept(held_.front().ticket)) {
      const auto next = std::move(held_.front());
      held_.pop_front();
      user_->tell(next.what);
    }
    if (!held_.empty())
      wait_for_record();
  });
}

void house_guest::note(core::audit_kind what, std::string_view channel,
                       std::string_view type, std::string_view why,
                       core::shared_bytes payload) {
  noted_ = floor_.owner().audit().note(
      from_, {what, terms_.uid, channel, type, why, std::move(payload)});
}

void house_guest::refused(core::audit_kind what, std::string_view channel,
                          std::string_view why, std::string_view data) {
  if (floor_.owner().audit().writes())
    note(what, channel, {}, why, core::shared_bytes::copy_of(data));
}

core::deny_reason house_guest::check(core::right what, const core::topic& on) {
  return terms_.powers->check(what, on);
}

core::deny_reason house_guest::allow_message() {
  return floor_.owner().audit().has_room() ? terms_.powers->allow_message()
                                           : core::deny_reason::busy;
}

bool house_guest::token_fits(std::string_view channel, std::string_view token) {
  return terms_.powers->token_fits(id(), channel, token);
}

core::result<void> house_guest::join(const std::string& channel) {
  if (!floor_.owner().audit().has_room())
    return core::errc::overloaded;
  auto joined = floor_.join(channel, *this);
  if (joined)
    note(core::audit_kind::join, channel, {});
  return joined;
}

void house_guest::leave(const std::string& channel) {
  floor_.leave(channel, *this);
  note(core::audit_kind::leave, channel, {});
}

void house_guest::announce(const std::string& channel, bool came) {
  floor_.announce(channel, *this, came);
}

core::result<spoken> house_guest::speak(const std::string& channel,
                                        std::string data,
                                        std::uint64_t number) {
  const auto payload = floor_.owner().audit().writes()
                           ? core::shared_bytes::copy_of(data)
                           : core::shared_bytes{};
  auto done = floor_.speak(channel, *this, std::move(data), terms_.uid, number);
  note(core::audit_kind::publish, channel, "application/json",
       done ? "" : "too large", payload);
  return done;
}

} // namespace troupe::net::zenconn
