// SPDX-License-Identifier: Apache-2.0
#include "storage/log_format.hpp"

#include "core/assert.hpp"
#include "core/crc32c.hpp"
#include "storage/byte_order.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

namespace troupe::storage {
namespace {

constexpr std::array<char, 8> magic{'T', 'R', 'O', 'U', 'P', 'E', 'L', 'G'};
constexpr batch_sequence sequence_max = (batch_sequence{1} << 48) - 1;

// Offsets in the header page. Magic and format stay where they are in every
// version to come.
constexpr std::size_t at_format = 8;
constexpr std::size_t at_header_crc = 12;
constexpr std::size_t at_cluster = 16;
constexpr std::size_t at_number = 32;
constexpr std::size_t at_segment_bytes = 40;
constexpr std::size_t at_first_sequence = 48;
constexpr std::size_t segment_header_bytes = 56;

std::uint16_t mark_check(batch_sequence sequence) {
  std::array<std::byte, 8> bytes{};
  store_little(bytes.data(), sequence);
  const auto crc = core::crc32c(bytes);
  return static_cast<std::uint16_t>(crc ^ (crc >> 16));
}

void mark_sectors(std::byte* from, std::size_t bytes, batch_sequence sequence) {
  const auto mark = encode_mark(sequence);
  for (std::size_t at = 0; at < bytes; at += sector_bytes)
    store_little(from + at + sector_payload, mark);
}

/// Binds a record to its place: the same bytes in another segment or batch
/// have another checksum.
std::uint32_t record_seed(segment_number segment, batch_sequence sequence) {
  std::array<std::byte, 16> bytes{};
  store_little(bytes.data(), segment);
  store_little(bytes.data() + 8, sequence);
  return core::crc32c(bytes);
}

std::uint32_t segment_header_crc(const std::byte* page) {
  const auto before = core::crc32c({page, at_header_crc});
  return core::crc32c({page + at_cluster, segment_header_bytes - at_cluster},
                      before);
}

void encode_record_header(const log_record& record, std::byte* to) {
  store_little(to + 4, static_cast<std::uint32_t>(record.payload.size()));
  store_little(to + 8, static_cast<std::uint8_t>(record.kind));
  store_little(to + 9, record.entry_kind);
  store_little(to + 10, record.group.value());
  store_little(to + 12, record.index);
  store_little(to + 20, record.term);
}

} // namespace

std::uint64_t encode_mark(batch_sequence sequence) {
  TROUPE_ASSERT(sequence != 0 && sequence <= sequence_max,
                "batch sequence outside its range");
  return sequence | (std::uint64_t{mark_check(sequence)} << 48);
}

sector_mark decode_mark(std::uint64_t raw) {
  using state = enum sector_mark::state;
  if (raw == 0)
    return {state::blank, 0};
  const auto sequence = raw & sequence_max;
  if (sequence == 0 || mark_check(sequence) != raw >> 48)
    return {state::damaged, 0};
  return {state::valid, sequence};
}

sector_mark read_mark(const std::byte* sector) {
  return decode_mark(load_little<std::uint64_t>(sector + sector_payload));
}

void encode_segment_header(const segment_header& header, std::byte* page) {
  std::memset(page, 0, page_bytes);
  std::memcpy(page, magic.data(), magic.size());
  store_little(page + at_format, header.format);
  std::memcpy(page + at_cluster, header.cluster.bytes.data(),
              header.cluster.bytes.size());
  store_little(page + at_number, header.number);
  store_little(page + at_segment_bytes, header.segment_bytes);
  store_little(page + at_first_sequence, header.first_sequence);
  store_little(page + at_header_crc, segment_header_crc(page));
  mark_sectors(page, page_bytes, header.first_sequence);
}

std::optional<segment_header> decode_segment_header(const std::byte* page) {
  if (std::memcmp(page, magic.data(), magic.size()) != 0)
    return std::nullopt;
  segment_header header;
  header.format = load_little<std::uint32_t>(page + at_format);
  // A newer version may check itself in another way.
  if (header.format <= log_format_version &&
      load_little<std::uint32_t>(page + at_header_crc) !=
          segment_header_crc(page))
    return std::nullopt;
  std::memcpy(header.cluster.bytes.data(), page + at_cluster,
              header.cluster.bytes.size());
  header.number = load_little<std::uint64_t>(page + at_number);
  header.segment_bytes = load_little<std::uint64_t>(page + at_segment_bytes);
  header.first_sequence = load_little<std::uint64_t>(page + at_first_sequence);
  return header;
}

void for_each_record(const log_write& write,
                     const std::function<void(const log_record&)>& visit) {
  if (write.hard_state)
    visit({.kind = record_kind::hard_state,
           .group = write.group,
           .index = write.hard_state->vote.value(),
           .term = write.hard_state->term.value(),
           .payload = {}});
  if (write.snapshot_meta)
    visit({.kind = record_kind::snapshot_meta,
           .group = write.group,
           .payload = write.snapshot_meta->view()});
  if (write.replace_log)
    visit({.kind = record_kind::replace_log,
           .group = write.group,
           .payload = {}});
  if (write.truncate_from)
    visit({.kind = record_kind::truncate_from,
           .group = write.group,
           .index = write.truncate_from->value(),
           .payload = {}});
  std::uint64_t index = write.first.value();
  for (const auto& entry : write.entries)
    visit({.kind = record_kind::entry,
           .entry_kind = entry.kind,
           .group = write.group,
           .index = index++,
           .term = entry.term.value(),
           .payload = entry.data.view()});
}

std::size_t encoded_bytes(const log_write& write) {
  std::size_t bytes = 0;
  if (write.hard_state)
    bytes += record_header_bytes;
  if (write.snapshot_meta)
    bytes += record_header_bytes + write.snapshot_meta->size();
  if (write.replace_log)
    bytes += record_header_bytes;
  if (write.truncate_from)
    bytes += record_header_bytes;
  for (const auto& entry : write.entries)
    bytes += record_header_bytes + entry.data.size();
  return bytes;
}

void batch_encoder::free_memory::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

batch_encoder::batch_encoder(std::size_t disk_bytes_max)
    : capacity_((disk_bytes_max + page_bytes - 1) / page_bytes * page_bytes) {
  memory_.reset(
      static_cast<std::byte*>(std::aligned_alloc(page_bytes, capacity_)));
  if (!memory_)
    throw std::bad_alloc{};
}

void batch_encoder::begin(segment_number segment, batch_sequence sequence,
                          const segment_header* header) {
  start_ = 0;
  if (header != nullptr) {
    encode_segment_header(*header, memory_.get());
    start_ = page_bytes;
  }
  segment_ = segment;
  sequence_ = sequence;
  records_ = 0;
  crc_seed_ = record_seed(segment, sequence);
  stream_bytes_ = batch_header_bytes; // written by finish()
}

void batch_encoder::add(const log_record& record) {
  std::array<std::byte, record_header_bytes> header{};
  encode_record_header(record, header.data());
  auto crc = core::crc32c(core::bytes_view{header}.subspan(4), crc_seed_);
  crc = core::crc32c(record.payload, crc);
  store_little(header.data(), crc);
  append(header);
  append(record.payload);
  ++records_;
}

core::bytes_view batch_encoder::finish() {
  std::array<std::byte, batch_header_bytes> header{};
  store_little(header.data() + 4,
               static_cast<std::uint32_t>(stream_bytes_ - batch_header_bytes));
  store_little(header.data() + 8, sequence_);
  store_little(header.data() + 16, segment_);
  store_little(header.data() + 24, records_);
  store_little(header.data(),
               core::crc32c(core::bytes_view{header}.subspan(4)));
  write_stream(0, header);

  const auto bytes = batch_disk_bytes(stream_bytes_ - batch_header_bytes);
  // Zeroes after the last record, so that nothing of an earlier batch is
  // written again.
  auto* batch = memory_.get() + start_;
  auto sector = stream_bytes_ / sector_payload;
  auto used = stream_bytes_ % sector_payload;
  for (; sector < bytes / sector_bytes; ++sector, used = 0)
    std::memset(batch + sector * sector_bytes + used, 0, sector_payload - used);
  mark_sectors(batch, bytes, sequence_);
  return {memory_.get(), start_ + bytes};
}

void batch_encoder::append(core::bytes_view bytes) {
  write_stream(stream_bytes_, bytes);
  stream_bytes_ += bytes.size();
}

void batch_encoder::write_stream(std::size_t stream_offset,
                                 core::bytes_view bytes) {
  const auto end = std::max(stream_offset + bytes.size(), batch_header_bytes);
  TROUPE_ASSERT(start_ + batch_disk_bytes(end - batch_header_bytes) <=
                    capacity_,
                "batch larger than its buffer");
  auto* batch = memory_.get() + start_;
  while (!bytes.empty()) {
    const auto sector = stream_offset / sector_payload;
    const auto within = stream_offset % sector_payload;
    const auto count = std::min(bytes.size(), sector_payload - within);
    std::memcpy(batch + sector * sector_bytes + within, bytes.data(), count);
    bytes = bytes.subspan(count);
    stream_offset += count;
  }
}

batch_view batch_decoder::read(core::bytes_view bytes, segment_number segment,
                               batch_sequence expected) {
  using state = enum batch_view::state;
  using mark_state = enum sector_mark::state;
  records_.clear();
  batch_view view;
  if (bytes.size() < page_bytes)
    return view;
  const auto damaged = [&view](std::size_t at, const char* what) {
    view.state = state::damaged;
    view.damaged_at = at;
    view.what = what;
    return view;
  };

  const auto first = read_mark(bytes.data());
  if (first.state == mark_state::damaged)
    return damaged(0, "sector mark does not match its check");
  if (first.state == mark_state::blank || first.sequence < expected)
    return view;
  if (first.sequence > expected)
    return damaged(0, "batches are missing before this one");

  // The first sector was written by the batch we look for, as a whole: from
  // here on nothing can be half written but other sectors.
  view.sequence = expected;
  const auto* header = bytes.data();
  const auto record_bytes = load_little<std::uint32_t>(header + 4);
  if (load_little<std::uint32_t>(header) !=
          core::crc32c({header + 4, batch_header_bytes - 4}) ||
      load_little<std::uint64_t>(header + 8) != expected ||
      load_little<std::uint64_t>(header + 16) != segment)
    return damaged(0, "batch header does not match its checksum");
  const auto disk_bytes = batch_disk_bytes(record_bytes);
  if (disk_bytes > bytes.size())
    return damaged(0, "batch reaches beyond its segment");

  for (std::size_t at = 0; at < disk_bytes; at += sector_bytes) {
    const auto mark = read_mark(bytes.data() + at);
    if (mark.state == mark_state::damaged)
      return damaged(at, "sector mark does not match its check");
    if (mark.state == mark_state::blank || mark.sequence < expected) {
      view.state = state::torn;
      return view;
    }
    if (mark.sequence > expected)
      return damaged(at, "sector of a later batch inside this one");
  }

  stream_.resize(batch_header_bytes + record_bytes);
  for (std::size_t done = 0, at = 0; done < stream_.size();
       at += sector_bytes) {
    const auto count = std::min(sector_payload, stream_.size() - done);
    std::memcpy(stream_.data() + done, bytes.data() + at, count);
    done += count;
  }
  if (const auto bad = parse(load_little<std::uint32_t>(header + 24),
                             record_seed(segment, expected)))
    return damaged(*bad / sector_payload * sector_bytes + *bad % sector_payload,
                   "record does not match its checksum");
  view.state = state::complete;
  view.disk_bytes = disk_bytes;
  return view;
}

std::optional<std::size_t> batch_decoder::parse(std::uint32_t count,
                                                std::uint32_t seed) {
  std::size_t at = batch_header_bytes;
  records_.reserve(
      std::min<std::size_t>(count, stream_.size() / record_header_bytes));
  for (; count > 0; --count) {
    const auto left = stream_.size() - at;
    if (left < record_header_bytes)
      return at;
    const auto* header = stream_.data() + at;
    const auto length = load_little<std::uint32_t>(header + 4);
    if (length > left - record_header_bytes)
      return at;
    if (load_little<std::uint32_t>(header) !=
        core::crc32c({header + 4, record_header_bytes - 4 + length}, seed))
      return at;
    records_.push_back(
        {.kind =
             static_cast<record_kind>(load_little<std::uint8_t>(header + 8)),
         .entry_kind = load_little<std::uint8_t>(header + 9),
         .group = core::group_id{load_little<std::uint16_t>(header + 10)},
         .index = load_little<std::uint64_t>(header + 12),
         .term = load_little<std::uint64_t>(header + 20),
         .payload = {header + record_header_bytes, length}});
    at += record_header_bytes + length;
  }
  if (at != stream_.size())
    return at;
  return std::nullopt;
}

} // namespace troupe::storage
