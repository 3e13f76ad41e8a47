// SPDX-License-Identifier: Apache-2.0
#include "net/mq/gate.hpp"

#include "core/assert.hpp"
#include "net/mq/ascii_json.hpp"
#include "net/mq/error_text.hpp"
#include "net/mq/message_decoder.hpp"
#include "net/mq/message_encoder.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace troupe::net::mq {

namespace {

constexpr std::string_view white_space = " \t\n\v\f\r";

/// Each alias once; of a repeated one the later place counts (A.14-1).
std::vector<std::string> split_aliases(std::string_view text) {
  std::vector<std::string> aliases;
  for (;;) {
    const auto first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos)
      break;
    text.remove_prefix(first);
    const auto word = text.substr(0, text.find_first_of(white_space));
    aliases.emplace_back(word);
    text.remove_prefix(word.size());
  }
  // Kept from the back, so that the last of equal ones stays.
  std::vector<std::string> once;
  std::unordered_set<std::string_view> seen;
  for (auto at = aliases.rbegin(); at != aliases.rend(); ++at)
    if (seen.insert(*at).second)
      once.push_back(*at);
  std::reverse(once.begin(), once.end());
  return once;
}

/// A lasting version of a part of the input. A small part of a large buffer
/// is copied: it would keep the whole buffer alive.
core::shared_bytes lasting(const input& in, core::bytes_view part) {
  const auto* owner = in.owner;
  const bool inside =
      owner != nullptr && part.data() >= owner->data() &&
      part.data() + part.size() <= owner->data() + owner->size();
  if (inside && part.size() >= owner->owner_size() / 2)
    return in.keep(part);
  return core::shared_bytes::copy_of(part);
}

core::outgoing_message outgoing(const input& in, const packet_body& body,
                                std::optional<core::milliseconds> life) {
  return {lasting(in, body.etc), lasting(in, body.data), life};
}

std::optional<core::list_edit_kind> to_list_edit_kind(std::string_view type) {
  if (type == "add")
    return core::list_edit_kind::add;
  if (type == "invite")
    return core::list_edit_kind::invite;
  if (type == "remove")
    return core::list_edit_kind::remove;
  return std::nullopt;
}

constexpr bool allowed_before_login(const client_packet& packet) {
  return std::holds_alternative<register_request>(packet) ||
         std::holds_alternative<add_node_request>(packet) ||
         std::holds_alternative<login_request>(packet);
}

} // namespace

void gate::on_open(core::steady_time now) {
  login_deadline_ = now + options_->login_time;
}

void gate::on_message(message_decoder& decoder, core::bytes_view message,
                      const input& in, effects& out) {
  TROUPE_ASSERT(accepts(), "a message for a gate that takes none");
  auto packet = decoder.decode_request(message);
  if (!packet)
    return quit(packet.error().detail, out);
  if (phase_ != phase::active && !allowed_before_login(*packet))
    return quit(error_text(core::errc::not_logged_in), out);
  std::visit([&](auto& what) { handle(what, in, out); }, *packet);
  output_full_ = out.output.size() >= options_->output_bytes_max;
}

void gate::on_peer_close(effects& out) {
  if (closed())
    return;
  end(goodbye::answer_to_peer, "closed by the peer", out);
}

void gate::on_closed(effects& out) {
  if (closed())
    return;
  phase_ = phase::closed;
  if (!std::exchange(session_over_, true))
    out.commands.emplace_back(core::close_session{});
  window_.clear();
  pending_.clear();
}

// Requests.

bool gate::may_register(effects& out) {
  if (phase_ == phase::active)
    return true;
  if (++requests_before_login_ <= options_->requests_before_login_max)
    return true;
  quit("too many requests before login", out);
  return false;
}

void gate::handle(const register_request& packet, const input&, effects& out) {
  if (!may_register(out))
    return;
  if (phase_ != phase::active) {
    const auto request = open_request({});
    wait_for(request);
    out.commands.emplace_back(core::register_user{
        request, std::string{packet.user}, std::string{packet.node},
        split_aliases(packet.aliases)});
    return;
  }
  // A re-register. The user may only name himself (A.7, deviation).
  registered_packet refusal;
  if (packet.user != user_)
    refusal.error = error_text(core::errc::not_permitted);
  else if (!packet.node.empty())
    refusal.error = error_text(core::errc::previous_device_invalid);
  if (!refusal.error.empty())
    return send(refusal, out);
  const auto request = open_request({.id = {}, .on_session = true});
  wait_for(request);
  out.commands.emplace_back(core::change_aliases{
      request, std::string{packet.user}, split_aliases(packet.aliases)});
}

void gate::handle(const add_node_request& packet, const input&, effects& out) {
  if (!may_register(out))
    return;
  // After the login the connection's own user counts, whatever was sent.
  const auto user =
      phase_ == phase::active ? std::string_view{user_} : packet.user;
  const auto request = open_request({});
  wait_for(request);
  out.commands.emplace_back(
      core::add_device{request, std::string{user}, std::string{packet.node},
                       std::string{packet.previous_node}});
}

void gate::handle(const login_request& packet, const input&, effects& out) {
  login_deadline_.reset();
  if (phase_ == phase::active)
    return quit(error_text(core::errc::already_logged_in), out);
  phase_ = phase::logging_in;
  user_ = packet.user;
  asked_resume_ = packet.resume.has_value();
  extended_ = asked_resume_ || packet.window.has_value();
  deduplicate_ = packet.deduplicate;
  const auto request = open_request({});
  wait_for(request);
  const auto window = std::clamp<std::uint32_t>(
      packet.window.value_or(1), 1, std::max(options_->window_max, 1U));
  out.commands.emplace_back(core::login{
      request, user_, std::string{packet.node}, window, packet.resume});
}

void gate::handle(post_request& packet, const input& in, effects& out) {
  core::post command;
  command.request = open_request(
      {.id = std::string{packet.id}, .body_bytes = packet.body.size()});
  command.to = std::move(packet.to);
  command.message = outgoing(in, packet.body, packet.time_to_live);
  command.copy_to_own_devices = !packet.no_nodes;
  command.deduplication_id = deduplication_id(packet.duplicates, packet.id);
  out.commands.emplace_back(std::move(command));
}

void gate::handle(const ping_request& packet, const input& in, effects& out) {
  if (packet.body.size() > options_->ping_bytes_max)
    return send_ack(packet.id, "ping too large", false, out);
  core::post_to_alias command;
  command.request = open_request(
      {.id = std::string{packet.id}, .body_bytes = packet.body.size()});
  command.alias = packet.alias;
  command.message = outgoing(in, packet.body, packet.time_to_live);
  command.copy_to_own_devices = !packet.no_nodes;
  command.deduplication_id = deduplication_id(packet.duplicates, packet.id);
  out.commands.emplace_back(std::move(command));
}

void gate::handle(const list_edit_request& packet, const input& in,
                  effects& out) {
  const auto kind = to_list_edit_kind(packet.type);
  if (!kind)
    return send_ack(packet.id,
                    "invalid listEdit type: " + std::string{packet.type}, false,
                    out);
  pending_request context{.id = std::string{packet.id},
                          .body_bytes = packet.body.size()};
  context.list_edit = std::make_unique<list_edit_context>(list_edit_context{
      *kind, std::string{packet.list}, std::string{packet.member}});
  core::edit_list command;
  command.request = open_request(std::move(context));
  wait_for(command.request);
  command.list = packet.list;
  command.kind = *kind;
  command.member = packet.member;
  if (*kind == core::list_edit_kind::invite)
    command.invitation = outgoing(in, packet.body, std::nullopt);
  out.commands.emplace_back(std::move(command));
}

void gate::handle(const ack_packet& packet, const input&, effects& out) {
  // Anything but an "ok" for what is in flight is ignored: there is no nack.
  if (packet.type != "ok")
    return;
  const auto position = window_.acknowledge(packet.id);
  if (!position)
    return;
  out.commands.emplace_back(core::acknowledge{*position});
  send_deliveries(out);
}

core::request_number gate::open_request(pending_request request) {
  pending_bytes_ += request.body_bytes;
  pending_.emplace_hint(pending_.end(), ++last_request_, std::move(request));
  return last_request_;
}

std::optional<gate::pending_request>
gate::close_request(core::request_number request) {
  auto node = pending_.extract(request);
  if (node.empty())
    return std::nullopt;
  pending_bytes_ -= node.mapped().body_bytes;
  if (barrier_ == request)
    barrier_ = 0;
  return std::move(node.mapped());
}

std::optional<std::string> gate::deduplication_id(const deduplication& how,
                                                  std::string_view id) const {
  using enum deduplication::choice;
  if (how.what == by_key)
    return std::string{how.key};
  if (how.what == by_id || (how.what == as_login && deduplicate_))
    return std::string{id};
  return std::nullopt;
}

// Answers.

void gate::on_event(core::session_event event, effects& out) {
  if (closed())
    return;
  std::visit([&](auto& what) { answer(what, out); }, event);
}

void gate::answer(const core::user_registered& event, effects& out) {
  const auto request = close_request(event.request);
  if (!request)
    return;
  const bool ok = event.failure.code == core::errc::ok;
  // A successful re-register is announced through the inbox of every device.
  if (ok && request->on_session)
    return;
  std::string aliases;
  for (const auto& alias : event.aliases)
    (aliases += aliases.empty() ? "" : " ") += alias;
  std::string etc;
  if (!aliases.empty() && !request->on_session)
    append_json(etc, aliases);
  registered_packet packet;
  packet.etc = core::as_bytes(etc);
  if (!ok)
    packet.error = register_error_text(event.failure.code);
  packet_head head;
  encode(head, packet);
  sink_->send(head, core::shared_bytes::copy_of(etc), {}, out.output);
}

void gate::answer(const core::device_added& event, effects& out) {
  if (!close_request(event.request))
    return;
  added_packet packet{event.offset, {}};
  if (event.failure.code != core::errc::ok)
    packet.error = error_text(event.failure.code);
  send(packet, out);
}

void gate::answer(const core::logged_in& event, effects& out) {
  if (!close_request(event.request))
    return;
  if (event.failure.code != core::errc::ok)
    return quit(error_text(event.failure.code), out);
  phase_ = phase::active;
  window_.resize(extended_ ? std::max(event.window, 1U) : 1);
  info_packet packet{"ok login", {}, {}, {}};
  if (extended_) {
    packet.window = window_.size();
    packet.position = event.acknowledged;
  }
  if (asked_resume_)
    packet.resume =
        event.resume == core::resume_outcome::recovered ? "recovered" : "gap";
  send(packet, out);
}

void gate::answer(const core::posted& event, effects& out) {
  const auto request = close_request(event.request);
  if (!request)
    return;
  const bool repeated =
      std::any_of(event.failures.begin(), event.failures.end(),
                  [](const core::error& failure) {
                    return failure.code == core::errc::duplicate;
                  });
  const bool ok = event.accepted || repeated;
  auto text = post_error_text(event.failures, user_);
  if (!ok && text.empty())
    text = error_text(core::errc::unavailable);
  send_ack(request->id, text, ok, out);
}

void gate::answer(const core::list_edited& event, effects& out) {
  const auto request = close_request(event.request);
  if (!request || request->list_edit == nullptr)
    return;
  const auto code = event.failure.code;
  if (code == core::errc::ok)
    return send_ack(request->id, {}, true, out);
  const auto& asked = *request->list_edit;
  send_ack(
      request->id,
      list_edit_error_text(code, asked.kind, asked.list, asked.member, user_),
      false, out);
}

void gate::answer(core::delivery& event, effects& out) {
  // Before the login there is no inbox; what is not acknowledged comes again.
  if (phase_ != phase::active || event.message == nullptr)
    return;
  window_.push(std::move(event));
  send_deliveries(out);
}

void gate::answer(const core::session_ended& event, effects& out) {
  session_over_ = true;
  if (event.reason.code == core::errc::shutting_down)
    return end(goodbye::server_stop, "shutdown", out); // no quit, A.6-8
  // Nor here: old clients take a quit for the last word.
  if (event.reason.code == core::errc::draining)
    return end(goodbye::moved, "connect to another node", out);
  quit(farewell_text(event.reason), out);
}

// Timers and flow.

bool gate::paused() const {
  if (closed())
    return false;
  if (barrier_ != 0 || output_full_)
    return true;
  return pending_.size() >= options_->requests_max ||
         (pending_bytes_ > 0 && pending_bytes_ >= options_->request_bytes_max);
}

std::size_t gate::message_bytes_max() const {
  return phase_ == phase::active ? options_->message_bytes_max
                                 : options_->message_bytes_before_login_max;
}

void gate::on_flushed(core::steady_time now, effects& out) {
  if (closed())
    return;
  output_full_ = false;
  window_.flushed(now, options_->retry_time);
  send_deliveries(out);
}

void gate::on_tick(core::steady_time now, effects& out) {
  if (closed())
    return;
  if (login_deadline_ && *login_deadline_ <= now)
    return quit("close timeout", out);
  if (const auto due = window_.deadline(); due && *due <= now)
    window_.retry(now, [&](const core::delivery& what) { send(what, out); });
}

std::optional<core::steady_time> gate::deadline() const {
  if (closed())
    return std::nullopt;
  const auto retry = window_.deadline();
  if (login_deadline_ && (!retry || *login_deadline_ < *retry))
    return login_deadline_;
  return retry;
}

void gate::send_deliveries(effects& out) {
  if (phase_ != phase::active)
    return;
  while (const auto* what = window_.next()) {
    // The socket is slow; on_flushed() goes on.
    if (out.output.size() >= options_->output_bytes_max)
      return;
    send(*what, out);
    window_.mark_sent();
  }
}

void gate::send(const core::delivery& what, effects& out) {
  const auto& message = *what.message;
  const auto id = core::to_string(message.id);
  std::optional<core::inbox_position> sequence;
  if (extended_)
    sequence = what.position;
  packet_head head;
  switch (message.kind) {
  case core::message_kind::post: {
    deliver_packet packet{id,
                          message.sender,
                          {message.meta.view(), message.payload.view()},
                          sequence,
                          {}};
    if (extended_)
      packet.expires = message.expires;
    encode(head, packet);
    return sink_->send(head, message.meta, message.payload, out.output);
  }
  case core::message_kind::aliases_changed:
    encode(head, registered_packet{
                     id, message.sender, message.meta.view(), {}, sequence});
    return sink_->send(head, message.meta, {}, out.output);
  case core::message_kind::list_changed:
    encode(head, list_edited_packet{id, message.sender, message.meta.view(),
                                    sequence});
    return sink_->send(head, message.meta, {}, out.output);
  case core::message_kind::publication:
    return; // these wait in the inboxes of sessions only
  }
}

template <class Packet>
void gate::send(const Packet& packet, effects& out) {
  packet_head head;
  encode(head, packet);
  sink_->send(head, {}, {}, out.output);
}

void gate::send_ack(std::string_view id, std::string_view error, bool ok,
                    effects& out) {
  send(ack_packet{id, ok ? "ok" : "error", error}, out);
}

void gate::quit(std::string_view text, effects& out) {
  if (closed())
    return;
  send(quit_packet{text}, out);
  end(goodbye::quit, text, out);
}

void gate::end(goodbye why, std::string_view reason, effects& out) {
  sink_->send_close(why, reason, out.output);
  out.close = std::string{reason};
  on_closed(out);
}

} // namespace troupe::net::mq
