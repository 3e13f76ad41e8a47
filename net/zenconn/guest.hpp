// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "net/ws/frame_codec.hpp"
#include "net/zenconn/event.hpp"
#include "net/zenconn/message.hpp"

#include <functional>
#include <optional>
#include <string_view>

namespace troupe::net::zenconn {

/// What writes to a guest's client. On one loop.
class guest_user {
public:
  /// Runs `work`, in which it is told something. Last: may end the guest.
  virtual void together(const std::function<void()>& work) = 0;
  /// Inside of a call to the guest, or of together().
  virtual void tell(const answer& what) = 0;
  /// The same, at the end of what it is told: the guest has left.
  virtual void dismiss(ws::close_code code, std::string_view why) = 0;

  // Never inside of those; each may end the guest.

  /// Somebody's broadcast into a channel that it is in.
  virtual void tell_event(shared_event& what) = 0;
  /// paused() was true and may not be any more.
  virtual void on_room() = 0;

protected:
  ~guest_user() = default;
};

/// A session of a client as the node knows it: what it may, where it has
/// joined, what it is told. Who speaks WebSocket with the client owns it,
/// perhaps in another process (app/workers). Its end is that of the session.
class guest {
public:
  virtual ~guest() = default;

  /// It begins; `user` outlives it. The first answer welcomes it. False: there
  /// is no room.
  virtual bool enter(guest_user& user) = 0;
  virtual void ask(request asked, core::steady_time now) = 0;
  /// Nothing may be asked just now.
  [[nodiscard]] virtual bool paused() = 0;
  virtual void on_tick(core::steady_time now) = 0;
  [[nodiscard]] virtual std::optional<core::steady_time> deadline() const = 0;
  /// The client is gone, or is told to go; nobody is called any more. The
  /// first call counts.
  virtual void depart(std::string_view why) = 0;
};

} // namespace troupe::net::zenconn
