// SPDX-License-Identifier: Apache-2.0
// What a session may do.
#include "actors/session_actor.hpp"
#include "core/topic.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace troupe::actors {

core::deny_reason session_state::standing_of(const std::string& uid) const {
  return context_->authorizer == nullptr
             ? core::deny_reason::none
             : context_->authorizer->standing(principal_of(uid));
}

void session_state::refuse_post(core::request_number request, core::error why) {
  context_->stats.posts.fetch_add(1, std::memory_order_relaxed);
  context_->stats.posts_refused.fetch_add(1, std::memory_order_relaxed);
  emit(core::posted{request, false, {std::move(why)}, {}});
}

bool session_state::may_post(core::request_number request,
                             const std::vector<core::recipient>& to) {
  // Most may post to anybody: then nobody's topic is looked at.
  static const auto anywhere = *core::topic_filter::parse("#");
  if (!rights_)
    return true;
  if (context_->authorizer->allow_message(rights_->who()) !=
      core::deny_reason::none) {
    refuse_post(request, {core::errc::rate_limited, {}});
    return false;
  }
  if (rights_->permitted_by(core::right::post, anywhere) != nullptr)
    return true;
  for (const auto& each : to) {
    const bool list = each.kind == core::recipient_kind::list_with_sender ||
                      each.kind == core::recipient_kind::list_without_sender;
    const std::array<std::string_view, 2> levels{list ? "lists" : "users",
                                                 each.name};
    const auto target = core::topic::of(levels);
    if (target &&
        rights_->check(core::right::post, *target) == core::deny_reason::none)
      continue;
    refuse_post(request, {core::errc::not_permitted, each.name});
    return false;
  }
  return true;
}

core::principal session_state::principal_of(const std::string& uid) const {
  core::principal who;
  who.realm = realm_;
  who.uid = uid;
  who.address = address_;
  who.by = core::credential_kind::device;
  return who;
}

} // namespace troupe::actors
