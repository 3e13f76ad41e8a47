// SPDX-License-Identifier: Apache-2.0
#include "actors/replica.hpp"

#include "cluster/raft_wire.hpp"
#include "schema/command_wire.hpp"
#include "storage/fatal.hpp"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

namespace troupe::actors {
namespace {

/// Entries, or bytes of them, applied durably before the log is compacted: each
/// compaction is a record of its own, and till then they stay in memory.
constexpr std::uint64_t compact_every = 8192;
constexpr std::size_t compact_bytes = std::size_t{4} << 20;

/// Entries of one log write; a larger one travels alone.
constexpr std::size_t write_bytes_max = std::size_t{4} << 20;

/// The replica's own row beside the machine's tables.
constexpr std::string_view time_key = "\xFF"
                                      "time";

cluster::raft::random_source seeded_source() {
  return [engine = std::mt19937_64{std::random_device{}()}]() mutable {
    return engine();
  };
}

core::shared_bytes encode_time(core::timestamp time) {
  const auto millis = core::to_millis(time);
  return core::shared_bytes::build(sizeof millis, [&](std::byte* to) {
    std::memcpy(to, &millis, sizeof millis);
  });
}

/// The log keeps what the newest snapshot is as the announcement that a leader
/// would make of it.
core::shared_bytes encode_meta(const cluster::snapshot_meta& meta) {
  cluster::install_snapshot announcement;
  announcement.meta = meta;
  return cluster::encode(cluster::message{std::move(announcement)});
}

std::optional<cluster::snapshot_meta> decode_meta(core::shared_bytes bytes) {
  auto message = cluster::decode_message(std::move(bytes));
  if (!message)
    return std::nullopt;
  if (auto* found = std::get_if<cluster::install_snapshot>(&*message))
    return std::move(found->meta);
  return std::nullopt;
}

core::timestamp decode_time(const core::shared_bytes& bytes) {
  std::int64_t millis = 0;
  if (bytes.size() == sizeof millis)
    std::memcpy(&millis, bytes.data(), sizeof millis);
  return core::from_millis(millis);
}

} // namespace

replica::replica(replica_deps deps, apply_function apply)
    : deps_(std::move(deps)), apply_(std::move(apply)),
      raft_(deps_.group, deps_.self, deps_.raft, seeded_source()) {}

void replica::start() {
  auto& found = deps_.recovered;
  cluster::persisted_state state;
  if (!found.hard_state) {
    // A new group: its first entry, the configuration, must be on disk before
    // anything that builds on it.
    state = cluster::bootstrap({.voters = {deps_.self}, .learners = {}});
    cluster::write_batch first;
    first.hard_state = state.hard_state;
    first.first = state.first;
    first.entries = state.entries;
    write(std::move(first));
  } else {
    state.hard_state = {found.hard_state->term, found.hard_state->vote};
    if (found.snapshot_meta) {
      state.snapshot = decode_meta(*found.snapshot_meta);
      if (!state.snapshot)
        storage::stop_the_node("group " + std::to_string(deps_.group.value()) +
                               ": unreadable snapshot record in the log");
    }
    state.first = found.first;
    for (auto& e : found.entries)
      state.entries.push_back({e.term, static_cast<cluster::entry_kind>(e.kind),
                               std::move(e.data)});
  }
  found.entries = {};
  state.applied = deps_.space->applied();
  if (auto stored = deps_.space->get(time_key))
    last_time_ = decode_time(*stored);
  raft_.start(std::move(state), deps_.clock->now());
  pump();
}

core::timestamp replica::next_time() const {
  return std::max(last_time_, deps_.clock->wall());
}

core::result<core::log_index> replica::propose(core::shared_bytes command) {
  if (!raft_.leads())
    return core::errc::not_leader;
  if (command.size() > deps_.command_bytes_max)
    return core::errc::too_large;
  if (!has_room())
    return core::errc::overloaded;
  last_time_ = next_time();
  schema::stamp_time(command, last_time_);
  return raft_.propose(std::move(command));
}

void replica::persisted(std::uint64_t sequence) {
  persisted_ = std::max(persisted_, sequence);
  raft_.persisted(sequence);
  retry_stalled(); // a finished write is what makes room
  if (release_ && release_->first <= sequence) {
    deps_.log->release(deps_.group, release_->second);
    release_.reset();
  }
  pump();
}

void replica::committed_state(core::log_index applied) {
  durable_ = std::max(durable_, applied);
  const auto base = raft_.snapshot() ? raft_.snapshot()->index.value() : 0;
  if (durable_.value() >= base + compact_every ||
      (applied_bytes_ >= compact_bytes && durable_.value() > base))
    compact();
}

void replica::compact() {
  applied_bytes_ = 0;
  const auto before = raft_.snapshot();
  raft_.compact(durable_);
  if (raft_.snapshot() == before)
    return;
  pump();
  release_ = {written_, raft_.snapshot()->index};
}

void replica::tick() {
  raft_.tick(deps_.clock->now());
  retry_stalled();
  if (++ticks_ % 20 == 0) { // about once a second
    for (const auto& lagging : deps_.log->lagging())
      if (lagging.group == deps_.group && durable_ > lagging.released)
        compact();
  }
  pump();
}

void replica::pump() {
  if (pumping_)
    return;
  pumping_ = true;
  while (raft_.has_output()) {
    auto out = raft_.take_output();
    if (out.write)
      write(std::move(*out.write));
    for (const auto& entry : out.committed) {
      if (entry.kind == cluster::entry_kind::command) {
        if (const auto prefix = schema::decode_prefix(entry.data.view()))
          last_time_ = std::max(last_time_, prefix->time);
        apply_(entry);
        applied_bytes_ += entry.data.size();
      }
    }
    if (!out.committed.empty()) {
      deps_.space->put(time_key, encode_time(last_time_));
      deps_.space->checkpoint(out.committed.back().index);
    }
  }
  pumping_ = false;
}

void replica::write(cluster::write_batch batch) {
  storage::log_write w;
  w.group = deps_.group;
  // Only the last part reports the batch; a crash in between keeps a prefix of
  // its entries, which is what a crash before it would have been allowed to.
  w.token = batch.sequence;
  if (batch.hard_state)
    w.hard_state = {batch.hard_state->term, batch.hard_state->vote};
  if (batch.snapshot)
    w.snapshot_meta = encode_meta(*batch.snapshot);
  w.replace_log = batch.replace_log;
  w.truncate_from = batch.truncate_from;
  w.first = batch.first;
  written_ = std::max(written_, batch.sequence);
  std::size_t bytes = 0;
  for (auto& e : batch.entries) {
    if (bytes > 0 && bytes + e.data.size() > write_bytes_max) {
      auto rest = core::log_index{w.first.value() + w.entries.size()};
      w.token = batch.sequence - 1;
      stalled_.push_back(std::exchange(w, {}));
      w.group = deps_.group;
      w.token = batch.sequence;
      w.first = rest;
      bytes = 0;
    }
    bytes += e.data.size();
    w.entries.push_back(
        {e.term, static_cast<std::uint8_t>(e.kind), std::move(e.data)});
  }
  stalled_.push_back(std::move(w));
  retry_stalled();
}

/// What the core has decided to write can't be taken back: if the log has no
/// room just now, it waits here, in order, and nothing new is accepted.
void replica::retry_stalled() {
  while (!stalled_.empty()) {
    if (const auto taken = deps_.log->submit(stalled_.front()); !taken) {
      if (taken.error().code == core::errc::too_large)
        storage::stop_the_node("group " + std::to_string(deps_.group.value()) +
                               ": " + core::to_string(taken.error()));
      return;
    }
    stalled_.pop_front();
  }
}

} // namespace troupe::actors
