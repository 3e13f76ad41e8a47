// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/ids.hpp"
#include "core/message.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::core {

/// What one device has acknowledged. See inbox_machine for the rules.
struct cursor {
  device_offset device;
  inbox_position acknowledged;
  /// Last login, acknowledgement or logout.
  timestamp seen{};
  /// A device that inherited its queue does not get what its ancestor was
  /// excepted from: up to `until`, an exception of `ancestor` is its own.
  struct inherited {
    device_offset ancestor;
    inbox_position until;
    friend bool operator==(const inherited&, const inherited&) = default;
  };
  std::vector<inherited> inheritance;

  friend bool operator==(const cursor&, const cursor&) = default;
};

/// Everything about an inbox but its entries.
struct inbox_head {
  std::uint64_t number = 0;  ///< names the inbox in its shard; never re-used
  inbox_position first{1};   ///< lowest position that may still be there
  inbox_position last{0};    ///< highest position ever given
  std::uint64_t count = 0;   ///< entries there
  std::uint64_t bytes = 0;   ///< their weight
  std::uint64_t singles = 0; ///< entries for exactly one device
  /// Highest position that was lost before every device had it (expired,
  /// dropped): who resumes below it sees a gap.
  inbox_position lost{0};
  std::vector<cursor> cursors; ///< by device, ascending

  friend bool operator==(const inbox_head&, const inbox_head&) = default;
};

/// One message in one inbox.
struct inbox_entry {
  inbox_position position;
  /// The log entry that brought it: where the message itself is kept.
  log_index source;
  /// Tells apart the messages of one log entry (one per single recipient).
  std::uint16_t ordinal = 0;
  bool single = false;
  std::optional<device_offset> except;
  std::optional<timestamp> expires;
  std::uint32_t weight = 0;
  /// For a session: which recipient of the command it is (see message).
  std::uint32_t recipient = 0;

  friend bool operator==(const inbox_entry&, const inbox_entry&) = default;
};

/// Which commands of one origin have been applied: all below `floor`, and
/// those whose bit is set above it.
struct origin_record {
  std::uint64_t floor = 0;         ///< sequences <= floor are applied
  std::vector<std::uint64_t> bits; ///< bit i of word w: floor + 1 + 64 w + i
  timestamp used{};

  friend bool operator==(const origin_record&, const origin_record&) = default;
};

/// Typed tables of one data shard, as the inbox machine needs them. Not
/// thread-safe; owned by the shard's actor. Implemented over a state_space in
/// schema/, in plain memory in tests.
class inbox_store {
public:
  virtual ~inbox_store() = default;

  virtual std::optional<inbox_head> head(const owner& inbox) const = 0;
  virtual void put_head(const owner& inbox, const inbox_head& head) = 0;
  virtual void erase_head(const owner& inbox) = 0;
  /// Heads in key order behind `after`; the visitor returns false to stop.
  virtual void
  each_head(const std::optional<owner>& after,
            const std::function<bool(const owner&, const inbox_head&)>& visit)
      const = 0;

  virtual std::optional<inbox_entry> entry(std::uint64_t inbox,
                                           inbox_position position) const = 0;
  virtual void put_entry(std::uint64_t inbox, const inbox_entry& entry) = 0;
  virtual void erase_entry(std::uint64_t inbox, inbox_position position) = 0;
  /// Entries from `from` on, ascending; the visitor returns false to stop.
  virtual void
  each_entry(std::uint64_t inbox, inbox_position from,
             const std::function<bool(const inbox_entry&)>& visit) const = 0;

  /// The command that brought a message, kept as it came; the number of
  /// entries that refer to it.
  virtual void put_body(log_index source, const shared_bytes& command,
                        std::uint32_t references) = 0;
  virtual std::optional<shared_bytes> body(log_index source) const = 0;
  /// One entry less refers to it; the last one removes it.
  virtual void release_body(log_index source) = 0;

  /// Index of what expires when: (time, inbox, position).
  virtual void put_expiry(timestamp when, std::uint64_t inbox,
                          inbox_position position, const owner& owner) = 0;
  virtual void erase_expiry(timestamp when, std::uint64_t inbox,
                            inbox_position position) = 0;
  struct expiry {
    timestamp when;
    std::uint64_t inbox = 0;
    inbox_position position;
    core::owner owner;
  };
  /// Up to `limit` entries that expired before `now`, oldest first.
  virtual std::vector<expiry> expired(timestamp now,
                                      std::size_t limit) const = 0;

  virtual std::optional<origin_record> origin(std::uint64_t id) const = 0;
  virtual void put_origin(std::uint64_t id, const origin_record& record) = 0;
  virtual void erase_origin(std::uint64_t id) = 0;
  virtual std::vector<std::pair<std::uint64_t, origin_record>>
  origins() const = 0;

  /// Client-chosen deduplication keys and when they end.
  virtual std::optional<message_id>
  deduplicated(std::string_view key) const = 0;
  virtual void put_deduplicated(std::string_view key, message_id id,
                                timestamp until) = 0;
  virtual std::size_t erase_deduplicated(timestamp before,
                                         std::size_t limit) = 0;

  virtual std::uint64_t next_inbox_number() const = 0;
  virtual void put_next_inbox_number(std::uint64_t number) = 0;
  virtual std::uint64_t inbox_count() const = 0;
  virtual void put_inbox_count(std::uint64_t count) = 0;
  virtual inbox_policy policy() const = 0;
  virtual void put_policy(const inbox_policy& policy) = 0;
};

} // namespace troupe::core
