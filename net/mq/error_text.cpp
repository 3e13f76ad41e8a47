// SPDX-License-Identifier: Apache-2.0
#include "net/mq/error_text.hpp"

namespace troupe::net::mq {

// A switch lets the compiler find a forgotten code.
std::string_view error_text(core::errc code) noexcept {
  using enum core::errc;
  switch (code) {
  case ok:
    return "ok";
  case user_exists:
    return "user exists";
  case user_unknown:
    return "userId unknown";
  case user_inactive:
    return "userId inactive";
  case device_unknown:
    return "nodeId unknown";
  case device_exists:
    return "new nodename exists";
  case device_name_required:
    return "new nodename required";
  case device_busy:
    return "node already active";
  case previous_device_invalid:
    return "prev nodename invalid";
  case no_device_offset:
    return "no offsets available";
  case alias_unknown:
    return "alias not defined";
  case list_unknown:
    return "list not found";
  case not_a_member:
    return "uid not found";
  case no_recipients:
    return "msg lacks recipients";
  case not_permitted:
    return "not permitted";
  case not_logged_in:
    return "illegal op on unauthenticated socket";
  case already_logged_in:
    return "node already active";
  case name_invalid:
    return "invalid name";
  case conflict:
    return "changed meanwhile";
  case too_large:
    return "message too large";
  case inbox_full:
    return "inbox full";
  case overloaded:
    return "server busy";
  case storage_full:
    return "storage full";
  case rate_limited:
    return "too many requests";
  case too_many:
    return "too many items";
  case shutting_down:
    return "shutdown";
  case timed_out:
    return "timed out";
  case not_leader:
  case unavailable:
  case draining:
    return "service unavailable";
  case duplicate:
    return "duplicate";
  case malformed:
    return "invalid request";
  case not_found:
    return "not found";
  // The node's own troubles are not explained to clients.
  case corrupt:
  case newer_format:
  case wrong_cluster:
  case in_use:
  case io_error:
  case invalid_config:
    return "server error";
  }
  return "server error";
}

std::string_view register_error_text(core::errc code) noexcept {
  return code == core::errc::user_unknown ? "no such user" : error_text(code);
}

std::string post_error_text(const std::vector<core::error>& failures,
                            std::string_view sender) {
  std::string text;
  for (const auto& failure : failures) {
    if (failure.code == core::errc::duplicate || failure.code == core::errc::ok)
      continue;
    if (!text.empty())
      text += '\n';
    if (failure.code == core::errc::list_unknown)
      (text += "list ").append(failure.detail) += " not found";
    else if (failure.code == core::errc::not_a_member)
      (text += "uid ").append(sender) += " not found";
    else
      text += error_text(failure.code);
  }
  return text;
}

std::string list_edit_error_text(core::errc code, core::list_edit_kind kind,
                                 std::string_view list, std::string_view member,
                                 std::string_view caller) {
  using enum core::errc;
  const bool caller_outside = code == list_unknown || code == not_a_member;
  const bool member_missing = code == user_unknown || code == alias_unknown;
  if (!caller_outside && !member_missing)
    return std::string{error_text(code)};
  auto sentence = [&](std::string_view verb, std::string_view middle,
                      std::string_view who) {
    std::string text{verb};
    text.append(" list ").append(list).append(middle).append(who);
    return text += " not found";
  };
  if (kind == core::list_edit_kind::remove)
    return sentence("listRemove", {}, {});
  // An invitation is an addition as far as the caller's rights go.
  if (caller_outside)
    return sentence("listAdd", " by ", caller);
  return sentence(kind == core::list_edit_kind::invite ? "listInvite"
                                                       : "listAdd",
                  " member ", member);
}

std::string_view farewell_text(const core::error& reason) {
  return reason.detail.empty() ? error_text(reason.code)
                               : std::string_view{reason.detail};
}

} // namespace troupe::net::mq
