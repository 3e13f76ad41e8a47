// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <string>

/// Every actor of a node with every message it takes: the table of contents
/// of the running program. The messages themselves stand in messages.hpp.
///
/// All of them are pinned to a loop (runtime/pinned.hpp), take batches rather
/// than single items, never block, and answer by a message of their own
/// instead of CAF requests where it is hot: a `ticket` pairs question and
/// answer, the asker keeps the deadline (operation.hpp).
namespace troupe::actors {

namespace channels {
struct channel_report;
} // namespace channels
namespace keys {
struct keys_asked;
struct keys_found;
struct keys_frame;
struct keys_order;
} // namespace keys
namespace names {
struct client_arrived;
struct client_departed;
struct names_answered;
struct names_claimed;
struct names_cut;
struct names_freed;
struct names_led;
struct names_released;
struct names_taken;
} // namespace names

struct attach_request;
struct attach_tick;
struct attached;
struct attachment_frame;
struct attachment_lost;
struct client_commands;
struct courier_order;
struct cursor_moves;
struct deadline_tick;
struct deliveries;
struct delivery_acknowledged;
struct detach;
struct devices_changed;
struct directory_answers;
struct directory_proposals;
struct due_tick;
struct expand_list;
struct fetch_entries;
struct fetched_entries;
struct flush_tick;
struct grace_tick;
struct group_frame;
struct group_task;
struct idle_tick;
struct fence_passed;
struct inbox_changes;
struct inbox_fence;
struct inbox_released;
struct inspect;
struct inspect_inbox;
struct inspect_list;
struct inspect_live;
struct inspect_sessions;
struct join_asked;
struct list_changed;
struct list_expansion;
struct look_tick;
struct live_inbox;
struct log_persisted;
struct passivate_inbox;
struct operator_order;
struct passivate_list;
struct raft_tick;
struct retire;
struct retry_tick;
struct seen_tick;
struct session_commands;
struct session_stop;
struct shard_answers;
struct shard_proposals;
struct state_committed;
struct sweep_tick;

/// Whoever proposes to a shard, the directory or asks for a list.
using shard_client = caf::typed_actor<caf::reacts_to<shard_answers>>;
using directory_client = caf::typed_actor<caf::reacts_to<directory_answers>>;
using list_client = caf::typed_actor<caf::reacts_to<list_expansion>>;
/// Whoever asks a shard for retained keys.
using keys_client = caf::typed_actor<caf::reacts_to<keys::keys_found>>;

/// One connected client, between its connection's gate and the actors below.
/// Born with the connection, dies with it; keeps nothing that must survive.
using session_actor = caf::typed_actor<
    // What the gate made of the bytes of one read.
    caf::reacts_to<session_commands>,
    // Answers to what this session asked for.
    caf::reacts_to<shard_answers>, caf::reacts_to<directory_answers>,
    caf::reacts_to<list_expansion>,
    // Answer to attach_request: the device is ours, or why not.
    caf::reacts_to<attached>,
    // Messages of the inbox, ahead of the client's window.
    caf::reacts_to<deliveries>,
    // How many devices the user has now.
    caf::reacts_to<devices_changed>,
    // Answer to inbox_fence.
    caf::reacts_to<fence_passed>,
    // The inbox is led elsewhere from now on, or out of reach: attach again.
    caf::reacts_to<inbox_released>,
    // The node stops, or the user was removed.
    caf::reacts_to<session_stop>,
    // INTERNAL: looks for overdue requests; asks again who had no leader; asks
    // for the inbox again.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>,
    caf::reacts_to<attach_tick>,
    // State for the debug endpoint, JSON.
    caf::replies_to<inspect>::with<std::string>>;

/// The session of one connected client that publishes and subscribes, if it
/// has a record. Attaches to the session's inbox as a session_actor does to a
/// user's. Born with the connection, dies with it.
using client_actor = session_actor::extend<caf::reacts_to<client_commands>>;

/// All clients of one loop whose sessions have no record: claims their client
/// ids at the leaders of the shards, which have a row for each. One a loop,
/// spawned by the node.
using desk_actor = caf::typed_actor<
    // A client is there, and wants its client id; it is gone.
    caf::reacts_to<names::client_arrived>,
    caf::reacts_to<names::client_departed>,
    // From a shard's leader: who has got its name and who has not; whose name
    // is somebody else's from now on; claim again.
    caf::reacts_to<names::names_answered>, caf::reacts_to<names::names_taken>,
    caf::reacts_to<names::names_released>,
    // The link to a node is gone; a shard is led by another one.
    caf::reacts_to<names::names_cut>, caf::reacts_to<names::names_led>,
    // INTERNAL: looks for what is overdue; claims again.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>,
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>>;

/// Carries out on one loop what belongs to no connection: publications on
/// their way to the inboxes of sessions, wills, the routes of sessions that
/// have ended. One a loop, spawned by the node.
using courier_actor = caf::typed_actor<
    // A piece of work, run on this actor's loop.
    caf::reacts_to<courier_order>, caf::reacts_to<shard_answers>,
    caf::reacts_to<directory_answers>, caf::reacts_to<list_expansion>,
    // INTERNAL: looks for overdue requests; asks again who had no leader.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>,
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>>;

/// Delivers one user's inbox to the sessions of its devices, or a session's to
/// its connection. Spawned by the
/// shard when the first session attaches, passivated when the last has been
/// gone for a while; what is durable lives in the shard.
using inbox_actor = caf::typed_actor<
    // A session wants to be a device (forwarded by the shard with the head).
    caf::reacts_to<attach_request>,
    // A session is gone.
    caf::reacts_to<detach>,
    // A session's client has everything up to a position.
    caf::reacts_to<delivery_acknowledged>,
    // A session wants to know that it has been sent all there is so far.
    caf::reacts_to<inbox_fence>,
    // The shard applied something to this inbox.
    caf::reacts_to<inbox_changes>,
    // Answer to fetch_entries.
    caf::reacts_to<fetched_entries>,
    // INTERNAL: nobody attached for a while?
    caf::reacts_to<idle_tick>,
    // INTERNAL: tell the shard that attached devices are there.
    caf::reacts_to<seen_tick>,
    // INTERNAL: what was kept for sessions that may come back is free.
    caf::reacts_to<grace_tick>,
    // The shard agrees to passivate_inbox, or the node stops.
    caf::reacts_to<retire>,
    // The shard puts together what it knows with what this actor does.
    caf::replies_to<inspect_live>::with<live_inbox>,
    caf::replies_to<inspect>::with<std::string>>;

/// An inbox that is led by another node, for one session here; see
/// attachment_table.
using remote_inbox_actor = inbox_actor::extend<
    // From the node that leads it.
    caf::reacts_to<attachment_frame>,
    // The link to it is gone.
    caf::reacts_to<attachment_lost>,
    // INTERNAL: no answer in time; sends what found no room.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>>;

/// A session on another node, for one inbox led here.
using remote_session_actor =
    session_actor::extend<caf::reacts_to<attachment_frame>,
                          caf::reacts_to<attachment_lost>>;

/// One replica of one data shard: consensus core, log, inbox tables. Lives as
/// long as the node.
using shard_actor = caf::typed_actor<
    // Commands for the log; answered by shard_answers when applied.
    caf::reacts_to<shard_proposals>,
    // A session wants an inbox.
    caf::reacts_to<attach_request>,
    // What devices have acknowledged; many become one command.
    caf::reacts_to<cursor_moves>,
    // Entries of an inbox from a position on.
    caf::reacts_to<fetch_entries>,
    // Retained keys that a filter matches; answered by keys_found.
    caf::reacts_to<keys::keys_asked>,
    // An inbox actor has nobody left.
    caf::reacts_to<passivate_inbox>,
    // Clients without a record want their names, or have gone; the link to
    // the node of some is lost.
    caf::reacts_to<names::names_claimed>, caf::reacts_to<names::names_freed>,
    caf::reacts_to<names::names_cut>,
    // From a replica on another node; from the storage of snapshots.
    caf::reacts_to<group_frame>, caf::reacts_to<group_task>,
    // From the log thread: a write is on stable storage.
    caf::reacts_to<log_persisted>,
    // From the state thread: the tables are committed up to an index.
    caf::reacts_to<state_committed>,
    // INTERNAL: consensus clock, coalesced cursor moves, expiry.
    caf::reacts_to<raft_tick>, caf::reacts_to<flush_tick>,
    caf::reacts_to<sweep_tick>,
    // INTERNAL: a session may be due.
    caf::reacts_to<due_tick>,
    // The node stops: end the inboxes' actors, write what is pending; no
    // answer, the log tells when it is done.
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>,
    // State of one inbox, with or without a live actor.
    caf::replies_to<inspect_inbox>::with<std::string>,
    // A page of the records of clients' sessions, as this replica has them.
    caf::replies_to<inspect_sessions>::with<std::string>>;

/// One replica of the directory group: users, aliases, lists. Lives as long as
/// the node; reads go past it (core::directory is safe to read on any loop).
using directory_actor = caf::typed_actor<
    // Commands for the log; answered by directory_answers when applied.
    caf::reacts_to<directory_proposals>,
    // Who is in a list; passed on to the list's actor.
    caf::reacts_to<expand_list>,
    // A list actor has been idle.
    caf::reacts_to<passivate_list>, caf::reacts_to<group_frame>,
    caf::reacts_to<group_task>, caf::reacts_to<log_persisted>,
    caf::reacts_to<state_committed>, caf::reacts_to<raft_tick>,
    caf::reacts_to<flush_tick>, caf::reacts_to<retire>,
    caf::replies_to<inspect>::with<std::string>,
    caf::replies_to<inspect_list>::with<std::string>>;

/// One distribution list: its members, ready for expansion. Spawned by the
/// directory actor on first use, passivated when idle.
using list_actor =
    caf::typed_actor<caf::reacts_to<expand_list>,
                     // The directory applied a change of this list: read it
                     // again.
                     caf::reacts_to<list_changed>,
                     // INTERNAL: unused for a while?
                     caf::reacts_to<idle_tick>, caf::reacts_to<retire>,
                     caf::replies_to<inspect>::with<std::string>>;

/// One topic to which somebody on this node listens, or of which something is
/// kept here: who listens, who is present, what goes through. Publications go
/// past it, by the topic router. Spawned by the channel host on first need,
/// passivated when idle.
using channel_actor = caf::typed_actor<
    // What happened on one loop since its last report.
    caf::reacts_to<channels::channel_report>,
    // INTERNAL: nobody listens for a while, and nothing is kept?
    caf::reacts_to<idle_tick>,
    // The node stops.
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>>;

/// Sets, clears and reads retained keys for whoever is on its loop, and reads
/// for other nodes what is led here. One a loop, spawned by the node.
using keys_actor = keys_client::extend<
    // A piece of work, run on this actor's loop.
    caf::reacts_to<keys::keys_order>,
    // Answers to what was proposed.
    caf::reacts_to<shard_answers>,
    // A question of another node, or its answer to one.
    caf::reacts_to<keys::keys_frame>,
    // INTERNAL: looks for overdue requests; asks again who had no leader.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>,
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>>;

/// Carries out what an operator asks for over the admin listener: users,
/// lists, imports, and questions to other actors. One a node, spawned by it.
using operator_actor = caf::typed_actor<
    // A piece of work, run on this actor's loop.
    caf::reacts_to<operator_order>, caf::reacts_to<shard_answers>,
    caf::reacts_to<directory_answers>, caf::reacts_to<list_expansion>,
    // INTERNAL: looks for overdue requests; asks again who had no leader.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>,
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>>;

/// Keeps the links in step with the directory's table of nodes, says there
/// where this node is, and lets newcomers in. One a node with links.
using membership_actor = caf::typed_actor<
    // From the links: somebody wants into the cluster, or back.
    caf::reacts_to<join_asked>,
    // Answers to what this actor proposed.
    caf::reacts_to<directory_answers>,
    // INTERNAL: looks at the table of nodes.
    caf::reacts_to<look_tick>,
    // INTERNAL: looks for overdue requests; asks again who had no leader.
    caf::reacts_to<deadline_tick>, caf::reacts_to<retry_tick>,
    caf::reacts_to<retire>, caf::replies_to<inspect>::with<std::string>>;

} // namespace troupe::actors
