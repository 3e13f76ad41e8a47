// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/authorizer.hpp"
#include "net/session_port.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::net::msgbus {

enum class deed : std::uint8_t { subscribe, publish, read_file, other };

/// Somebody who wants something; valid during the call of decide() only.
struct visitor {
  std::string_view authorization; ///< the field; "": there is none
  const connection_info& connection;
  deed wants = deed::other;
  std::string_view channel{}; ///< of subscribe and publish; "": the root
};

struct verdict {
  enum class kind : std::uint8_t {
    admitted,
    unknown, ///< has not said who he is, or in vain: 401
    denied,  ///< may not do that: 403
    hasty,   ///< does it too often, or there is no room: 429
  };
  kind what = kind::admitted;
  std::string sender{}; ///< in whose name he publishes; "": nobody's
  /// Of a subscriber: what he may as long as he stays; null: for ever.
  std::shared_ptr<core::session_rights> rights{};
  /// Why he was not admitted, for the audit; then `sender` is who he says he
  /// is.
  core::deny_reason why = core::deny_reason::none;
};

/// Says who may do what on the bus: the one place where identity and rights
/// come in. Shared by all loops, so it must be thread-safe; outlives the
/// network.
class gatekeeper {
public:
  virtual ~gatekeeper() = default;
  /// Calls `then` exactly once, inside of the call or later on this loop.
  virtual void decide(const visitor& who,
                      std::function<void(verdict)> then) const = 0;
};

/// Lets in who knows the server's password, whatever he calls himself; with
/// no password everybody. The name given in Basic credentials is the sender.
/// For a process that knows nothing of users.
class password_gatekeeper final : public gatekeeper {
public:
  /// `password` "": none is asked for.
  explicit password_gatekeeper(std::string password)
      : password_(std::move(password)) {}

  void decide(const visitor& who,
              std::function<void(verdict)> then) const override;

private:
  const std::string password_;
};

} // namespace troupe::net::msgbus
