// SPDX-License-Identifier: Apache-2.0
#include "actors/snapshot_transfer.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

namespace troupe::actors {
namespace {

using cluster::snapshot_state;

/// Nothing has moved for so long: ask where the other side is.
constexpr core::milliseconds ask_after{1'000};
/// The other side is silent: give up, the core starts again some time.
constexpr core::milliseconds give_up_after{30'000};
/// Chunks between the sender's disk and the receiver's.
constexpr std::uint64_t window_chunks = 4;
constexpr std::uint64_t window_bytes =
    window_chunks * cluster::snapshot_chunk_bytes_max;

void count(broker_stats::counter& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

std::uint64_t random_transfer() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32U | random()) | 1U;
}

} // namespace

// -------------------------------------------------------------------- sender

snapshot_sender::snapshot_sender(const snapshot_surroundings& around,
                                 core::node_id to, core::term term)
    : around_(around), to_(to), term_(term),
      alive_(std::make_shared<snapshot_sender*>(this)) {}

snapshot_sender::~snapshot_sender() {
  if (pinned_)
    around_.replica->unpin();
  if (!counted_)
    return;
  around_.storage->remove(file_);
  around_.storage->end_sending();
}

void snapshot_sender::start() {
  heard_ = moved_ = around_.clock->now();
  if (around_.storage == nullptr || !around_.storage->begin_sending())
    return finish(false);
  counted_ = true;
  file_ = around_.storage->fresh_id();
  around_.replica->pin();
  pinned_ = true;
  around_.storage->write(around_.group, file_,
                         [alive = std::weak_ptr{alive_}](
                             const core::result<storage::spool_summary>& file) {
                           if (const auto self = alive.lock())
                             (*self)->on_written(file);
                         });
}

bool snapshot_sender::still_leads() const {
  const auto& core = around_.replica->consensus();
  return core.leads() && core.current_term() == term_ &&
         core.progress_of(to_) != nullptr;
}

void snapshot_sender::on_written(
    const core::result<storage::spool_summary>& file) {
  around_.replica->unpin();
  pinned_ = false;
  const auto& core = around_.replica->consensus();
  if (!file || !still_leads() || file->applied > core.applied() ||
      (core.snapshot() && file->applied < core.snapshot()->index) ||
      file->applied == core::log_index{})
    return finish(false);
  offer_.emplace();
  offer_->transfer = random_transfer();
  offer_->bytes = file->bytes;
  offer_->checksum = file->checksum;
  offer_->announcement = {term_, core.describe(file->applied)};
  heard_ = around_.clock->now();
  offer();
}

void snapshot_sender::offer() {
  moved_ = around_.clock->now();
  (void)around_.transport->send(to_, around_.group,
                                group_frame_kind::snapshot_offer,
                                cluster::encode(*offer_));
}

void snapshot_sender::on_progress(const cluster::snapshot_progress& m) {
  if (finished_ || !offer_ || m.transfer != offer_->transfer)
    return;
  heard_ = around_.clock->now();
  switch (m.state) {
  case snapshot_state::receiving:
    if (m.rewind) {
      next_ = received_ = std::min(m.received, offer_->bytes);
      reading_ = 0;
      ++attempt_;
      count(around_.stats->snapshot_rewinds);
    }
    if (m.rewind || m.received > received_) {
      received_ = m.received;
      moved_ = heard_;
    }
    allowed_ = m.allowed;
    return send_more();
  case snapshot_state::installing:
    moved_ = heard_;
    return;
  case snapshot_state::installed:
    return finish(true);
  case snapshot_state::refused:
    return finish(false);
  }
}

void snapshot_sender::send_more() {
  const auto limit = std::min(allowed_, offer_->bytes);
  while (next_ < limit && reading_ < window_chunks) {
    const auto size = std::min<std::uint64_t>(
        limit - next_, cluster::snapshot_chunk_bytes_max);
    ++reading_;
    around_.storage->read(
        around_.group, file_, next_, size,
        [alive = std::weak_ptr{alive_}, offset = next_,
         attempt = attempt_](const core::result<core::shared_bytes>& bytes) {
          if (const auto self = alive.lock())
            (*self)->on_read(offset, attempt, bytes);
        });
    next_ += size;
  }
}

void snapshot_sender::on_read(std::uint64_t offset, unsigned attempt,
                              const core::result<core::shared_bytes>& bytes) {
  if (finished_ || attempt != attempt_)
    return;
  --reading_;
  if (!bytes)
    return finish(false);
  const bool sent = around_.transport->send(
      to_, around_.group, group_frame_kind::snapshot_chunk,
      cluster::encode(
          cluster::snapshot_chunk{offer_->transfer, offset, *bytes}));
  if (!sent) {
    // No room or no link: from here again at a later tick.
    next_ = offset;
    reading_ = 0;
    ++attempt_;
    return;
  }
  count(around_.stats->snapshot_bytes_sent, bytes->size());
  send_more();
}

void snapshot_sender::on_tick() {
  const auto now = around_.clock->now();
  if (finished_)
    return;
  if (!still_leads() || (offer_ && now - heard_ >= give_up_after))
    return finish(false);
  if (!offer_)
    return; // still being written
  if (now - moved_ >= ask_after)
    offer();
  if (reading_ == 0)
    send_more();
}

void snapshot_sender::finish(bool complete) {
  finished_ = true;
  alive_.reset();
  count(complete ? around_.stats->snapshots_sent
                 : around_.stats->snapshots_unsent);
  if (around_.replica->leads())
    around_.replica->consensus().snapshot_sent(to_, complete);
}

// ------------------------------------------------------------------ receiver

snapshot_receiver::snapshot_receiver(const snapshot_surroundings& around,
                                     std::function<void()> replace)
    : around_(around), replace_(std::move(replace)) {}

snapshot_receiver::~snapshot_receiver() {
  if (!current_)
    return;
  around_.storage->remove(current_->file);
  around_.storage->end_receiving();
}

void snapshot_receiver::tell(core::node_id to, std::uint64_t number,
                             snapshot_state state, bool rewind) {
  cluster::snapshot_progress m;
  m.transfer = number;
  m.state = state;
  m.rewind = rewind;
  if (current_ && current_->offer.transfer == number) {
    m.received = current_->expected;
    m.allowed = current_->written + window_bytes;
  }
  (void)around_.transport->send(to, around_.group,
                                group_frame_kind::snapshot_progress, encode(m));
}

void snapshot_receiver::on_offer(core::node_id from,
                                 const cluster::snapshot_offer& m) {
  if (current_ && current_->offer.transfer == m.transfer) {
    current_->heard = around_.clock->now();
    return tell(from, m.transfer, current_->state, true);
  }
  if (last_ == m.transfer)
    return tell(from, m.transfer, last_state_);
  if (current_ && current_->state != snapshot_state::receiving)
    return tell(from, m.transfer, snapshot_state::refused);
  if (current_)
    end(snapshot_state::refused); // a newer leader, or the same one again
  begin(from, m);
}

void snapshot_receiver::begin(core::node_id from,
                              const cluster::snapshot_offer& m) {
  const auto& core = around_.replica->consensus();
  const auto& [term, meta] = m.announcement;
  if (term >= core.current_term() && meta.index <= core.commit()) {
    around_.replica->receive(from, m.announcement); // says so to the leader
    return tell(from, m.transfer, snapshot_state::installed);
  }
  if (term < core.current_term() || around_.storage == nullptr ||
      around_.replica->storage_is_low() ||
      !around_.storage->begin_receiving()) {
    count(around_.stats->snapshots_refused);
    return tell(from, m.transfer, snapshot_state::refused);
  }
  transfer fresh;
  fresh.from = from;
  fresh.offer = m;
  fresh.file = around_.storage->fresh_id();
  fresh.heard = around_.clock->now();
  current_ = std::move(fresh);
  tell(from, m.transfer, snapshot_state::receiving);
}

void snapshot_receiver::on_chunk(core::node_id from,
                                 const cluster::snapshot_chunk& m) {
  if (!current_ || current_->from != from ||
      current_->offer.transfer != m.transfer ||
      current_->state != snapshot_state::receiving)
    return; // an offer will come again if it matters
  auto& t = *current_;
  t.heard = around_.clock->now();
  const auto end = m.offset + m.bytes.size();
  if (m.offset != t.expected || m.bytes.empty() || end > t.offer.bytes ||
      end > t.written + window_bytes) {
    if (m.offset > t.expected && !std::exchange(t.rewound, true))
      tell(from, m.transfer, t.state, true);
    return;
  }
  t.expected = end;
  t.rewound = false;
  count(around_.stats->snapshot_bytes_received, m.bytes.size());
  around_.storage->append(
      around_.group, t.file, m.offset, m.bytes,
      continued<void>([this, end](const core::result<void>& outcome) {
        on_appended(end, outcome);
      }));
}

/// Runs `then` if the transfer of now is still the current one.
template <class T>
snapshot_storage::then_function<T>
snapshot_receiver::continued(snapshot_storage::then_function<T> then) {
  return [this, file = current_->file,
          then = std::move(then)](const core::result<T>& outcome) {
    if (current_ && current_->file == file)
      then(outcome);
  };
}

void snapshot_receiver::on_appended(std::uint64_t written,
                                    const core::result<void>& outcome) {
  auto& t = *current_;
  if (!outcome)
    return end(snapshot_state::refused);
  t.written = written;
  if (t.written < t.offer.bytes)
    return tell(t.from, t.offer.transfer, t.state);
  t.state = snapshot_state::installing;
  tell(t.from, t.offer.transfer, t.state);
  around_.storage->check(
      around_.group, t.file, summary(),
      continued<void>(
          [this](const core::result<void>& checked) { on_checked(checked); }));
}

storage::spool_summary snapshot_receiver::summary() const {
  const auto& o = current_->offer;
  return {o.announcement.meta.index, o.bytes, o.checksum};
}

void snapshot_receiver::on_checked(const core::result<void>& outcome) {
  if (!outcome)
    return end(snapshot_state::refused);
  auto& replica = *around_.replica;
  const auto index = current_->offer.announcement.meta.index;
  replica.receive(current_->from, current_->offer.announcement);
  replica.pump(); // may call install()
  if (!replica.consensus().installing())
    end(replica.consensus().commit() >= index ? snapshot_state::installed
                                              : snapshot_state::refused);
}

void snapshot_receiver::install(const cluster::snapshot_meta& meta) {
  if (!current_ || current_->offer.announcement.meta != meta)
    return around_.replica->install_failed();
  around_.storage->install(
      around_.group, current_->file, summary(),
      {std::string{installed_key}, encode_snapshot_meta(meta)},
      continued<void>([this, meta](const core::result<void>& outcome) {
        on_installed(meta, outcome);
      }));
}

void snapshot_receiver::on_installed(const cluster::snapshot_meta& meta,
                                     const core::result<void>& outcome) {
  if (!outcome) {
    around_.replica->install_failed();
    return end(snapshot_state::refused);
  }
  // Before anything is applied to them.
  replace_();
  around_.replica->installed(meta);
  count(around_.stats->snapshots_installed);
  end(snapshot_state::installed);
}

void snapshot_receiver::on_tick() {
  if (current_ && current_->state == snapshot_state::receiving &&
      around_.clock->now() - current_->heard >= give_up_after)
    end(snapshot_state::refused);
}

void snapshot_receiver::end(snapshot_state how) {
  if (how == snapshot_state::refused)
    count(around_.stats->snapshots_refused);
  const auto done = std::move(*std::exchange(current_, std::nullopt));
  last_ = done.offer.transfer;
  last_state_ = how;
  around_.storage->remove(done.file);
  around_.storage->end_receiving();
  tell(done.from, last_, how);
}

} // namespace troupe::actors
