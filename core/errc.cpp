// SPDX-License-Identifier: Apache-2.0
#include "core/errc.hpp"

namespace troupe::core {

// One table; a switch lets the compiler find a forgotten code.
std::string_view to_string(errc code) noexcept {
  switch (code) {
  case errc::ok:
    return "ok";
  case errc::user_exists:
    return "user exists";
  case errc::user_unknown:
    return "user unknown";
  case errc::user_inactive:
    return "user inactive";
  case errc::device_unknown:
    return "device unknown";
  case errc::device_exists:
    return "device exists";
  case errc::device_name_required:
    return "device name required";
  case errc::device_busy:
    return "device already has a session";
  case errc::previous_device_invalid:
    return "previous device invalid";
  case errc::no_device_offset:
    return "the user has too many devices";
  case errc::alias_unknown:
    return "alias unknown";
  case errc::list_unknown:
    return "list unknown";
  case errc::not_a_member:
    return "not a member of the list";
  case errc::no_recipients:
    return "no recipients";
  case errc::not_permitted:
    return "not permitted";
  case errc::not_logged_in:
    return "not logged in";
  case errc::already_logged_in:
    return "already logged in";
  case errc::conflict:
    return "it has changed meanwhile";
  case errc::name_invalid:
    return "invalid name";
  case errc::too_large:
    return "too large";
  case errc::inbox_full:
    return "inbox full";
  case errc::overloaded:
    return "overloaded, try again later";
  case errc::storage_full:
    return "storage full";
  case errc::rate_limited:
    return "rate limited";
  case errc::too_many:
    return "too many items in one request";
  case errc::not_leader:
    return "not the leader";
  case errc::unavailable:
    return "unavailable";
  case errc::timed_out:
    return "timed out";
  case errc::shutting_down:
    return "shutting down";
  case errc::draining:
    return "draining";
  case errc::duplicate:
    return "duplicate";
  case errc::malformed:
    return "malformed";
  case errc::corrupt:
    return "corrupt";
  case errc::newer_format:
    return "written by a newer version";
  case errc::wrong_cluster:
    return "belongs to another cluster";
  case errc::in_use:
    return "in use by another process";
  case errc::io_error:
    return "input/output error";
  case errc::not_found:
    return "not found";
  case errc::invalid_config:
    return "invalid configuration";
  }
  return "unknown error";
}

} // namespace troupe::core
