// SPDX-License-Identifier: Apache-2.0
#include "app/topics_metrics.hpp"

#include <string>

namespace troupe::app {
namespace {

void add_router(metrics_writer& out, const actors::topics::topic_router& r) {
  const auto& s = r.stats();
  out.gauge("troupe_topic_subscriptions", "Subscriptions on this node.",
            s.subscriptions);
  out.gauge("troupe_topic_filters",
            "Different topic filters of subscriptions on this node.",
            r.board().filters());
  out.counter("troupe_topic_subscriptions_refused_total",
              "Subscriptions refused: the node has too many filters.",
              s.subscriptions_refused);
  out.counter("troupe_publishes_total", "Publications made on this node.",
              s.published);
  out.counter("troupe_published_bytes_total", "Bytes of their payloads.",
              s.published_bytes);
  out.counter("troupe_publishes_unmatched_total",
              "Those of them that nobody listened to, on any node.",
              s.unmatched);
  out.counter("troupe_publishes_refused_total",
              "Publications refused: out of bounds.", s.refused);
  out.counter("troupe_publications_delivered_total",
              "Publications handed to subscriptions here.", s.delivered);
  out.counter("troupe_publications_sent_total",
              "Publications sent to other nodes, once a node.", s.sent);
  out.counter("troupe_publications_received_total",
              "Publications of other nodes.", s.received);
  out.counter("troupe_publications_stray_total",
              "Those of them that nobody here listened to any more.",
              s.received_stray);
  out.counter("troupe_shared_turns_total",
              "Turns of shared subscriptions given out on this node.",
              s.shared);
  out.counter("troupe_shared_turns_lost_total",
              "Those of them that nobody could be reached with.",
              s.shared_in_vain);
  out.counter("troupe_publications_unreadable_total",
              "Frames of other nodes that could not be read.", s.bad_frames);
  constexpr const char* dropped = "troupe_publications_dropped_total";
  out.family(dropped, "counter",
             "Publications that did not get to a loop or a node, by reason.");
  out.sample(dropped, "reason", "loop_busy", s.dropped_here);
  out.sample(dropped, "reason", "node_slow", s.dropped_peer_full);
  out.sample(dropped, "reason", "node_gone", s.dropped_peer_gone);
}

void add_channels(metrics_writer& out,
                  const actors::channels::channel_stats& s) {
  out.gauge("troupe_channels", "Channels with an actor on this node.", s.live);
  out.counter("troupe_channels_born_total", "Actors of channels begun.",
              s.born);
  out.counter("troupe_channels_passivated_total",
              "Actors of channels that were idle and left memory.",
              s.passivated);
  out.counter("troupe_channels_unshown_total",
              "Times a channel got no actor: there are too many.", s.unshown);
  out.counter("troupe_channel_reports_total",
              "Reports of loops to actors of channels.", s.reports);
}

void add_exchange(metrics_writer& out,
                  const actors::topics::linked_topics& topics) {
  const auto s = topics.stats();
  out.counter("troupe_interest_frames_sent_total",
              "Frames about topic filters, sent.", s.frames_sent);
  out.counter("troupe_interest_frames_put_off_total",
              "Times one waited: the link had no room.", s.frames_put_off);
  out.counter("troupe_interest_frames_received_total",
              "Frames about topic filters, received.", s.received.frames);
  out.counter("troupe_interest_frames_unreadable_total",
              "Such frames that could not be read.", s.received.bad_frames);
  out.counter("troupe_interest_tables_sent_total",
              "Whole tables of filters begun, one a link at least.",
              s.tables_begun);
  out.counter("troupe_interest_gaps_total",
              "Frames about topic filters that were missing.", s.received.gaps);
  out.counter("troupe_interest_divergences_total",
              "Times a table was not what the other node said it is.",
              s.received.divergences);
  out.counter("troupe_interest_overflows_total",
              "Tables with more filters than are kept: all is sent there.",
              s.received.overflows);
  out.counter("troupe_interest_resyncs_total", "Tables asked for anew.",
              s.received.resyncs);
  out.counter("troupe_interest_settled_total",
              "Times all other nodes were asked whether they know what is "
              "listened to here.",
              s.settled + s.unsettled);
  out.counter("troupe_interest_unsettled_total",
              "Of these: some node had not answered in time.", s.unsettled);
  out.family("troupe_topic_peer_filters", "gauge",
             "Topic filters of another node.");
  for (const auto& peer : topics.peers())
    out.sample("troupe_topic_peer_filters", "peer",
               std::to_string(peer.node.value()), peer.filters);
}

} // namespace

void add_topics(metrics_writer& out, broker& engine) {
  add_router(out, engine.topics());
  add_channels(out, engine.channels().stats());
  if (auto* member = engine.cluster())
    add_exchange(out, member->topics());
}

} // namespace troupe::app
