// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/listener_fate.hpp"
#include "core/publication.hpp"
#include "core/shared_bytes.hpp"
#include "net/msgbus/gatekeeper.hpp"
#include "net/msgbus/history.hpp"
#include "net/session_port.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::net::msgbus {

/// What a request wants, as far as others than HTTP need to know.
struct wish {
  deed what = deed::other;
  std::string authorization{}; ///< the field
  std::string channel{};       ///< "": the root
  // Of publish.
  std::string type{};
  core::shared_bytes body{};
  // Of subscribe.
  bool poll = false; ///< one message only
  /// First what came behind that, out of the history.
  std::optional<message_mark> since{};
  std::string filters{}; ///< for the log

  friend bool operator==(const wish&, const wish&) = default;
};

/// Who gets what he subscribed to, on the loop on which he asked and never
/// inside of a call to his protocol.
class seat_user {
public:
  /// May end the seat, and die.
  virtual void on_publication(const core::publication_ptr& what) = 0;
  /// See topic_listener::foretell(); `to` has all but what becomes of it.
  virtual void foretell(const core::publication_ptr& what,
                        core::listener_fate& to) = 0;
  /// He may not listen any more; the last call. May end the seat, and die.
  virtual void on_seat_lost(std::string_view why) = 0;

protected:
  ~seat_user() = default;
};

/// A subscription; its end ends that.
class seat {
public:
  virtual ~seat() = default;
  /// Once, before anything else happens on the loop; `user` outlives this.
  virtual void begin(seat_user& user) = 0;
};

/// What becomes of a wish.
struct ruling {
  enum class kind : std::uint8_t {
    granted, ///< published, or there is a seat
    unknown, ///< see verdict::kind, for this and the next two
    denied,
    hasty,
    malformed, ///< no content type, or one that is too long
    long_name, ///< of the channel
    large,     ///< the body
    busy,      ///< the node takes no more just now
  };
  kind what = kind::granted;
  std::string sender{}; ///< who it is, or says he is
  // Of subscribe.
  std::unique_ptr<msgbus::seat> seat{};
  std::vector<core::publication_ptr> past{}; ///< the oldest first
};

/// Who carries out what the bus is asked for: judges it, publishes, listens,
/// writes it down. In the process that has the topics that is msgbus_desk;
/// what parses requests may be in another one. Outlives the network.
class desk {
public:
  /// On a loop. `from` is borrowed for the call. Calls `then` exactly once,
  /// inside of the call or later on this loop.
  virtual void ask(const connection_info& from, wish what,
                   std::function<void(ruling)> then) = 0;
  /// Runs `work` on this loop when what it does now is done.
  virtual void later(std::function<void()> work) = 0;

protected:
  ~desk() = default;
};

} // namespace troupe::net::msgbus
