// SPDX-License-Identifier: Apache-2.0
// Liveness, readiness and metrics.
#include "app/admin.hpp"
#include "app/audit_metrics.hpp"
#include "app/channel_metrics.hpp"
#include "app/key_metrics.hpp"
#include "app/metrics_text.hpp"
#include "app/mqtt_metrics.hpp"
#include "app/rights_metrics.hpp"
#include "app/topics_metrics.hpp"
#include "app/zenconn_metrics.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>
#include <unistd.h>

namespace troupe::app {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void add_broker(metrics_writer& out, const actors::broker_stats& s) {
  out.gauge("troupe_sessions", "Sessions open now.", s.sessions_open);
  out.counter("troupe_sessions_opened_total", "Sessions opened.",
              s.sessions_opened);
  out.counter("troupe_logins_total", "Successful logins.", s.logins);
  out.counter("troupe_logins_sent_away_total",
              "Logins refused because this node was draining.",
              s.logins_sent_away);
  out.counter("troupe_logins_failed_total", "Refused logins.", s.logins_failed);
  out.counter("troupe_posts_total", "Posts asked for.", s.posts);
  out.counter("troupe_posts_accepted_total",
              "Posts that are durable for all recipients they reached.",
              s.posts_accepted);
  out.counter("troupe_posts_refused_total", "Posts refused as a whole.",
              s.posts_refused);
  out.counter("troupe_recipients_failed_total",
              "Recipients a post did not reach.", s.recipients_failed);
  out.counter("troupe_deliveries_total", "Deliveries handed to sessions.",
              s.deliveries);
  out.counter("troupe_deliveries_acknowledged_total",
              "Deliveries acknowledged by clients.", s.acknowledged);
  out.counter("troupe_messages_expired_total",
              "Deliveries dropped because their time to live had ended.",
              s.messages_expired);
  out.counter("troupe_messages_dropped_total",
              "Messages lost because their inbox was full and drops the "
              "oldest.",
              s.messages_dropped);
  out.counter("troupe_messages_unreadable_total",
              "Stored messages that could not be decoded.",
              s.unreadable_messages);
  out.counter("troupe_requests_timed_out_total",
              "Requests between actors without an answer in time.",
              s.requests_timed_out);
  out.counter("troupe_proposals_refused_total",
              "Commands refused for lack of room in log or storage.",
              s.requests_refused_overloaded);
  out.counter("troupe_requests_refused_in_flight_total",
              "Commands refused because too many of this node wait for their "
              "group's leader.",
              s.requests_refused_in_flight);
  out.counter("troupe_commands_applied_total", "Commands applied.",
              s.commands_applied);
  out.counter("troupe_commands_duplicate_total",
              "Commands recognised as applied before.", s.commands_duplicate);
  out.counter("troupe_proposals_repeated_total",
              "Commands asked again because there was no leader just then.",
              s.proposals_repeated);
  out.gauge("troupe_inbox_actors", "Inbox actors alive.", s.inbox_actors);
  out.gauge("troupe_list_actors", "List actors alive.", s.list_actors);
}

void add_replication(metrics_writer& out, const actors::broker_stats& s) {
  out.counter("troupe_group_frames_sent_total",
              "Frames sent to replicas on other nodes.", s.group_frames_sent);
  out.counter("troupe_group_frames_unsent_total",
              "Frames dropped: no link, or no room in it.",
              s.group_frames_unsent);
  out.counter("troupe_group_frames_received_total",
              "Frames from replicas on other nodes.", s.group_frames_received);
  out.counter("troupe_group_frames_unusable_total",
              "Frames that were damaged or of an unknown kind.",
              s.group_frames_unusable);
  out.counter("troupe_leaderships_won_total", "Elections won.",
              s.leaderships_won);
  out.counter("troupe_leaderships_lost_total", "Leaderships lost or given up.",
              s.leaderships_lost);
  out.counter("troupe_leaderships_given_total",
              "Leaderships handed to another node.", s.leaderships_given);
  out.histogram("troupe_commit_seconds",
                "From a proposal to a majority's disks, of groups led here; "
                "a sample of the proposals.",
                s.commit_times);
  out.counter("troupe_member_changes_total",
              "Changes of the members of groups led here.", s.member_changes);
  out.counter("troupe_nodes_replaced_total",
              "Nodes whose share this node gave to others because they were "
              "gone for longer than cluster.replace_after.",
              s.nodes_replaced);
  out.counter("troupe_snapshots_sent_total",
              "Snapshots installed by followers.", s.snapshots_sent);
  out.counter("troupe_snapshots_unsent_total",
              "Snapshots given up, or without a place among the transfers.",
              s.snapshots_unsent);
  out.counter("troupe_snapshots_installed_total", "Snapshots installed here.",
              s.snapshots_installed);
  out.counter("troupe_snapshots_refused_total",
              "Snapshots refused here, or broken off.", s.snapshots_refused);
  out.counter("troupe_snapshot_sent_bytes_total", "Bytes of snapshots sent.",
              s.snapshot_bytes_sent);
  out.counter("troupe_snapshot_received_bytes_total",
              "Bytes of snapshots received.", s.snapshot_bytes_received);
  out.counter("troupe_snapshot_rewinds_total",
              "Times a part of a snapshot was sent again.", s.snapshot_rewinds);
}

void add_attachments(metrics_writer& out, const actors::broker_stats& s) {
  out.gauge("troupe_remote_inboxes",
            "Sessions here that are attached to inboxes of other nodes.",
            s.remote_inboxes);
  out.gauge("troupe_remote_sessions",
            "Sessions of other nodes that are attached to inboxes here.",
            s.remote_sessions);
  out.counter("troupe_sessions_released_total",
              "Times a session lost the leader of its inbox.",
              s.sessions_released);
  out.counter("troupe_sessions_reattached_total",
              "Times a session found its inbox again.", s.sessions_reattached);
  out.counter("troupe_attaches_repeated_total",
              "Times a session asked again: there was no leader just then.",
              s.attaches_repeated);
  out.counter("troupe_attachments_made_total",
              "Attachments of sessions to inboxes of other nodes, both ways.",
              s.attachments_made);
  out.counter("troupe_attachments_lost_total",
              "Attachments that ended with their link.", s.attachments_lost);
  out.counter("troupe_attachments_unknown_total",
              "Frames for an attachment that is none any more.",
              s.attachments_unknown);
  out.counter("troupe_attachment_frames_sent_total",
              "Frames between sessions and inboxes of other nodes, sent.",
              s.attachment_frames_sent);
  out.counter("troupe_attachment_frames_received_total",
              "Frames between sessions and inboxes of other nodes, received.",
              s.attachment_frames_received);
  out.counter("troupe_attachment_frames_put_off_total",
              "Such frames that waited: the link had no room.",
              s.attachment_frames_put_off);
  out.counter("troupe_attachment_frames_unusable_total",
              "Such frames that were damaged or of an unknown kind.",
              s.attachment_frames_unusable);
  out.counter("troupe_claims_kept_total",
              "Messages for one device kept for a session that may come back.",
              s.claims_kept);
}

void add_storage(metrics_writer& out, broker& engine) {
  const auto log = engine.log().stats();
  out.counter("troupe_log_syncs_total", "Batches written and flushed.",
              log.batches);
  out.counter("troupe_log_entries_total", "Log entries written.", log.entries);
  out.counter("troupe_log_bytes_total", "Bytes written, padding included.",
              log.bytes);
  out.gauge("troupe_log_queued_bytes", "Bytes waiting for the disk.",
            engine.log().queued_bytes());
  out.gauge("troupe_log_segments", "Segments in use.",
            log.last_segment - log.first_segment + 1);
  const auto state = engine.state().stats();
  out.counter("troupe_state_commits_total", "Commits of the tables.",
              state.commits);
  out.counter("troupe_state_commits_failed_total",
              "Commits put off for lack of space.", state.commits_failed);
  out.counter("troupe_state_puts_total", "Records written to the tables.",
              state.puts);
  out.counter("troupe_state_erases_total", "Records erased from the tables.",
              state.erases);
  out.counter("troupe_state_elided_total",
              "Records that came and went between two commits.", state.elided);
  out.gauge("troupe_state_used_bytes", "Bytes the tables use on disk.",
            state.used_bytes);
  out.gauge("troupe_state_backlog_bytes", "Bytes waiting for a commit.",
            engine.state().backlog_bytes());
  out.gauge(
      "troupe_storage_health",
      "0 room enough, 1 low, 2 full (the worse of log and tables).",
      std::max(static_cast<std::uint64_t>(engine.log().health().level),
               static_cast<std::uint64_t>(engine.state().health().level)));
}

void add_network(metrics_writer& out, const net::net_stats& s) {
  out.gauge("troupe_connections", "Connections open now.", s.open);
  out.counter("troupe_connections_accepted_total", "Connections accepted.",
              s.accepted);
  out.counter("troupe_received_bytes_total", "Bytes read.", s.bytes_in);
  out.counter("troupe_sent_bytes_total", "Bytes written.", s.bytes_out);
  out.counter("troupe_protocol_errors_total",
              "Connections cut for bytes without sense.", s.protocol_errors);
  out.counter("troupe_protocol_closes_total",
              "Connections a protocol has ended.", s.protocol_closes);
  out.counter("troupe_tls_handshakes_total", "TLS handshakes done.",
              s.tls_handshakes);
  out.counter("troupe_tls_failures_total", "TLS handshakes failed.",
              s.tls_failures);
  out.counter("troupe_socket_errors_total", "Connections lost by an error.",
              s.socket_errors);
  out.counter("troupe_slow_clients_cut_total",
              "Connections cut because the client did not read.",
              s.dropped_slow);
  out.family("troupe_connections_refused_total", "counter",
             "Connections refused, by reason.");
  for (std::size_t i = 0; i < net::refusal_count; ++i)
    out.sample("troupe_connections_refused_total", "reason",
               net::to_string(static_cast<net::refusal>(i)), s.refused[i]);
}

/// "wrong cluster secret" as a label.
std::string label_of(actors::links::refusal_code code) {
  std::string text{actors::links::to_string(code)};
  for (auto& c : text)
    c = c == ' '
            ? '_'
            : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

void add_workers(metrics_writer& out,
                 const std::vector<workers::worker_view>& views) {
  out.family("troupe_workers", "gauge", "Workers by state.");
  for (std::size_t i = 0; i < workers::worker_state_count; ++i) {
    const auto state = static_cast<workers::worker_state>(i);
    const auto count =
        std::count_if(views.begin(), views.end(),
                      [&](const auto& v) { return v.process.state == state; });
    out.sample("troupe_workers", "state", workers::to_string(state),
               static_cast<std::uint64_t>(count));
  }
  const auto each = [&](const char* name, const char* type, const char* help,
                        auto value) {
    out.family(name, type, help);
    for (const auto& v : views)
      out.sample(name, "worker", std::to_string(v.process.worker), value(v));
  };
  each("troupe_worker_restarts_total", "counter",
       "Processes started in place of one that had ended.",
       [](const auto& v) { return v.process.restarts; });
  each("troupe_worker_connections", "gauge",
       "Connections open now in a worker.",
       [](const auto& v) { return v.connections; });
  each("troupe_worker_words_waiting", "gauge",
       "Words on the way to a worker that its line had no room for.",
       [](const auto& v) { return v.words_waiting; });
}

void add_cluster(metrics_writer& out, broker& engine) {
  auto* member = engine.cluster();
  if (member == nullptr)
    return;
  const auto& context = engine.context();
  const auto self = engine.identity().node;
  std::uint64_t led = 0;
  std::uint64_t leaderless = 0;
  std::uint64_t lag = 0;
  for (std::uint16_t g = 0; g <= context.options.shards; ++g) {
    const auto leader = context.leader_of(core::group_id{g});
    const auto& view = context.views[g];
    led += leader == self ? 1U : 0U;
    leaderless += member->part_in(core::group_id{g}) ==
                          cluster_member::group_part::leaderless
                      ? 1U
                      : 0U;
    lag = std::max(lag, view.lag.load());
  }
  out.gauge("troupe_group_moves",
            "Nodes that groups led here are being copied to.",
            context.moves.under_way());
  out.gauge("troupe_groups_led", "Groups this node leads.", led);
  out.gauge("troupe_groups_without_leader",
            "Groups kept here that have no leader as far as is known.",
            leaderless);
  out.gauge("troupe_group_lag_entries",
            "Entries that the slowest follower of a group led here lacks.",
            lag);
  const auto links = member->links().stats();
  out.family("troupe_links_refused_total", "counter",
             "Conversations at the cluster port, and with it, that ended "
             "without a link, by reason.");
  for (std::size_t i = 1; i < actors::links::refusal_codes; ++i)
    out.sample("troupe_links_refused_total", "reason",
               label_of(static_cast<actors::links::refusal_code>(i)),
               links.refused.at(i));
  out.gauge("troupe_link_conversations",
            "Connections to the cluster port that have not proven anything "
            "yet.",
            links.conversations);
  out.counter("troupe_link_frames_swallowed_total",
              "Frames of linked peers that were no envelopes of ours; a few "
              "belong to every greeting.",
              links.swallowed);
  const auto peers = member->links().peers();
  const auto each = [&](const char* name, const char* type, const char* help,
                        auto value) {
    out.family(name, type, help);
    for (const auto& peer : peers)
      out.sample(name, "peer", std::to_string(peer.node.value()), value(peer));
  };
  each("troupe_link_up", "gauge", "1 if the link to the peer is up.",
       [](const auto& p) {
         return std::uint64_t{p.state == actors::links::peer_state::up};
       });
  each("troupe_link_round_trip_microseconds", "gauge",
       "Round trip of beats, smoothed.", [](const auto& p) {
         return static_cast<std::uint64_t>(p.round_trip.count());
       });
  each("troupe_link_received_bytes_total", "counter", "Bytes received.",
       [](const auto& p) { return p.bytes_in; });
  each("troupe_link_sent_bytes_total", "counter", "Bytes sent.",
       [](const auto& p) { return p.bytes_out; });
  each("troupe_link_queued_bytes", "gauge", "Bytes waiting for the peer.",
       [](const auto& p) {
         return p.lane[0].queued_bytes + p.lane[1].queued_bytes;
       });
  each("troupe_link_dropped_total", "counter",
       "Messages that did not reach the peer.", [](const auto& p) {
         std::uint64_t all = 0;
         for (const auto count : p.dropped)
           all += count;
         return all;
       });
}

void add_loops(metrics_writer& out, broker& engine) {
  const auto loops = engine.loops();
  const auto each = [&](const char* name, const char* type, const char* help,
                        auto value) {
    out.family(name, type, help);
    for (const auto* loop : loops)
      out.sample(name, "loop", std::to_string(loop->index()),
                 value(loop->stats()));
  };
  each("troupe_loop_turns_total", "counter", "Turns of the loop.",
       [](const auto& s) { return s.turns; });
  each("troupe_loop_jobs_total", "counter", "Slices of actors run.",
       [](const auto& s) { return s.jobs_run; });
  each("troupe_loop_jobs_queued", "gauge", "Actors ready to run.",
       [](const auto& s) { return s.jobs_queued; });
  each("troupe_loop_busy_milliseconds_total", "counter",
       "CPU time of the loop's thread.", [](const auto& s) {
         return static_cast<std::uint64_t>(s.busy.count()) / 1'000'000U;
       });
  each("troupe_loop_exceptions_total", "counter",
       "Exceptions that left a handler.",
       [](const auto& s) { return s.exceptions; });
}

} // namespace

std::string admin::metrics_text() const {
  metrics_writer out;
  add_broker(out, parts_.engine.context().stats);
  add_replication(out, parts_.engine.context().stats);
  add_attachments(out, parts_.engine.context().stats);
  add_cluster(out, parts_.engine);
  add_topics(out, parts_.engine);
  add_keys(out, parts_.engine.context());
  add_rights(out, parts_.engine.authorizer().stats(), parts_.logins);
  add_channels(out, *parts_.channels);
  if (parts_.zenconn != nullptr)
    add_zenconn(out, parts_.zenconn->stats());
  if (parts_.mqtt != nullptr)
    add_mqtt(out, parts_.mqtt->stats());
  add_mqtt_sessions(out, parts_.engine.context().stats);
  if (parts_.records != nullptr)
    add_records(out, parts_.records->stats());
  if (parts_.audit)
    add_audit(out, parts_.audit->log);
  auto sockets = parts_.network.stats();
  if (parts_.workers != nullptr) {
    sockets.add(parts_.workers->stats());
    add_workers(out, parts_.workers->views());
  }
  add_network(out, sockets);
  add_storage(out, parts_.engine);
  add_loops(out, parts_.engine);
  out.gauge("troupe_actors", "Actors alive.", parts_.engine.registry().size());
  out.gauge("troupe_ready", "1 if the node serves.",
            std::uint64_t{not_ready().empty()});
  out.gauge("process_resident_memory_bytes", "Resident memory.",
            resident_bytes());
  return std::move(out).text();
}

void admin::add_health_routes() {
  route("GET", "/livez", [](const net::http_request&, net::responder answer) {
    answer.send(json_response({{"status", "ok"}}));
  });
  route("GET", "/readyz",
        [this](const net::http_request&, net::responder answer) {
          const auto reasons = not_ready();
          answer.send(
              json_response({{"ready", reasons.empty()},
                             {"reasons", boost::json::value_from(reasons)}},
                            reasons.empty() ? 200 : 503));
        });
  route("GET", "/metrics",
        [this](const net::http_request&, net::responder answer) {
          net::http_response response;
          response.content_type = "text/plain; version=0.0.4; charset=utf-8";
          response.body = metrics_text();
          answer.send(std::move(response));
        });
}

} // namespace troupe::app
