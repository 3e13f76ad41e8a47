// SPDX-License-Identifier: Apache-2.0
#include "app/rights_metrics.hpp"

#include <string>

namespace troupe::app {
namespace {

template <class Counters>
void by_reason(metrics_writer& out, const char* name, const char* help,
               const Counters& counters) {
  out.family(name, "counter", help);
  for (const auto why : core::deny_reasons_all)
    out.sample(name, "reason", std::string{core::to_string(why)},
               counters[static_cast<std::size_t>(why)].load());
}

} // namespace

void add_rights(metrics_writer& out, const core::rights_stats& stats,
                const net::identity::node_authenticator& logins) {
  out.counter("troupe_auth_logins_total",
              "Clients that were let in by what they showed, or without.",
              stats.logins[0]);
  by_reason(out, "troupe_auth_logins_refused_total",
            "Clients that were not let in.", stats.logins);
  by_reason(out, "troupe_auth_denied_total",
            "Things that a session was not permitted to do.",
            stats.checks_denied);
  by_reason(out, "troupe_auth_sessions_ended_total",
            "Sessions ended because they may not go on.", stats.sessions_ended);
  out.counter("troupe_auth_messages_blocked_total",
              "Copies of messages that went nowhere: their recipient has "
              "blocked the sender.",
              stats.messages_blocked);
  out.counter("troupe_auth_compilations_total",
              "Times the rights of a session were made ready anew.",
              stats.compilations);
  out.gauge("troupe_auth_passwords_waiting",
            "Passwords that wait to be checked.", logins.hashes_waiting());
}

} // namespace troupe::app
