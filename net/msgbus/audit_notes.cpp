// SPDX-License-Identifier: Apache-2.0
#include "net/msgbus/audit_notes.hpp"

#include <string>

namespace troupe::net::msgbus {

core::audit_ticket record(const bus_context& shared,
                          const connection_info& from,
                          const channel_note& what) {
  if (shared.audit == nullptr)
    return 0;
  const auto address = unmapped(from.peer.address).to_string();
  core::audit_entry entry;
  entry.kind = what.kind;
  entry.accepted = what.reason.empty();
  entry.session = from.id.value();
  entry.realm = shared.options.realm;
  entry.user = what.user;
  entry.address = address;
  entry.target = what.channel;
  entry.targets = what.channel.empty() ? 0 : 1;
  entry.type = what.type;
  entry.reason = what.reason;
  entry.size = what.size;
  entry.payload = what.payload;
  return shared.audit->record(entry);
}

} // namespace troupe::net::msgbus
