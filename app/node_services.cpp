// SPDX-License-Identifier: Apache-2.0
// What a node offers beside its engine: the audit, channels, ZenConn, MQTT,
// $SYS, workers.
#include "actors/runtime/loop.hpp"
#include "app/audit_log.hpp"
#include "app/node.hpp"
#include "net/identity/channel_token.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::app {

core::result<void> node::start_audit() {
  if (!context_.values.audit.enabled)
    return {};
  auto opened =
      open_audit(context_.values, *broker_, [this](auto level, auto text) {
        write_log(level, "audit", text);
      });
  if (!opened)
    return core::error{opened.error().code,
                       "the audit log: " + opened.error().detail};
  audit_ = std::move(*opened);
  return {};
}

net::session_gateway& node::sessions() {
  if (audited_)
    return *audited_;
  return *gateway_;
}

core::result<void> node::start_channels() {
  const auto& from = context_.values.msgbus;
  live_rights_ =
      std::make_unique<net::identity::live_rights>(broker_->authorizer());
  doors_.judge_by({*logins_, broker_->authorizer(),
                   broker_->context().directory->rights(), broker_->clock(),
                   [] {
                     auto* home = actors::runtime::loop::current();
                     return [home](std::function<void()> work) {
                       home->post(std::move(work));
                     };
                   }},
                  *live_rights_);
  topics_ =
      std::make_unique<topic_gateway>(broker_->topics(), broker_->context());
  keys_ = std::make_unique<key_gateway>(*broker_);
  if (from.history_messages == 0) {
    doors_.serve_channels(*topics_, channel_log_, nullptr, audit_.get());
    return {};
  }
  net::msgbus::history_options kept;
  kept.realm = from.realm;
  kept.messages_max = from.history_messages;
  kept.bytes_max = from.history_bytes_max;
  kept.time = from.history_time;
  history_ = std::make_unique<channel_history>(kept, broker_->clock());
  doors_.serve_channels(*topics_, channel_log_, &history_->kept(),
                        audit_.get());
  return history_->start(broker_->topics(), broker_->channels(),
                         *broker_->loops().front());
}

/// What workers' clients ask, too.
workers::channel_desks node::channels() {
  return {doors_.channel_desk(), doors_.zenconn(), &doors_.channel_stats(),
          &doors_.zenconn_stats(), context_.values.zenconn.requests_max};
}

core::result<void> node::start_zenconn() {
  auto* door = doors_.zenconn();
  if (door == nullptr)
    return {};
  if (auto begun = start_records(); !begun)
    return begun;
  return door->start({*topics_, *logins_, broker_->authorizer(),
                      broker_->identity().node, broker_->loops(),
                      records_.get(), audit_.get()});
}

/// Not where workers keep the connections: those at ports of MQTT's own are
/// the agent's, all others are told that it is not served there.
void node::start_mqtt() {
  auto* door = doors_.mqtt();
  if (door == nullptr)
    return;
  clients_ =
      std::make_unique<client_gateway>(broker_->system(), broker_->context());
  door->start({*topics_, *logins_, broker_->authorizer(), *live_rights_,
               broker_->clock(), broker_->identity().node, audit_.get(),
               keys_.get(), clients_.get(),
               [this](const std::string& text) {
                 context_.log.write_limited(log_level::debug, "mqtt", text);
               },
               [this] {
                 return broker_->context().doors.others(broker_->clock().now());
               }});
  broker_->context().doors.set_own(context_.values.mqtt.advertise);
}

void node::start_sys() {
  const auto& from = context_.values.mqtt;
  if (doors_.mqtt() == nullptr || from.sys_interval.count() == 0)
    return;
  sys_ = std::make_unique<sys_publisher>(sys_publisher::parts{
      broker_->topics(),
      *broker_->loops().front(),
      from.realm,
      node_name(),
      from.sys_interval,
      [this] { return sample_for_sys(); },
  });
  sys_->start();
  keys_->set_sys(sys_.get());
}

sys_sample node::sample_for_sys() const {
  const auto& mqtt = doors_.mqtt()->stats();
  const auto net = network_->stats();
  sys_sample now;
  now.clients_ever = mqtt.sessions_ever;
  now.publish_received =
      mqtt.received_qos0 + mqtt.received_qos1 + mqtt.received_qos2;
  now.publish_sent = mqtt.sent_qos0 + mqtt.sent_qos1 + mqtt.sent_qos2;
  now.publish_dropped = mqtt.dropped_slow + mqtt.dropped_queue_full +
                        mqtt.dropped_expired + mqtt.dropped_too_large;
  now.bytes_received = net.bytes_in;
  now.bytes_sent = net.bytes_out;
  now.connections_ever = net.accepted;
  now.clients = mqtt.sessions;
  now.connections = net.open;
  now.subscriptions = mqtt.subscriptions;
  now.log_bytes_waiting = broker_->log().queued_bytes();
  now.store_bytes = broker_->state().stats().used_bytes;
  now.store_health =
      std::max(static_cast<std::uint64_t>(broker_->log().health().level),
               static_cast<std::uint64_t>(broker_->state().health().level));
  return now;
}

core::result<void> node::start_records() {
  const auto& from = context_.values.zenconn;
  session_records_options to;
  if (from.records)
    to.folder = broker_->data_path() / "sessions";
  to.bytes_max = from.records_bytes_max;
  to.cluster = storage::to_string(broker_->identity().cluster);
  to.node = broker_->identity().node;
  to.server = net::identity::make_uuid();
  auto begun = session_records::open(
      storage::posix_file_system(), std::move(to),
      [this](const std::string& text) { write_log("warn", "zenconn", text); });
  if (!begun)
    return core::error{begun.error().code,
                       "records of sessions: " + begun.error().detail};
  records_ = std::move(*begun);
  return {};
}

core::result<void> node::start_workers() {
  if (!workers_)
    return {};
  workers_->start(std::chrono::seconds{30});
  if (const auto why = workers_->not_ready(); !why.empty())
    return core::error{core::errc::unavailable, why};
  return {};
}

} // namespace troupe::app
