// SPDX-License-Identifier: Apache-2.0
#include "app/banner.hpp"

#include "app/version.hpp"

#include <algorithm>

namespace troupe::app {
namespace {

/// An address a client on this machine can use.
endpoint reachable(const endpoint& at) {
  if (!is_wildcard(at))
    return at;
  const bool v6 = at.host.find(':') != std::string::npos;
  return {v6 ? "::1" : "127.0.0.1", at.port};
}

std::string url(const endpoint& at) {
  return "http://" + to_string(reachable(at));
}

std::string row(std::string label, const std::string& value,
                const std::string& note = {}) {
  label.resize(10, ' ');
  std::string line = "  " + label + value;
  if (!note.empty()) {
    line.resize(std::max<std::size_t>(line.size() + 2, 38), ' ');
    line += note;
  }
  return line + '\n';
}

std::string note_of(const cluster_facts& cluster) {
  std::string text = cluster.founded ? "founded " : "member of ";
  text += cluster.id.substr(0, 8) + "…";
  if (!cluster.peers.empty()) {
    text += cluster.peers.size() == 1 ? ", with node " : ", with nodes ";
    for (std::size_t i = 0; i < cluster.peers.size(); ++i)
      text += (i == 0 ? "" : ", ") + std::to_string(cluster.peers[i].value());
  }
  return text;
}

std::string ready_line(const bound_addresses& bound) {
  std::string line = "troupe ready public=" + to_string(bound.public_address);
  if (bound.mq)
    line += " mq=" + to_string(*bound.mq);
  if (bound.tls)
    line += " tls=" + to_string(*bound.tls);
  if (bound.msgbus)
    line += " msgbus=" + to_string(*bound.msgbus);
  if (bound.mqtt)
    line += " mqtt=" + to_string(*bound.mqtt);
  if (bound.mqtts)
    line += " mqtts=" + to_string(*bound.mqtts);
  if (bound.admin)
    line += " admin=" + url(*bound.admin);
  if (bound.cluster)
    line += " cluster=" + to_string(*bound.cluster);
  return line + '\n';
}

/// What the public listener speaks, and where.
std::string spoken(const settings& values) {
  std::string said = "websocket.MQ, also at /mq";
  if (values.msgbus.public_port)
    said += "; channels at /msgbus/";
  if (values.zenconn.enabled)
    said += "; ZenConn at /";
  if (values.mqtt.enabled && values.workers.count == 0)
    said += "; MQTT, also at /mqtt";
  return said;
}

} // namespace

std::vector<std::string> security_notices(const settings& values,
                                          const bound_addresses& bound) {
  std::vector<std::string> notices;
  const auto open = [](const endpoint& at) { return !is_loopback(at); };
  const bool mq_open = bound.mq && open(*bound.mq);
  if (open(bound.public_address) || mq_open)
    notices.push_back(
        to_string(mq_open ? *bound.mq : bound.public_address) +
        " can be reached from the network without TLS: device names, which "
        "are the credentials, and messages pass in clear text. Set listen.tls "
        "or put a proxy in front.");
  if (bound.mqtt && open(*bound.mqtt))
    notices.push_back(to_string(*bound.mqtt) +
                      " can be reached from the network without TLS: MQTT's "
                      "passwords and messages pass in clear text. Set "
                      "listen.mqtts instead.");
  const bool channels_open = ((values.msgbus.public_port ||
                               values.zenconn.enabled || values.mqtt.enabled) &&
                              open(bound.public_address)) ||
                             (bound.msgbus && open(*bound.msgbus)) ||
                             (bound.mqtt && open(*bound.mqtt)) ||
                             (bound.mqtts && open(*bound.mqtts));
  if (channels_open && values.auth.anonymous == core::anonymous_policy::allow)
    notices.emplace_back(
        "topics can be reached from the network, and strangers may do there "
        "what auth.grants says: name less there, or leave auth.anonymous at "
        "loopback.");
  if (bound.admin && open(*bound.admin))
    notices.push_back("the admin interface at " + to_string(*bound.admin) +
                      " can be reached from the network; its token passes in "
                      "clear text.");
  if (bound.cluster && open(*bound.cluster) && values.cluster.tls_ca.empty())
    notices.push_back(
        "the links between nodes at " + to_string(*bound.cluster) +
        " are not encrypted: use them on a private network only, or set "
        "cluster.tls_certificate, cluster.tls_key and cluster.tls_ca.");
  if (values.listen.proxy_protocol == proxy_protocol_mode::required &&
      values.listen.trusted_proxies.empty())
    notices.emplace_back("listen.proxy_protocol believes every peer; name the "
                         "proxies in listen.trusted_proxies.");
  return notices;
}

std::string banner_text(const settings& values, const bound_addresses& bound,
                        const node_facts& node) {
  std::string out = "Troupe " + std::string{version()} + " (" +
                    std::string{commit()} + ")\n\n";
  out += row("public", to_string(bound.public_address), spoken(values));
  if (bound.mq)
    out += row("mq", to_string(*bound.mq), "websocket.MQ");
  if (bound.tls)
    out += row("tls", to_string(*bound.tls), "the same as public, inside TLS");
  if (bound.msgbus)
    out += row("msgbus", to_string(*bound.msgbus), "channels at /msgbus/");
  if (bound.mqtt)
    out += row("mqtt", to_string(*bound.mqtt), "MQTT");
  if (bound.mqtts)
    out += row("mqtts", to_string(*bound.mqtts), "MQTT inside TLS");
  if (const auto count = values.workers.count; count > 0)
    out +=
        row("workers", std::to_string(count),
            count == 1 ? "process serves clients" : "processes serve clients");
  if (bound.admin)
    out += row("admin", url(*bound.admin),
               node.asks_for_admin_token ? "asks for a token" : "no token");
  if (bound.cluster && node.cluster)
    out += row("cluster", to_string(*bound.cluster), note_of(*node.cluster));
  out += row("node", std::to_string(node.id.value()) + ' ' + node.name);
  out += row("data", node.data);

  for (const auto& notice : security_notices(values, bound))
    out += "\n  WARNING: " + notice + '\n';

  const auto server = reachable(bound.public_address);
  out += "\n  Try next, in another terminal:\n"
         "    " +
         node.command + " post --server " + to_string(server) +
         " --as alice --device laptop --create --to alice hello\n\n";
  return out + ready_line(bound);
}

} // namespace troupe::app
