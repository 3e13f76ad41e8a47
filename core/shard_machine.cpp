// SPDX-License-Identifier: Apache-2.0
#include "core/shard_machine.hpp"

#include "core/origin_window.hpp"

#include <chrono>
#include <type_traits>
#include <variant>

namespace troupe::core {
namespace {

/// Origins that have been silent for so long should have no retry under way.
constexpr milliseconds origin_idle_max = std::chrono::hours{1};

template <class Machine, class Command>
concept executes = requires(Machine& machine, const Command& command,
                            const shard_context& at) {
  machine.execute(command, at);
};

} // namespace

shard_machine::shard_machine(group_id group, const shard_tables& tables,
                             const shard_observers& observers)
    : store_(tables.inboxes),
      inboxes_(group, tables.inboxes, observers.inboxes),
      keys_(tables.keys, observers.keys),
      sessions_(group, tables.sessions, inboxes_, observers.sessions) {}

shard_outcome shard_machine::apply(log_index index,
                                   const logged_shard_command& command,
                                   const shared_bytes& raw) {
  const auto& key = command.key;
  if (key.origin != 0) {
    auto seen = store_.origin(key.origin).value_or(origin_record{});
    if (is_applied(seen, key.sequence))
      return {.failure = {errc::duplicate, {}}};
    mark(seen, key.sequence);
    seen.used = command.time;
    store_.put_origin(key.origin, seen);
  }
  const shard_context at{index, command.time, raw};
  return std::visit(
      [&](const auto& c) {
        using kind = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<kind, sweep_expired>)
          return sweep(c, at);
        else if constexpr (executes<key_machine, kind>)
          return keys_.execute(c, at);
        else if constexpr (executes<session_machine, kind>)
          return sessions_.execute(c, at);
        else
          return inboxes_.execute(c, at);
      },
      command.command);
}

shard_outcome shard_machine::sweep(const sweep_expired& c,
                                   const shard_context& at) {
  auto outcome = inboxes_.execute(c, at);
  for (const auto id :
       silent_origins(store_.origins(), at.now, origin_idle_max))
    store_.erase_origin(id);
  const bool keys = keys_.sweep(at.now, c.limit);
  const bool sessions = sessions_.sweep(at, c.limit);
  outcome.more = outcome.more || keys || sessions;
  return outcome;
}

} // namespace troupe::core
