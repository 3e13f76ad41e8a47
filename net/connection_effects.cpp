// SPDX-License-Identifier: Apache-2.0
// The part of a connection that carries out what its protocol wants.
#include "net/connection.hpp"
#include "net/login_limits.hpp"
#include "net/push_writer.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace troupe::net {

void connection::carry_out(effects& out) {
  if (!out.commands.empty())
    send_commands(std::move(out.commands));
  if (out.at_end) {
    at_end_ = std::move(out.at_end);
    at_end_from_ = bytes_out_;
  }
  if (out.successor)
    replace_protocol(std::move(out.successor));
  if (out.refused)
    sockets_->stats.refuse(*out.refused);
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
  if (observed_)
    door_->observer->on_protocol(*this);
  effects out{output_};
  protocol_->on_open(now(), out);
  carry_out(out);
}

void connection::send_commands(std::vector<core::session_command> commands) {
  keep_to_login_rate(commands);
  if (commands.empty())
    return;
  if (!session_ && door_->sessions != nullptr)
    session_ = door_->sessions->open(home(), *this, info_);
  if (session_)
    session_->send(std::move(commands));
  else
    close_wanted_ = true;
}

void connection::keep_to_login_rate(
    std::vector<core::session_command>& commands) {
  if (!door_->addresses)
    return;
  const auto before = commands.size();
  limit_logins(commands, *door_->addresses, info_.peer.address, now(), events_);
  for (auto left = commands.size(); left < before; ++left)
    sockets_->stats.refuse(refusal::login_rate);
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
    if (pushing_)
      push_writer::here().add(*this);
    else
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

void connection::on_room() {
  if (stage_ == stage::speaking)
    sockets_->readiness().again(*this);
}

void connection::run(const std::function<void(effects&)>& work) {
  if (stage_ != stage::speaking)
    return;
  const auto self = shared_from_this(); // drive() may end the connection
  pushing_ = true;
  drive([&](protocol&, effects& out) { work(out); });
  pushing_ = false;
}

} // namespace troupe::net
