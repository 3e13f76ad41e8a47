// SPDX-License-Identifier: Apache-2.0
#include "net/login_limits.hpp"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace troupe::net {

namespace {

/// The answer to a login that the rate limit refuses; none for a command
/// that is not limited.
std::optional<core::session_event>
login_refused(const core::session_command& command) {
  core::error limited{core::errc::rate_limited, "too many logins"};
  return std::visit(
      [&](const auto& c) -> std::optional<core::session_event> {
        using type = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<type, core::login>) {
          core::logged_in answer;
          answer.request = c.request;
          answer.failure = limited;
          return answer;
        } else if constexpr (std::is_same_v<type, core::register_user>) {
          core::user_registered answer;
          answer.request = c.request;
          answer.failure = limited;
          return answer;
        } else if constexpr (std::is_same_v<type, core::add_device>) {
          core::device_added answer;
          answer.request = c.request;
          answer.failure = limited;
          return answer;
        } else {
          return std::nullopt;
        }
      },
      command);
}

} // namespace

void limit_logins(std::vector<core::session_command>& commands,
                  address_limits& limits, const boost::asio::ip::address& peer,
                  core::steady_time now,
                  std::vector<core::session_event>& refused) {
  std::erase_if(commands, [&](const core::session_command& command) {
    auto answer = login_refused(command);
    if (!answer || limits.allow_login(peer, now))
      return false;
    refused.push_back(std::move(*answer));
    return true;
  });
}

} // namespace troupe::net
