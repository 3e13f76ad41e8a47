// SPDX-License-Identifier: Apache-2.0
#include "actors/door_board.hpp"
#include "app/config.hpp"
#include "app/value_text.hpp"
#include "net/identity/scram_verifier.hpp"

#include <fstream>

namespace troupe::app {
namespace {

constexpr std::size_t cluster_secret_bytes_min = 16;

/// The first line of a file that holds a secret.
std::string first_line(const std::string& path) {
  std::ifstream in{path};
  std::string text;
  std::getline(in, text);
  while (!text.empty() && (text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

/// Collects complaints, each placed where the value came from.
class rules {
public:
  rules(const settings& values, const std::vector<value_origin>& origins)
      : values_(values), origins_(origins) {}

  void require(bool holds, std::string_view name, std::string text) {
    if (holds)
      return;
    const auto* row = find_setting(name);
    TROUPE_ASSERT(row != nullptr, "a rule names a setting that is not there");
    problems_.push_back({origins_[index_of(*row)].place,
                         std::string{name} + ": " + std::move(text)});
  }

  std::vector<config_problem> check() {
    check_node();
    check_listeners();
    check_sizes();
    check_channels();
    check_zenconn();
    check_mqtt();
    check_audit();
    check_times();
    check_cluster();
    check_auth();
    return std::move(problems_);
  }

private:
  void check_node() {
    require(!values_.node.data.empty(), "node.data", "must name a folder");
  }

  void check_listeners() {
    const auto& tls = values_.tls;
    if (values_.listen.tls) {
      require(!tls.certificate.empty(), "tls.certificate",
              "listen.tls needs a certificate");
      require(!tls.key.empty(), "tls.key", "listen.tls needs a private key");
    }
    const auto& admin = values_.admin;
    require(admin.token.empty() || admin.token_file.empty(), "admin.token_file",
            "give either admin.token or a file, not both");
    const bool open = admin.token.empty() && admin.token_file.empty();
    require(is_loopback(values_.listen.admin) || !open, "listen.admin",
            to_string(values_.listen.admin) +
                " can be reached from the network: set admin.token or "
                "admin.token_file, or listen on 127.0.0.1");
    for (const auto& each : values_.listen.trusted_proxies) {
      const auto network = check_network(each);
      require(network.has_value(), "listen.trusted_proxies",
              network ? "" : network.error().detail);
    }
    require(values_.listen.proxy_protocol != proxy_protocol_mode::optional ||
                !values_.listen.trusted_proxies.empty(),
            "listen.trusted_proxies",
            "with listen.proxy_protocol = \"optional\" anybody could forge an "
            "address; name the proxies");
  }

  void check_channels() {
    const auto& msgbus = values_.msgbus;
    require(msgbus.password.empty() || msgbus.password_file.empty(),
            "msgbus.password_file",
            "give either msgbus.password or a file, not both");
    require(!msgbus.realm.empty(), "msgbus.realm", "must name a realm");
    const auto output = values_.listen.output_bytes_max;
    // Below mq.message_bytes_max it is another rule's matter.
    require(output < values_.mq.message_bytes_max ||
                output >= msgbus.message_bytes_max + msgbus.backlog_bytes_max,
            "listen.output_bytes_max",
            "is below msgbus.message_bytes_max and msgbus.backlog_bytes_max "
            "together: a large message would cut subscribers off");
  }

  void check_zenconn() {
    const auto& zenconn = values_.zenconn;
    require(zenconn.secret.empty() || zenconn.secret_file.empty(),
            "zenconn.secret_file",
            "give either zenconn.secret or a file, not both");
    require(!zenconn.realm.empty(), "zenconn.realm", "must name a realm");
    require(zenconn.backlog_bytes_max >= zenconn.message_bytes_max,
            "zenconn.backlog_bytes_max",
            "is below zenconn.message_bytes_max: one message would cut others "
            "off");
  }

  void check_mqtt() {
    const auto& mqtt = values_.mqtt;
    require(!mqtt.realm.empty(), "mqtt.realm", "must name a realm");
    require(actors::is_door_text(mqtt.advertise), "mqtt.advertise",
            "is a HOST:PORT of printable ASCII without blanks");
    require(mqtt.keep_alive_max.count() % 1000 == 0, "mqtt.keep_alive_max",
            "is finer than seconds");
    require(mqtt.session_expiry_max.count() % 1000 == 0,
            "mqtt.session_expiry_max", "is finer than seconds");
    require(!values_.listen.mqtts ||
                (!values_.tls.certificate.empty() && !values_.tls.key.empty()),
            "listen.mqtts", "needs tls.certificate and tls.key");
    require(mqtt.enabled || (!values_.listen.mqtt && !values_.listen.mqtts),
            "mqtt.enabled", "is off, though MQTT has an address");
  }

  void check_audit() {
    const auto& audit = values_.audit;
    require(audit.keep_bytes >= audit.segment_bytes, "audit.keep_bytes",
            "is below audit.segment_bytes: nothing but the file that is "
            "written to could be kept");
  }

  void check_sizes() {
    const auto message = values_.mq.message_bytes_max;
    require(values_.mq.ping_bytes_max <= message, "mq.ping_bytes_max",
            "is above mq.message_bytes_max");
    require(values_.inbox.bytes_max >= message, "inbox.bytes_max",
            "is below mq.message_bytes_max: the largest message would never "
            "fit");
    require(values_.listen.output_bytes_max >= message,
            "listen.output_bytes_max",
            "is below mq.message_bytes_max: the largest message could never "
            "be sent");
    // A message and its recipients are one write of the log, which may fill
    // a third of a segment.
    require(values_.storage.segment_bytes / 3 >= message + (256ULL << 10),
            "mq.message_bytes_max",
            "is too large for storage.segment_bytes: a third of one must "
            "hold a message and 256KiB");
    const auto quota = values_.storage.quota_bytes;
    require(quota == 0 || quota >= 4 * values_.storage.segment_bytes,
            "storage.quota_bytes", "leaves no room for four log segments");
  }

  void check_times() {
    const auto& ws = values_.ws;
    require(ws.idle_timeout.count() == 0 ||
                (ws.ping_interval.count() != 0 &&
                 ws.ping_interval < ws.idle_timeout),
            "ws.ping_interval",
            "must be above 0 and below ws.idle_timeout, or a quiet client "
            "would be cut off");
    const auto& inbox = values_.inbox;
    require(inbox.user_inactive_after.count() == 0 ||
                inbox.device_inactive_after <= inbox.user_inactive_after,
            "inbox.user_inactive_after",
            "is below inbox.device_inactive_after");
  }

  void check_cluster() {
    const auto& cluster = values_.cluster;
    require(cluster.join.empty() || cluster.listen, "cluster.join",
            "a node that joins others must be reachable by them: set "
            "cluster.listen (--cluster-listen HOST:PORT)");
    for (const auto& each : cluster.join)
      require_address(each, "cluster.join");
    if (!cluster.advertise.empty())
      require_address(cluster.advertise, "cluster.advertise");
    require(cluster.secret.empty() || cluster.secret_file.empty(),
            "cluster.secret_file",
            "give either cluster.secret or a file, not both");
    require(cluster.secret.empty() ||
                cluster.secret.size() >= cluster_secret_bytes_min,
            "cluster.secret", "is shorter than 16 characters");
    require(!cluster.listen || !cluster.secret.empty() ||
                !cluster.secret_file.empty(),
            "cluster.listen",
            "needs a secret that all nodes share: set cluster.secret_file, or "
            "TROUPE_CLUSTER__SECRET in the environment");
    if (cluster.listen) {
      const auto& host = cluster.listen->host;
      require(is_address(host), "cluster.listen",
              "'" + host +
                  "' is a name; an address of this machine is wanted "
                  "(cluster.advertise may be a name)");
    }
    const bool certificate = !cluster.tls_certificate.empty();
    const bool key = !cluster.tls_key.empty();
    const bool authority = !cluster.tls_ca.empty();
    require(certificate == key && key == authority, "cluster.tls_certificate",
            "links with TLS need all of cluster.tls_certificate, "
            "cluster.tls_key and cluster.tls_ca");
  }

  void check_auth() {
    const auto& auth = values_.auth;
    for (const auto& each : auth.grants) {
      const auto parsed = core::grant::parse(each);
      require(parsed.has_value(), "auth.grants",
              parsed ? "" : core::to_string(parsed.error()));
    }
    require(auth.jwt_secret.empty() || auth.jwt_secret_file.empty(),
            "auth.jwt_secret_file",
            "give either auth.jwt_secret or a file, not both");
    require(auth.scram_iterations == 0 ||
                auth.scram_iterations >= net::identity::scram_iterations_min,
            "auth.scram_iterations",
            "is 0, or at least 4096: fewer are not served (RFC 7677)");
    require(!auth.jwt_user_claim.empty(), "auth.jwt_user_claim",
            "must name a claim");
  }

  void require_address(const std::string& text, std::string_view name) {
    const auto where = parse_endpoint(text);
    require(where.has_value(), name, where ? "" : where.error().detail);
    require(!where || (where->port != 0 && !is_wildcard(*where)), name,
            "'" + text + "' is nothing that can be connected to");
  }

  const settings& values_;
  const std::vector<value_origin>& origins_;
  std::vector<config_problem> problems_;
};

} // namespace

std::vector<config_problem>
check_together(const settings& values,
               const std::vector<value_origin>& origins) {
  return rules{values, origins}.check();
}

core::result<std::string> admin_token(const settings& values) {
  const auto& path = values.admin.token_file;
  if (path.empty())
    return values.admin.token;
  auto token = first_line(path);
  if (token.empty())
    return core::error{core::errc::invalid_config,
                       "admin.token_file: no token in " + path};
  return token;
}

core::result<std::string> jwt_secret(const settings& values) {
  const auto& path = values.auth.jwt_secret_file;
  if (path.empty())
    return values.auth.jwt_secret;
  auto secret = first_line(path);
  if (secret.empty())
    return core::error{core::errc::invalid_config,
                       "auth.jwt_secret_file: no secret in " + path};
  return secret;
}

core::result<std::string> channel_password(const settings& values) {
  const auto& path = values.msgbus.password_file;
  if (path.empty())
    return values.msgbus.password;
  auto password = first_line(path);
  if (password.empty())
    return core::error{core::errc::invalid_config,
                       "msgbus.password_file: no password in " + path};
  return password;
}

core::result<std::string> zenconn_secret(const settings& values) {
  const auto& path = values.zenconn.secret_file;
  if (path.empty())
    return values.zenconn.secret;
  auto secret = first_line(path);
  if (secret.empty())
    return core::error{core::errc::invalid_config,
                       "zenconn.secret_file: no secret in " + path};
  return secret;
}

core::result<std::string> audit_key(const settings& values) {
  const auto& path = values.audit.key_file;
  if (path.empty())
    return std::string{};
  auto key = first_line(path);
  if (key.empty())
    return core::error{core::errc::invalid_config,
                       "audit.key_file: no key in " + path};
  return key;
}

core::result<std::string> cluster_secret(const settings& values) {
  const auto& path = values.cluster.secret_file;
  if (path.empty())
    return values.cluster.secret;
  auto secret = first_line(path);
  if (secret.size() < cluster_secret_bytes_min)
    return core::error{core::errc::invalid_config,
                       "cluster.secret_file: " + path +
                           (secret.empty() ? ": no secret in it"
                                           : ": the secret is shorter than 16 "
                                             "characters")};
  return secret;
}

} // namespace troupe::app
