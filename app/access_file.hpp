// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/result.hpp"
#include "net/access_log.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace troupe::app {

/// The access log as a file, written by a thread of its own; several processes
/// (a node's workers) append to the same one, whole lines each. Owned by the
/// doors; outlives the network. Up to waiting_bytes_max wait for the disk, what
/// does not fit is left out and counted.
class access_file final : public net::access_log {
public:
  static constexpr std::size_t waiting_bytes_max = std::size_t{4} << 20U;

  /// io_error.
  static core::result<std::unique_ptr<access_file>> open(std::string path);
  /// Writes what waits.
  ~access_file() override;
  access_file(const access_file&) = delete;
  access_file& operator=(const access_file&) = delete;

  void write(const net::access_entry& entry) override;

  /// The file under this name from here on, after it was moved away; io_error
  /// leaves everything as it was. Lines written before may still go there.
  core::result<void> reopen();

  /// Lines that are in no file: no room, or the disk failed.
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_.load(std::memory_order_relaxed);
  }

private:
  access_file(std::string path, int fd);
  void run();

  const std::string path_;
  const int fd_;
  core::system_clock clock_;
  std::atomic<std::uint64_t> lost_{0};

  std::mutex mutex_; // guards all below
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t lines_waiting_ = 0;
  bool stopping_ = false;

  std::thread thread_; // last: ends first
};

} // namespace troupe::app
