// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/log_store.hpp"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

inline constexpr std::size_t small_segment = std::size_t{64} << 10;

/// A log store and what it reported, for tests.
class log_probe {
public:
  /// REQUIRES: the options' callbacks are not set.
  explicit log_probe(storage::file_system& files,
                     storage::log_options options = defaults()) {
    options.on_durable = [this](std::span<const storage::completion> batch) {
      const std::lock_guard lock{mutex_};
      for (const auto& done : batch)
        tokens_.push_back(done.token);
      ++batches_;
      changed_.notify_all();
    };
    options.on_fatal = [this](std::string_view what) {
      const std::lock_guard lock{mutex_};
      fatal_ = what;
      changed_.notify_all();
    };
    auto opened = storage::log_store::open(files, std::move(options));
    if (opened) {
      for (auto& group : opened->groups)
        groups_[group.group.value()] = std::move(group);
      store_ = std::move(opened->store);
    } else {
      error_ = opened.error();
    }
  }

  static storage::log_options defaults() {
    storage::log_options options;
    options.folder = "/data/log";
    options.segment_bytes = small_segment;
    options.reserve_bytes = 0;
    options.spin = std::chrono::microseconds{0};
    return options;
  }

  [[nodiscard]] bool open() const { return store_ != nullptr; }
  [[nodiscard]] const core::error& error() const { return error_; }
  storage::log_store& operator*() { return *store_; }
  storage::log_store* operator->() { return store_.get(); }
  void close() { store_.reset(); }

  /// What the log held of a group when it was opened.
  [[nodiscard]] const storage::recovered_group& group(std::uint16_t id) {
    return groups_[id];
  }
  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }

  /// Submits, and waits until it is durable or the store has failed; false if
  /// refused or failed. If segments are not ready yet, waits for them first.
  bool write(storage::log_write write) {
    const auto token = write.token;
    auto accepted = store_->submit(write);
    if (!accepted && accepted.error().code == core::errc::overloaded) {
      store_->refresh_health();
      accepted = store_->submit(std::move(write));
    }
    if (!accepted)
      return false;
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] {
      return !fatal_.empty() || (!tokens_.empty() && tokens_.back() >= token);
    });
    return !tokens_.empty() && tokens_.back() >= token;
  }

  [[nodiscard]] std::vector<std::uint64_t> tokens() const {
    const std::lock_guard lock{mutex_};
    return tokens_;
  }
  [[nodiscard]] std::string fatal() const {
    const std::lock_guard lock{mutex_};
    return fatal_;
  }
  [[nodiscard]] std::size_t batches() const {
    const std::lock_guard lock{mutex_};
    return batches_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> tokens_;
  std::string fatal_;
  std::size_t batches_ = 0;
  std::map<std::uint16_t, storage::recovered_group> groups_;
  core::error error_;
  std::unique_ptr<storage::log_store> store_; ///< last: its thread uses these
};

/// `count` entries of `bytes` bytes each from `first` on; the text of each
/// says group, index and term.
inline storage::log_write entries_of(std::uint16_t group, std::uint64_t first,
                                     std::size_t count, std::uint64_t token,
                                     std::size_t bytes = 100,
                                     std::uint64_t term = 1) {
  storage::log_write write;
  write.group = core::group_id{group};
  write.first = core::log_index{first};
  write.token = token;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = std::to_string(group) + "/" + std::to_string(first + i) +
                       "/" + std::to_string(term) + "/";
    text.resize(std::max(bytes, text.size()), '.');
    write.entries.push_back(
        {core::term{term}, 1, core::shared_bytes::copy_of(text)});
  }
  return write;
}

} // namespace troupe::test
