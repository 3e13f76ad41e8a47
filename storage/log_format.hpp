// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/shared_bytes.hpp"
#include "storage/cluster_id.hpp"
#include "storage/file_system.hpp"
#include "storage/log_types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The bytes of a log segment (docs/formats/log.md). A segment is a header
/// page and then batches, each a whole number of pages. Every sector of both
/// ends with a mark that names the batch it was written by; what is left of
/// the sectors, read in a row, is the batch's stream: a header and records.
///
/// The marks tell a torn batch from a damaged one: a disk writes a sector
/// whole, so a batch all of whose sectors bear its number was written to the
/// end, and a checksum in it that does not match means damage. A batch with a
/// sector that bears an older number was still being written.
namespace troupe::storage {

inline constexpr std::uint32_t log_format_version = 1;

/// Bytes of a sector left for the stream.
inline constexpr std::size_t sector_payload = sector_bytes - 8;
inline constexpr std::size_t sectors_per_page = page_bytes / sector_bytes;

/// Ascends by one with every batch over the whole life of a log, from 1.
using batch_sequence = std::uint64_t;
/// Names a segment file; ascending, from 1, without gaps.
using segment_number = std::uint64_t;

/// What the end of a sector says.
struct sector_mark {
  enum class state : std::uint8_t {
    blank,  ///< never written
    valid,  ///< written by batch `sequence`
    damaged ///< neither
  };
  sector_mark::state state = state::blank;
  batch_sequence sequence = 0;
};

/// Eight bytes for the end of a sector: 48 bits of number, 16 of check.
[[nodiscard]] std::uint64_t encode_mark(batch_sequence sequence);
[[nodiscard]] sector_mark decode_mark(std::uint64_t raw);
/// Of the sector that starts at `sector`.
[[nodiscard]] sector_mark read_mark(const std::byte* sector);

struct segment_header {
  storage::cluster_id cluster;
  segment_number number = 0;
  std::uint64_t segment_bytes = 0;
  batch_sequence first_sequence = 0;
  std::uint32_t format = log_format_version;
};

/// Writes one page. REQUIRES: `page` has page_bytes.
void encode_segment_header(const segment_header& header, std::byte* page);
/// Nothing if the page does not hold a header whose checksum matches.
[[nodiscard]] std::optional<segment_header>
decode_segment_header(const std::byte* page);

enum class record_kind : std::uint8_t {
  entry = 1,         ///< index, term, entry_kind; the data is the payload
  truncate_from = 2, ///< index
  hard_state = 3,    ///< term; index is the vote
  snapshot_meta = 4, ///< the payload
  replace_log = 5,   ///< nothing
};

/// One record, its payload borrowed.
struct log_record {
  record_kind kind = record_kind::entry;
  std::uint8_t entry_kind = 0;
  core::group_id group;
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  core::bytes_view payload;
};

inline constexpr std::size_t record_header_bytes = 28;
inline constexpr std::size_t batch_header_bytes = 32;

/// Records a write becomes, in the order they take effect.
void for_each_record(const log_write& write,
                     const std::function<void(const log_record&)>& visit);
/// Stream bytes of a write's records.
[[nodiscard]] std::size_t encoded_bytes(const log_write& write);
/// Bytes on disk of a batch whose records take `record_bytes`.
[[nodiscard]] constexpr std::size_t batch_disk_bytes(std::size_t record_bytes) {
  const auto stream = batch_header_bytes + record_bytes;
  const auto sectors = (stream + sector_payload - 1) / sector_payload;
  const auto pages = (sectors + sectors_per_page - 1) / sectors_per_page;
  return pages * page_bytes;
}

/// Puts one batch together in page-aligned memory, ready for one write.
class batch_encoder {
public:
  /// `disk_bytes_max`: of the largest batch with a segment header before it.
  explicit batch_encoder(std::size_t disk_bytes_max);

  /// Starts a batch; with `header` it is the first of a segment and the
  /// header page goes in front of it.
  void begin(segment_number segment, batch_sequence sequence,
             const segment_header* header = nullptr);
  void add(const log_record& record);
  [[nodiscard]] std::size_t record_bytes() const {
    return stream_bytes_ - batch_header_bytes;
  }
  /// The finished batch, whole pages; valid until the next begin().
  [[nodiscard]] core::bytes_view finish();

private:
  struct free_memory {
    void operator()(std::byte* memory) const noexcept;
  };

  void append(core::bytes_view bytes);
  void write_stream(std::size_t stream_offset, core::bytes_view bytes);

  std::unique_ptr<std::byte, free_memory> memory_;
  std::size_t capacity_;
  std::size_t start_ = 0; ///< where the batch begins in memory_
  std::size_t stream_bytes_ = 0;
  std::uint32_t records_ = 0;
  std::uint32_t crc_seed_ = 0;
  segment_number segment_ = 0;
  batch_sequence sequence_ = 0;
};

/// What lies at a place where a batch might be.
struct batch_view {
  enum class state : std::uint8_t {
    none,    ///< no batch begins here
    torn,    ///< one began to be written and was not written to its end
    damaged, ///< a batch that was, but whose bytes are not what was written
    complete,
  };
  batch_view::state state = state::none;
  batch_sequence sequence = 0;
  std::size_t disk_bytes = 0; ///< if complete
  std::size_t damaged_at = 0; ///< if damaged: offset into `bytes`
  std::string what;           ///< if damaged
};

/// Reads batches back. Keeps its buffer between batches.
class batch_decoder {
public:
  /// Looks at the batch that should begin at `bytes` and bear `expected`; the
  /// records of a complete one are then found in records(), their payloads
  /// valid until the next call.
  batch_view read(core::bytes_view bytes, segment_number segment,
                  batch_sequence expected);
  [[nodiscard]] const std::vector<log_record>& records() const {
    return records_;
  }

private:
  /// Stream offset of the first bad record, or nothing.
  std::optional<std::size_t> parse(std::uint32_t count, std::uint32_t seed);

  std::vector<std::byte> stream_;
  std::vector<log_record> records_;
};

} // namespace troupe::storage
