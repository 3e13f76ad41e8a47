// SPDX-License-Identifier: Apache-2.0
#include "app/zenconn_metrics.hpp"

namespace troupe::app {

void add_zenconn(metrics_writer& out, const net::zenconn::zenconn_stats& s) {
  out.gauge("troupe_zenconn_sessions", "ZenConn's sessions.", s.sessions);
  out.counter("troupe_zenconn_sessions_total",
              "ZenConn's sessions since the start.", s.sessions_ever);
  out.gauge("troupe_zenconn_rooms",
            "Channels of ZenConn with sessions, one for each loop.", s.rooms);
  out.counter("troupe_zenconn_joins_total", "Channels joined by sessions.",
              s.joins);
  constexpr const char* spoken = "troupe_zenconn_broadcasts_total";
  out.family(spoken, "counter", "Broadcasts taken, by whom they are for.");
  out.sample(spoken, "to", "channel", s.broadcasts);
  out.sample(spoken, "to", "everybody", s.broadcasts_all);
  out.counter("troupe_zenconn_deliveries_total",
              "Events written for ZenConn's sessions.", s.delivered);
  out.counter("troupe_zenconn_delivered_bytes_total",
              "Bytes of them, without the frames' heads.", s.delivered_bytes);
  out.counter("troupe_zenconn_dropped_total",
              "Events that the line to a worker had no room for.",
              s.dropped_line);
  constexpr const char* strangers = "troupe_zenconn_strangers_total";
  out.family(strangers, "counter",
             "Messages that asked for nothing, by what was done with them.");
  out.sample(strangers, "done", "echoed", s.echoed);
  out.sample(strangers, "done", "ignored", s.ignored);
  out.counter("troupe_zenconn_questions_total",
              "Broadcasts that other nodes were asked about.", s.questions);
  out.counter("troupe_zenconn_answers_total",
              "Such questions of other nodes answered.", s.answers);
  out.counter("troupe_zenconn_count_timeouts_total",
              "Broadcasts whose count lacks nodes that did not answer in time.",
              s.count_timeouts);
  constexpr const char* ended = "troupe_zenconn_sessions_ended_total";
  out.family(ended, "counter", "Sessions that were cut, by reason.");
  out.sample(ended, "reason", "slow", s.dropped_slow);
  out.sample(ended, "reason", "rights", s.rights_ended);
  constexpr const char* refused = "troupe_zenconn_refused_total";
  out.family(refused, "counter", "What was refused.");
  out.sample(refused, "what", "login", s.refused_login);
  out.sample(refused, "what", "busy", s.refused_busy);
  out.sample(refused, "what", "join", s.refused_join);
  out.sample(refused, "what", "broadcast", s.refused_broadcast);
}

void add_records(metrics_writer& out, const session_records_stats& s) {
  constexpr const char* noted = "troupe_zenconn_records_total";
  out.family(noted, "counter", "Sessions on record, by what happened to them.");
  out.sample(noted, "what", "opened", s.opened);
  out.sample(noted, "what", "closed", s.closed);
  out.sample(noted, "what", "lost", s.lost);
  out.sample(noted, "what", "refused", s.refused);
  out.counter("troupe_zenconn_records_errors_total",
              "Times that records could not be written.", s.errors);
  out.gauge("troupe_zenconn_records_bytes", "Bytes of records on disk.",
            s.bytes);
}

} // namespace troupe::app
