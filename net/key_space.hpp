// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ids.hpp"
#include "core/key_command.hpp"
#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/topic_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe::net {

/// A retained key, as whoever publishes to its topic would.
struct kept_key {
  /// number is about the time at which it was set, node and publisher are 0.
  core::publication_ptr what;
  /// Ascends with each value of the key.
  std::uint64_t revision = 0;
  std::optional<core::timestamp> expires{};
};

/// Where a reader goes on; opaque.
struct key_place {
  std::uint16_t shard = 0;
  std::optional<std::string> after{};
};

struct key_query {
  std::string realm = "default";
  core::topic_filter filter;
  key_place from{};
  std::size_t count_max = 128;
  /// One key is given however big it is.
  std::size_t bytes_max = std::size_t{128} << 10U;
};

struct kept_page {
  std::vector<kept_key> keys;
  /// There may be more: ask on from here.
  std::optional<key_place> next;
  /// Shards that could not be read to their end: what they keep is missing.
  std::size_t unread = 0;
};

/// The retained keys of the cluster, as protocols see them. Implemented by
/// app/ over the actors and by recorders in tests; outlives the network. Called
/// on any loop; answers come there, later, once, in bounded time, whatever
/// happens.
class key_space {
public:
  /// The revision, once it is durable. storage_full (above the bounds of its
  /// shard, or of the disk), name_invalid, too_large, overloaded: it is not
  /// set. timed_out: it may have been, or be yet.
  using set_function = std::function<void(core::result<std::uint64_t>)>;
  /// Those of one loop for one key are carried out in their order.
  virtual void set(core::set_key what, set_function done) = 0;
  /// No key, no failure. The same for its errors; the number is where among the
  /// revisions of the key it was cleared.
  virtual void clear(core::clear_key what, set_function done) = 0;

  using page_function = std::function<void(kept_page)>;
  /// What was set before this is asked for is seen, and nothing that was
  /// replaced before.
  virtual void read(key_query what, page_function done) = 0;

  /// Says when what is listened to by now on this node is known to all others:
  /// who reads after that misses nothing that is published after it was set.
  /// False: some node did not answer in time.
  virtual void settle(std::function<void(bool)> done) = 0;

protected:
  ~key_space() = default;
};

} // namespace troupe::net
