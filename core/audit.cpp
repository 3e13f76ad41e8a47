// SPDX-License-Identifier: Apache-2.0
#include "core/audit.hpp"

namespace troupe::core {

std::string_view to_string(audit_kind kind) noexcept {
  switch (kind) {
  case audit_kind::opened:
    return "opened";
  case audit_kind::closed:
    return "closed";
  case audit_kind::dropped:
    return "dropped";
  case audit_kind::trimmed:
    return "trimmed";
  case audit_kind::post:
    return "post";
  case audit_kind::publish:
    return "publish";
  case audit_kind::join:
    return "join";
  case audit_kind::leave:
    return "leave";
  case audit_kind::login:
    return "login";
  case audit_kind::logout:
    return "logout";
  case audit_kind::account:
    return "account";
  case audit_kind::list:
    return "list";
  case audit_kind::admin:
    return "admin";
  }
  return "unknown";
}

std::optional<audit_kind> audit_kind_of(std::string_view name) noexcept {
  for (const auto each : audit_kinds_all)
    if (to_string(each) == name)
      return each;
  return std::nullopt;
}

} // namespace troupe::core
