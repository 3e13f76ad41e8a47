// SPDX-License-Identifier: Apache-2.0
#include "app/node.hpp"

#include "actors/runtime/loop.hpp"
#include "app/admin.hpp"
#include "app/audit_log.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <unistd.h>
#include <utility>

namespace troupe::app {
namespace {

std::size_t loop_count(const node_settings& settings) {
  if (settings.loops != 0)
    return settings.loops;
  // Log and tables have threads of their own. Where they share a core with a
  // loop, each handover between them waits for that core to be woken.
  return std::max(2U, std::thread::hardware_concurrency()) - 1U;
}

core::inbox_policy inbox_policy(const inbox_settings& from) {
  core::inbox_policy to;
  to.messages_max = from.messages_max;
  to.bytes_max = from.bytes_max;
  to.overflow = from.overflow == overflow_policy::drop_oldest
                    ? core::overflow_policy::drop_oldest
                    : core::overflow_policy::refuse;
  to.default_time_to_live = from.ttl_default;
  to.device_inactive_after = from.device_inactive_after;
  to.user_inactive_after = from.user_inactive_after;
  return to;
}

/// For closing what was told to close.
constexpr std::chrono::seconds goodbye_time{1};

std::string host_name() {
  char text[256] = {};
  return ::gethostname(text, sizeof text - 1) == 0 ? text : "node";
}

} // namespace

node::node(const service_context& context)
    : context_(context), doors_(context.values), channel_log_(context.log) {}

// The actor system must end on the thread that made it (CAF's logger waits for
// that thread), so the parts are destroyed here and not by drain().
node::~node() {
  if (drainer_.joinable())
    drainer_.join();
  stop();
}

void node::write_log(std::string_view level, std::string_view component,
                     std::string_view text) {
  const auto rank = level == "error"  ? log_level::error
                    : level == "warn" ? log_level::warn
                    : level == "info" ? log_level::info
                                      : log_level::debug;
  if (rank >= log_level::warn)
    context_.log.write_limited(rank, component, text);
  else
    context_.log.write(rank, component, text);
}

core::result<bound_addresses> node::start() {
  if (auto loaded = doors_.load(); !loaded)
    return loaded.error();
  if (auto loaded = doors_.load_secrets(); !loaded)
    return loaded.error();
  auto opened = broker::open(engine_settings());
  if (!opened)
    return opened.error();
  broker_ = std::move(*opened);
  if (!broker_->wait_until_serving(std::chrono::seconds{30}))
    for (const auto& reason : broker_->not_ready())
      write_log("warn", "node", "does not serve yet: " + reason);
  if (auto started = start_audit(); !started)
    return started.error();
  auto logins =
      make_authenticator(context_.values, *broker_, context_.cluster_secret);
  if (!logins)
    return logins.error();
  logins_ = std::move(*logins);
  gateway_ = std::make_unique<actor_gateway>(
      broker_->system(), broker_->context(), broker_->loops().size());
  gateway_->watch_rights(broker_->loops());
  if (audit_)
    audited_ = std::make_unique<audit_gateway>(*gateway_, *audit_);
  if (auto started = start_channels(); !started)
    return started.error();
  if (auto started = start_zenconn(); !started)
    return started.error();
  start_mqtt();
  network_ = std::make_unique<net::network>(broker_->loops());
  addresses_ = make_address_limits(context_.values);
  if (context_.values.workers.count > 0)
    workers_ = std::make_unique<workers::pool>(
        workers::pool::parts{context_.values, broker_->loops(), sessions(),
                             channels(), addresses_, context_.log});
  serving_.store(true, std::memory_order_release);
  admin_parts parts{*broker_,
                    *gateway_,
                    *network_,
                    workers_.get(),
                    context_.admin_token,
                    *logins_,
                    &doors_.channel_stats(),
                    doors_.zenconn(),
                    records_.get(),
                    doors_.mqtt(),
                    keys_.get()};
  parts.topics = topics_.get();
  parts.clients = clients_.get();
  if (audit_)
    parts.audit.emplace(audit_parts{storage::posix_file_system(),
                                    audit_folder(*broker_), *audit_});
  admin_ = std::make_unique<admin>(std::move(parts));
  auto bound = open_doors();
  if (!bound)
    return bound.error();
  warn_if_open();
  if (auto started = start_workers(); !started)
    return started.error();
  start_sys();
  return bound;
}

broker_settings node::engine_settings() {
  const auto& values = context_.values;
  broker_settings engine;
  engine.data = values.node.data;
  engine.loops = loop_count(values.node);
  engine.spin = values.node.spin;
  engine.broker.shards = static_cast<std::uint16_t>(values.cluster.shards);
  engine.broker.passivate_after = values.inbox.passivate_after;
  engine.broker.recipients_max = values.mq.recipients_max;
  engine.broker.inbox = inbox_policy(values.inbox);
  engine.broker.keys = {values.keys.max, values.keys.bytes_max};
  engine.broker.sessions.sessions_max =
      (values.mqtt.sessions_max + values.cluster.shards - 1) /
      values.cluster.shards;
  engine.broker.sessions.messages_max = values.mqtt.session_messages_max;
  engine.broker.sessions.bytes_max = values.mqtt.session_bytes_max;
  engine.broker.sessions.drop_oldest =
      values.mqtt.session_overflow == overflow_policy::drop_oldest;
  engine.rights = rights_options(values.auth);
  engine.interest.filters_max = values.topics.filters_max;
  engine.shares = values.topics.shared;
  engine.channels.channels_max = values.topics.channels_max;
  engine.channels.passivate_after = values.topics.passivate_after;
  engine.segment_bytes = values.storage.segment_bytes;
  engine.commit_interval = values.storage.commit_interval;
  engine.map_bytes = values.storage.map_bytes;
  engine.mapped_bytes_max = values.storage.mapped_bytes_max;
  engine.quota_bytes = values.storage.quota_bytes;
  engine.reserve_bytes = values.storage.reserve_bytes;
  engine.log = [this](auto level, auto component, auto text) {
    write_log(level, component, text);
  };
  engine.broker.replace_after = values.cluster.replace_after;
  engine.draining = [this](bool is) { on_draining(is); };
  engine.removed = [this] {
    if (auto* door = doors_.mqtt())
      door->set_moved();
  };
  engine.failed = context_.failed;
  engine.pause = context_.pause;
  engine.cluster = cluster_part();
  return engine;
}

core::result<bound_addresses> node::open_doors() {
  const auto& values = context_.values.listen;
  bound_addresses bound;
  auto at = listen(values.public_address, door_kind::all);
  if (!at)
    return at.error();
  bound.public_address = *at;
  if (values.mq) {
    auto own = listen(*values.mq, door_kind::mq);
    if (!own)
      return own.error();
    bound.mq = *own;
  }
  if (values.tls) {
    auto own = listen(*values.tls, door_kind::tls);
    if (!own)
      return own.error();
    bound.tls = *own;
  }
  if (values.msgbus) {
    auto own = listen(*values.msgbus, door_kind::channels);
    if (!own)
      return own.error();
    bound.msgbus = *own;
  }
  if (values.mqtt) {
    auto own = listen(*values.mqtt, door_kind::mqtt);
    if (!own)
      return own.error();
    bound.mqtt = *own;
  }
  if (values.mqtts) {
    auto own = listen(*values.mqtts, door_kind::mqtt_tls);
    if (!own)
      return own.error();
    bound.mqtts = *own;
  }
  auto admin_address = net::parse_endpoint(to_string(values.admin));
  if (!admin_address)
    return admin_address.error();
  auto admin_at = admin_->listen(*admin_address);
  if (!admin_at)
    return admin_at.error();
  bound.admin = *parse_endpoint(net::to_string(*admin_at));
  if (const auto* member = broker_->cluster())
    if (auto own = parse_endpoint(member->links().listen_address()))
      bound.cluster = *own;
  return bound;
}

/// Nobody shall find out by accident that strangers can come.
void node::warn_if_open() {
  const auto& listen = context_.values.listen;
  const bool reachable = !is_loopback(listen.public_address) ||
                         (listen.mq && !is_loopback(*listen.mq)) ||
                         (listen.tls && !is_loopback(*listen.tls));
  if (reachable &&
      context_.values.auth.anonymous == core::anonymous_policy::allow)
    write_log("warn", "auth",
              "anybody on the network is let in without credentials "
              "(auth.anonymous = \"allow\")");
}

std::optional<cluster_options> node::cluster_part() const {
  const auto& from = context_.values.cluster;
  if (!from.listen)
    return std::nullopt;
  cluster_options to;
  to.listen = to_string(*from.listen);
  to.advertise = from.advertise;
  to.join = from.join;
  to.secret = context_.cluster_secret;
  to.tls = {from.tls_certificate, from.tls_key, from.tls_ca};
  to.name = node_name();
  to.name_is_default = context_.values.node.name.empty();
  return to;
}

std::string node::node_name() const {
  const auto& given = context_.values.node.name;
  return given.empty() ? host_name() : given;
}

core::result<endpoint> node::listen(const endpoint& where, door_kind kind) {
  auto address = net::parse_endpoint(to_string(where));
  if (!address)
    return address.error();
  auto door = doors_.make(kind, {&sessions(), addresses_, nullptr});
  if (!door)
    return door.error();
  const auto backlog = static_cast<int>(context_.values.listen.backlog);
  // Workers have nothing of MQTT yet: its own ports are their agent's.
  const bool is_own = kind == door_kind::mqtt || kind == door_kind::mqtt_tls;
  if (workers_ && !is_own) {
    auto socket = net::open_listening_socket(*address, backlog);
    if (!socket)
      return socket.error();
    workers_->add_door(kind, std::move(*socket));
    return parse_endpoint(net::to_string(*address));
  }
  net::listener_options options;
  options.endpoint = *address;
  options.served = std::move(*door);
  options.backlog = backlog;
  auto local = network_->listen(std::move(options));
  if (!local)
    return local.error();
  return parse_endpoint(net::to_string(*local));
}

node_facts node::facts() const {
  node_facts known;
  known.id = broker_->identity().node;
  known.name = node_name();
  known.data = std::filesystem::absolute(broker_->data_path())
                   .lexically_normal()
                   .string();
  if (broker_->cluster() != nullptr) {
    // The cluster may have given it another name.
    const auto& directory = *broker_->context().directory;
    if (const auto record = directory.find_node(known.id))
      known.name = record->name;
    cluster_facts about;
    about.id = storage::to_string(broker_->identity().cluster);
    about.founded = broker_->role() == cluster_role::founder;
    directory.each_node([&](core::node_id id, const core::node_record& r) {
      if (id != known.id && r.state != core::node_state::removed)
        about.peers.push_back(id);
      return true;
    });
    about.encrypted = !context_.values.cluster.tls_ca.empty();
    known.cluster = std::move(about);
  }
  return known;
}

/// On a loop, perhaps while the node still starts.
void node::on_draining(bool draining) {
  write_log("info", "cluster",
            draining ? "draining: clients are sent to other nodes"
                     : "not draining any more: clients may come");
  if (auto* door = doors_.zenconn())
    door->set_draining(draining);
  if (auto* door = doors_.mqtt())
    door->set_draining(draining);
  if (!serving_.load(std::memory_order_acquire))
    return; // nobody is here, and nobody can log in
  if (draining) {
    const auto spread = context_.values.cluster.drain_spread;
    network_->send_away(spread);
    if (workers_)
      workers_->send_away(spread);
    return;
  }
  network_->keep_clients();
  if (workers_)
    workers_->keep_clients();
}

core::result<void> node::reload(const settings&) {
  if (auto taken = doors_.reload(); !taken)
    return taken;
  if (auto taken = logins_->reload(); !taken)
    return taken;
  if (workers_)
    workers_->reload();
  return {};
}

core::result<void> node::reopen_logs() {
  // A worker has one word for both.
  if (workers_)
    workers_->reload();
  return doors_.reopen_access_log();
}

void node::drain(std::function<void()> done) {
  drainer_ = std::thread{[this, done = std::move(done)] {
    stop();
    done();
  }};
}

void node::stop() {
  if (std::exchange(stopped_, true) || !broker_)
    return;
  const auto patience = context_.values.node.drain_timeout;
  const auto end = std::chrono::steady_clock::now() + patience;
  auto& stats = broker_->context().stats;
  if (network_) {
    network_->drain();
    if (workers_)
      workers_->drain(patience / 2);
    // Clients are told; those that do not close in half of the time are cut.
    while (stats.sessions_open.load() > 0 &&
           std::chrono::steady_clock::now() < end - patience / 2)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    // Those without a session in the broker are told, too; who does not go
    // after that is cut.
    const auto goodbye = std::chrono::steady_clock::now() + goodbye_time;
    while (network_->stats().open > 0 &&
           std::chrono::steady_clock::now() < std::min(goodbye, end))
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    network_->stop();
    if (workers_)
      workers_->stop();
    while (stats.sessions_open.load() + stats.clients_open.load() > 0 &&
           std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  if (sys_)
    sys_->stop();
  if (logins_)
    logins_->stop();
  if (auto* door = doors_.zenconn())
    door->stop();
  if (records_)
    records_->stop();
  if (history_)
    history_->stop();
  if (admin_)
    admin_->stop();
  // All that could be recorded has happened; answers that wait go nowhere.
  if (audit_)
    audit_->stop();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      end - std::chrono::steady_clock::now());
  const bool complete =
      broker_->stop(std::max(left, std::chrono::milliseconds{1000}));
  if (!complete || stats.sessions_open.load() > 0 ||
      stats.clients_open.load() > 0) {
    // An actor that does not end would keep the actor system for ever. What
    // was acknowledged is on disk, so leaving at once loses nothing.
    context_.log.write(log_level::error, "node",
                       "some actors did not end in time");
    context_.log.flush();
    ::_exit(1);
  }
}

} // namespace troupe::app
