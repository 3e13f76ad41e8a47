// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/command.hpp"
#include "core/inbox_machine.hpp"
#include "core/key_machine.hpp"
#include "core/session_machine.hpp"
#include "core/shard_outcome.hpp"

namespace troupe::core {

/// The tables of one data shard.
struct shard_tables {
  inbox_store& inboxes;
  key_store& keys;
  session_store& sessions;
};

/// Who is told what applied commands change; null: nobody.
struct shard_observers {
  inbox_observer* inboxes = nullptr;
  key_observer* keys = nullptr;
  session_observer* sessions = nullptr;
};

/// Applies the commands of one data shard: inboxes, retained keys, session
/// records. Deterministic: the same commands give the same tables and the same
/// outcomes on every replica. Owned by the shard's actor, which applies
/// commands in log order; the tables must be at the state of the last applied
/// command, and be written by nobody else (else make a new machine).
class shard_machine {
public:
  /// Tables and observers must outlive the machine.
  shard_machine(group_id group, const shard_tables& tables,
                const shard_observers& observers = {});
  shard_machine(const shard_machine&) = delete;
  shard_machine& operator=(const shard_machine&) = delete;
  ~shard_machine() = default;

  /// Applies one command. `raw` are its bytes as they stand in the log.
  shard_outcome apply(log_index index, const logged_shard_command& command,
                      const shared_bytes& raw);

  [[nodiscard]] const inbox_machine& inboxes() const noexcept {
    return inboxes_;
  }
  [[nodiscard]] const inbox_policy& policy() const noexcept {
    return inboxes_.policy();
  }
  [[nodiscard]] const key_policy& policy_of_keys() const noexcept {
    return keys_.policy();
  }
  [[nodiscard]] const session_policy& policy_of_sessions() const noexcept {
    return sessions_.policy();
  }

private:
  shard_outcome sweep(const sweep_expired& c, const shard_context& at);

  inbox_store& store_;
  inbox_machine inboxes_;
  key_machine keys_;
  session_machine sessions_;
};

} // namespace troupe::core
