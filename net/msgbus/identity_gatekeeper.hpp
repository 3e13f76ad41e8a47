// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/authenticator.hpp"
#include "core/authorizer.hpp"
#include "core/clock.hpp"
#include "core/keyed_cache.hpp"
#include "core/rights_store.hpp"
#include "net/msgbus/gatekeeper.hpp"

#include <functional>
#include <string>

namespace troupe::net::msgbus {

/// Asks the directory. Who shows a bearer token, or the name of a user who has
/// a password, is that user or is turned away. Any other name in Basic
/// credentials is only what somebody calls himself, as clients of the bus have
/// always done it: he is nobody, and comes in where nobody may
/// (authorizer_options::anonymous). With a server password that alone counts
/// for coming in. What may be done is said by grants.
///
/// Every request brings its credentials; those that were right are remembered
/// for a while, since a password takes tens of milliseconds to check. Whether
/// they still count is looked up each time.
class identity_gatekeeper final : public gatekeeper {
public:
  using loop_runner = std::function<void(std::function<void()>)>;
  struct parts {
    core::authenticator& logins;
    const core::authorizer& judge;
    const core::rights_store& store;
    const core::clock& clock;
    /// Runs something on the loop on which it was asked for, from any thread.
    std::function<loop_runner()> this_loop;
  };
  /// All of `from` must live longer. `password` "": none is asked for.
  identity_gatekeeper(parts from, std::string realm, std::string password);

  void decide(const visitor& who,
              std::function<void(verdict)> then) const override;

private:
  struct wish {
    deed what = deed::other;
    std::string channel;
    std::string called; ///< in Basic credentials
  };
  [[nodiscard]] verdict judge(const wish& what, core::principal who) const;
  [[nodiscard]] core::principal nobody(const visitor& who) const;
  void log_in(core::credentials shown, std::string field, wish what,
              std::function<void(verdict)> then) const;

  const parts from_;
  const std::string realm_;
  const std::string password_;
  /// By address and field.
  mutable core::keyed_cache<core::principal> known_;
};

} // namespace troupe::net::msgbus
