// SPDX-License-Identifier: Apache-2.0
// The part of a connection that carries out what its protocol wants.
#include "net/connection.hpp"

#include <spdlog/spdlog.h>

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

void connection::carry_out(effects& out) {
  if (!out.commands.empty())
    send_commands(std::move(out.commands));
  if (out.successor)
    replace_protocol(std::move(out.successor));
  if (out.close) {
    close_wanted_ = true;
    sockets_->stats.protocol_closes.add();
    spdlog::debug("connection {} from {} ({}): {}", info_.id.value(),
                  to_string(info_.peer), info_.protocol, *out.close);
  }
  if (out.abort) {
    abort_wanted_ = true;
    sockets_->stats.protocol_errors.add();
  }
}

void connection::replace_protocol(std::unique_ptr<protocol> successor) {
  sockets_->by_protocol.subtract(info_.protocol);
  protocol_ = std::move(successor);
  info_.protocol = protocol_->name();
  sockets_->by_protocol.add(info_.protocol);
  effects out{output_};
  protocol_->on_open(now(), out);
  carry_out(out);
}

void connection::send_commands(std::vector<core::session_command> commands) {
  limit_logins(commands);
  if (commands.empty())
    return;
  if (!session_ && door_->sessions != nullptr)
    session_ = door_->sessions->open(home(), *this, info_);
  if (session_)
    session_->send(std::move(commands));
  else
    close_wanted_ = true;
}

void connection::limit_logins(std::vector<core::session_command>& commands) {
  if (!door_->addresses)
    return;
  std::erase_if(commands, [&](const core::session_command& command) {
    auto answer = login_refused(command);
    if (!answer || door_->addresses->allow_login(info_.peer.address, now()))
      return false;
    sockets_->stats.refuse(refusal::login_rate);
    events_.push_back(std::move(*answer));
    return true;
  });
}

void connection::after_effects() {
  if (stage_ != stage::speaking)
    return;
  if (output_.size() > door_->limits.output_bytes_max) {
    sockets_->stats.dropped_slow.add();
    abort_wanted_ = true;
  }
  if (abort_wanted_)
    return finish();
  if (close_wanted_)
    return begin_closing();
  if (!output_.empty()) {
    flush_due_ = true;
    output_full_ =
        output_full_ || output_.size() > door_->limits.output_pause_bytes;
    home().mark_dirty(shared_from_this());
  }
  auto was_paused = std::exchange(paused_, protocol_->paused());
  if (was_paused && !paused_) {
    reoffer_ = true;
    sockets_->readiness().again(*this);
  }
  arm();
}

void connection::on_event(core::session_event event) {
  if (stage_ != stage::speaking)
    return;
  if (driving_) {
    events_.push_back(std::move(event));
    return;
  }
  drive([&](protocol& p, effects& out) {
    p.on_event(std::move(event), now(), out);
  });
}

void connection::run(const std::function<void(effects&)>& work) {
  if (stage_ == stage::speaking)
    drive([&](protocol&, effects& out) { work(out); });
}

} // namespace troupe::net
