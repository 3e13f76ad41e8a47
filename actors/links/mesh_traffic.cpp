// SPDX-License-Identifier: Apache-2.0
// The part of the mesh that moves messages over links that are there.
#include "actors/links/mesh.hpp"
#include "actors/runtime/runtime_config.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <exception>
#include <new>

namespace troupe::actors::links {

namespace {

std::uint64_t ticks(core::steady_time time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(
          time.time_since_epoch())
          .count());
}

/// A handler that throws harms its message and nothing else.
template <class Function>
void guarded(caf::actor_system& system, Function&& function) {
  const auto report = [&](std::string_view what) {
    runtime::runtime_config::of(system).report("links, handler", what);
  };
  try {
    function();
  } catch (const std::bad_alloc&) {
    std::terminate();
  } catch (const std::exception& e) {
    report(e.what());
  } catch (...) {
    report("an exception of unknown type");
  }
}

constexpr lane lane_at(std::size_t index) {
  return lane{static_cast<std::uint8_t>(index)};
}

} // namespace

// -------------------------------------------------------------------- incoming

void mesh::on_envelope(const caf::strong_actor_ptr& from, const envelope& e) {
  const auto found = links_.find(e.link);
  auto* p = found == links_.end() ? nullptr : find(found->second);
  auto* link = p == nullptr ? nullptr : find(p->id, e.link);
  if (link == nullptr || link->state == peer_state::closing) {
    old_link_envelopes_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (e.sequence != link->last_received + 1) {
    cut(*p, "error",
        "envelope " + std::to_string(link->last_received + 1) +
            " is missing: the peer sends what this node can't read");
    return;
  }
  link->last_received = e.sequence;
  link->heard = now();
  link->bytes_in += e.bytes.size();
  if ((e.part == part::hello) != (link->state == peer_state::handshake)) {
    cut(*p, "error", "an envelope out of turn");
    return;
  }
  switch (e.part) {
  case part::hello:
    on_hello(*p, from, e);
    return;
  case part::control_batch:
  case part::bulk_batch:
    on_batch(*p, e);
    return;
  case part::beat:
    on_beat(*p, e);
    return;
  case part::bye:
    cut(*p, "info", "the peer stops");
    return;
  }
  cut(*p, "error", "an envelope of unknown sort");
}

void mesh::on_hello(mesh_peer& p, const caf::strong_actor_ptr& from,
                    const envelope& e) {
  auto& link = *p.link;
  if (!link.dialed) {
    link.remote = caf::actor_cast<gate_actor>(from);
    if (!link.remote) {
      cut(p, "error", "a greeting from nobody");
      return;
    }
    send_part(link, part::hello, encode(make_beat(link)));
  }
  up(p);
  on_beat(p, e);
}

void mesh::up(mesh_peer& p) {
  auto& link = *p.link;
  link.state = peer_state::up;
  link.up_since = link.progress_at = link.heard = now();
  ++p.times_up;
  const bool restarted = p.last_incarnation != link.incarnation;
  p.last_incarnation = link.incarnation;
  p.last_error.clear();
  p.port->open(link.id);
  log("info", "node " + std::to_string(p.id.value()) + " is linked (" +
                  link.address + (link.encrypted ? ", TLS" : "") +
                  (link.dialed ? ", dialed" : ", accepted") +
                  (restarted ? ")" : ", again)"));
  notify(p, link, true, restarted);
  publish_info(p);
}

void mesh::on_beat(mesh_peer& p, const envelope& e) {
  auto& link = *p.link;
  const auto beat = decode_beat(e.bytes.view());
  if (!beat) {
    cut(p, "error", beat.error().detail);
    return;
  }
  const auto time = ticks(now());
  link.peer_beat = beat->sent_at;
  link.peer_beat_at = now();
  if (beat->echo != 0 && time > beat->echo && time - beat->echo >= beat->held) {
    const std::chrono::nanoseconds sample{time - beat->echo - beat->held};
    link.round_trip = link.round_trip.count() == 0
                          ? sample
                          : (link.round_trip * 7 + sample) / 8;
  }
  // An answer to a beat sent after the doubt arose: the linked one lives.
  if (p.probe != 0 && beat->echo >= p.probe)
    drop_successor(
        p, {refusal_code::duplicate_node, "another live process has this id"});
  for (std::size_t i = 0; i < lanes; ++i) {
    if (!link.queue.on_consumed(lane_at(i), beat->consumed[i])) {
      cut(p, "error", "the peer claims to have consumed more than was sent");
      return;
    }
  }
  pump(p);
}

void mesh::on_batch(mesh_peer& p, const envelope& e) {
  auto& link = *p.link;
  const auto lane = e.part == part::control_batch ? lane::control : lane::bulk;
  auto& input = link.input[static_cast<std::size_t>(lane)];
  const auto credit = link.account->hold(lane, e.bytes.size());
  std::vector<std::vector<received>> by_loop(loops_.size());
  batch_reader reader{e.bytes.view()};
  while (!reader.done()) {
    const auto item = reader.next();
    if (!item || lane_of(item->kind) != lane) {
      cut(p, "error",
          item ? "a message in the wrong lane" : item.error().detail);
      return;
    }
    auto whole = input.push(*item, e.bytes);
    if (!whole) {
      cut(p, "error", whole.error().detail);
      return;
    }
    if (!*whole)
      continue;
    ++link.messages_in;
    auto& message = **whole;
    if (!handlers[static_cast<std::size_t>(message.kind)]) {
      p.port->drop(drop_reason::no_handler, 1);
      continue;
    }
    by_loop[message.key % loops_.size()].push_back(
        {p.id, link.incarnation, message.kind, message.key,
         std::move(message.body), credit});
  }
  for (std::size_t i = 0; i < by_loop.size(); ++i)
    if (!by_loop[i].empty())
      deliver(i, std::move(by_loop[i]));
}

void mesh::deliver(std::size_t loop, std::vector<received> messages) {
  auto call = [self = shared_from_this(), messages = std::move(messages)] {
    for (const auto& each : messages) {
      guarded(self->system_, [&] {
        self->handlers[static_cast<std::size_t>(each.kind)](each);
      });
    }
  };
  // Always the same way for one loop, so that order is kept.
  if (&loops_.at(loop) == &home_)
    call();
  else
    loops_.at(loop).post(std::move(call));
}

// -------------------------------------------------------------------- outgoing

void mesh::send_part(link_session& link, part what, core::shared_bytes bytes) {
  link.bytes_out += bytes.size();
  caf::anon_send(link.remote,
                 envelope{link.id, ++link.last_sent, what, std::move(bytes)});
}

beat mesh::make_beat(link_session& link) const {
  beat b;
  const auto time = now();
  b.sent_at = ticks(time);
  b.echo = link.peer_beat;
  if (link.peer_beat != 0)
    b.held = ticks(time) - ticks(link.peer_beat_at);
  b.consumed = link.account->take_report();
  return b;
}

void mesh::send_beat(link_session& link) {
  send_part(link, part::beat, encode(make_beat(link)));
}

void mesh::report_credit(core::node_id id, link_id number) {
  auto* link = find(id, number);
  if (link != nullptr && link->state == peer_state::up)
    send_beat(*link);
}

void mesh::enqueue(const std::shared_ptr<peer_port>& port,
                   packed_messages packed) {
  auto* p = find(port->peer());
  const bool open = p != nullptr && p->port == port && p->link &&
                    p->link->state == peer_state::up &&
                    p->link->id == packed.link;
  if (!open) {
    port->drop(drop_reason::link_lost, packed);
    return;
  }
  for (std::size_t i = 0; i < lanes; ++i)
    p->link->queue.push(lane_at(i), std::move(packed.batches[i]));
  pump(*p);
}

void mesh::pump(mesh_peer& p) {
  auto& link = *p.link;
  while (auto next = link.queue.take()) {
    p.port->release(static_cast<std::size_t>(next->lane), next->bytes.size());
    link.messages_out += next->messages;
    send_part(link,
              next->lane == lane::control ? part::control_batch
                                          : part::bulk_batch,
              std::move(next->bytes));
  }
}

} // namespace troupe::actors::links
