// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "storage/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::storage {

struct line_journal_options {
  std::filesystem::path folder;
  /// A segment that got so much is followed by another one.
  std::uint64_t segment_bytes = std::uint64_t{16} << 20U;
  /// Oldest segments go when all together have more; the last one stays.
  std::uint64_t keep_bytes = std::uint64_t{256} << 20U;
};

/// Lines of text in the segments of a folder, appended and never changed, each
/// behind a checksum of its own (docs/formats/session-records.md). For one
/// thread; the folder belongs to one process. Errors are io_error and
/// storage_full.
class line_journal {
public:
  using visitor = std::function<void(std::string_view line)>;
  static constexpr std::size_t line_bytes_max = std::size_t{64} << 10U;

  /// Makes the folder if there is none, gives all lines to `each`, oldest
  /// first, and goes on behind the last whole one: what a crash left of
  /// another is cut. Lines that can't be read are passed over, see damaged().
  static core::result<std::unique_ptr<line_journal>>
  open(file_system& files, line_journal_options options, const visitor& each);

  /// Into memory. A line has no line feed and up to line_bytes_max bytes.
  void append(std::string_view line);
  /// What was appended is on stable storage. After an error it still waits,
  /// and the same call may be made again.
  core::result<void> sync();

  /// The segment got segment_bytes since it began.
  [[nodiscard]] bool is_full() const {
    return written_ >= began_ + options_.segment_bytes;
  }
  /// Begins the next segment with what `carry` appends, and removes the oldest
  /// ones beyond keep_bytes. REQUIRES: nothing waits. An error leaves it in
  /// the old one.
  core::result<void> roll(const std::function<void()>& carry);

  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }
  [[nodiscard]] std::uint64_t cut_bytes() const { return cut_bytes_; }
  /// Of all segments.
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] bool waits() const { return !waiting_.empty(); }

private:
  struct segment {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
  };

  line_journal(file_system& files, line_journal_options options)
      : files_(files), options_(std::move(options)) {}
  core::result<void> recover(const visitor& each);
  core::result<void> recover_one(segment& of, bool last, const visitor& each);
  core::result<std::unique_ptr<file>> make_segment(std::uint64_t number);
  std::unique_ptr<file> begin(std::uint64_t number, std::unique_ptr<file> in);
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;

  file_system& files_;
  const line_journal_options options_;
  std::deque<segment> segments_; ///< ascending; the last one is written to
  std::unique_ptr<file> file_;
  std::string waiting_;
  std::uint64_t written_ = 0; ///< of the last segment
  std::uint64_t began_ = 0;   ///< bytes of it that were carried over
  std::uint64_t damaged_ = 0;
  std::uint64_t cut_bytes_ = 0;
};

/// Lines of a folder for whoever looks into it from another thread, while it
/// is written to. Begins behind `after`, what the call before answered ("" is
/// the oldest line), and ends when `each` says false or with the last line on
/// disk. malformed for another text; a segment that has gone is passed over.
core::result<std::string>
read_lines(file_system& files, const std::filesystem::path& folder,
           std::string_view after,
           const std::function<bool(std::string_view line)>& each);

} // namespace troupe::storage
