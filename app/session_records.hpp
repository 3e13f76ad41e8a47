// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "net/zenconn/session_book.hpp"
#include "storage/file_system.hpp"
#include "storage/line_journal.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::app {

struct session_records_options {
  std::filesystem::path folder; ///< "": nothing is written, see below
  std::uint64_t bytes_max = std::uint64_t{256} << 20U;
  std::string cluster;
  core::node_id node;
  std::string server; ///< a UUID of this run
};

/// Relaxed.
struct session_records_stats {
  std::atomic<std::uint64_t> opened{0};
  std::atomic<std::uint64_t> closed{0};
  std::atomic<std::uint64_t> lost{0};    ///< of earlier runs, by their crash
  std::atomic<std::uint64_t> refused{0}; ///< could not be written down
  std::atomic<std::uint64_t> errors{0};  ///< of the disk
  std::atomic<std::uint64_t> bytes{0};   ///< on disk
};

/// ZenConn's sessions of this node: which are there now, in memory, and a
/// journal of all that came and went (docs/formats/session-records.md), written
/// by a thread of its own, one flush for all that waits. Without a folder there
/// is only the memory. While the disk fails new sessions are refused; ends
/// wait until it works. Owned by the node; outlives the network. Thread-safe.
class session_records final : public net::zenconn::session_book {
public:
  /// Of the journal, for people.
  using complaint = std::function<void(const std::string& text)>;

  /// Sessions that the run before left open are closed as lost. Errors as
  /// line_journal::open().
  static core::result<std::unique_ptr<session_records>>
  open(storage::file_system& files, session_records_options options,
       complaint complain);
  /// Calls stop().
  ~session_records();
  session_records(const session_records&) = delete;
  session_records& operator=(const session_records&) = delete;

  void open(net::zenconn::session_facts what,
            std::function<void(bool)> done) override;
  void close(const std::string& id, std::string_view why) override;

  /// Notes the end of this run and writes all that waits. Sessions that are
  /// open still are not closed by that.
  void stop();

  /// Those that are there now, by id from behind `after`, as JSON objects.
  [[nodiscard]] std::vector<std::string> live(std::string_view after,
                                              std::size_t limit) const;
  [[nodiscard]] std::size_t live_count() const;
  [[nodiscard]] const std::filesystem::path& folder() const {
    return options_.folder;
  }
  [[nodiscard]] const session_records_stats& stats() const { return stats_; }

private:
  struct entry {
    std::string line;
    std::string id; ///< of an opened session
    std::function<void(bool)> done;
  };
  /// A session's facts as members of JSON, without braces.
  using facts = std::map<std::string, std::string, std::less<>>;

  session_records(session_records_options options, complaint complain)
      : options_(std::move(options)), complain_(std::move(complain)) {}
  core::result<void> begin(storage::file_system& files);
  [[nodiscard]] std::string mark(std::string_view what,
                                 std::string_view server) const;
  [[nodiscard]] std::string ending(const std::string& members,
                                   std::string_view why) const;
  void push(entry what);
  void run();
  void settle(std::vector<entry> batch);
  void fail(std::vector<entry>& batch);
  void roll();

  const session_records_options options_;
  const complaint complain_;
  core::system_clock clock_;
  session_records_stats stats_;
  std::unique_ptr<storage::line_journal> journal_; ///< of the thread

  mutable std::mutex mutex_; // guards all below
  std::condition_variable changed_;
  facts live_;
  std::vector<entry> waiting_;
  bool failing_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace troupe::app
