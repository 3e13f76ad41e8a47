// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/principal.hpp"
#include "net/session_port.hpp"
#include "net/zenconn/guest.hpp"
#include "net/zenconn/message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe::net::zenconn {

/// Somebody who asks for an upgrade.
struct knock {
  std::string bearer{}; ///< "" for none
  spelling how = spelling::json;
  /// That keeps his connection, as its agent knows it.
  std::optional<std::uint32_t> worker{};
};

/// What he is told.
struct welcome {
  enum class kind : std::uint8_t {
    let_in,
    not_served, ///< there are no channels here
    draining,
    no_login,  ///< `why`
    busy,      ///< not now
    no_record, ///< his session can't be written down
  };
  kind what = kind::let_in;
  core::deny_reason why = core::deny_reason::none;
  std::string uid{}; ///< "" for nobody
  /// If he is let in; not entered yet.
  std::unique_ptr<zenconn::guest> guest{};
};

/// Who finds out who may come in, and has a place for him: zenconn_desk in the
/// process that has the topics, what speaks with clients may be in another
/// one. Outlives the network.
class desk {
public:
  /// On a loop. `from` is borrowed for the call; `waits` says, on this loop,
  /// whether the client is still there. Calls `then` at most once, inside of
  /// the call or later on this loop; not if he waits no more.
  virtual void let_in(const connection_info& from, knock who,
                      std::function<bool()> waits,
                      std::function<void(welcome)> then) = 0;

protected:
  ~desk() = default;
};

} // namespace troupe::net::zenconn
