// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/ids.hpp"
#include "core/listener_about.hpp"
#include "core/listener_fate.hpp"
#include "core/publication.hpp"
#include "core/result.hpp"
#include "core/topic_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::net {

/// Gets publications on the loop on which it began to listen, never inside of
/// a call to its protocol.
class topic_listener {
public:
  /// Once a hold that matches. May end its hold, and die.
  virtual void on_publication(const core::publication_ptr& what) = 0;
  /// Says, without doing it, what it would do with one that is not made. Of
  /// the filter and share at which `to` is.
  virtual void foretell(const core::publication_ptr&, core::fate_list& to) {
    to.add({});
  }

protected:
  ~topic_listener() = default;
};

/// Keeps a listener listening; its end ends that. Dies before the listener,
/// on its loop.
class topic_hold {
public:
  virtual ~topic_hold() = default;

  // For a group (listener_about::group), on its loop; what it says is for those
  // who look on.

  /// Somebody listens by it from now on.
  virtual void came(const core::listener_about&) {}
  /// That session no more.
  virtual void went(std::uint64_t) {}
  /// It has given a publication to so many.
  virtual void handed_on(std::size_t) {}
};

/// How a publication is queued for the sessions that outlive their connections
/// and want it.
struct queue_terms {
  /// What is promised: such a session gets this QoS at most; 0: nothing is
  /// queued.
  std::uint8_t qos = 1;
  bool retain = false;
  /// Name of the session that publishes, "" if it is none's.
  std::string publisher{};
  std::optional<core::milliseconds> time_to_live{};
  /// See core::append_message.
  std::string deduplication_key{};
  /// Who listens just now has had it: it is only queued.
  bool only_queue = false;
  /// What became of it, on this loop, never inside of the call; empty: nobody
  /// waits.
  std::function<void(core::errc)> done{};
};

/// The topics of the node, as protocols see them. Implemented by app/ over the
/// topic router and by recorders in tests; outlives the network. Thread-safe:
/// called on every loop, by connections of that loop.
class topic_space {
public:
  virtual ~topic_space() = default;

  /// too_many: the node holds no more filters; name_invalid: the realm. `who`
  /// is shown by the topic's channel; by default nobody is.
  virtual core::result<std::unique_ptr<topic_hold>>
  listen(std::string_view realm, const core::topic_filter& filter,
         topic_listener& target, const core::listener_about& who = {}) = 0;

  /// The same, but all who listen to this filter by this share, on all nodes,
  /// are one: each publication goes to one of them. unavailable, where nothing
  /// is shared.
  virtual core::result<std::unique_ptr<topic_hold>>
  share(std::string_view, const core::topic_filter&, std::string_view,
        topic_listener&, const core::listener_about& = {}) {
    return core::errc::unavailable;
  }

  /// To everybody who listens, on all nodes; nobody is waited for. Sessions
  /// that want it have it queued by queue_terms' default. What one `publisher`
  /// publishes arrives in order. Says how many other nodes want it, and nothing
  /// of arrival. Errors: those of core::check().
  virtual core::result<std::size_t> publish(core::publication what) = 0;

  /// The same, and it is queued for sessions. True: `done` will be called; else
  /// there is nothing to wait for.
  virtual core::result<bool> publish(core::publication what, queue_terms) {
    if (const auto done = publish(std::move(what)); !done)
      return done.error();
    return false;
  }

  /// For one session alone, whoever else has it; as if it had published it
  /// itself. Nobody waits.
  virtual void queue_for(const core::inbox_recipient&, const core::publication&,
                         const queue_terms&) {}

  /// Runs `work` on this loop when what it does now is done.
  virtual void later(std::function<void()> work) = 0;
};

} // namespace troupe::net
