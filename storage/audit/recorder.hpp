// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/audit.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "storage/audit/policies.hpp"
#include "storage/audit/writer.hpp"
#include "storage/fatal.hpp"
#include "storage/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::storage::audit {

struct recorder_options {
  writer_options files;
  answer_policy answers = answer_policy::written;
  overflow_policy overflow = overflow_policy::drop;
  message_policy messages = message_policy::all;
  payload_policy payload = payload_policy::hash;
  std::size_t payload_max = std::size_t{64} << 10U; ///< of policy full
  std::size_t queue_bytes_max = std::size_t{16} << 20U;
  /// At least this often what was written is flushed.
  core::milliseconds sync_interval{200};
  /// Lines for people: level, text. On the recorder's thread. May be null.
  std::function<void(std::string_view level, std::string_view text)> on_news;
  fatal_handler on_fatal = stop_the_node;
};

struct recorder_stats {
  std::uint64_t records = 0; ///< written, since the start
  std::uint64_t dropped = 0;
  std::uint64_t bytes = 0; ///< written
  std::uint64_t flushes = 0;
  std::uint64_t segments_removed = 0;
  std::size_t queued_records = 0;
  std::size_t queued_bytes = 0;
  core::milliseconds lag{0}; ///< age of the oldest record not written
  bool stuck = false;        ///< there is no room on the disk
};

/// What can be read of a log that is being written.
struct log_view {
  core::node_id node; ///< who writes it
  std::vector<segment_span> segments;
  sequence_number last_sequence = 0;
  digest last_hash{};
};

/// Writes the records of a node on a thread of its own, "troupe-audit": all
/// that waits in one go, flushed now and then, or, where answers wait for it,
/// at once. Owned by the node; outlives everything that records. Thread-safe.
class recorder final : public core::audit_sink {
public:
  /// Errors: those of writer::open(). `time` outlives it.
  static core::result<std::unique_ptr<recorder>>
  open(file_system& files, const core::clock& time, recorder_options options);

  /// As stop().
  ~recorder() override;
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  [[nodiscard]] bool has_room() const noexcept override;
  core::audit_ticket record(const core::audit_entry& what) override;
  [[nodiscard]] bool is_kept(core::audit_ticket ticket) const noexcept override;
  void when_kept(core::audit_ticket ticket,
                 std::function<void()> then) override;

  /// Writes and flushes what waits, closes the log in good order and joins
  /// the thread. What comes afterwards is lost.
  void stop();

  [[nodiscard]] recorder_stats stats() const;
  [[nodiscard]] log_view view() const;

private:
  class impl;
  explicit recorder(std::unique_ptr<impl> implementation);

  std::unique_ptr<impl> impl_;
};

} // namespace troupe::storage::audit
