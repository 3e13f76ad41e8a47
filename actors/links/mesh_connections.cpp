// SPDX-License-Identifier: Apache-2.0
// The part of the mesh that turns sockets into links and ends them.
#include "actors/links/join_serving.hpp"
#include "actors/links/link_scribe.hpp"
#include "actors/links/mesh.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/socket.h>

namespace troupe::actors::links {

namespace {

// An envelope's head and the names of its type, with room to spare.
constexpr std::size_t payload_overhead = 1024;
// Lines a minute about strangers; the counters know them all.
constexpr std::uint32_t refusals_logged_max = 60;

std::string name_of(core::node_id id) {
  return "node " + std::to_string(id.value());
}

} // namespace

// --------------------------------------------------------------------- dialing

void mesh::schedule_dial(mesh_peer& p) {
  if (!started_ || stopping_ || p.link || p.next || p.dial ||
      p.addresses.empty())
    return;
  home_.cancel(p.retry);
  auto wait = options_.retry_min;
  for (std::uint32_t i = 1; i < p.failures && wait < options_.retry_max; ++i)
    wait *= 2;
  wait = std::min(wait, options_.retry_max);
  // Half of it by chance: nodes that lost each other together do not come
  // back together.
  std::uniform_int_distribution<std::int64_t> part{wait.count() / 2,
                                                   wait.count()};
  wait = std::chrono::milliseconds{part(random_)};
  if (p.failures == 0 && p.times_up == 0)
    wait = std::chrono::milliseconds{0};
  if (!dials_first(p))
    wait += options_.second_dialer_after;
  p.retry =
      home_.call_at(now() + wait, weak_from_this(), [id = p.id](mesh& self) {
        if (auto* peer = self.find(id))
          self.dial(*peer);
      });
}

void mesh::dial(mesh_peer& p) {
  if (stopping_ || p.link || p.next || p.dial || p.addresses.empty())
    return;
  dial_request request;
  request.self = self();
  request.expected = p.id;
  request.addresses = p.addresses;
  request.connect_timeout = options_.connect_timeout;
  request.handshake_timeout = options_.handshake_timeout;
  request.tls = tls_;
  p.dial = dialing::start(
      home_.context(), std::move(request),
      [weak = weak_from_this(), id = p.id](auto connection, auto why) {
        if (const auto self = weak.lock())
          self->on_dialed(id, std::move(connection), why);
      });
  publish_info(p);
}

void mesh::on_dialed(core::node_id id,
                     std::optional<proven_connection> connection,
                     const refusal& why) {
  auto* p = find(id);
  if (p == nullptr || stopping_)
    return;
  const auto keep = std::exchange(p->dial, nullptr);
  if (!connection) {
    refused_[static_cast<std::size_t>(why.code)].fetch_add(
        1, std::memory_order_relaxed);
    // The peer prefers another connection, which is on its way.
    const bool harmless = why.code == refusal_code::redundant ||
                          why.code == refusal_code::stopping;
    if (!harmless) {
      ++p->failures;
      log_limited(*p, "warn", name_of(id) + ": " + to_string(why));
    }
    schedule_dial(*p);
    publish_info(*p);
    return;
  }
  const auto fresh = connection->peer.incarnation;
  drop_successor(*p, {refusal_code::redundant, {}});
  p->next.emplace();
  p->next->dialed = std::move(connection);
  p->next->deadline = now() + options_.handshake_timeout;
  make_room(*p, fresh);
}

// ------------------------------------------------------------------- accepting

void mesh::on_socket(boost::asio::ip::tcp::socket socket) {
  // The oldest has had the most time to say who it is.
  if (conversations_.size() >= options_.conversations_max) {
    const auto oldest = conversations_.front();
    drop_conversation(oldest);
    oldest->refuse({refusal_code::busy, {}});
    on_refused(oldest, {refusal_code::busy, {}});
  }
  auto fresh = std::make_shared<inbound>(std::move(socket), self(), tls_);
  conversations_.push_back(fresh);
  open_conversations_.store(conversations_.size(), std::memory_order_relaxed);
  fresh->start(
      options_.handshake_timeout,
      [weak = weak_from_this()](const auto& conversation) {
        if (const auto self = weak.lock())
          self->on_proven(conversation);
      },
      [weak = weak_from_this()](const auto& conversation, const auto& why) {
        if (const auto self = weak.lock())
          self->on_refused(conversation, why);
      });
}

void mesh::drop_conversation(const std::shared_ptr<inbound>& conversation) {
  std::erase(conversations_, conversation);
  open_conversations_.store(conversations_.size(), std::memory_order_relaxed);
}

void mesh::on_refused(const std::shared_ptr<inbound>& conversation,
                      const refusal& why) {
  drop_conversation(conversation);
  refused_[static_cast<std::size_t>(why.code)].fetch_add(
      1, std::memory_order_relaxed);
  const auto time = now();
  if (time - refusals_since_ >= std::chrono::minutes{1}) {
    refusals_since_ = time;
    refusals_logged_ = 0;
  }
  if (++refusals_logged_ > refusals_logged_max)
    return;
  std::string who = conversation->address();
  if (conversation->peer().node != core::node_id{})
    who += " (claims to be " + name_of(conversation->peer().node) + ")";
  const bool quiet = why.code == refusal_code::redundant;
  log(quiet ? "info" : "warn", "refused " + who + ": " + to_string(why));
}

void mesh::on_proven(const std::shared_ptr<inbound>& conversation) {
  drop_conversation(conversation);
  const auto refuse = [&](const refusal& why) {
    conversation->refuse(why);
    on_refused(conversation, why);
  };
  const auto& peer = conversation->peer();
  if (stopping_)
    return refuse({refusal_code::stopping, {}});
  if (peer.purpose == purpose::join) {
    if (!on_join)
      return refuse({refusal_code::not_admitted, "no join calls taken here"});
    auto serving = std::make_shared<join_serving>(*this, conversation);
    joins_.insert(serving);
    serving->start();
    return;
  }
  if (const auto why = objection(*conversation))
    return refuse(*why);
  auto& p = peer_for(peer.node);
  if (const auto why = judge(p, peer))
    return refuse(*why);
  p.dial.reset();
  home_.cancel(p.retry);
  drop_successor(p, {refusal_code::redundant, {}});
  p.next.emplace();
  p.next->accepted = conversation;
  p.next->deadline = now() + options_.handshake_timeout;
  make_room(p, peer.incarnation);
}

/// Reasons that have nothing to do with other connections.
std::optional<refusal> mesh::objection(const inbound& conversation) {
  const auto& peer = conversation.peer();
  if (peer.node == options_.self) {
    if (peer.incarnation == options_.incarnation)
      return refusal{refusal_code::same_node, "the address leads back here"};
    return refusal{refusal_code::same_node,
                   "two processes have the id " +
                       std::to_string(peer.node.value())};
  }
  if (!options_.admit)
    return std::nullopt;
  const auto admitted = options_.admit(
      peer_identity{peer.node, peer.incarnation, peer.features, peer.address});
  if (!admitted)
    return refusal{refusal_code::not_admitted, admitted.error().detail};
  return std::nullopt;
}

/// Two nodes that dial each other at the same time must end with one link and
/// agree on which: the one dialed by the higher id. A peer that dials anew has
/// lost what it dialed before.
std::optional<refusal> mesh::judge(mesh_peer& p, const hello& peer) {
  if (!dials_first(p))
    return std::nullopt;
  const refusal redundant{refusal_code::redundant,
                          "a connection in the other direction exists"};
  const bool linked = p.link && p.link->state != peer_state::closing &&
                      p.link->dialed && p.link->incarnation == peer.incarnation;
  if (linked || (!p.link && p.dial && p.dial->proving()))
    return redundant;
  return std::nullopt;
}

void mesh::drop_successor(mesh_peer& p, const refusal& why) {
  auto next = std::exchange(p.next, std::nullopt);
  p.probe = 0;
  if (!next)
    return;
  if (next->accepted) {
    next->accepted->refuse(why);
    on_refused(next->accepted, why);
  } else if (next->dialed) {
    next->dialed->stream->write_and_close(refusal_frame(why));
  }
}

/// Lets p.next have its turn, now or as soon as the link before it is gone.
void mesh::make_room(mesh_peer& p, links::incarnation fresh) {
  if (!p.link) {
    proceed(p);
    return;
  }
  if (p.link->state == peer_state::closing)
    return;
  const bool asked =
      p.link->state == peer_state::up && p.link->incarnation != fresh;
  if (!asked) {
    cut(p, "info", "replaced by a newer connection");
    return;
  }
  // A restarted node, or two processes that believe to be the same one: ask
  // the one linked whether it lives.
  p.probe = static_cast<std::uint64_t>(now().time_since_epoch().count());
  p.probe_deadline = now() + options_.duplicate_probe;
  send_beat(*p.link);
}

// ------------------------------------------------------------- session and CAF

link_session& mesh::begin_session(mesh_peer& p, const hello& peer,
                                  const session_keys& keys, bool dialed,
                                  std::string address) {
  auto fresh = std::make_unique<link_session>();
  fresh->id = keys.link;
  fresh->incarnation = peer.incarnation;
  fresh->dialed = dialed;
  fresh->address = std::move(address);
  fresh->advertised = peer.address;
  fresh->features = peer.features;
  fresh->began = now();
  fresh->queue.open(peer.window);
  for (std::size_t i = 0; i < lanes; ++i)
    fresh->input.emplace_back(options_.message_bytes_max);
  fresh->account = std::make_shared<credit_account>(
      options_.window, [weak = weak_from_this(), id = p.id, link = keys.link] {
        // What was received may be kept for longer than there are links.
        if (const auto alive = weak.lock())
          alive->home_.post([weak, id, link] {
            if (const auto self = weak.lock())
              self->report_credit(id, link);
          });
      });
  links_[fresh->id] = p.id;
  p.link = std::move(fresh);
  publish_info(p);
  return *p.link;
}

void mesh::proceed(mesh_peer& p) {
  auto next = std::exchange(p.next, std::nullopt);
  p.probe = 0;
  if (next->dialed) {
    auto& connection = *next->dialed;
    const auto& link = begin_session(p, connection.peer, connection.keys, true,
                                     connection.stream->peer());
    hand_over(p.id, link.id, connection.stream);
    return;
  }
  const auto& conversation = next->accepted;
  const auto& link =
      begin_session(p, conversation->peer(), conversation->keys(), false,
                    conversation->address());
  conversation->accept(
      [weak = weak_from_this(), id = p.id, link_number = link.id](auto stream) {
        if (const auto self = weak.lock())
          self->hand_over(id, link_number, stream);
        else if (stream)
          stream->close();
      });
}

void mesh::hand_over(core::node_id id, link_id number,
                     const std::shared_ptr<frame_stream>& stream) {
  auto* link = find(id, number);
  if (link == nullptr || link->state == peer_state::closing || !stream) {
    if (stream)
      stream->close();
    if (link != nullptr)
      on_released(id, number);
    return;
  }
  link->encrypted = stream->encrypted();
  auto parts = stream->release();
  link->cut_descriptor = ::fcntl(parts.descriptor, F_DUPFD_CLOEXEC, 0);
  if (link->cut_descriptor < 0) {
    if (parts.descriptor >= 0)
      ::close(parts.descriptor);
    on_released(id, number);
    return;
  }
  auto& network = dynamic_cast<caf::io::network::default_multiplexer&>(
      system_.middleman().backend());
  scribe_rules rules;
  rules.gate = gate_.handle()->id();
  rules.prefix = prefix_;
  rules.payload_bytes_max = batch_bytes_max + payload_overhead;
  rules.swallowed = swallowed_;
  rules.on_closed = [weak = weak_from_this(), id, number] {
    if (const auto alive = weak.lock())
      alive->home_.post([weak, id, number] {
        if (const auto self = weak.lock())
          self->on_released(id, number);
      });
  };
  caf::io::scribe_ptr scribe{new link_scribe{network, parts.descriptor,
                                             std::move(parts.session),
                                             link->address, std::move(rules)},
                             false};
  link->given_to_caf = true;
  if (!link->dialed) {
    gate_.publish(std::move(scribe));
    return;
  }
  gate_.connect(std::move(scribe), options_.handshake_timeout,
                [weak = weak_from_this(), id,
                 number](const core::result<gate_actor>& gate) {
                  const auto self = weak.lock();
                  auto* found = self ? self->find(id, number) : nullptr;
                  if (found == nullptr || found->state != peer_state::handshake)
                    return;
                  if (!gate) {
                    self->cut(*self->find(id), "warn", gate.error().detail);
                    return;
                  }
                  found->remote = *gate;
                  self->gate_.introduce(
                      *gate, envelope{number, ++found->last_sent, part::hello,
                                      encode(self->make_beat(*found))});
                });
}

void mesh::cut(mesh_peer& p, std::string_view level, std::string why) {
  auto& link = *p.link;
  if (link.state == peer_state::closing)
    return;
  const bool was_up = link.state == peer_state::up;
  link.state = peer_state::closing;
  link.why = std::move(why);
  p.port->close();
  p.port->drop(drop_reason::link_lost, link.queue.queued_messages());
  for (std::size_t i = 0; i < lanes; ++i)
    p.port->release(
        i, link.queue.queued_bytes(lane{static_cast<std::uint8_t>(i)}));
  link.queue = {};
  link.input.clear();
  if (was_up && now() - link.up_since >= std::chrono::seconds{1})
    p.failures = 0;
  else
    ++p.failures;
  if (link.cut_descriptor >= 0)
    ::shutdown(link.cut_descriptor, SHUT_RDWR);
  log_limited(p, level,
              name_of(p.id) + " (" + link.address +
                  "): link ends: " + link.why);
  if (was_up)
    notify(p, link, false, false);
  publish_info(p);
  // With an accepted connection whose answer is still being written, the
  // callback of that releases it.
}

void mesh::on_released(core::node_id id, link_id number) {
  auto* link = find(id, number);
  if (link == nullptr)
    return;
  auto& p = *find(id);
  if (link->state != peer_state::closing)
    cut(p, stopping_ ? "info" : "warn",
        stopping_ ? "this node stops" : "the connection was lost");
  p.messages_in += link->messages_in;
  p.messages_out += link->messages_out;
  p.bytes_in += link->bytes_in;
  p.bytes_out += link->bytes_out;
  links_.erase(number);
  p.link.reset();
  if (stopping_) {
    finish_stop_if_done();
    return;
  }
  if (p.next)
    proceed(p);
  else if (!p.known && p.addresses.empty())
    forget_peer(id);
  else
    schedule_dial(p);
  if (auto* left = find(id))
    publish_info(*left);
}

} // namespace troupe::actors::links
