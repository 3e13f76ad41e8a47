// SPDX-License-Identifier: Apache-2.0
#include "storage/audit/writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace troupe::storage::audit {
namespace {

using core::errc;
using core::error;
using core::result;

constexpr std::size_t flush_bytes = std::size_t{1} << 20U;
/// What is older than it has to be kept goes a segment at a time.
constexpr int segments_per_keep_time = 8;
constexpr core::milliseconds segment_time_min{1'000};

std::string cut_name(segment_number number, std::uint64_t offset) {
  return segment_name(number) + "-" + std::to_string(offset) + ".cut";
}

} // namespace

writer::writer(file_system& files, writer_options options)
    : files_(files), options_(std::move(options)),
      segment_time_(options_.keep_time.count() == 0
                        ? core::milliseconds{0}
                        : std::max(options_.keep_time / segments_per_keep_time,
                                   segment_time_min)) {}

result<std::unique_ptr<writer>>
writer::open(file_system& files, writer_options options, core::timestamp now) {
  std::unique_ptr<writer> made{new writer{files, std::move(options)}};
  if (auto folder = files.create_folder(made->options_.folder); !folder)
    return folder.error();
  if (auto recovered = made->recover(); !recovered)
    return recovered.error();
  if (made->segments_.empty())
    if (auto begun = made->roll(now); !begun)
      return begun.error();
  made->flushed_ = made->sequence_;
  made->flushed_chain_ = made->chain_;
  return made;
}

// ------------------------------------------------------------------- recovery

result<void> writer::recover() {
  auto numbers = list_segments(files_, options_.folder);
  if (!numbers)
    return numbers.error();
  // The last one may have been made by a node that died before its head was
  // on the disk.
  while (!numbers->empty()) {
    const auto newest = segment_walker::open(files_, path_of(numbers->back()));
    if (newest)
      break;
    if (newest.error().code != errc::malformed)
      return newest.error();
    if (auto done = set_aside_headless(numbers->back()); !done)
      return done;
    numbers->pop_back();
  }
  if (numbers->empty())
    return {};
  if (auto read = read_spans(*numbers); !read)
    return read;
  return recover_tail();
}

/// Nothing of it can be told from something else, but it may be evidence.
result<void> writer::set_aside_headless(segment_number number) {
  const auto path = path_of(number);
  auto opened = files_.open(path, open_mode::read_only);
  if (!opened)
    return opened.error();
  const auto size = (*opened)->size();
  if (!size)
    return size.error();
  ending_.clean = false;
  ending_.cut_bytes += *size;
  if (auto moved = files_.rename(path, options_.folder / cut_name(number, 0));
      !moved)
    return moved;
  return files_.sync_folder(options_.folder);
}

result<void> writer::read_spans(const std::vector<segment_number>& numbers) {
  for (const auto number : numbers) {
    segment_span span;
    span.number = number;
    // A damaged one in the middle stays; to judge it is not for a start.
    const auto walker = segment_walker::open(files_, path_of(number));
    if (walker) {
      const auto& head = walker->head().head;
      span.first_sequence = head.first_sequence;
      span.created = head.created;
      span.bytes = walker->file_bytes();
    } else if (walker.error().code != errc::malformed) {
      return walker.error();
    } else if (!segments_.empty()) {
      span.created = segments_.back().created;
    }
    segments_.push_back(span);
  }
  return {};
}

result<void> writer::recover_tail() {
  auto& last = segments_.back();
  auto walker = segment_walker::open(files_, path_of(last.number));
  if (!walker)
    return walker.error();
  const auto& head = walker->head().head;
  if (head.cluster != options_.cluster || head.node != options_.node)
    return error{errc::wrong_cluster, path_of(last.number).string() +
                                          " was written by another node"};
  sequence_ = head.first_sequence - 1;
  last_time_ = head.created;
  chain_ = walker->chain();
  ending_.clean = false;
  auto whole = std::uint64_t{head_bytes};
  for (;;) {
    const auto step = walker->next(true);
    if (!step)
      return step.error();
    if (*step != segment_walker::step::frame)
      break;
    const auto found = decode_record(walker->body());
    if (!found || found->sequence != sequence_ + 1)
      break; // what follows is not ours either
    sequence_ = found->sequence;
    last_time_ = found->time;
    chain_ = walker->chain();
    ending_.clean = found->kind == core::audit_kind::closed;
    whole = walker->offset() + frame_head_bytes + walker->body().size();
  }
  // Of the writer; the one that reads has not seen the end.
  auto opened = files_.open(path_of(last.number), open_mode::read_write);
  if (!opened)
    return opened.error();
  file_ = std::move(*opened);
  if (const auto size = walker->file_bytes(); size > whole) {
    ending_.clean = false;
    ending_.cut_bytes += size - whole;
    if (auto cut = cut_tail(whole, size); !cut)
      return cut;
  }
  last.bytes = whole;
  return {};
}

result<void> writer::cut_tail(std::uint64_t from, std::uint64_t to) {
  const auto aside = options_.folder / cut_name(segments_.back().number, from);
  auto copy = files_.open(aside, open_mode::create_or_empty);
  if (!copy)
    return copy.error();
  std::vector<std::byte> piece(flush_bytes);
  for (auto at = from; at < to;) {
    const auto wanted = static_cast<std::size_t>(
        std::min<std::uint64_t>(piece.size(), to - at));
    const auto got = file_->read_at(std::span{piece.data(), wanted}, at);
    if (!got)
      return got.error();
    if (*got == 0)
      break;
    if (auto put = (*copy)->write_at({piece.data(), *got}, at - from); !put)
      return put;
    at += *got;
  }
  if (auto done = (*copy)->sync(); !done)
    return done;
  if (auto done = files_.sync_folder(options_.folder); !done)
    return done;
  if (auto done = file_->truncate(from); !done)
    return done;
  return file_->sync();
}

// -------------------------------------------------------------------- writing

bool writer::is_full() const { return buffer_.size() >= flush_bytes; }

std::uint64_t writer::bytes() const {
  std::uint64_t all = 0;
  for (const auto& each : segments_)
    all += each.bytes;
  return all;
}

bool writer::wants_roll(core::timestamp now) const {
  const auto& last = segments_.back();
  const auto used = last.bytes + buffer_.size();
  if (used <= head_bytes)
    return false; // it has nothing yet
  return used >= options_.segment_bytes ||
         (segment_time_.count() != 0 && now - last.created >= segment_time_);
}

result<void> writer::append(record what) {
  what.time = std::max(what.time, last_time_);
  if (wants_roll(what.time))
    if (auto rolled = roll(what.time); !rolled)
      return rolled;
  what.sequence = sequence_ + 1;
  buffer_.resize(buffer_.size() + frame_head_bytes);
  const auto body_at = buffer_.size();
  encode(what, buffer_);
  chain_ = seal_frame(buffer_, body_at, chain_, hasher_);
  sequence_ = what.sequence;
  last_time_ = what.time;
  return {};
}

/// The old segment is durable before there is a new one, so that only the last
/// one can be torn.
result<void> writer::roll(core::timestamp now) {
  if (!segments_.empty())
    if (auto done = sync(); !done)
      return done;
  segment_head head;
  head.cluster = options_.cluster;
  head.node = options_.node;
  head.number = segments_.empty() ? 1 : segments_.back().number + 1;
  head.first_sequence = sequence_ + 1;
  head.created = now;
  head.previous = chain_;
  std::vector<std::byte> bytes;
  const auto chain = encode_head(head, options_.key, hasher_, bytes);
  auto made = files_.open(path_of(head.number), open_mode::create_or_empty);
  if (!made)
    return made.error();
  if (auto put = (*made)->write_at(bytes, 0); !put)
    return put;
  if (auto done = (*made)->sync(); !done)
    return done;
  if (auto done = files_.sync_folder(options_.folder); !done)
    return done;
  file_ = std::move(*made);
  chain_ = flushed_chain_ = chain;
  segments_.push_back(
      {head.number, head.first_sequence, head.created, head_bytes});
  return {};
}

result<void> writer::flush() {
  if (buffer_.empty())
    return {};
  auto& last = segments_.back();
  if (auto put = file_->write_at(buffer_, last.bytes); !put)
    return put;
  last.bytes += buffer_.size();
  buffer_.clear();
  flushed_ = sequence_;
  flushed_chain_ = chain_;
  unsynced_ = true;
  return {};
}

result<void> writer::sync() {
  if (auto flushed = flush(); !flushed)
    return flushed;
  if (!unsynced_)
    return {};
  if (auto done = file_->sync(); !done)
    return done;
  unsynced_ = false;
  return {};
}

// ------------------------------------------------------------------ retention

result<void> writer::remove_oldest() {
  const auto name = segment_name(segments_.front().number);
  const auto names = files_.list(options_.folder);
  if (!names)
    return names.error();
  // What was cut off it goes with it, and first: a segment that is gone is not
  // asked for again.
  for (const auto& each : *names)
    if (each.starts_with(name) && each != name)
      if (auto gone = files_.remove(options_.folder / each); !gone)
        return gone;
  if (auto gone = files_.remove(options_.folder / name); !gone)
    return gone;
  segments_.erase(segments_.begin());
  return {};
}

result<std::size_t> writer::trim(core::timestamp now) {
  std::size_t removed = 0;
  const auto too_old = [&] {
    return options_.keep_time.count() != 0 &&
           now - segments_[1].created >= options_.keep_time;
  };
  while (segments_.size() > 1 && (bytes() > options_.keep_bytes || too_old())) {
    if (auto gone = remove_oldest(); !gone)
      return gone.error();
    ++removed;
    trim_unnoted_ = true;
  }
  if (!trim_unnoted_)
    return removed;
  if (auto done = files_.sync_folder(options_.folder); !done)
    return done.error();
  record note;
  note.kind = core::audit_kind::trimmed;
  note.time = now;
  note.size = segments_.front().first_sequence;
  if (auto noted = append(note); !noted)
    return noted.error();
  trim_unnoted_ = false;
  return removed;
}

} // namespace troupe::storage::audit
