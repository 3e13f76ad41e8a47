// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "storage/audit/digest.hpp"
#include "storage/audit/record.hpp"
#include "storage/audit/segment.hpp"
#include "storage/cluster_id.hpp"
#include "storage/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace troupe::storage::audit {

struct writer_options {
  std::filesystem::path folder;
  storage::cluster_id cluster;
  core::node_id node;
  /// A segment that has reached so much gets no more records.
  std::uint64_t segment_bytes = std::uint64_t{64} << 20U;
  /// Oldest segments go when all together have more.
  std::uint64_t keep_bytes = std::uint64_t{4} << 30U;
  /// Segments go when all in them is older; 0: never.
  core::milliseconds keep_time{0};
  std::string key; ///< seals heads; "": they are not
};

/// One segment that is kept.
struct segment_span {
  segment_number number = 0;
  sequence_number first_sequence = 0; ///< 0: its head can't be read
  core::timestamp created{};
  std::uint64_t bytes = 0; ///< of whole frames, with the head
};

/// How the last writer of a folder ended.
struct last_ending {
  bool clean = true; ///< or there was none
  std::uint64_t cut_bytes = 0;
};

/// Appends records to the segments of a folder, and removes old ones. What was
/// appended is in memory until flush(). For one thread.
///
/// Errors are io_error and storage_full. After storage_full the same call may
/// be made again and goes on where it was; nothing is lost and nothing is
/// written twice.
class writer {
public:
  /// Goes on behind the last record that is whole; what is behind it is moved
  /// into a file of its own (".cut"). corrupt: the folder can't be gone on
  /// with; wrong_cluster, newer_format.
  static core::result<std::unique_ptr<writer>>
  open(file_system& files, writer_options options, core::timestamp now);

  /// Numbers the record; its time is not before that of the last one. On an
  /// error it was not appended.
  core::result<void> append(record what);
  /// Gives what was appended to the operating system.
  core::result<void> flush();
  /// flush(), and what was given is on stable storage.
  core::result<void> sync();
  /// Removes what need not be kept any more; how many segments.
  core::result<std::size_t> trim(core::timestamp now);

  /// Worth a flush.
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool unsynced() const { return unsynced_; }
  [[nodiscard]] const last_ending& ending() const { return ending_; }
  /// Of the last record that was flushed, 0 and the head's hash before.
  [[nodiscard]] sequence_number last_sequence() const { return flushed_; }
  [[nodiscard]] const digest& last_hash() const { return flushed_chain_; }
  /// Ascending, as flushed; the last one is written to.
  [[nodiscard]] const std::vector<segment_span>& segments() const {
    return segments_;
  }
  [[nodiscard]] std::uint64_t bytes() const;

private:
  writer(file_system& files, writer_options options);
  core::result<void> recover();
  core::result<void> read_spans(const std::vector<segment_number>& numbers);
  core::result<void> set_aside_headless(segment_number number);
  core::result<void> recover_tail();
  core::result<void> cut_tail(std::uint64_t from, std::uint64_t to);
  core::result<void> roll(core::timestamp now);
  [[nodiscard]] bool wants_roll(core::timestamp now) const;
  core::result<void> remove_oldest();
  [[nodiscard]] std::filesystem::path path_of(segment_number number) const {
    return options_.folder / segment_name(number);
  }

  file_system& files_;
  const writer_options options_;
  const core::milliseconds segment_time_;
  hasher hasher_;
  std::unique_ptr<file> file_;
  std::vector<segment_span> segments_;
  std::vector<std::byte> buffer_; ///< goes behind segments_.back().bytes
  sequence_number sequence_ = 0;  ///< of the last record appended
  digest chain_{};
  sequence_number flushed_ = 0;
  digest flushed_chain_{};
  core::timestamp last_time_{};
  bool unsynced_ = false;
  bool trim_unnoted_ = false; ///< a record of it could not be appended yet
  last_ending ending_;
};

} // namespace troupe::storage::audit
