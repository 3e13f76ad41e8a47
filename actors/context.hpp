// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/command_keys.hpp"
#include "actors/door_board.hpp"
#include "actors/handles.hpp"
#include "actors/leader_board.hpp"
#include "actors/move_budget.hpp"
#include "actors/reach_board.hpp"
#include "cluster/placement.hpp"
#include "core/authorizer.hpp"
#include "core/clock.hpp"
#include "core/command.hpp"
#include "core/directory.hpp"
#include "core/ids.hpp"
#include "core/key_command.hpp"
#include "core/publication.hpp"
#include "core/time_histogram.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace troupe::actors {

class attachment_table;
namespace names {
class name_transport;
} // namespace names

/// Counters of the broker proper; relaxed, written by any loop.
struct broker_stats {
  using counter = std::atomic<std::uint64_t>;

  counter sessions_open{0};
  counter sessions_opened{0};
  counter logins{0};
  counter logins_failed{0};
  counter logins_sent_away{0}; ///< this node was draining
  counter posts{0};            ///< asked for
  counter posts_accepted{0};   ///< durable
  counter posts_refused{0};
  counter recipients_failed{0};
  counter deliveries{0};   ///< handed to sessions
  counter acknowledged{0}; ///< deliveries acknowledged by clients
  counter requests_timed_out{0};
  counter proposals_repeated{0}; ///< there was no leader just then
  counter requests_refused_overloaded{0};
  counter requests_refused_in_flight{0}; ///< no key was to be had for them
  counter commands_applied{0};
  counter commands_duplicate{0};
  counter inbox_actors{0};
  counter list_actors{0};
  counter messages_expired{0};
  counter messages_dropped{0};    ///< by the overflow policy of their inbox
  counter unreadable_messages{0}; ///< stored bodies that don't decode

  // Replication; frames are those between replicas of a group.
  counter group_frames_sent{0};
  counter group_frames_unsent{0}; ///< no link, or no room in it
  counter group_frames_received{0};
  counter group_frames_unusable{0}; ///< damaged, or of an unknown kind
  counter snapshots_sent{0};
  counter snapshots_unsent{0}; ///< given up, or no place for them
  counter snapshots_installed{0};
  counter snapshots_refused{0}; ///< offers and transfers, by the receiver
  counter snapshot_bytes_sent{0};
  counter snapshot_bytes_received{0};
  counter snapshot_rewinds{0}; ///< parts sent again
  counter leaderships_won{0};
  counter leaderships_lost{0};
  counter leaderships_given{0}; ///< transfers begun
  counter member_changes{0};    ///< of groups led here
  /// From the proposal to a majority's disks, of groups led here; one proposal
  /// of a group at a time is measured.
  core::time_histogram commit_times;
  counter nodes_replaced{0}; ///< were gone for too long, seen from here

  // Sessions and inboxes on different nodes.
  counter sessions_released{0};   ///< lost their inbox's leader
  counter sessions_reattached{0}; ///< and found the next one
  counter attaches_repeated{0};   ///< there was no leader just then
  counter remote_inboxes{0};      ///< proxies alive
  counter remote_sessions{0};     ///< proxies alive
  counter attachments_made{0};    ///< by sessions of other nodes, with inboxes
  counter attachments_lost{0};    ///< of both sorts, with the link
  counter attachments_unknown{0}; ///< frames for one that is none any more
  counter attachment_frames_sent{0};
  counter attachment_frames_received{0};
  counter attachment_frames_put_off{0}; ///< the link had no room just then
  counter attachment_frames_unusable{0};
  counter claims_kept{0}; ///< for a session that may come back

  // Retained keys, of those who ask on this node.
  counter keys_set{0};
  counter keys_cleared{0};
  counter keys_refused_full{0};    ///< above the bounds of their shard
  counter keys_refused_invalid{0}; ///< no topic, or too large
  counter keys_refused_other{0};   ///< no leader in time, too much waits
  counter key_pages{0};            ///< read
  counter key_reads_repeated{0};   ///< of a shard: there was no answer
  counter key_reads_incomplete{0}; ///< of a shard: given up
  counter key_frames_unusable{0};
  // Sessions of clients that publish and subscribe.
  counter clients_open{0};          ///< connected here
  counter clients_lasting{0};       ///< of those: they outlive it
  counter clients_taken_over{0};    ///< by another connection of their id
  counter clients_reopened{0};      ///< were given up by mistake
  counter clients_freed{0};         ///< connection gone without a word
  counter publications_queued{0};   ///< for sessions; asked for here
  counter publications_refused{0};  ///< of those: not durable for all
  counter publications_overflow{0}; ///< of those: too many under way here
  counter queued_copies{0};         ///< a session each
  counter queued_copies_lost{0};    ///< of those: the session's queue was full
  counter sessions_ended{0};        ///< with wills and routes, led here
  counter client_names{0};          ///< rows of shards led here
  counter client_names_refused{0};  ///< there were too many rows
  counter name_frames_unsent{0};    ///< the link had no room just then
  counter name_frames_unusable{0};
};

/// What this node is to a group.
enum class replica_role : std::uint8_t { none, learner, voter };

/// A group as its replica on this node sees it; relaxed, written by the
/// group's actor, read by any thread.
struct group_view {
  std::atomic<replica_role> role{replica_role::none};
  std::atomic<std::uint64_t> term{0};
  /// While it leads: entries that the follower lacks which is furthest behind.
  std::atomic<std::uint64_t> lag{0};
  /// cluster::raft::lease_end(), as a count of the clock.
  std::atomic<core::steady_time::rep> lease_end{0};
  std::atomic<bool> leads{false};
  /// Of a shard: its retained keys, and what they take.
  std::atomic<std::uint64_t> keys{0};
  std::atomic<std::uint64_t> key_bytes{0};
};

/// What of the configuration the actors need.
struct broker_options {
  std::uint16_t shards = 16;
  /// There are, or may be, other nodes: a group may be without a leader for a
  /// while, and operations wait for one.
  bool clustered = false;
  /// An inbox or list actor that nobody uses for so long is passivated.
  core::milliseconds passivate_after{15'000};
  /// A question between actors that is not answered in time has failed.
  core::milliseconds request_timeout{10'000};
  /// Acknowledgements of many clients are gathered into one command.
  core::milliseconds cursor_interval{10};
  core::milliseconds sweep_interval{5'000};
  /// Requests one session may have under way; more wait in its queue.
  std::size_t session_requests_max = 4096;
  /// Proposals that may wait in a shard while the log has no room.
  std::size_t proposals_waiting_max = 16'384;
  /// Most recipients one post may have after its lists are expanded.
  std::size_t recipients_max = 100'000;
  core::inbox_policy inbox;
  core::key_policy keys; ///< of each shard
  /// In a cluster, a message for a single device that a session may have in
  /// hand, whose leader or link was lost, is kept for it so long. Longer than
  /// it takes to notice either.
  core::milliseconds claim_grace{3'000};
  /// A client's session whose connection is gone without a word counts as
  /// closed after so long; in between the connection may come back from
  /// another leader, or over a new link.
  core::milliseconds client_grace{3'000};
  /// Publications to sessions that may be under way on one loop, and their
  /// bytes; one may be larger.
  std::size_t queueing_max = 16'384;
  std::size_t queueing_bytes_max = std::size_t{64} << 20U;
  /// Connected clients without a record, of each shard.
  std::size_t client_names_max = 1'000'000;
  /// For a node that has not heard of the directory's leader for so long its
  /// routes may be old.
  core::milliseconds routes_trusted_for{1'000};
  core::session_policy sessions;
  /// How many replicas there are of what.
  cluster::placement_rules placement;
  /// A leader that is not the preferred one gives way to it when that has been
  /// there for so long, and this node gives one leadership away that way in
  /// each interval.
  core::milliseconds leader_steady_after{30'000};
  core::milliseconds leader_balance_interval{10'000};
  /// A member that has not been heard of for so long loses its share to others,
  /// if there are enough; 0: never.
  core::milliseconds replace_after{0};
  /// See move_budget.
  std::size_t moves_per_node_max = 2;
};

/// The surroundings of every actor of a node. Owned by the node (or a test),
/// outlives the actor system; handles are filled in before the first session.
struct broker_context {
  broker_context(const core::clock& time, broker_options settings,
                 std::size_t loops);

  const core::clock& clock;
  const broker_options options;
  /// Safe to read on every loop.
  const core::directory* directory = nullptr;
  std::vector<shard_actor> shards; ///< [i] is group i + 1
  directory_actor directory_handle;
  membership_actor membership_handle;  ///< only of a node with links
  std::vector<keys_actor> key_actors;  ///< by loop
  std::vector<courier_actor> couriers; ///< [i] is on loop i
  std::vector<desk_actor> desks;       ///< the same
  /// The way to inboxes led by other nodes; null without a cluster.
  attachment_table* attachments = nullptr;
  /// The same for client ids.
  names::name_transport* names = nullptr;
  /// Told by the directory's actor of every change of rights.
  core::rights_board rights;
  /// Judges what sessions do; null: everything is permitted. Set once at start.
  const core::authorizer* authorizer = nullptr;
  broker_stats stats;
  /// Log lines for people; set once at start. Thread-safe.
  std::function<void(std::string_view level, std::string_view component,
                     std::string_view text)>
      log = [](std::string_view, std::string_view, std::string_view) {};
  /// Groups that have been ready once: their replica here leads and has
  /// replayed its log, or knows who leads.
  std::atomic<std::uint32_t> groups_ready{0};
  /// [g] is the node that leads group g as far as its replica here knows, 0 if
  /// it does not. Written by the groups' actors, read on any thread.
  std::vector<std::atomic<std::uint32_t>> leaders;
  /// [g] is group g as its replica here sees it.
  std::vector<group_view> views;
  /// What other nodes say that they lead.
  leader_board announced;
  /// Who has how many links.
  reach_board reach;
  /// Where clients may go that this node sends away.
  door_board doors;
  move_budget moves;
  /// This node gives its clients away: nobody logs in here. Written by the
  /// membership actor, read on any thread.
  std::atomic<bool> draining{false};
  /// The directory's leader was heard of then, as a steady_time's ticks.
  /// Written by its actor, read on any thread.
  std::atomic<core::steady_time::rep> directory_heard{0};
  /// What is published to those who listen just now; on a loop. Set once at
  /// start.
  std::function<void(core::publication)> publish_now = [](core::publication) {};
  /// A group has written everything and its actor is about to end.
  std::function<void(core::group_id)> on_retired = [](core::group_id) {};

  [[nodiscard]] const shard_actor& shard(core::group_id group) const {
    return shards[group.value() - 1U];
  }
  [[nodiscard]] core::group_id group_of(const core::owner& inbox) const;
  /// The courier of the loop this code runs on; REQUIRES: there are couriers.
  [[nodiscard]] const courier_actor& courier() const;
  /// Whether the routes of this node are as new as an acknowledgement needs.
  [[nodiscard]] bool routes_are_fresh() const;
  [[nodiscard]] core::node_id leader_of(core::group_id group) const {
    return core::node_id{
        leaders[group.value()].load(std::memory_order_relaxed)};
  }

  /// Whether this node leads a group and nobody else does, just now: a process
  /// that was stopped for a while may take itself for a leader when another
  /// one has long begun.
  [[nodiscard]] bool surely_leads(core::group_id group) const;

  /// True once in each leader_balance_interval. Thread-safe.
  bool may_balance_leaders(core::steady_time now);
  /// For the next minute, groups led here go to their preferred leaders at
  /// once. Thread-safe.
  void balance_leaders_now(core::steady_time now);
  [[nodiscard]] bool balances_leaders_now(core::steady_time now) const;

  /// A fresh key for a command to `group`; each loop has origins of its own.
  /// Call on the loop that will send the command, and give the key back there
  /// when the command will not be proposed again. None if too many are out.
  std::optional<core::idempotency_key> take_key(core::group_id group);
  void give_back(core::group_id group, const core::idempotency_key& key);

private:
  /// Locked although used on one loop: what an actor still holds at the end is
  /// given back by whoever destroys it.
  struct loop_keys {
    std::mutex mutex;
    std::vector<command_keys> of; // by group
  };
  std::vector<loop_keys> keys_; // by loop
  std::atomic<core::steady_time::rep> balanced_{0};
  std::atomic<core::steady_time::rep> balance_until_{0};
};

/// The loop this code runs on, 0 outside of any (tests).
[[nodiscard]] std::size_t current_loop_index();

} // namespace troupe::actors
