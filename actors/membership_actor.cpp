// SPDX-License-Identifier: Apache-2.0
#include "actors/membership_actor.hpp"

#include "actors/admin_operations.hpp"
#include "actors/attachment_table.hpp"
#include "actors/names/name_wire.hpp"
#include "actors/runtime/pinned.hpp"
#include "core/json_text.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace troupe::actors {
namespace {

constexpr core::milliseconds look_every{500};
/// A removed node keeps its links for so long, to hear of its removal.
constexpr core::milliseconds farewell{5'000};

std::string name_of(core::node_id node) {
  return "node " + std::to_string(node.value());
}

core::error removed_error(core::node_id node) {
  return {core::errc::not_permitted,
          name_of(node) + " was removed from its cluster for good; to come "
                          "back it needs an empty data folder and --join"};
}

join_answer answer_of(join_verdict verdict, std::string reason) {
  join_answer answer;
  answer.verdict = verdict;
  answer.reason = std::move(reason);
  return answer;
}

/// Whether the same question may be answered otherwise in a moment.
bool passes(core::errc code) {
  switch (code) {
  case core::errc::timed_out:
  case core::errc::unavailable:
  case core::errc::not_leader:
  case core::errc::overloaded:
  case core::errc::storage_full:
  case core::errc::shutting_down:
    return true;
  default:
    return false;
  }
}

/// A node that does not know its port yet can't be dialed.
bool can_be_dialed(const std::string& address) {
  const auto where = links::parse_host_port(address);
  return where && where->port != 0;
}

} // namespace

core::result<void> admit_peer(const core::directory& directory,
                              const links::peer_identity& peer) {
  if (const auto record = directory.find_node(peer.node)) {
    if (record->state == core::node_state::removed)
      return removed_error(peer.node);
    return {};
  }
  bool any = false;
  directory.each_node([&](core::node_id, const core::node_record&) {
    any = true;
    return false;
  });
  if (any)
    return core::error{core::errc::not_permitted,
                       name_of(peer.node) + " is not known here"};
  return {};
}

membership_state::membership_state(pointer ptr) : self_(ptr) {}

void take_membership_word(broker_context& context,
                          const links::received& message) {
  switch (static_cast<membership_word>(message.key)) {
  case membership_word::balance_leaders:
    context.balance_leaders_now(context.clock.now());
    break;
  case membership_word::leaders:
    (void)context.announced.take(
        message.from, message.body.view(), [&](core::group_id group) {
          // Who has a replica hears it from that.
          if (context.leaders[group.value()].load() != 0)
            return;
          if (context.attachments != nullptr)
            context.attachments->on_leader(group, message.from);
          names::tell_names_led(context, group, message.from);
        });
    break;
  case membership_word::reach:
    (void)context.reach.take(message.from, message.body.view(),
                             context.clock.now());
    break;
  case membership_word::doors:
    (void)context.doors.take(message.from, message.body.view(),
                             context.clock.now());
    break;
  }
}

void membership_state::start(membership_deps deps) {
  context_ = deps.context;
  links_ = deps.links;
  own_ = std::move(deps.self);
  introduced_ = std::move(deps.introduced);
  on_draining_ = std::move(deps.on_draining);
  on_removed_ = std::move(deps.on_removed);
  operations_ = std::make_unique<operation_table>(
      *context_, std::string{}, [](const core::session_event&) {});
  on_look();
}

// ----------------------------------------------------------- the table of
// nodes

void membership_state::on_look() {
  follow_nodes();
  announce_leaderships();
  announce_reach();
  tell_all(membership_word::doors, context_->doors.word(context_->draining.load(
                                       std::memory_order_relaxed)));
  flush();
  self_->delayed_send(self_, look_every, look_tick{});
}

void membership_state::follow_nodes() {
  bool any = false;
  context_->directory->each_node(
      [&](core::node_id id, const core::node_record& record) {
        any = true;
        if (id == own_.id)
          see_self(record);
        else if (record.state == core::node_state::removed)
          see_removed(id);
        else
          see_peer(id, record.address);
        return true;
      });
  if (any)
    introduced_.clear();
  for (const auto& peer : introduced_)
    see_peer(peer.id, peer.address);
}

void membership_state::announce_leaderships() {
  std::vector<led_group> led;
  for (std::uint16_t g = 0; g <= context_->options.shards; ++g)
    if (const core::group_id group{g}; context_->leader_of(group) == own_.id)
      led.push_back({group, core::term{context_->views[g].term.load(
                                std::memory_order_relaxed)}});
  if (!led.empty())
    tell_all(membership_word::leaders, leader_board::encode(led));
}

void membership_state::announce_reach() {
  std::vector<core::node_id> linked;
  for (const auto& peer : links_->peers())
    if (peer.state == links::peer_state::up && peers_.count(peer.node) != 0)
      linked.push_back(peer.node);
  const auto word = context_->reach.set_own(own_.id, std::move(linked),
                                            context_->clock.now());
  tell_all(membership_word::reach, word.encode());
}

void membership_state::tell_all(membership_word word,
                                const core::shared_bytes& body) {
  for (const auto& [node, address] : peers_)
    (void)links_->send(node, links::kind::membership,
                       static_cast<std::uint64_t>(word),
                       body); // lost words are said again
}

void membership_state::see_self(const core::node_record& record) {
  if (record.state == core::node_state::removed) {
    if (!std::exchange(told_removed_, true))
      on_removed_(removed_error(own_.id));
    return;
  }
  const bool draining = record.state == core::node_state::draining;
  if (context_->draining.exchange(draining) != draining)
    on_draining_(draining);
  if (announcing_ || (record.address == own_.address &&
                      record.incarnation >= own_.incarnation))
    return;
  // The clock may have been set back since the last start.
  own_.incarnation = std::max(own_.incarnation, record.incarnation);
  announcing_ = true;
  operations_->start(std::make_unique<change_cluster_operation>(
      core::set_node_address{own_.id, own_.address, own_.incarnation},
      [this](core::error why, core::node_id) {
        announcing_ = false; // what did not work is seen by the next look
        if (why.code != core::errc::ok && !passes(why.code))
          context_->log("warn", "cluster",
                        "this node's address is not accepted: " +
                            core::to_string(why));
      }));
}

void membership_state::see_peer(core::node_id node,
                                const std::string& address) {
  auto& given = peers_[node];
  if (given == address || !can_be_dialed(address))
    return;
  given = address;
  links_->set_peer(node, {address});
}

void membership_state::see_removed(core::node_id node) {
  if (peers_.count(node) == 0)
    return;
  const auto now = context_->clock.now();
  const auto since = leaving_.try_emplace(node, now).first->second;
  if (now - since < farewell)
    return;
  links_->forget_peer(node);
  peers_.erase(node);
  leaving_.erase(node);
}

// ------------------------------------------------------------------- join
// calls

void membership_state::on_join(join_asked& asked) {
  auto& call = asked.call;
  auto request = decode_join_request(call.request.view());
  if (!request) {
    call.answer(request.error());
    return;
  }
  if (request->node != core::node_id{})
    welcome_back(*request, call);
  else
    admit(std::move(*request), call);
  flush();
}

join_answer membership_state::admitted(core::node_id node) const {
  join_answer answer;
  answer.verdict = join_verdict::admitted;
  answer.node = node;
  answer.shards = context_->options.shards;
  context_->directory->each_node(
      [&](core::node_id id, const core::node_record& record) {
        if (id != node && record.state != core::node_state::removed)
          answer.peers.push_back(
              {id, id == own_.id ? own_.address : record.address});
        return true;
      });
  return answer;
}

/// A node that starts again asks whether it still is who it was.
void membership_state::welcome_back(const join_request& request,
                                    const links::join_call& call) {
  const auto record = context_->directory->find_node(request.node);
  const auto who = name_of(request.node);
  const auto refuse = [&](std::string reason) {
    context_->log("warn", "cluster",
                  who + " at " + call.address + ": " + reason);
    call.answer(encode(answer_of(join_verdict::refused, std::move(reason))));
  };
  if (!record)
    return call.answer(encode(
        answer_of(join_verdict::try_again, who + " is not known here (yet)")));
  if (record->state == core::node_state::removed)
    return refuse(removed_error(request.node).detail);
  if (record->token != request.token)
    return refuse("the data folder says " + who +
                  ", but it is not that node's: it was emptied or copied. "
                  "Start with an empty folder and --join to be a new node");
  if (!request.has_log && record->state != core::node_state::joining)
    return refuse("the data of " + who +
                  " is gone, and with it what it has promised. Start with an "
                  "empty folder and --join to be a new node");
  call.answer(encode(admitted(request.node)));
}

void membership_state::admit(join_request request,
                             const links::join_call& call) {
  bool any = false;
  bool name_taken = false;
  context_->directory->each_node([&](core::node_id,
                                     const core::node_record& record) {
    any = true;
    name_taken = name_taken ||
                 (record.state != core::node_state::removed &&
                  record.name == request.name && record.token != request.token);
    return true;
  });
  if (!any)
    return call.answer(
        encode(answer_of(join_verdict::try_again, "it starts itself")));
  if (name_taken)
    return call.answer(
        encode(answer_of(join_verdict::name_taken,
                         "another node has the name '" + request.name + "'")));
  core::admit_node command{std::move(request.token), std::move(request.name),
                           std::move(request.address), request.incarnation,
                           std::nullopt};
  operations_->start(std::make_unique<change_cluster_operation>(
      std::move(command), [this, call](core::error why, core::node_id node) {
        if (why.code == core::errc::ok) {
          context_->log("info", "cluster",
                        "admitted " + name_of(node) + " at " + call.address);
          return call.answer(encode(admitted(node)));
        }
        const auto verdict =
            passes(why.code) ? join_verdict::try_again : join_verdict::refused;
        call.answer(encode(answer_of(
            verdict, why.detail.empty() ? core::to_string(why) : why.detail)));
      }));
}

// -------------------------------------------------------------------
// operations

void membership_state::on_answers(directory_answers& batch) {
  operations_->on_answers(batch);
  flush();
}

void membership_state::on_deadline_tick() {
  tick_pending_ = false;
  operations_->expire(context_->clock.now());
  flush();
}

void membership_state::on_retry_tick() {
  retry_pending_ = false;
  operations_->repeat(context_->clock.now());
  flush();
}

void membership_state::flush() {
  operations_->flush({shard_client{}, directory_client{self_}, list_client{}});
  if (const auto pause = operations_->repeat_in();
      pause && !std::exchange(retry_pending_, true))
    self_->delayed_send(self_, *pause, retry_tick{});
  if (operations_->size() > 0 && !std::exchange(tick_pending_, true))
    self_->delayed_send(self_, std::chrono::seconds{1}, deadline_tick{});
}

std::string membership_state::describe() const {
  core::json_writer out;
  out.begin_object()
      .member("kind", "membership")
      .member("node", own_.id.value())
      .member("address", std::string_view{own_.address})
      .member("incarnation", own_.incarnation)
      .member("peers", std::uint64_t{peers_.size()})
      .member("requests", std::uint64_t{operations_->size()});
  runtime::describe_actor(out, *self_);
  out.end_object();
  return std::move(out).text();
}

membership_actor::behavior_type
membership_behavior(membership_state::pointer self, membership_deps deps) {
  auto& st = self->state;
  st.start(std::move(deps));
  return {
      [&st](join_asked& m) { st.on_join(m); },
      [&st](directory_answers& m) { st.on_answers(m); },
      [&st](const look_tick&) { st.on_look(); },
      [&st](const deadline_tick&) { st.on_deadline_tick(); },
      [&st](const retry_tick&) { st.on_retry_tick(); },
      [self](const retire&) { self->quit(); },
      [&st](const inspect&) { return st.describe(); },
  };
}

} // namespace troupe::actors
