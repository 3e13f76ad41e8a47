// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/client_line.hpp"
#include "actors/context.hpp"
#include "core/client_command.hpp"

#include <caf/fwd.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace troupe::actors {

namespace runtime {
class loop;
} // namespace runtime

/// A connection's way to its client's session: to an actor of its own if the
/// session is to last, else to the desk of the loop. Owned by the connection,
/// used on its loop.
class client_way {
public:
  /// `home` is null only in a system without loops. All outlive this.
  client_way(caf::actor_system& system, broker_context& context,
             runtime::loop* home, core::client_link& link,
             std::uint64_t number);
  ~client_way();
  client_way(const client_way&) = delete;
  client_way& operator=(const client_way&) = delete;

  /// The first one is open_client. What needs a session that lasts, and comes
  /// for one that does not, is nothing.
  void send(std::vector<core::client_command> commands);
  /// The connection is gone; once, last.
  void close(bool drop_will);
  /// What carries out a session that lasts; null: it does not.
  [[nodiscard]] const client_actor& actor() const { return line_->actor; }

private:
  [[nodiscard]] const desk_actor& desk() const;
  void open(core::open_client& what);

  caf::actor_system& system_;
  broker_context& context_;
  runtime::loop* home_;
  std::uint64_t number_;
  std::shared_ptr<client_line> line_;
};

} // namespace troupe::actors
