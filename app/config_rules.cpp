// SPDX-License-Identifier: Apache-2.0
#include "app/config.hpp"
#include "app/value_text.hpp"

#include <fstream>

namespace troupe::app {
namespace {

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
    check_times();
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
  std::ifstream in{path};
  std::string token;
  std::getline(in, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  if (token.empty())
    return core::error{core::errc::invalid_config,
                       "admin.token_file: no token in " + path};
  return token;
}

} // namespace troupe::app
