// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/gatekeeper.hpp"

#include "net/msgbus/basic_credentials.hpp"
#include "net/msgbus/part_writer.hpp"

namespace troupe::net::msgbus {

void password_gatekeeper::decide(const visitor& who,
                                 std::function<void(verdict)> then) const {
  const auto given = parse_basic(who.authorization);
  verdict found;
  if (!password_.empty() &&
      (!given || !same_secret(given->password, password_))) {
    found.what = verdict::kind::unknown;
    found.why = given ? core::deny_reason::wrong_credentials
                      : core::deny_reason::no_credentials;
  }
  if (given) // the name goes into a line of its own
    found.sender = one_line(given->user);
  then(std::move(found));
}

} // namespace troupe::net::msgbus
