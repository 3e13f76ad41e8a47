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
/// The log is asked for groups that hold it up this often.
constexpr core::milliseconds look_every{990};

/// Entries of one log write; a larger one travels alone.
constexpr std::size_t write_bytes_max = std::size_t{4} << 20;

cluster::raft::random_source seeded_source(std::optional<std::uint64_t> seed) {
  const auto start = seed ? *seed : std::random_device{}();
  return [engine = std::mt19937_64{start}]() mutable { return engine(); };
}

core::shared_bytes encode_time(core::timestamp time) {
  const auto millis = core::to_millis(time);
  return core::shared_bytes::build(sizeof millis, [&](std::byte* to) {
    std::memcpy(to, &millis, sizeof millis);
  });
}

core::timestamp decode_time(const core::shared_bytes& bytes) {
  std::int64_t millis = 0;
  if (bytes.size() == sizeof millis)
    std::memcpy(&millis, bytes.data(), sizeof millis);
  return core::from_millis(millis);
}

} // namespace

/// Both keep it as the announcement that a leader would make of it.
core::shared_bytes encode_snapshot_meta(const cluster::snapshot_meta& meta) {
  cluster::install_snapshot announcement;
  announcement.meta = meta;
  return cluster::encode(cluster::message{std::move(announcement)});
}

std::optional<cluster::snapshot_meta>
decode_snapshot_meta(core::shared_bytes bytes) {
  auto message = cluster::decode_message(std::move(bytes));
  if (!message)
    return std::nullopt;
  if (auto* found = std::get_if<cluster::install_snapshot>(&*message))
    return std::move(found->meta);
  return std::nullopt;
}

replica::replica(replica_deps deps, replica_host& host)
    : deps_(std::move(deps)), host_(host),
      raft_(deps_.group, deps_.self, deps_.raft, seeded_source(deps_.seed)) {}

void replica::start() {
  auto& record = deps_.recovered;
  cluster::persisted_state state;
  if (record.hard_state || record.snapshot_meta) {
    if (record.hard_state)
      state.hard_state = {record.hard_state->term, record.hard_state->vote};
    state.first = record.first;
    for (auto& e : record.entries)
      state.entries.push_back({e.term, static_cast<cluster::entry_kind>(e.kind),
                               std::move(e.data)});
  } else if (deps_.founding) {
    found(state);
  }
  // Otherwise the group's leader will send what there is.
  state.snapshot = newest_snapshot(record);
  record.entries = {};
  state.applied = deps_.space->applied();
  if (auto stored = deps_.space->get(time_key))
    last_time_ = decode_time(*stored);
  raft_.start(std::move(state), deps_.clock->now());
  pump();
}

/// A new group: its first entry, the configuration, must be on disk before
/// anything that builds on it.
void replica::found(cluster::persisted_state& state) {
  state = cluster::bootstrap(*deps_.founding);
  cluster::write_batch first;
  first.hard_state = state.hard_state;
  first.first = state.first;
  first.entries = state.entries;
  write(std::move(first));
}

/// The log's record, or that of contents which were installed before the log
/// could be told.
std::optional<cluster::snapshot_meta>
replica::newest_snapshot(const storage::recovered_group& record) const {
  const auto read = [&](const core::shared_bytes& bytes) {
    auto meta = decode_snapshot_meta(bytes);
    if (!meta)
      storage::stop_the_node("group " + std::to_string(deps_.group.value()) +
                             ": unreadable snapshot record");
    return meta;
  };
  std::optional<cluster::snapshot_meta> newest;
  if (record.snapshot_meta)
    newest = read(*record.snapshot_meta);
  if (const auto row = deps_.space->get(installed_key))
    if (auto meta = read(*row); !newest || meta->index > newest->index)
      newest = std::move(meta);
  return newest;
}

core::timestamp replica::next_time() const {
  return std::max(last_time_, deps_.clock->wall());
}

/// Commands of older leaders, not applied yet, stand before all that this one
/// will propose; their clocks may have been ahead of the one here.
void replica::learn_time() {
  if (!raft_.leads() || led_term_ == raft_.current_term())
    return;
  led_term_ = raft_.current_term();
  for (auto i = core::next(raft_.applied()); i <= raft_.last(); ++i) {
    const auto& entry = raft_.entry_at(i);
    if (entry.kind != cluster::entry_kind::command)
      continue;
    if (const auto prefix = schema::decode_prefix(entry.data.view()))
      last_time_ = std::max(last_time_, prefix->time);
  }
}

core::result<core::log_index> replica::propose(core::shared_bytes command) {
  if (!raft_.leads())
    return core::errc::not_leader;
  learn_time();
  if (command.size() > deps_.command_bytes_max)
    return core::errc::too_large;
  if (!has_room())
    return core::errc::overloaded;
  last_time_ = next_time();
  schema::stamp_time(command, last_time_);
  const auto placed = raft_.propose(std::move(command));
  if (placed && !measured_)
    measured_ = {*placed, deps_.clock->now()};
  return placed;
}

void replica::receive(core::node_id from, cluster::message message) {
  raft_.step(from, std::move(message), deps_.clock->now());
}

void replica::persisted(std::uint64_t sequence) {
  persisted_ = std::max(persisted_, sequence);
  raft_.persisted(sequence);
  retry_stalled(); // a finished write is what makes room
  if (release_ && release_->first <= sequence) {
    deps_.log->release(deps_.group, release_->second);
    release_.reset();
  }
  install_when_quiet();
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
  if (pins_ > 0)
    return;
  applied_bytes_ = 0;
  const auto before = raft_.snapshot();
  raft_.compact(durable_);
  if (raft_.snapshot() == before)
    return;
  pump();
  release_ = {written_, raft_.snapshot()->index};
}

void replica::tick(bool asleep) {
  if (!asleep)
    raft_.tick(deps_.clock->now());
  if (!raft_.leads())
    measured_.reset();
  retry_stalled();
  if (const auto now = deps_.clock->now(); now - looked_ >= look_every) {
    looked_ = now;
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
    for (const auto& m : out.messages)
      host_.send(m.to, m.message);
    apply(out.committed);
    for (const auto& r : out.reads)
      host_.on_read(r);
    for (const auto& s : out.send_snapshots)
      host_.send_snapshot(s);
    if (out.install)
      install_ = std::move(out.install);
    install_when_quiet();
    if (out.leadership_changed) {
      learn_time();
      host_.on_leadership();
    }
  }
  pumping_ = false;
}

void replica::apply(std::vector<cluster::committed_entry>& committed) {
  for (const auto& entry : committed) {
    if (entry.kind != cluster::entry_kind::command)
      continue;
    if (const auto prefix = schema::decode_prefix(entry.data.view()))
      last_time_ = std::max(last_time_, prefix->time);
    host_.apply(entry);
    applied_bytes_ += entry.data.size();
  }
  if (committed.empty())
    return;
  if (measured_ && measured_->first <= committed.back().index) {
    if (raft_.leads())
      host_.on_commit_time(deps_.clock->now() - measured_->second);
    measured_.reset();
  }
  deps_.space->put(time_key, encode_time(last_time_));
  deps_.space->checkpoint(committed.back().index);
}

/// The tables must not be ahead of the term in which their contents came, nor
/// of a vote given in it.
void replica::install_when_quiet() {
  if (install_ && quiet())
    host_.install(*std::exchange(install_, std::nullopt));
}

void replica::installed(const cluster::snapshot_meta& meta) {
  durable_ = std::max(durable_, meta.index);
  applied_bytes_ = 0;
  if (const auto stored = deps_.space->get(time_key))
    last_time_ = std::max(last_time_, decode_time(*stored));
  raft_.snapshot_installed(meta);
  pump();
  release_ = {written_, meta.index};
}

void replica::install_failed() {
  raft_.snapshot_failed();
  pump();
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
    w.snapshot_meta = encode_snapshot_meta(*batch.snapshot);
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
