// SPDX-License-Identifier: Apache-2.0
#include "app/client_doors.hpp"

#include "app/config.hpp"
#include "net/files/file_site.hpp"
#include "net/mq/mq_over_draft.hpp"
#include "net/msgbus/bus.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::app {
namespace {

net::mq::gate_options gate_options(const mq_settings& from) {
  net::mq::gate_options to;
  to.login_time = from.login_timeout;
  to.retry_time = from.retry_interval;
  to.window_max = static_cast<std::uint32_t>(from.window_max);
  to.ping_bytes_max = from.ping_bytes_max;
  to.message_bytes_max = from.message_bytes_max;
  return to;
}

net::msgbus::bus_options bus_options(const msgbus_settings& from) {
  net::msgbus::bus_options to;
  to.realm = from.realm;
  to.backlog_bytes_max = from.backlog_bytes_max;
  to.write_stall = from.write_stall;
  to.half_close = from.half_close;
  to.heart_beat = from.heart_beat;
  to.poll_time = from.poll_time;
  to.strict_senders = from.strict_senders;
  return to;
}

net::zenconn::zenconn_options zenconn_options(const settings& values) {
  const auto& from = values.zenconn;
  net::zenconn::zenconn_options to;
  to.realm = from.realm;
  to.echo = from.echo;
  to.message_bytes_max = from.message_bytes_max;
  to.backlog_bytes_max = from.backlog_bytes_max;
  to.channels_max = from.channels_max;
  to.requests_max = from.requests_max;
  to.count_time = from.count_time;
  to.ping_time = values.ws.ping_interval;
  to.silence_time = values.ws.idle_timeout;
  return to;
}

/// Nothing: what all listeners do.
net::mqtt_door::own_denial own_denial(listener_denial from) {
  switch (from) {
  case listener_denial::close:
    return net::mqtt::denial_policy::close;
  case listener_denial::answer:
    return net::mqtt::denial_policy::answer;
  case listener_denial::silent:
    return net::mqtt::denial_policy::silent;
  case listener_denial::as_others:
    break;
  }
  return std::nullopt;
}

net::mqtt::mqtt_options mqtt_options(const mqtt_settings& from) {
  net::mqtt::mqtt_options to;
  to.realm = from.realm;
  to.token_users = from.token_users;
  to.certificate_users = from.certificate_users;
  to.denied = from.denied;
  to.expired = from.expired;
  to.client_id_bytes_max = from.client_id_bytes_max;
  to.connect_time = from.connect_timeout;
  to.keep_alive_max =
      static_cast<std::uint16_t>(from.keep_alive_max.count() / 1000);
  to.packet_bytes_max = from.packet_bytes_max;
  to.receive_maximum = static_cast<std::uint16_t>(from.receive_maximum);
  to.topic_alias_max = static_cast<std::uint16_t>(from.topic_aliases_max);
  to.subscriptions_max = from.subscriptions_max;
  to.sessions_last = from.sessions;
  if (from.session_expiry_max.count() > 0)
    to.session_expiry_max = net::mqtt::seconds{static_cast<std::uint32_t>(
        std::min<std::int64_t>(from.session_expiry_max.count() / 1000,
                               net::mqtt::never.count() - 1))};
  to.inflight_max = static_cast<std::uint16_t>(from.inflight_max);
  to.queue_messages_max = from.queue_messages_max;
  to.queue_bytes_max = from.queue_bytes_max;
  to.queue_full = from.queue_full;
  to.backlog_bytes_max = from.backlog_bytes_max;
  to.retained = from.retained;
  to.response_prefix = from.response_prefix;
  to.server_reference = from.server_reference;
  return to;
}

net::rate_limit per_second(std::uint64_t rate) {
  return {static_cast<double>(rate), static_cast<double>(rate) * 2};
}

net::rate_limit per_minute(std::uint64_t rate) {
  return {static_cast<double>(rate) / 60, static_cast<double>(rate)};
}

net::proxy_policy to_policy(proxy_protocol_mode mode) {
  switch (mode) {
  case proxy_protocol_mode::off:
    return net::proxy_policy::off;
  case proxy_protocol_mode::optional:
    return net::proxy_policy::optional;
  case proxy_protocol_mode::required:
    return net::proxy_policy::required;
  }
  return net::proxy_policy::off;
}

} // namespace

client_doors::client_doors(const settings& values)
    : values_(values), gate_options_(gate_options(values.mq)),
      ws_options_{values.ws.ping_interval, values.ws.idle_timeout},
      channels_(std::make_shared<net::msgbus::bus_context>()) {
  channels_->options = bus_options(values.msgbus);
}

void client_doors::serve_channels(net::topic_space& topics,
                                  net::msgbus::bus_log& log,
                                  net::msgbus::history* past,
                                  core::audit_sink* audit) {
  channels_->topics = &topics;
  channels_->log = &log;
  channels_->past = past;
  channels_->audit = {audit, channels_->options.realm};
  desk_ = std::make_unique<net::msgbus_desk>(*channels_);
  channels_->desk = desk_.get();
}

void client_doors::judge_by(const net::msgbus::identity_gatekeeper::parts& from,
                            net::identity::live_rights& live) {
  keeper_ = std::make_unique<net::msgbus::identity_gatekeeper>(
      from, values_.msgbus.realm, channel_password_);
  channels_->keeper = keeper_.get();
  channels_->live = &live;
}

core::result<void> client_doors::load() {
  if (!values_.log.access.empty()) {
    auto opened = access_file::open(values_.log.access);
    if (!opened)
      return opened.error();
    access_ = std::move(*opened);
  }
  if (values_.mqtt.enabled)
    mqtt_ = std::make_unique<net::mqtt_door>(mqtt_options(values_.mqtt));
  if (!values_.files.root.empty()) {
    net::files::site_options files;
    files.root = values_.files.root;
    auto opened = net::files::file_site::open(files);
    if (!opened)
      return opened.error();
    files_ = std::move(*opened);
  }
  const auto& tls = values_.tls;
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

core::result<void> client_doors::load_secrets() {
  auto password = channel_password(values_);
  if (!password)
    return password.error();
  channel_password_ = std::move(*password);
  keeper_ =
      std::make_unique<net::msgbus::password_gatekeeper>(channel_password_);
  channels_->keeper = keeper_.get();
  auto secret = zenconn_secret(values_);
  if (!secret)
    return secret.error();
  if (!values_.zenconn.enabled)
    return {};
  zenconn_desk_ = std::make_unique<net::zenconn_desk>(
      zenconn_options(values_), std::move(*secret), zenconn_stats_);
  open_zenconn(*zenconn_desk_);
  return {};
}

void client_doors::open_zenconn(net::zenconn::desk& at) {
  zenconn_ = std::make_unique<net::zenconn_door>(zenconn_options(values_),
                                                 zenconn_stats_, at);
}

void client_doors::serve_elsewhere(net::msgbus::desk& bus,
                                   net::zenconn::desk& zenconn,
                                   net::msgbus::bus_log& log) {
  channels_->desk = &bus;
  channels_->log = &log;
  if (values_.zenconn.enabled)
    open_zenconn(zenconn);
}

core::result<void> client_doors::reopen_access_log() {
  if (!access_)
    return {};
  return access_->reopen();
}

core::result<void> client_doors::reload() {
  if (auto opened = reopen_access_log(); !opened)
    return opened;
  if (!certificate_)
    return {};
  return certificate_->reload();
}

std::shared_ptr<net::door>
client_doors::base_door(const door_keepers& keepers) const {
  auto door = std::make_shared<net::door>();
  door->sessions = keepers.sessions;
  door->addresses = keepers.addresses;
  door->observer = keepers.observer;
  door->certificate = certificate_;
  door->tls = certificate_ ? net::tls_policy::sniffed : net::tls_policy::off;
  const auto& listen = values_.listen;
  door->limits.frame_bytes_max =
      std::max({values_.mq.message_bytes_max, values_.zenconn.message_bytes_max,
                values_.mqtt.packet_bytes_max}) +
      (std::size_t{256} << 10);
  door->limits.output_bytes_max = listen.output_bytes_max;
  door->limits.opening = listen.opening_timeout;
  door->limits.keep_alive_idle =
      std::chrono::ceil<std::chrono::seconds>(listen.keepalive_idle);
  door->limits.keep_alive_interval =
      std::chrono::ceil<std::chrono::seconds>(listen.keepalive_interval);
  door->limits.keep_alive_probes = static_cast<int>(listen.keepalive_probes);
  door->proxy = to_policy(listen.proxy_protocol);
  for (const auto& text : listen.trusted_proxies)
    if (auto network = net::ip_network::parse(text))
      door->trusted_proxies.push_back(*network);
  return door;
}

void client_doors::add_mq(net::door& door) const {
  door.protocols[net::sniffed::mq] = [this](net::protocol_host&) {
    return std::make_unique<net::mq::mq_over_draft>(gate_options_);
  };
}

void client_doors::add_mqtt(net::door& door, listener_denial denied) const {
  if (!mqtt_)
    return;
  auto* to = mqtt_.get();
  door.protocols[net::sniffed::mqtt] =
      [to, own = own_denial(denied)](net::protocol_host& host) {
        return to->accept(host, own);
      };
}

void client_doors::add_mqtt(net::http_router& router,
                            listener_denial denied) const {
  if (!mqtt_)
    return;
  net::websocket_options upgrade;
  upgrade.subprotocols = {"mqtt", "mqttv3.1"};
  upgrade.origins = values_.ws.origins;
  auto* to = mqtt_.get();
  for (const char* path : {"/mqtt", "/ws"})
    router.add_websocket(
        path, upgrade,
        [to, own = own_denial(denied)](const net::websocket_terms&,
                                       net::protocol_host& host) {
          return to->upgrade(host, own);
        });
}

void client_doors::add_all(net::door& door, listener_denial denied) const {
  auto router = std::make_shared<net::http_router>();
  net::websocket_options upgrade;
  upgrade.origins = values_.ws.origins;
  upgrade.deflate = values_.ws.deflate;
  router->add_websocket(
      "/mq", upgrade,
      [this](const net::websocket_terms& terms,
             net::protocol_host&) -> std::unique_ptr<net::protocol> {
        return std::make_unique<net::mq::mq_over_ws>(gate_options_, ws_options_,
                                                     terms.deflate);
      });
  add_zenconn(*router);
  add_mqtt(*router, denied);
  auto http = http_options();
  if (values_.msgbus.public_port)
    add_channels(*router, http);
  if (files_)
    router->add("", "/*", net::msgbus::make_guarded(channels_, files_));
  door.protocols[net::sniffed::http] = net::make_http(router, http);
  add_mq(door);
  add_mqtt(door, denied);
}

net::http_options client_doors::http_options() const {
  net::http_options http;
  http.limits.head_bytes_max = values_.ws.header_bytes_max;
  http.head_time = values_.ws.header_timeout;
  http.body_time = values_.ws.body_timeout;
  http.access = access_.get();
  http.limits.keep_line = http.access != nullptr;
  return http;
}

void client_doors::add_zenconn(net::http_router& router) const {
  if (!zenconn_)
    return;
  net::websocket_options upgrade;
  upgrade.origins = values_.ws.origins;
  upgrade.beside_others = true; // the page at / is a file
  auto* to = zenconn_.get();
  router.add_websocket("/", upgrade,
                       [to](const net::websocket_terms& terms, std::string head,
                            net::responder answer) {
                         to->upgrade(terms, std::move(head), std::move(answer));
                       });
}

void client_doors::add_channels(net::http_router& router,
                                net::http_options& http) const {
  http.limits.raw_prefix = net::msgbus::path_prefix;
  http.limits.body_bytes_max = values_.msgbus.message_bytes_max;
  router.add("", "/msgbus/*", std::make_shared<net::msgbus::bus>(channels_));
}

void client_doors::add_channels_only(net::door& door) const {
  auto router = std::make_shared<net::http_router>();
  auto http = http_options();
  http.limits.raw_prefix = net::msgbus::path_prefix;
  http.limits.body_bytes_max = values_.msgbus.message_bytes_max;
  const auto site = net::msgbus::make_guarded(channels_, files_);
  router->add("", "/*", site);
  router->add("", "/msgbus/*",
              std::make_shared<net::msgbus::bus>(channels_, site));
  door.protocols[net::sniffed::http] = net::make_http(router, http);
}

core::result<std::shared_ptr<const net::door>>
client_doors::make(door_kind kind, const door_keepers& keepers) const {
  auto door = base_door(keepers);
  const auto& mqtt = values_.mqtt;
  switch (kind) {
  case door_kind::mq:
    add_mq(*door);
    break;
  case door_kind::tls:
    if (!certificate_)
      return core::error{core::errc::invalid_config,
                         "listen.tls needs tls.certificate and tls.key"};
    door->tls = net::tls_policy::required;
    add_all(*door, mqtt.denied_tls);
    break;
  case door_kind::channels:
    add_channels_only(*door);
    break;
  case door_kind::mqtt_tls:
    if (!certificate_)
      return core::error{core::errc::invalid_config,
                         "listen.mqtts needs tls.certificate and tls.key"};
    door->tls = net::tls_policy::required;
    add_mqtt(*door, mqtt.denied_mqtts);
    break;
  case door_kind::mqtt:
    door->tls = net::tls_policy::off;
    add_mqtt(*door, mqtt.denied_mqtt);
    break;
  case door_kind::all:
    add_all(*door, mqtt.denied_public);
    break;
  }
  return std::shared_ptr<const net::door>{std::move(door)};
}

std::shared_ptr<net::address_limits>
make_address_limits(const settings& values) {
  net::address_limits_options limits;
  limits.total_connections_max =
      static_cast<std::uint32_t>(values.listen.connections_max);
  limits.address_connections_max =
      static_cast<std::uint32_t>(values.listen.connections_per_address_max);
  limits.accepts = per_second(values.listen.accept_rate_per_address);
  limits.logins = per_minute(values.mq.login_rate_per_address);
  limits.exempt_loopback = false; // a bound that was set is meant
  return net::address_limits::make(limits);
}

} // namespace troupe::app
