// SPDX-License-Identifier: Apache-2.0
#include "actors/attachment_table.hpp"

#include "actors/remote_inbox.hpp"
#include "actors/remote_session.hpp"
#include "actors/runtime/loop.hpp"
#include "actors/runtime/pinned.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <random>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::actors {
namespace {

/// Sessions of this node have smaller numbers.
constexpr std::uint64_t remote_bit = std::uint64_t{1} << 63U;

void count(broker_stats::counter& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

} // namespace

attachment_table::attachment_table(caf::actor_system& system,
                                   broker_context& context,
                                   attachment_transport& transport)
    : system_(system), context_(context), transport_(transport),
      last_number_(std::uint64_t{std::random_device{}()} << 31U) {}

attachment_table::~attachment_table() { close(); }

// ------------------------------------------------------------ session's side

void attachment_table::attach(runtime::loop* home, core::node_id leader,
                              attach_request request) {
  const auto number = ++last_number_;
  const auto session = request.session;
  const auto asked = request.ticket;
  {
    // Enters it before it can send: whoever finds the link down finds it here.
    const std::lock_guard lock{mutex_};
    if (!closed_) {
      inboxes_.emplace(
          number,
          inbox_place{
              context_.group_of(request.inbox), leader,
              runtime::spawn_pinned<remote_inbox_actor, remote_inbox_state>(
                  system_, home, remote_inbox_behavior,
                  remote_inbox_deps{&context_, this, leader, number,
                                    std::move(request)})});
      return;
    }
  }
  attached refusal;
  refusal.ticket = asked;
  refusal.failure.code = core::errc::shutting_down;
  caf::anon_send(session, std::move(refusal));
}

void attachment_table::on_frame_to_session(attachment_frame frame,
                                           std::uint64_t number) {
  remote_inbox_actor proxy;
  {
    const std::lock_guard lock{mutex_};
    if (const auto at = inboxes_.find(number);
        at != inboxes_.end() && at->second.leader == frame.from)
      proxy = at->second.proxy;
  }
  if (proxy)
    return caf::anon_send(proxy, std::move(frame));
  count(context_.stats.attachments_unknown);
  const auto message = decode_attachment(frame.bytes);
  const auto* answer =
      message ? std::get_if<attachment_words::attached>(&message->what)
              : nullptr;
  // The session is gone, or goes on elsewhere: the device must not stay taken.
  if (message &&
      !std::holds_alternative<attachment_words::released>(message->what) &&
      !std::holds_alternative<attachment_words::stop>(message->what) &&
      (answer == nullptr || answer->failure.code == core::errc::ok))
    answer_stranger(frame.from, attachment_way::to_inbox, number,
                    attachment_words::released{});
}

// -------------------------------------------------------------- inbox's side

void attachment_table::on_frame_to_inbox(attachment_frame frame,
                                         std::uint64_t number) {
  remote_session_actor proxy;
  {
    const std::lock_guard lock{mutex_};
    if (const auto at = sessions_.find({frame.from, frame.life, number});
        at != sessions_.end())
      proxy = at->second;
  }
  if (proxy)
    return caf::anon_send(proxy, std::move(frame));
  auto message = decode_attachment(frame.bytes);
  if (!message)
    return count(context_.stats.attachment_frames_unusable);
  if (auto* request = std::get_if<attachment_words::attach>(&message->what))
    return let_in(frame, number, std::move(*request));
  count(context_.stats.attachments_unknown);
  if (!std::holds_alternative<attachment_words::detach>(message->what) &&
      !std::holds_alternative<attachment_words::released>(message->what))
    answer_stranger(frame.from, attachment_way::to_session, number,
                    attachment_words::released{});
}

void attachment_table::let_in(const attachment_frame& frame,
                              std::uint64_t number,
                              attachment_words::attach request) {
  {
    // The shards' handles are gone some time after close(), not before.
    const std::lock_guard lock{mutex_};
    if (!closed_) {
      const auto& shard = context_.shard(context_.group_of(request.inbox));
      sessions_.emplace(
          session_key{frame.from, frame.life, number},
          runtime::spawn_pinned<remote_session_actor, remote_session_state>(
              system_, runtime::loop::current(), remote_session_behavior,
              remote_session_deps{&context_, this, frame.from, frame.life,
                                  number, shard, std::move(request)}));
      return;
    }
  }
  answer_stranger(frame.from, attachment_way::to_session, number,
                  attachment_words::released{});
}

void attachment_table::answer_stranger(core::node_id to, attachment_way way,
                                       std::uint64_t number,
                                       const attachment_words::any& what) {
  // Lost, it is asked for again by the next frame.
  if (transport_.send(to, way, 0, encode(number, what)))
    count(context_.stats.attachment_frames_sent);
}

// --------------------------------------------------------------------- links

void attachment_table::on_frame(attachment_way way, attachment_frame frame) {
  count(context_.stats.attachment_frames_received);
  const auto number = attachment_of(frame.bytes.view());
  if (!number)
    return count(context_.stats.attachment_frames_unusable);
  if (way == attachment_way::to_inbox)
    on_frame_to_inbox(std::move(frame), *number);
  else
    on_frame_to_session(std::move(frame), *number);
}

/// With the mutex held.
template <class Place>
void attachment_table::lose_inboxes(const Place& is_lost,
                                    std::vector<remote_inbox_actor>& lost) {
  for (auto at = inboxes_.begin(); at != inboxes_.end();) {
    if (!is_lost(at->second)) {
      ++at;
      continue;
    }
    lost.push_back(std::move(at->second.proxy));
    at = inboxes_.erase(at);
  }
}

void attachment_table::on_leader(core::group_id group, core::node_id leader) {
  std::vector<remote_inbox_actor> inboxes;
  {
    const std::lock_guard lock{mutex_};
    lose_inboxes(
        [&](const inbox_place& p) {
          return p.group == group && p.leader != leader;
        },
        inboxes);
  }
  for (const auto& each : inboxes)
    caf::anon_send(each, attachment_lost{});
}

void attachment_table::on_peer_down(core::node_id peer) {
  std::vector<remote_inbox_actor> inboxes;
  std::vector<remote_session_actor> sessions;
  {
    const std::lock_guard lock{mutex_};
    lose_inboxes([&](const inbox_place& p) { return p.leader == peer; },
                 inboxes);
    auto at = sessions_.lower_bound({peer, 0, 0});
    while (at != sessions_.end() && at->first.node == peer) {
      sessions.push_back(std::move(at->second));
      at = sessions_.erase(at);
    }
  }
  for (const auto& each : inboxes)
    caf::anon_send(each, attachment_lost{});
  for (const auto& each : sessions)
    caf::anon_send(each, attachment_lost{});
}

void attachment_table::close() {
  decltype(inboxes_) inboxes;
  decltype(sessions_) sessions;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    inboxes.swap(inboxes_);
    sessions.swap(sessions_);
  }
  for (const auto& [number, place] : inboxes)
    caf::anon_send_exit(place.proxy, caf::exit_reason::user_shutdown);
  for (const auto& [key, proxy] : sessions)
    caf::anon_send_exit(proxy, caf::exit_reason::user_shutdown);
}

// ------------------------------------------------------------------- proxies

attachment attachment_table::next_local_attachment() {
  return remote_bit | ++last_local_;
}

void attachment_table::forget_inbox(std::uint64_t number) {
  inbox_place gone; // let go without the lock
  const std::lock_guard lock{mutex_};
  if (const auto at = inboxes_.find(number); at != inboxes_.end()) {
    gone = std::move(at->second);
    inboxes_.erase(at);
  }
}

void attachment_table::forget_session(core::node_id node, std::uint64_t life,
                                      std::uint64_t number) {
  remote_session_actor gone;
  const std::lock_guard lock{mutex_};
  if (const auto at = sessions_.find({node, life, number});
      at != sessions_.end()) {
    gone = std::move(at->second);
    sessions_.erase(at);
  }
}

// -------------------------------------------------------------------- looking

remote_inbox_actor attachment_table::find_inbox(std::uint64_t number) const {
  const std::lock_guard lock{mutex_};
  const auto at = inboxes_.find(number);
  return at == inboxes_.end() ? remote_inbox_actor{} : at->second.proxy;
}

remote_session_actor
attachment_table::find_session(core::node_id node, std::uint64_t number) const {
  const std::lock_guard lock{mutex_};
  for (auto at = sessions_.lower_bound({node, 0, 0});
       at != sessions_.end() && at->first.node == node; ++at)
    if (at->first.number == number)
      return at->second;
  return {};
}

std::size_t attachment_table::remote_inboxes() const {
  const std::lock_guard lock{mutex_};
  return inboxes_.size();
}

std::size_t attachment_table::remote_sessions() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}

} // namespace troupe::actors
