// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/protocol.hpp"
#include "net/session_port.hpp"

#include <functional>
#include <memory>

namespace troupe::net {

/// What a protocol that answers later (HTTP) may ask of its connection. Lives
/// as long as the protocol; used on the connection's loop only.
class protocol_host {
public:
  /// Lets `work` add effects outside of a call by the connection, which then
  /// carries them out. Not inside of one: there the effects are at hand.
  virtual void run(const std::function<void(effects&)>& work) = 0;

  [[nodiscard]] virtual const connection_info& info() const = 0;
  [[nodiscard]] virtual actors::runtime::loop& home() = 0;

protected:
  ~protocol_host() = default;
};

/// Makes the protocol of one connection. Thread-safe; may return nullptr to
/// refuse.
using protocol_factory =
    std::function<std::unique_ptr<protocol>(protocol_host& host)>;

} // namespace troupe::net
