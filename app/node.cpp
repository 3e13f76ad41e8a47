// SPDX-License-Identifier: Apache-2.0
#include "app/node.hpp"

#include "app/admin.hpp"
#include "net/http_front.hpp"
#include "net/mq/mq_over_draft.hpp"

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

net::mq::gate_options gate_options(const mq_settings& from) {
  net::mq::gate_options to;
  to.login_time = from.login_timeout;
  to.retry_time = from.retry_interval;
  to.window_max = static_cast<std::uint32_t>(from.window_max);
  to.ping_bytes_max = from.ping_bytes_max;
  to.message_bytes_max = from.message_bytes_max;
  return to;
}

net::rate_limit per_second(std::uint64_t rate) {
  return {static_cast<double>(rate), static_cast<double>(rate) * 2};
}

net::rate_limit per_minute(std::uint64_t rate) {
  return {static_cast<double>(rate) / 60, static_cast<double>(rate)};
}

std::string host_name() {
  char text[256] = {};
  return ::gethostname(text, sizeof text - 1) == 0 ? text : "node";
}

} // namespace

node::node(const service_context& context) : context_(context) {}

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
  const auto& values = context_.values;
  gate_options_ = gate_options(values.mq);
  ws_options_ = {values.ws.ping_interval, values.ws.idle_timeout};
  if (auto loaded = load_certificate(); !loaded)
    return loaded.error();

  broker_settings engine;
  engine.data = values.node.data;
  engine.loops = loop_count(values.node);
  engine.spin = values.node.spin;
  engine.broker.shards = static_cast<std::uint16_t>(values.cluster.shards);
  engine.broker.passivate_after = values.inbox.passivate_after;
  engine.broker.recipients_max = values.mq.recipients_max;
  engine.broker.inbox = inbox_policy(values.inbox);
  engine.interest.filters_max = values.topics.filters_max;
  engine.segment_bytes = values.storage.segment_bytes;
  engine.commit_interval = values.storage.commit_interval;
  engine.map_bytes = values.storage.map_bytes;
  engine.mapped_bytes_max = values.storage.mapped_bytes_max;
  engine.quota_bytes = values.storage.quota_bytes;
  engine.reserve_bytes = values.storage.reserve_bytes;
  engine.log = [this](auto level, auto component, auto text) {
    write_log(level, component, text);
  };
  engine.failed = context_.failed;
  engine.pause = context_.pause;
  engine.cluster = cluster_part();
  auto opened = broker::open(std::move(engine));
  if (!opened)
    return opened.error();
  broker_ = std::move(*opened);
  if (!broker_->wait_until_serving(std::chrono::seconds{30}))
    for (const auto& reason : broker_->not_ready())
      write_log("warn", "node", "does not serve yet: " + reason);
  gateway_ = std::make_unique<actor_gateway>(
      broker_->system(), broker_->context(), broker_->loops().size());
  network_ = std::make_unique<net::network>(broker_->loops());
  net::address_limits_options limits;
  limits.total_connections_max =
      static_cast<std::uint32_t>(values.listen.connections_max);
  limits.address_connections_max =
      static_cast<std::uint32_t>(values.listen.connections_per_address_max);
  limits.accepts = per_second(values.listen.accept_rate_per_address);
  limits.logins = per_minute(values.mq.login_rate_per_address);
  limits.exempt_loopback = false; // a bound that was set is meant
  addresses_ = net::address_limits::make(limits);

  admin_ = std::make_unique<admin>(
      admin_parts{*broker_, *gateway_, *network_, context_.admin_token});
  bound_addresses bound;
  auto all = public_door();
  if (!all)
    return all.error();
  auto at = listen(values.listen.public_address, *all);
  if (!at)
    return at.error();
  bound.public_address = *at;
  if (values.listen.mq) {
    auto door = base_door();
    door->protocols[net::sniffed::mq] = [this](net::protocol_host&) {
      return std::make_unique<net::mq::mq_over_draft>(gate_options_);
    };
    auto own = listen(*values.listen.mq, door);
    if (!own)
      return own.error();
    bound.mq = *own;
  }
  if (values.listen.tls) {
    auto door = std::make_shared<net::door>(**all);
    door->tls = net::tls_policy::required;
    if (!door->certificate)
      return core::error{core::errc::invalid_config,
                         "listen.tls needs tls.certificate and tls.key"};
    auto own = listen(*values.listen.tls, door);
    if (!own)
      return own.error();
    bound.tls = *own;
  }
  auto admin_address = net::parse_endpoint(to_string(values.listen.admin));
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

core::result<void> node::load_certificate() {
  const auto& tls = context_.values.tls;
  if (tls.certificate.empty())
    return {};
  net::tls_options options;
  options.certificate_path = tls.certificate;
  options.key_path = tls.key;
  if (!tls.client_ca.empty()) {
    options.clients = net::client_certificates::required;
    options.client_ca_path = tls.client_ca;
  }
  auto loaded = net::tls_context::load(options);
  if (!loaded)
    return loaded.error();
  certificate_ = std::move(*loaded);
  return {};
}

std::shared_ptr<net::door> node::base_door() const {
  const auto& values = context_.values;
  auto door = std::make_shared<net::door>();
  door->sessions = gateway_.get();
  door->addresses = addresses_;
  door->certificate = certificate_;
  door->tls = certificate_ ? net::tls_policy::sniffed : net::tls_policy::off;
  door->limits.frame_bytes_max =
      values.mq.message_bytes_max + (std::size_t{256} << 10);
  door->limits.output_bytes_max = values.listen.output_bytes_max;
  door->limits.keep_alive_idle =
      std::chrono::ceil<std::chrono::seconds>(values.listen.keepalive_idle);
  door->limits.keep_alive_interval =
      std::chrono::ceil<std::chrono::seconds>(values.listen.keepalive_interval);
  door->limits.keep_alive_probes =
      static_cast<int>(values.listen.keepalive_probes);
  switch (values.listen.proxy_protocol) {
  case proxy_protocol_mode::off:
    door->proxy = net::proxy_policy::off;
    break;
  case proxy_protocol_mode::optional:
    door->proxy = net::proxy_policy::optional;
    break;
  case proxy_protocol_mode::required:
    door->proxy = net::proxy_policy::required;
    break;
  }
  for (const auto& text : values.listen.trusted_proxies)
    if (auto network = net::ip_network::parse(text))
      door->trusted_proxies.push_back(*network);
  return door;
}

core::result<std::shared_ptr<const net::door>> node::public_door() {
  const auto& values = context_.values;
  auto router = std::make_shared<net::http_router>();
  net::websocket_options upgrade;
  upgrade.origins = values.ws.origins;
  upgrade.deflate = values.ws.deflate;
  router->add_websocket(
      "/mq", upgrade,
      [this](const net::websocket_terms& terms,
             net::protocol_host&) -> std::unique_ptr<net::protocol> {
        return std::make_unique<net::mq::mq_over_ws>(gate_options_, ws_options_,
                                                     terms.deflate);
      });
  net::http_options http;
  http.limits.head_bytes_max = values.ws.header_bytes_max;
  auto door = base_door();
  door->protocols[net::sniffed::http] = net::make_http(router, http);
  door->protocols[net::sniffed::mq] = [this](net::protocol_host&) {
    return std::make_unique<net::mq::mq_over_draft>(gate_options_);
  };
  return std::shared_ptr<const net::door>{std::move(door)};
}

core::result<endpoint> node::listen(const endpoint& where,
                                    std::shared_ptr<const net::door> door) {
  auto address = net::parse_endpoint(to_string(where));
  if (!address)
    return address.error();
  net::listener_options options;
  options.endpoint = *address;
  options.served = std::move(door);
  options.backlog = static_cast<int>(context_.values.listen.backlog);
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

core::result<void> node::reload(const settings&) {
  if (!certificate_)
    return {};
  return certificate_->reload();
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
    // Clients are told; those that do not close in half of the time are cut.
    while (stats.sessions_open.load() > 0 &&
           std::chrono::steady_clock::now() < end - patience / 2)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    network_->stop();
    while (stats.sessions_open.load() > 0 &&
           std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  if (admin_)
    admin_->stop();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      end - std::chrono::steady_clock::now());
  const bool complete =
      broker_->stop(std::max(left, std::chrono::milliseconds{1000}));
  if (!complete || stats.sessions_open.load() > 0) {
    // An actor that does not end would keep the actor system for ever. What
    // was acknowledged is on disk, so leaving at once loses nothing.
    context_.log.write(log_level::error, "node",
                       "some actors did not end in time");
    context_.log.flush();
    ::_exit(1);
  }
}

} // namespace troupe::app
