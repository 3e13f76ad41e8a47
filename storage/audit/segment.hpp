// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/result.hpp"
#include "storage/audit/digest.hpp"
#include "storage/audit/record.hpp"
#include "storage/cluster_id.hpp"
#include "storage/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The bytes of a segment of the audit log (docs/formats/audit.md): a head, and
/// frames behind it, each a record and the chain's hash up to it.
namespace troupe::storage::audit {

inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t head_bytes = 128;
inline constexpr std::size_t frame_head_bytes = 40;

using segment_number = std::uint64_t; ///< ascending from 1

struct segment_head {
  storage::cluster_id cluster;
  core::node_id node;
  segment_number number = 0;
  sequence_number first_sequence = 0; ///< of the first record to come
  core::timestamp created{};
  digest previous{}; ///< the chain's hash before; zeroes: this is the first
  std::uint32_t format = format_version;
};

/// Appends; with a key the head is sealed by it. Returns the chain's hash
/// behind the head, from which the first frame goes on.
digest encode_head(const segment_head& head, std::string_view key, hasher& with,
                   std::vector<std::byte>& to);

struct read_head {
  segment_head head;
  digest chain{};      ///< behind it
  bool sealed = false; ///< by some key
};

/// malformed: no head; newer_format. REQUIRES: head_bytes bytes.
core::result<read_head> decode_head(core::bytes_view bytes, hasher& with);
/// Whether these head_bytes bytes bear the seal of that key.
[[nodiscard]] bool is_sealed_by(core::bytes_view bytes, std::string_view key);

/// Appends the frame of a body which was appended before at `body_at`, behind
/// frame_head_bytes that were left for it. Returns the chain's hash behind it.
digest seal_frame(std::vector<std::byte>& to, std::size_t body_at,
                  const digest& chain, hasher& with);

[[nodiscard]] std::string segment_name(segment_number number);
/// Numbers of the segments in a folder, ascending; empty if there is none.
core::result<std::vector<segment_number>>
list_segments(file_system& files, const std::filesystem::path& folder);

/// Goes through the frames of one segment. Keeps a piece of the file in
/// memory. For one thread.
class segment_walker {
public:
  enum class step : std::uint8_t {
    frame, ///< body() and chain() are of the next one
    end,   ///< the file ends behind the last one
    torn,  ///< what follows is the beginning of a frame
    broken ///< what follows is not what was written
  };

  /// Reads the head. `limit`: bytes of the file to look at (a file that is
  /// being written has something behind them). Errors: malformed for no or half
  /// a head, newer_format, io_error, not_found.
  static core::result<segment_walker>
  open(file_system& files, const std::filesystem::path& path,
       std::optional<std::uint64_t> limit = std::nullopt);

  [[nodiscard]] const read_head& head() const { return head_; }
  [[nodiscard]] core::bytes_view head_as_written() const { return raw_head_; }

  /// The next frame. With `checked` the chain is computed; else the frame's
  /// checksum alone is looked at. Behind anything but a frame it says the same
  /// again.
  core::result<step> next(bool checked);

  /// Valid until next().
  [[nodiscard]] core::bytes_view body() const { return body_; }
  /// Of the frame, or of the head before the first one.
  [[nodiscard]] const digest& chain() const { return chain_; }
  /// Where the frame begins, or what is torn or broken.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t file_bytes() const { return size_; }
  /// Of broken and torn: for people.
  [[nodiscard]] const std::string& why() const { return why_; }

private:
  segment_walker(std::unique_ptr<file> from, std::uint64_t size)
      : file_(std::move(from)), size_(size) {}
  /// Bytes at `offset`, which must lie in the file.
  core::result<core::bytes_view> read(std::uint64_t offset, std::size_t count);
  step stop(step how, std::string why);

  std::unique_ptr<file> file_;
  std::uint64_t size_;
  std::vector<std::byte> raw_head_;
  read_head head_;
  hasher hasher_;
  std::vector<std::byte> window_;
  std::uint64_t window_at_ = 0;
  core::bytes_view body_;
  digest chain_{};
  std::uint64_t offset_ = head_bytes; ///< of the current frame
  std::uint64_t next_ = head_bytes;
  std::optional<step> stopped_;
  std::string why_;
};

} // namespace troupe::storage::audit
