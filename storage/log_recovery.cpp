// SPDX-License-Identifier: Apache-2.0
#include "storage/log_recovery.hpp"

#include "storage/log_replay.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <utility>

namespace troupe::storage {
namespace {

namespace fs = std::filesystem;
using core::errc;
using core::error;
using core::result;

/// One run over a folder. Segments are looked at in ascending order; `ended_`
/// turns true at the first one that was never begun.
class recovery {
public:
  recovery(file_system& files, const fs::path& folder,
           const cluster_id& cluster, std::uint64_t segment_bytes,
           const log_replay::bound& keep_above)
      : files_(files), folder_(folder), cluster_(cluster),
        segment_bytes_(segment_bytes), replay_(log_.ledger, keep_above) {}

  result<recovered_log> run() {
    const auto numbers = segments();
    if (!numbers)
      return numbers.error();
    for (const auto number : *numbers) {
      auto done = ended_ ? check_unused(number) : look_at(number);
      if (!done)
        return done.error();
    }
    if (auto done = settle(); !done)
      return done.error();
    log_.groups = replay_.take();
    return std::move(log_);
  }

private:
  struct page {
    segment_number segment = 0;
    std::uint64_t offset = 0;
  };

  [[nodiscard]] fs::path path_of(segment_number number) const {
    return folder_ / segment_name(number);
  }
  [[nodiscard]] error corrupt(segment_number number, std::uint64_t offset,
                              const std::string& what) const {
    return {errc::corrupt, path_of(number).string() + " at offset " +
                               std::to_string(offset) + ": " + what};
  }

  result<std::vector<segment_number>> segments() {
    const auto names = files_.list(folder_);
    if (!names)
      return names.error();
    std::vector<segment_number> numbers;
    for (const auto& name : *names) {
      if (name == new_segment_name) {
        if (auto done = files_.remove(folder_ / name); !done)
          return done.error();
      } else if (const auto number = parse_segment_name(name)) {
        numbers.push_back(*number);
      }
    }
    std::sort(numbers.begin(), numbers.end());
    for (std::size_t i = 1; i < numbers.size(); ++i)
      if (numbers[i] != numbers[i - 1] + 1)
        return error{errc::corrupt,
                     path_of(numbers[i - 1] + 1).string() + ": is missing"};
    return numbers;
  }

  /// The first `bytes` of a segment (all of it: 0) into bytes_.
  result<void> load(segment_number number, std::size_t bytes = 0) {
    auto in = files_.open(path_of(number), open_mode::read_only);
    if (!in)
      return in.error();
    const auto size = (*in)->size();
    if (!size)
      return size.error();
    file_bytes_ = *size;
    bytes_.resize(bytes == 0 ? static_cast<std::size_t>(*size) : bytes);
    const auto got = (*in)->read_at(bytes_, 0);
    if (!got)
      return got.error();
    bytes_.resize(*got);
    if (*got < page_bytes)
      return corrupt(number, *got, "shorter than a segment header");
    return {};
  }

  /// A segment that may have been begun.
  result<void> look_at(segment_number number) {
    if (auto done = load(number); !done)
      return done;
    const auto begun = is_begun(number);
    if (!begun)
      return begun.error();
    if (!*begun)
      return end_here(number);

    const auto first = log_.last_sequence + 1;
    if (auto done = replay_segment(number); !done)
      return done;
    // The header is written together with the first batch: without that one
    // the segment was not begun.
    if (log_.last_sequence < first)
      return end_here(number);
    if (cut_in_tail_)
      return corrupt(number, 0,
                     "begun though the segment before was not ended");
    log_.tail = number;
    log_.tail_position = position_;
    log_.tail_bytes = bytes_.size();
    return scan_rest(number, position_, true);
  }

  result<bool> is_begun(segment_number number) {
    using state = enum sector_mark::state;
    const auto mark = read_mark(bytes_.data());
    const auto header = decode_segment_header(bytes_.data());
    if (header && header->format > log_format_version)
      return error{errc::newer_format, path_of(number).string() + ": format " +
                                           std::to_string(header->format) +
                                           ", this Troupe reads up to " +
                                           std::to_string(log_format_version)};
    if (mark.state == state::damaged)
      return corrupt(number, 0, "sector mark does not match its check");
    if (mark.state == state::blank)
      return false;
    const bool known = log_.tail != 0;
    if (known && mark.sequence <= log_.last_sequence)
      return false; // left from the segment's last use
    if (!header || header->first_sequence != mark.sequence)
      return corrupt(number, 0, "segment header does not match its checksum");
    if (header->number != number)
      return corrupt(number, 0, "segment header names another segment");
    if (header->cluster != cluster_)
      return error{errc::wrong_cluster, path_of(number).string() +
                                            ": belongs to cluster " +
                                            to_string(header->cluster)};
    if (header->segment_bytes != bytes_.size())
      return corrupt(number, bytes_.size(), "not as long as its header says");
    if (known && header->first_sequence != log_.last_sequence + 1)
      return corrupt(number, 0, "batches are missing before this segment");
    log_.last_sequence = header->first_sequence - 1;
    return true;
  }

  result<void> replay_segment(segment_number number) {
    using state = enum batch_view::state;
    position_ = page_bytes;
    bool first = true;
    for (;;) {
      const auto rest = core::bytes_view{bytes_}.subspan(position_);
      const auto batch = decoder_.read(rest, number, log_.last_sequence + 1);
      if (batch.state == state::damaged)
        return corrupt(number, position_ + batch.damaged_at, batch.what);
      if (batch.state != state::complete)
        return {};
      if (std::exchange(first, false))
        log_.ledger.add_segment(number);
      for (const auto& record : decoder_.records())
        if (!replay_.apply(record))
          return corrupt(number, position_, replay_.why());
      log_.last_sequence = batch.sequence;
      position_ += batch.disk_bytes;
    }
  }

  /// The log ends before this segment.
  result<void> end_here(segment_number number) {
    ended_ = true;
    if (bytes_.size() == segment_bytes_)
      log_.prepared.push_back(number);
    else
      unusable_.push_back(number);
    return scan_rest(number, 0, false);
  }

  /// Behind the end there may be pieces of the batch that was being written;
  /// anything of a later one means that the end is a hole.
  result<void> scan_rest(segment_number number, std::size_t from, bool tail) {
    const auto torn = log_.last_sequence + 1;
    for (auto at = from; at + page_bytes <= bytes_.size(); at += page_bytes) {
      bool cut = false;
      for (std::size_t s = 0; s < page_bytes; s += sector_bytes) {
        const auto mark = read_mark(bytes_.data() + at + s);
        if (mark.state != sector_mark::state::valid || mark.sequence < torn)
          continue;
        if (mark.sequence > torn)
          return corrupt(number, from,
                         "nothing readable here, but batch " +
                             std::to_string(mark.sequence) +
                             " stands behind it at offset " +
                             std::to_string(at + s));
        cut = true;
      }
      if (cut) {
        cut_.push_back({number, at});
        cut_in_tail_ = cut_in_tail_ || tail;
      }
    }
    return {};
  }

  /// A segment behind the first that was not begun: its header is enough.
  result<void> check_unused(segment_number number) {
    if (auto done = load(number, page_bytes); !done)
      return done;
    const auto mark = read_mark(bytes_.data());
    if (mark.state == sector_mark::state::valid &&
        mark.sequence > log_.last_sequence)
      return corrupt(number, 0, "begun though the segment before it was not");
    if (file_bytes_ == segment_bytes_ && unusable_.empty())
      log_.prepared.push_back(number);
    else
      unusable_.push_back(number);
    return {};
  }

  /// Blanks what was cut and makes durable what is kept: a batch may have been
  /// found complete in memory only.
  result<void> settle() {
    const std::vector<std::byte> zeroes(page_bytes);
    std::unique_ptr<file> out;
    segment_number of = 0;
    for (const auto& [segment, offset] : cut_) {
      if (of != segment) {
        if (out)
          if (auto done = out->sync(); !done)
            return done;
        auto opened = files_.open(path_of(segment), open_mode::read_write);
        if (!opened)
          return opened.error();
        out = std::move(*opened);
        of = segment;
      }
      if (auto done = out->write_at(zeroes, offset); !done)
        return done;
    }
    if (out)
      if (auto done = out->sync(); !done)
        return done;
    if (log_.tail != 0 && log_.tail != of) {
      auto tail = files_.open(path_of(log_.tail), open_mode::read_write);
      if (!tail)
        return tail.error();
      if (auto done = (*tail)->sync(); !done)
        return done;
    }
    // Newest first, so that no gap shows after a crash.
    for (auto at = unusable_.rbegin(); at != unusable_.rend(); ++at)
      if (auto done = files_.remove(path_of(*at)); !done)
        return done;
    return files_.sync_folder(folder_);
  }

  file_system& files_;
  const fs::path& folder_;
  const cluster_id& cluster_;
  std::uint64_t segment_bytes_;
  recovered_log log_;
  log_replay replay_;
  batch_decoder decoder_;
  std::vector<std::byte> bytes_;
  std::uint64_t file_bytes_ = 0;
  std::size_t position_ = 0;
  bool ended_ = false;
  bool cut_in_tail_ = false;
  std::vector<page> cut_;
  std::vector<segment_number> unusable_;
};

} // namespace

std::string segment_name(segment_number number) {
  char name[40];
  const int length = std::snprintf(name, sizeof name, "segment-%016llx.log",
                                   static_cast<unsigned long long>(number));
  return {name, static_cast<std::size_t>(length)};
}

std::optional<segment_number> parse_segment_name(std::string_view name) {
  constexpr std::string_view before = "segment-";
  constexpr std::string_view after = ".log";
  if (name.size() != before.size() + 16 + after.size() ||
      !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  segment_number number = 0;
  const auto* from = name.data() + before.size();
  const auto [stop, code] = std::from_chars(from, from + 16, number, 16);
  if (code != std::errc{} || stop != from + 16 || number == 0)
    return std::nullopt;
  return number;
}

result<recovered_log>
recover_log(file_system& files, const fs::path& folder,
            const cluster_id& cluster, std::uint64_t segment_bytes,
            const std::function<core::log_index(core::group_id)>& keep_above) {
  return recovery{files, folder, cluster, segment_bytes, keep_above}.run();
}

} // namespace troupe::storage
