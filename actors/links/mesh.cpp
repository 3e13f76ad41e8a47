// SPDX-License-Identifier: Apache-2.0
#include "actors/links/mesh.hpp"

#include "actors/links/join_serving.hpp"
#include "actors/links/link_network.hpp"
#include "core/assert.hpp"

#include <climits>

#include <algorithm>
#include <unistd.h>
#include <utility>

namespace troupe::actors::links {

namespace {

// What a peer has to say when this node stops gets so long to arrive.
constexpr std::chrono::milliseconds leave_time{300};
constexpr std::chrono::seconds repeat_log_after{30};

link_options with_incarnation(link_options options) {
  if (options.incarnation == incarnation{})
    options.incarnation = random_incarnation();
  return options;
}

/// A node that listens on every address of its machine is found by the
/// machine's name.
std::string advertised_address(const link_options& options,
                               const link_listener& listener) {
  if (!options.advertise.empty())
    return options.advertise;
  const auto where = parse_host_port(options.listen);
  const bool everywhere = where->host.empty() || where->host == "*" ||
                          where->host == "0.0.0.0" || where->host == "::";
  char name[HOST_NAME_MAX + 1] = {};
  if (!everywhere || ::gethostname(name, sizeof name - 1) != 0)
    return listener.local();
  return std::string{name} + ":" + std::to_string(listener.port());
}

std::uint64_t microseconds_of(std::chrono::nanoseconds time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

} // namespace

link_session::~link_session() {
  if (cut_descriptor >= 0)
    ::close(cut_descriptor);
}

mesh::mesh(caf::actor_system& system, link_options options,
           std::shared_ptr<link_listener> listener)
    : system_(system), loops_(runtime::scheduler::of(system)),
      home_(loops_.at(options.home_loop % loops_.size())),
      options_(with_incarnation(std::move(options))),
      tls_(links_encrypted(system) ? &system : nullptr),
      advertised_(advertised_address(options_, *listener)),
      prefix_(envelope_prefix(system)), listener_(std::move(listener)),
      random_(static_cast<std::uint32_t>(random_incarnation().value())),
      ports_(loops_.size()),
      swallowed_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}

mesh::~mesh() = default;

core::steady_time mesh::now() const { return home_.clock().now(); }

handshake_options mesh::self() const {
  handshake_options all;
  all.secret = options_.secret;
  all.self.cluster = options_.cluster;
  all.self.node = options_.self;
  all.self.incarnation = options_.incarnation;
  all.self.window = options_.window;
  all.self.address = advertised_;
  return all;
}

// -------------------------------------------------------------- start and stop

void mesh::start() {
  gate_.open(
      system_, home_,
      [weak = weak_from_this()](const auto& from, const envelope& e) {
        if (const auto self = weak.lock())
          self->on_envelope(from, e);
      },
      [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->stopping_)
          return;
        self->started_ = true;
        self->listener_->start([weak](boost::asio::ip::tcp::socket socket) {
          if (const auto alive = weak.lock())
            alive->on_socket(std::move(socket));
        });
        for (auto& [id, p] : self->peers_)
          self->schedule_dial(*p);
        self->tick();
      });
}

void mesh::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  if (std::exchange(stopping_, true)) {
    finish_stop_if_done();
    return;
  }
  listener_->close();
  for (const auto& each : std::exchange(conversations_, {}))
    each->refuse({refusal_code::stopping, {}});
  for (const auto& each : std::exchange(joins_, {}))
    each->close();
  for (auto& [id, p] : peers_) {
    p->dial.reset();
    home_.cancel(p->retry);
    drop_successor(*p, {refusal_code::stopping, {}});
    if (p->link && p->link->state == peer_state::up)
      send_part(*p->link, part::bye, core::shared_bytes::copy_of("stopping"));
    else if (p->link)
      cut(*p, "info", "this node stops");
  }
  // A peer that got the word hangs up itself.
  home_.call_at(now() + leave_time, weak_from_this(), [](mesh& self) {
    for (auto& [id, p] : self.peers_)
      if (p->link)
        self.cut(*p, "info", "this node stops");
  });
  finish_stop_if_done();
}

void mesh::finish_stop_if_done() {
  for (const auto& [id, p] : peers_)
    if (p->link)
      return;
  gate_.close();
  if (const auto done = std::exchange(stopped_, nullptr))
    done();
}

// ----------------------------------------------------------------------- peers

mesh_peer& mesh::peer_for(core::node_id id) {
  auto& place = peers_[id];
  if (place)
    return *place;
  place = std::make_unique<mesh_peer>();
  place->id = id;
  place->port = std::make_shared<peer_port>(
      id, loops_.size(),
      peer_port::limits{options_.queue_bytes_max, options_.message_bytes_max},
      [weak = weak_from_this(), home = &home_](const auto& port,
                                               packed_messages packed) {
        if (runtime::loop::current() == home) {
          if (const auto self = weak.lock())
            self->enqueue(port, std::move(packed));
          return;
        }
        home->post([weak, port, packed = std::move(packed)]() mutable {
          if (const auto self = weak.lock())
            self->enqueue(port, std::move(packed));
        });
      });
  ports_.put(place->port);
  return *place;
}

void mesh::set_peer(core::node_id id, std::vector<std::string> addresses) {
  if (id == options_.self || id == core::node_id{} || stopping_)
    return;
  auto& p = peer_for(id);
  p.known = true;
  if (p.addresses != addresses) {
    p.addresses = std::move(addresses);
    p.failures = 0;
    if (started_ && !p.link && !p.next) {
      p.dial.reset();
      schedule_dial(p);
    }
  }
  publish_info(p);
}

void mesh::forget_peer(core::node_id id) {
  auto* p = find(id);
  if (p == nullptr)
    return;
  p->known = false;
  p->addresses.clear();
  p->dial.reset();
  home_.cancel(p->retry);
  drop_successor(*p, {refusal_code::not_admitted, "forgotten"});
  if (p->link) {
    cut(*p, "info", "no member any longer"); // erased when it is released
    return;
  }
  ports_.erase(id);
  peers_.erase(id);
  const std::lock_guard lock{info_mutex_};
  shown_.erase(id);
}

mesh_peer* mesh::find(core::node_id id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.get();
}

link_session* mesh::find(core::node_id id, link_id link) {
  auto* p = find(id);
  return p != nullptr && p->link && p->link->id == link ? p->link.get()
                                                        : nullptr;
}

core::result<void> mesh::send(core::node_id to, kind k, std::uint64_t key,
                              core::shared_bytes body) {
  auto* here = runtime::loop::current();
  if (here == nullptr || &here->system() != &system_) {
    home_.post([weak = weak_from_this(), to, k, key, body = std::move(body)] {
      if (const auto self = weak.lock())
        static_cast<void>(self->send(to, k, key, body));
    });
    return {};
  }
  auto* port = ports_.find(here->index(), to);
  if (port == nullptr)
    return core::errc::unavailable;
  return port->send(*here, k, key, body.view());
}

bool mesh::reaches(core::node_id node) {
  const auto* here = runtime::loop::current();
  if (here == nullptr || &here->system() != &system_)
    return false;
  const auto* port = ports_.find(here->index(), node);
  return port != nullptr && port->link() != link_id{};
}

// ------------------------------------------------------------------------ time

void mesh::tick() {
  for (auto& [id, p] : peers_)
    tick_peer(*p);
  home_.call_at(now() + options_.beat_interval, weak_from_this(),
                [](mesh& self) {
                  if (!self.stopping_)
                    self.tick();
                });
}

void mesh::tick_peer(mesh_peer& p) {
  const auto time = now();
  if (p.next && time >= p.next->deadline)
    drop_successor(p, {refusal_code::timed_out, "the link before it stays"});
  if (p.probe != 0 && time >= p.probe_deadline) {
    p.probe = 0;
    if (p.link)
      cut(p, "warn", "another process of the node has come");
  }
  if (p.link)
    tick_link(p, *p.link);
  publish_info(p);
}

void mesh::tick_link(mesh_peer& p, link_session& link) {
  const auto time = now();
  const auto in_ms = [](auto duration) {
    return std::to_string(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration)
            .count());
  };
  switch (link.state) {
  case peer_state::handshake:
    if (time - link.began >= options_.handshake_timeout)
      cut(p, "warn", "the actor system's handshake took too long");
    return;
  case peer_state::up:
    break;
  default:
    return;
  }
  if (const auto silence = time - link.heard; silence >= options_.silence_max) {
    cut(p, "warn", "silent for " + in_ms(silence) + " ms");
    return;
  }
  if (link.progress != link.queue.progress() || !link.queue.blocked()) {
    link.progress = link.queue.progress();
    link.progress_at = time;
  } else if (time - link.progress_at >= options_.stall_max) {
    cut(p, "warn",
        "has taken nothing for " + in_ms(time - link.progress_at) + " ms");
    return;
  }
  send_beat(link);
}

// ---------------------------------------------------------------- what is told

void mesh::log(std::string_view level, const std::string& text) const {
  if (options_.log)
    options_.log(level, "links", text);
}

/// A peer that fails in the same way again and again is told of now and then.
void mesh::log_limited(mesh_peer& p, std::string_view level,
                       const std::string& text) {
  const auto time = now();
  if (text == p.last_error && time - p.logged_at < repeat_log_after)
    return;
  p.last_error = text;
  p.logged_at = time;
  log(level, text);
}

void mesh::notify(const mesh_peer& p, const link_session& link, bool up,
                  bool restarted) {
  peer_event event;
  event.peer = p.id;
  event.incarnation = link.incarnation;
  event.up = up;
  event.restarted = restarted;
  event.address = link.advertised;
  event.features = link.features;
  event.reason = link.why;
  for (const auto& handler : peer_handlers)
    handler(event);
}

void mesh::publish_info(const mesh_peer& p) {
  peer_info info;
  info.node = p.id;
  info.state = peer_state::waiting;
  if (p.addresses.empty())
    info.state = peer_state::idle;
  else
    info.address = p.addresses.front();
  if (p.dial)
    info.state =
        p.dial->proving() ? peer_state::proving : peer_state::connecting;
  info.incarnation = p.last_incarnation;
  info.messages_in = p.messages_in;
  info.messages_out = p.messages_out;
  info.bytes_in = p.bytes_in;
  info.bytes_out = p.bytes_out;
  info.times_up = p.times_up;
  info.last_error = p.last_error;
  if (const auto* link = p.link.get()) {
    info.state = link->state;
    info.address = link->advertised;
    info.incarnation = link->incarnation;
    info.link = link->id;
    info.dialed = link->dialed;
    info.encrypted = link->encrypted;
    info.features = link->features;
    info.messages_in += link->messages_in;
    info.messages_out += link->messages_out;
    info.bytes_in += link->bytes_in;
    info.bytes_out += link->bytes_out;
    for (std::size_t i = 0; i < lanes; ++i) {
      info.lane[i].credit_bytes =
          link->queue.credit_bytes(lane{static_cast<std::uint8_t>(i)});
      info.lane[i].in_flight_bytes =
          link->queue.in_flight_bytes(lane{static_cast<std::uint8_t>(i)});
    }
    info.round_trip =
        std::chrono::microseconds{microseconds_of(link->round_trip)};
    if (link->state == peer_state::up)
      info.silence = std::chrono::duration_cast<std::chrono::milliseconds>(
          now() - link->heard);
  }
  const std::lock_guard lock{info_mutex_};
  shown_[p.id] = {std::move(info), p.port};
}

std::vector<peer_info> mesh::info() const {
  std::vector<peer_info> all;
  {
    const std::lock_guard lock{info_mutex_};
    for (const auto& [id, peer] : shown_) {
      auto& info = all.emplace_back(peer.info);
      for (std::size_t i = 0; i < lanes; ++i)
        info.lane[i].queued_bytes = peer.port->queued_bytes(i);
      for (std::size_t i = 0; i < drop_reasons; ++i)
        info.dropped[i] =
            peer.port->dropped(drop_reason{static_cast<std::uint8_t>(i)});
    }
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.node < b.node; });
  return all;
}

link_stats mesh::stats() const {
  link_stats all;
  for (std::size_t i = 0; i < refusal_codes; ++i) {
    all.refused[i] = refused_[i].load(std::memory_order_relaxed);
    all.refused_total += all.refused[i];
  }
  all.conversations = open_conversations_.load(std::memory_order_relaxed);
  all.old_link_envelopes = old_link_envelopes_.load(std::memory_order_relaxed);
  all.swallowed = swallowed_->load(std::memory_order_relaxed);
  return all;
}

} // namespace troupe::actors::links
