// SPDX-License-Identifier: Apache-2.0
#include "app/channel_metrics.hpp"

namespace troupe::app {

void add_channels(metrics_writer& out, const net::msgbus::bus_stats& s) {
  out.counter("troupe_msgbus_publishes_total",
              "Messages published at /msgbus/.", s.published);
  out.counter("troupe_msgbus_published_bytes_total", "Bytes of their bodies.",
              s.published_bytes);
  out.gauge("troupe_msgbus_subscribers", "Subscribers at /msgbus/.",
            s.subscribers);
  out.counter("troupe_msgbus_subscriptions_total",
              "Subscriptions at /msgbus/ since the start.", s.subscriptions);
  out.counter("troupe_msgbus_deliveries_total",
              "Messages written for subscribers.", s.delivered);
  out.counter("troupe_msgbus_delivered_bytes_total",
              "Bytes of them, as they were written.", s.delivered_bytes);
  out.counter("troupe_msgbus_filtered_total",
              "Messages that a subscriber's filters kept from it.", s.filtered);
  out.counter("troupe_msgbus_replayed_total",
              "Messages written out of the history.", s.replayed);
  out.counter("troupe_msgbus_polls_total", "Long polls begun.", s.polls);
  out.counter("troupe_msgbus_subscribers_ended_by_rights_total",
              "Subscribers that were ended as they may not listen any more.",
              s.ended_by_rights);
  constexpr const char* dropped = "troupe_msgbus_dropped_total";
  out.family(dropped, "counter",
             "Messages that a subscriber did not get, by reason.");
  out.sample(dropped, "reason", "backlog", s.dropped_backlog);
  out.sample(dropped, "reason", "worker_line", s.dropped_line);
  constexpr const char* refused = "troupe_msgbus_refused_total";
  out.family(refused, "counter", "Requests turned away, by reason.");
  out.sample(refused, "reason", "unauthorized", s.refused_unknown);
  out.sample(refused, "reason", "forbidden", s.refused_denied);
  out.sample(refused, "reason", "bad_request", s.refused_bad);
  out.sample(refused, "reason", "busy", s.refused_busy);
}

} // namespace troupe::app
