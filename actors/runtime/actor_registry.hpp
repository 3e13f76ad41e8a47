// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::actors::runtime {

class registry_shard;

/// What can be seen of something that lives on a loop: 48 bytes in each actor
/// (or session, or connection that is none) plus 8 in its shard. Counters are
/// cheap enough for the path of every message and readable from any thread.
class registry_entry {
public:
  registry_entry() = default;
  registry_entry(const registry_entry&) = delete;
  registry_entry& operator=(const registry_entry&) = delete;
  /// REQUIRES: withdrawn, or never enrolled.
  virtual ~registry_entry();

  /// Messages waiting, including those put off; approximate while senders are
  /// at work.
  [[nodiscard]] std::uint32_t mailbox_length() const noexcept;
  [[nodiscard]] std::uint64_t messages_handled() const noexcept {
    return handled_.load(std::memory_order_relaxed);
  }
  /// Messages nobody had a handler for.
  [[nodiscard]] std::uint32_t messages_dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }
  /// What went wrong last; "" if nothing did. On the home loop.
  [[nodiscard]] std::string_view last_error() const noexcept {
    return last_error_ ? std::string_view{*last_error_} : std::string_view{};
  }
  /// The second in which it was enrolled.
  [[nodiscard]] core::timestamp enrolled() const noexcept {
    return core::timestamp{std::chrono::seconds{enrolled_seconds_}};
  }

  /// Name of its place, for example "realms/default/inboxes/alice": unique
  /// among the living, built when asked for. Called on the home loop, with
  /// the shard locked: must neither enrol nor withdraw anything.
  [[nodiscard]] virtual std::string path() const = 0;
  /// A word for all of its sort: "inbox", "session".
  [[nodiscard]] virtual std::string_view kind() const = 0;
  /// 0 if it is no actor.
  [[nodiscard]] virtual std::uint64_t actor_number() const noexcept {
    return 0;
  }

protected:
  void count_enqueued() noexcept {
    enqueued_.fetch_add(1, std::memory_order_relaxed);
  }
  /// On the home loop, as all below.
  void count_handled() noexcept {
    handled_.store(handled_.load(std::memory_order_relaxed) + 1,
                   std::memory_order_relaxed);
  }
  void count_dropped() noexcept {
    dropped_.store(dropped_.load(std::memory_order_relaxed) + 1,
                   std::memory_order_relaxed);
  }
  /// Kept until the next one; for what went wrong without ending the actor.
  void remember_error(std::string_view text);

  /// Makes it visible. On the home loop, once path() can be called.
  void enrol(registry_shard& shard, core::timestamp now);
  /// Makes it invisible; does nothing if it is already. Any thread, before
  /// anything dies that path() reads.
  void withdraw() noexcept;
  /// Null if not enrolled.
  [[nodiscard]] registry_shard* shard() const noexcept { return shard_; }

private:
  friend class registry_shard;

  registry_shard* shard_ = nullptr;
  std::unique_ptr<std::string> last_error_;
  std::atomic<std::uint64_t> handled_{0};
  std::uint32_t slot_ = 0;
  std::uint32_t enrolled_seconds_ = 0;
  std::atomic<std::uint32_t> enqueued_{0};
  std::atomic<std::uint32_t> dropped_{0};
};

/// One entry, copied.
struct actor_info {
  std::string path;
  std::string kind;
  std::uint64_t number = 0;
  std::size_t loop = 0;
  std::uint64_t messages_handled = 0;
  std::uint32_t mailbox_length = 0;
  std::uint32_t messages_dropped = 0;
  core::timestamp spawned{};
  std::string last_error; ///< "" if none
};

/// An actor that ended by an error.
struct actor_failure {
  std::string path;
  std::string kind;
  std::string error;
  std::size_t loop = 0;
  core::timestamp when{};
};

/// Where a walk over the registry stands; begins at the default value.
struct registry_cursor {
  std::size_t shard = 0;
  std::size_t slot = 0;

  friend bool operator==(const registry_cursor&,
                         const registry_cursor&) = default;
};

struct actor_query {
  registry_cursor from{};
  std::size_t entries_max = 100;
  /// Only paths which begin with this.
  std::string path_prefix{};
};

/// A part of the answer. It may hold fewer entries than asked for, even none,
/// and yet have a `next`: the work of one page is bounded.
struct actor_page {
  std::vector<actor_info> actors;
  std::optional<registry_cursor> next; ///< empty at the end
};

/// The entries of one loop. An entry keeps its slot for life, so a walk sees
/// everything that lived from its beginning to its end exactly once, whatever
/// came and went meanwhile. Memory: 8 bytes a slot, and as many slots as ever
/// lived at one time.
class registry_shard {
public:
  /// Slots looked at for one page: bounds the time for which the loop does
  /// nothing else.
  static constexpr std::size_t slots_per_page_max = 1024;
  static constexpr std::size_t failures_kept = 64;

  explicit registry_shard(std::size_t index) : index_(index) {}

  /// Any thread.
  [[nodiscard]] std::size_t size() const noexcept {
    return size_.load(std::memory_order_relaxed);
  }
  /// From `slot` on; `next` stays in this shard. On the home loop (path()
  /// reads what belongs to it).
  [[nodiscard]] actor_page page(std::size_t slot, std::size_t entries_max,
                                std::string_view path_prefix) const;

  /// Keeps the last few. Any thread.
  void add_failure(actor_failure failure);
  /// Oldest first. Any thread.
  [[nodiscard]] std::vector<actor_failure> failures() const;

private:
  friend class registry_entry;
  std::uint32_t add(registry_entry& entry);
  void remove(std::uint32_t slot) noexcept;

  const std::size_t index_;
  std::atomic<std::size_t> size_{0};
  mutable std::mutex mutex_; // guards all below
  std::deque<registry_entry*> slots_;
  std::vector<std::uint32_t> free_;
  std::deque<actor_failure> failures_;
};

/// The shards, one a loop. Outlives every entry.
class actor_registry {
public:
  explicit actor_registry(std::size_t shards);

  [[nodiscard]] std::size_t shards() const noexcept { return shards_.size(); }
  [[nodiscard]] registry_shard& shard(std::size_t i) { return *shards_.at(i); }
  /// Entries of all shards. Any thread.
  [[nodiscard]] std::size_t size() const noexcept;
  /// One page, from the shard of the cursor only; `next` leads on to the next
  /// shard. On that shard's loop.
  [[nodiscard]] actor_page page(const actor_query& query) const;
  /// Of all shards. Any thread.
  [[nodiscard]] std::vector<actor_failure> failures() const;

private:
  std::vector<std::unique_ptr<registry_shard>> shards_;
};

} // namespace troupe::actors::runtime
