// SPDX-License-Identifier: Apache-2.0
#include "app/mqtt_metrics.hpp"

namespace troupe::app {

void add_mqtt(metrics_writer& out, const net::mqtt::mqtt_stats& s) {
  out.gauge("troupe_mqtt_sessions", "MQTT's sessions.", s.sessions);
  out.counter("troupe_mqtt_sessions_total", "MQTT's sessions since the start.",
              s.sessions_ever);
  out.gauge("troupe_mqtt_subscriptions", "Subscriptions of these.",
            s.subscriptions);
  constexpr const char* received = "troupe_mqtt_received_total";
  out.family(received, "counter", "Publications of clients, by QoS.");
  out.sample(received, "qos", "0", s.received_qos0);
  out.sample(received, "qos", "1", s.received_qos1);
  out.sample(received, "qos", "2", s.received_qos2);
  out.counter("troupe_mqtt_received_bytes_total", "Bytes of their payloads.",
              s.received_bytes);
  out.counter("troupe_mqtt_repeated_total",
              "Of those of QoS 2: had been received before.", s.repeated);
  constexpr const char* sent = "troupe_mqtt_sent_total";
  out.family(sent, "counter", "Publications sent to clients, by QoS.");
  out.sample(sent, "qos", "0", s.sent_qos0);
  out.sample(sent, "qos", "1", s.sent_qos1);
  out.sample(sent, "qos", "2", s.sent_qos2);
  out.counter("troupe_mqtt_sent_bytes_total", "Bytes of them, as packets.",
              s.sent_bytes);
  out.counter("troupe_mqtt_queued_total",
              "Messages of QoS 1 and 2 that had to wait for a client.",
              s.queued);
  constexpr const char* dropped = "troupe_mqtt_dropped_total";
  out.family(dropped, "counter",
             "Messages that a client did not get, by reason.");
  out.sample(dropped, "reason", "slow", s.dropped_slow);
  out.sample(dropped, "reason", "queue_full", s.dropped_queue_full);
  out.sample(dropped, "reason", "expired", s.dropped_expired);
  out.sample(dropped, "reason", "too_large", s.dropped_too_large);
  constexpr const char* refused = "troupe_mqtt_refused_total";
  out.family(refused, "counter", "What was refused.");
  out.sample(refused, "what", "login", s.refused_login);
  out.sample(refused, "what", "busy", s.refused_busy);
  out.sample(refused, "what", "protocol", s.refused_protocol);
  out.sample(refused, "what", "subscribe", s.refused_subscribe);
  out.sample(refused, "what", "publish", s.refused_publish);
  constexpr const char* ended = "troupe_mqtt_sessions_ended_total";
  out.family(ended, "counter", "Sessions that the node has ended, by reason.");
  out.sample(ended, "reason", "protocol", s.ended_protocol);
  out.sample(ended, "reason", "keep_alive", s.ended_keep_alive);
  out.sample(ended, "reason", "taken_over", s.ended_taken_over);
  out.sample(ended, "reason", "rights", s.ended_rights);
  out.sample(ended, "reason", "slow", s.ended_slow);
  out.counter("troupe_mqtt_retained_sent_total",
              "Retained messages sent to clients that have subscribed.",
              s.retained_sent);
  out.counter("troupe_mqtt_retained_superseded_total",
              "Those not sent, since a newer one had been.",
              s.retained_superseded);
  out.counter("troupe_mqtt_retained_incomplete_total",
              "Subscriptions that may have missed some: a shard or a node did "
              "not answer in time.",
              s.retained_incomplete);
  constexpr const char* unkept = "troupe_mqtt_unkept_total";
  out.family(unkept, "counter",
             "Publications that could not be retained, by reason.");
  out.sample(unkept, "reason", "quota", s.unkept_quota);
  out.sample(unkept, "reason", "invalid", s.unkept_invalid);
  out.sample(unkept, "reason", "late", s.unkept_late);
  out.sample(unkept, "reason", "busy", s.unkept_busy);
  out.counter("troupe_mqtt_wills_total", "Wills published.", s.wills);
}

void add_mqtt_sessions(metrics_writer& out, const actors::broker_stats& s) {
  out.gauge("troupe_mqtt_clients", "Clients that have a session in the broker.",
            s.clients_open);
  out.gauge("troupe_mqtt_clients_lasting",
            "Of those: their sessions outlive their connections.",
            s.clients_lasting);
  out.gauge("troupe_mqtt_names",
            "Clients without a session that stays, at any node, whose "
            "identifiers are kept here.",
            s.client_names);
  out.counter("troupe_mqtt_names_refused_total",
              "Clients refused because a shard led here had too many.",
              s.client_names_refused);
  out.counter("troupe_mqtt_name_frames_unsent_total",
              "Frames about identifiers that found no room in a link.",
              s.name_frames_unsent);
  out.counter("troupe_mqtt_name_frames_unusable_total",
              "Frames about identifiers that could not be read.",
              s.name_frames_unusable);
  out.counter("troupe_mqtt_taken_over_total",
              "Connections ended by another one of their client identifier, of "
              "sessions led here.",
              s.clients_taken_over);
  out.counter("troupe_mqtt_freed_total",
              "Sessions led here whose connection was gone without a word.",
              s.clients_freed);
  out.counter("troupe_mqtt_reopened_total",
              "Sessions that were given up though their client was there.",
              s.clients_reopened);
  out.counter("troupe_mqtt_kept_ended_total",
              "Sessions led here that have expired, with their routes.",
              s.sessions_ended);
  out.counter("troupe_mqtt_queueing_total",
              "Publications to be queued for sessions.", s.publications_queued);
  out.counter("troupe_mqtt_queueing_refused_total",
              "Of those: not safe for all of them.", s.publications_refused);
  out.counter("troupe_mqtt_queueing_overflow_total",
              "Publications not queued because too many were under way.",
              s.publications_overflow);
  out.counter("troupe_mqtt_queued_copies_total",
              "Queued publications, a session each.", s.queued_copies);
  out.counter("troupe_mqtt_queued_lost_total",
              "Of those: lost to a session whose queue was full.",
              s.queued_copies_lost);
}

} // namespace troupe::app
